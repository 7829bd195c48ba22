/* SPDX-License-Identifier: MIT */
/* lib/guestcfg.c - a guest's configuration: xl.cfg as Vigil understands it. */
#include "lib/guestcfg.h"

#include <errno.h>
#include <fcntl.h>
#include <libxlutil.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cfgscan.h"
#include "lib/outfile.h"

#define CONFIG_BYTES_MAX   (1024 * 1024)
#define DEBIAN_BOOT_DIR    "/usr/lib/xen-4.17/boot"
#define EVENT_CHANNELS     1023
#define EVENT_CHANNELS_MAX 131071
#define GRANT_FRAMES_MAX   4096
#define MAPTRACK_MAX       65536

/* Append one `key=value` of the command line as a line of the file. */
static char *append_override(char *text, const char *override,
                             struct fault *fault)
{
    const char *value = strchr(override, '=');
    const char *quote = "\"";
    char *longer;
    char *end;

    if (!value || value == override) {
        fault_set(fault, EXIT_USAGE,
                  "%s is not key=value; give settings after the file, as in "
                  "memory=32",
                  override);
        free(text);
        return NULL;
    }
    value++;
    /* A bare word needs quotes in the file's grammar; spare people those. */
    if (*value == '"' || *value == '\'' || *value == '[') {
        quote = "";
    } else if (*value && strtol(value, &end, 0) >= 0 && *end == '\0') {
        quote = "";
    } else if (strchr(value, '"')) {
        quote = "'";
    }
    longer = xasprintf("%s\n%.*s=%s%s%s\n", text, (int)(value - override - 1),
                       override, quote, value, quote);
    free(text);
    return longer;
}

static int check_keys(const char *path, const char *text, int strict,
                      struct fault *fault)
{
    struct cfg_keys keys;
    int ret = 0;

    cfg_scan(text, strlen(text), &keys);
    for (size_t i = 0; i < keys.count && ret == 0; i++) {
        const struct cfg_key *key = &keys.keys[i];
        enum cfg_support support = cfg_key_support(key->name);
        const char *nearest;
        char *about;

        if (support == CFG_USED || support == CFG_IGNORED || key->empty) {
            continue;
        }
        nearest = support == CFG_UNKNOWN ? cfg_key_nearest(key->name) : NULL;
        about = xasprintf("%s:%u: %s is %s%s%s%s", path, key->line, key->name,
                          support == CFG_KNOWN
                              ? "not offered by Vigil for PV guests"
                              : "not a key of xl.cfg",
                          nearest ? "; did you mean " : "",
                          nearest ? nearest : "", nearest ? "?" : "");
        if (strict) {
            ret = fault_set(fault, EXIT_UNSUPPORTED,
                            "%s (without --strict it would be ignored)", about);
        } else {
            say("warning: ignored: %s", about);
        }
        free(about);
    }
    cfg_keys_free(&keys);
    return ret;
}

/* A string value, NULL if the key is not set. */
static char *get_text(const XLU_Config *cfg, const char *key)
{
    const char *value;

    if (xlu_cfg_get_string(cfg, key, &value, 0)) {
        return NULL;
    }
    return xstrdup(value);
}

static int get_number(const XLU_Config *cfg, const char *key, long lowest,
                      long highest, long fallback, long *ret_value,
                      struct fault *fault)
{
    long value;
    int err = xlu_cfg_get_long(cfg, key, &value, 1);

    if (err == ESRCH) {
        *ret_value = fallback;
        return 0;
    }
    if (err) {
        return fault_set(fault, EXIT_USAGE,
                         "%s is not a number; give one from %ld to %ld", key,
                         lowest, highest);
    }
    if (value < lowest || value > highest) {
        return fault_set(fault, EXIT_USAGE,
                         "%s = %ld is out of range; give %ld to %ld", key,
                         value, lowest, highest);
    }
    *ret_value = value;
    return 0;
}

static int get_action(const XLU_Config *cfg, const char *key,
                      enum guest_action fallback, enum guest_action *ret_action,
                      struct fault *fault)
{
    const char *value;

    *ret_action = fallback;
    if (xlu_cfg_get_string(cfg, key, &value, 0)) {
        return 0;
    }
    if (guest_action_parse(value, ret_action)) {
        return fault_set(fault, EXIT_UNSUPPORTED,
                         "%s = %s is not offered; give destroy, restart, "
                         "preserve, coredump-destroy or coredump-restart",
                         key, value);
    }
    return 0;
}

/* Find a file as given, beside the configuration, or in Debian's place. */
static char *find_file(const char *config_path, const char *file)
{
    const char *slash = strrchr(config_path, '/');
    char *path;

    if (access(file, R_OK) == 0) {
        path = realpath(file, NULL);
        return path ? path : xstrdup(file);
    }
    if (file[0] == '/') {
        return NULL;
    }
    path = xasprintf("%.*s%s", slash ? (int)(slash - config_path + 1) : 0,
                     config_path, file);
    if (access(path, R_OK)) {
        free(path);
        path = xasprintf(DEBIAN_BOOT_DIR "/%s", file);
    }
    if (access(path, R_OK)) {
        free(path);
        return NULL;
    }
    return path;
}

static int get_file(const XLU_Config *cfg, const char *key,
                    const char *config_path, char **ret_path,
                    struct fault *fault)
{
    const char *value;

    *ret_path = NULL;
    if (xlu_cfg_get_string(cfg, key, &value, 0) || value[0] == '\0') {
        return 0;
    }
    *ret_path = find_file(config_path, value);
    if (!*ret_path) {
        return fault_set(fault, EXIT_NOT_FOUND,
                         "%s = %s: no such readable file, neither as given "
                         "nor beside %s nor in " DEBIAN_BOOT_DIR,
                         key, value, config_path);
    }
    return 0;
}

static char *get_cmdline(const XLU_Config *cfg)
{
    char *cmdline = get_text(cfg, "cmdline");
    char *root = get_text(cfg, "root");
    char *extra = get_text(cfg, "extra");

    if (cmdline) {
        if (root || extra) {
            say("warning: cmdline is set, so root and extra are ignored");
        }
    } else {
        cmdline = xasprintf("%s%s%s%s", root ? "root=" : "", root ? root : "",
                            root && extra ? " " : "", extra ? extra : "");
    }
    free(root);
    free(extra);
    return cmdline;
}

static int check_type(const XLU_Config *cfg, struct fault *fault)
{
    const char *type;

    if (xlu_cfg_get_string(cfg, "type", &type, 0) == 0 && strcmp(type, "pv")) {
        return fault_set(fault, EXIT_UNSUPPORTED,
                         "type = %s is not offered; Vigil runs PV guests: "
                         "give \"pv\"",
                         type);
    }
    if (xlu_cfg_get_string(cfg, "builder", &type, 0) == 0 &&
        strcmp(type, "generic") && strcmp(type, "linux")) {
        return fault_set(fault, EXIT_UNSUPPORTED,
                         "builder = %s is not offered; Vigil runs PV guests: "
                         "remove the line",
                         type);
    }
    return 0;
}

static int get_name_and_uuid(const XLU_Config *cfg, struct guest_config *config,
                             struct fault *fault)
{
    const char *text;

    config->name = get_text(cfg, "name");
    if (!config->name || config->name[0] == '\0') {
        return fault_set(fault, EXIT_USAGE,
                         "the configuration has no name; add name = \"...\"");
    }
    if (strchr(config->name, '/') || strlen(config->name) > 128 ||
        config->name[strspn(config->name, "0123456789")] == '\0') {
        return fault_set(fault, EXIT_USAGE,
                         "name = %s: give at most 128 characters, no slash, "
                         "and not digits only",
                         config->name);
    }
    uuid_random(config->uuid);
    if (xlu_cfg_get_string(cfg, "uuid", &text, 0) == 0 &&
        uuid_parse(text, config->uuid)) {
        return fault_set(fault, EXIT_USAGE,
                         "uuid = %s is not a UUID; give it as xxxxxxxx-xxxx-"
                         "xxxx-xxxx-xxxxxxxxxxxx",
                         text);
    }
    return 0;
}

static int get_sizes(const XLU_Config *cfg, struct guest_config *config,
                     struct fault *fault)
{
    long channels;

    if (get_number(cfg, "memory", GUEST_MEMORY_MIB_MIN, GUEST_MEMORY_MIB_MAX,
                   128, &config->memory_mib, fault) ||
        get_number(cfg, "maxmem", config->memory_mib, GUEST_MEMORY_MIB_MAX,
                   config->memory_mib, &config->maxmem_mib, fault) ||
        get_number(cfg, "vcpus", 1, GUEST_VCPUS_MAX, 1, &config->vcpus,
                   fault) ||
        get_number(cfg, "maxvcpus", config->vcpus, GUEST_VCPUS_MAX,
                   config->vcpus, &config->maxvcpus, fault) ||
        get_number(cfg, "event_channels", 63, EVENT_CHANNELS_MAX,
                   EVENT_CHANNELS, &channels, fault) ||
        get_number(cfg, "max_event_channels", 63, EVENT_CHANNELS_MAX, channels,
                   &config->event_channels, fault)) {
        return -1;
    }
    if (get_number(cfg, "max_grant_frames", 1, GRANT_FRAMES_MAX, -1,
                   &config->grant_frames, fault) ||
        get_number(cfg, "max_maptrack_frames", 0, MAPTRACK_MAX, -1,
                   &config->maptrack_frames, fault) ||
        get_number(cfg, "max_grant_version", 1, 2, 2, &config->grant_version,
                   fault)) {
        return -1;
    }
    return 0;
}

/* xl spells the modes of the time stamp counter as words or as numbers. */
static int get_tsc_mode(const XLU_Config *cfg, struct guest_config *config,
                        struct fault *fault)
{
    static const char *const modes[] = {"default", "always_emulate", "native"};
    const char *text;

    if (xlu_cfg_get_string(cfg, "tsc_mode", &text, 1)) {
        return get_number(cfg, "tsc_mode", 0, 2, 0, &config->tsc_mode, fault);
    }
    for (long mode = 0; mode < 3; mode++) {
        if (strcmp(text, modes[mode]) == 0 ||
            (text[0] == '0' + mode && text[1] == '\0')) {
            config->tsc_mode = mode;
            return 0;
        }
    }
    return fault_set(fault, EXIT_UNSUPPORTED,
                     "tsc_mode = %s is not offered; give default, "
                     "always_emulate or native",
                     text);
}

static int take_values(const XLU_Config *cfg, const char *path,
                       struct guest_config *config, struct fault *fault)
{
    if (check_type(cfg, fault) || get_name_and_uuid(cfg, config, fault) ||
        get_sizes(cfg, config, fault) || get_tsc_mode(cfg, config, fault) ||
        get_file(cfg, "kernel", path, &config->kernel, fault) ||
        get_file(cfg, "ramdisk", path, &config->ramdisk, fault)) {
        return -1;
    }
    if (!config->kernel) {
        return fault_set(fault, EXIT_USAGE,
                         "the configuration has no kernel; add kernel = "
                         "\"/path/to/vmlinuz\"");
    }
    config->cmdline = get_cmdline(cfg);
    config->features = get_text(cfg, "features");
    if (get_action(cfg, "on_poweroff", ACTION_DESTROY, &config->on_poweroff,
                   fault) ||
        get_action(cfg, "on_reboot", ACTION_RESTART, &config->on_reboot,
                   fault) ||
        get_action(cfg, "on_crash", ACTION_DESTROY, &config->on_crash, fault)) {
        return -1;
    }
    return get_action(cfg, "on_watchdog", ACTION_DESTROY, &config->on_watchdog,
                      fault);
}

/* Parse @text with libxlutil, whose complaints end up in @fault. */
static int parse_text(const char *path, const char *text,
                      struct guest_config *config, struct fault *fault)
{
    char *complaint = NULL;
    size_t complaint_len = 0;
    FILE *report = open_memstream(&complaint, &complaint_len);
    XLU_Config *cfg;
    int ret = -1;

    if (!report) {
        out_of_memory();
    }
    cfg = xlu_cfg_init(report, path);
    if (!cfg) {
        out_of_memory();
    }
    if (xlu_cfg_readdata(cfg, text, (int)strlen(text))) {
        fflush(report);
        complaint[strcspn(complaint, "\n")] = '\0';
        fault_set(fault, EXIT_USAGE, "%s is not an xl.cfg file: %s", path,
                  complaint);
    } else {
        ret = take_values(cfg, path, config, fault);
    }
    xlu_cfg_destroy(cfg);
    fclose(report);
    free(complaint);
    return ret;
}

int guestcfg_load(const char *path, char *const *overrides, int count,
                  int strict, struct guest_config *ret_config,
                  struct fault *fault)
{
    char *text;
    char *real = realpath(path, NULL); /* a link to a file is welcome */
    size_t len;

    memset(ret_config, 0, sizeof(*ret_config));
    if (!real || infile_read(AT_FDCWD, real, CONFIG_BYTES_MAX, &text, &len)) {
        fault_errno(fault, errno, "cannot read the configuration %s", path);
        free(real);
        return -1;
    }
    free(real);
    if (strlen(text) != len || len == CONFIG_BYTES_MAX) {
        free(text);
        return fault_set(fault, EXIT_USAGE,
                         "%s is not a text file of less than 1 MiB", path);
    }
    for (int i = 0; i < count; i++) {
        text = append_override(text, overrides[i], fault);
        if (!text) {
            return -1;
        }
    }
    ret_config->text = text;
    if (check_keys(path, text, strict, fault) ||
        parse_text(path, text, ret_config, fault)) {
        guestcfg_free(ret_config);
        return -1;
    }
    return 0;
}

void guestcfg_free(struct guest_config *config)
{
    free(config->name);
    free(config->kernel);
    free(config->ramdisk);
    free(config->cmdline);
    free(config->features);
    free(config->text);
    memset(config, 0, sizeof(*config));
}
