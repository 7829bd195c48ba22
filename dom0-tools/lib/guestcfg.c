/* SPDX-License-Identifier: MIT */
/* lib/guestcfg.c - a guest's configuration, as libxl wants it. */
#include "lib/guestcfg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lib/cfgread.h"
#include "lib/guestkeys.h"
#include "lib/outfile.h"
#include "lib/place.h"

#define CONFIG_BYTES_MAX (1024 * 1024)
#define NAME_CHARS_MAX   128

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

/* Warn of each key that will not do what it says; with @strict refuse it. */
static int check_keys(struct cfg_reader *reader, int strict)
{
    for (size_t i = 0; i < reader->keys.count; i++) {
        const struct cfg_key *key = &reader->keys.keys[i];
        enum cfg_support support = cfg_key_support(key->name);
        const char *nearest;
        char *about;
        char *where;

        if (support == CFG_USED || support == CFG_IGNORED || key->empty) {
            continue;
        }
        nearest = support == CFG_UNKNOWN ? cfg_key_nearest(key->name) : NULL;
        where = key->line > reader->file_lines
                    ? xstrdup("the command line")
                    : xasprintf("%s:%u", reader->path, key->line);
        about = support == CFG_KNOWN
                    ? xasprintf("%s: %s is not offered by Vigil: %s", where,
                                key->name, cfg_key_reason(key->name))
                    : xasprintf("%s: %s is not a key of xl.cfg%s%s%s", where,
                                key->name, nearest ? "; did you mean " : "",
                                nearest ? nearest : "", nearest ? "?" : "");
        free(where);
        if (strict) {
            fault_set(reader->fault, EXIT_UNSUPPORTED,
                      "%s (without --strict it would be ignored)", about);
            free(about);
            return -1;
        }
        say("warning: ignored: %s", about);
        free(about);
    }
    return 0;
}

int guestcfg_check_name(const char *name, struct fault *fault)
{
    if (strchr(name, '/') || strlen(name) > NAME_CHARS_MAX ||
        name[strspn(name, "0123456789")] == '\0') {
        return fault_set(fault, EXIT_USAGE,
                         "name = %s: give at most %d characters, no slash, "
                         "and not digits only",
                         name, NAME_CHARS_MAX);
    }
    return 0;
}

/* Devices that libxl could attach and this hypervisor cannot give. */
static const char *device_refused(const libxl_domain_config *config)
{
    if (config->num_pcidevs) {
        return "pci";
    }
    if (config->num_vfbs || config->num_vkbs) {
        return "vfb";
    }
    if (config->num_usbctrls || config->num_usbdevs) {
        return "usbctrl";
    }
    if (config->num_vtpms) {
        return "vtpm";
    }
    return config->num_dtdevs ? "dtdev" : NULL;
}

int guestcfg_check(const char *what, const libxl_domain_config *config,
                   struct fault *fault)
{
    const libxl_domain_build_info *build = &config->b_info;
    const char *refused = device_refused(config);

    if (config->c_info.type != LIBXL_DOMAIN_TYPE_PV) {
        return fault_set(fault, EXIT_UNSUPPORTED,
                         "%s is of type %s; Vigil runs PV guests only", what,
                         libxl_domain_type_to_string(config->c_info.type));
    }
    if (!config->c_info.name || !config->c_info.name[0]) {
        return fault_set(fault, EXIT_USAGE,
                         "%s has no name; add name = \"...\"", what);
    }
    if (guestcfg_check_name(config->c_info.name, fault)) {
        return -1;
    }
    if (refused) {
        return fault_set(fault, EXIT_UNSUPPORTED,
                         "%s has a device of kind %s: %s", what, refused,
                         cfg_key_reason(refused));
    }
    if (build->bootloader && config->num_disks == 0) {
        return fault_set(fault, EXIT_USAGE,
                         "%s has bootloader = %s but no disk to start from",
                         what, build->bootloader);
    }
    if (!build->bootloader && (!build->kernel || !build->kernel[0])) {
        return fault_set(fault, EXIT_USAGE,
                         "%s has no kernel; add kernel = "
                         "\"/path/to/vmlinuz\", or a bootloader",
                         what);
    }
    return 0;
}

enum guest_action guestcfg_action(libxl_action_on_shutdown action)
{
    switch (action) {
    case LIBXL_ACTION_ON_SHUTDOWN_DESTROY:
        return ACTION_DESTROY;
    case LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY:
        return ACTION_COREDUMP_DESTROY;
    case LIBXL_ACTION_ON_SHUTDOWN_RESTART:
        return ACTION_RESTART;
    case LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART:
        return ACTION_COREDUMP_RESTART;
    case LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME:
        return ACTION_RENAME_RESTART;
    case LIBXL_ACTION_ON_SHUTDOWN_PRESERVE:
    case LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET:
        return ACTION_PRESERVE;
    }
    return ACTION_PRESERVE; /* from a file: keep what we do not understand */
}

void guestcfg_uuid(const libxl_domain_config *config, char dst[UUID_CHARS + 1])
{
    uuid_text(dst, libxl_uuid_bytearray_const(&config->c_info.uuid));
}

int guestcfg_domid_parse(const char *text, libxl_domid *ret_domid,
                         struct fault *fault)
{
    unsigned long domid;
    char *end;

    if (!text) {
        *ret_domid = GUEST_DOMID_ANY;
        return 0;
    }
    domid = strtoul(text, &end, 10);
    if (end == text || *end || domid < 1 || domid > GUEST_DOMID_MAX) {
        return fault_set(fault, EXIT_USAGE,
                         "--domid %s is no number for a guest; give 1 to %lu",
                         text, GUEST_DOMID_MAX);
    }
    *ret_domid = (libxl_domid)domid;
    return 0;
}

/* What `create -N --json` and `xl list -l` print is wrapped in an object. */
static char *unwrap_json(const char *json)
{
    struct json_object *top = json_tokener_parse(json);
    struct json_object *inner;
    char *text;

    if (json_object_is_type(top, json_type_array) &&
        json_object_array_length(top) == 1) {
        inner = json_object_get(json_object_array_get_idx(top, 0));
        json_object_put(top);
        top = inner;
    }
    if (!json_object_is_type(top, json_type_object)) {
        json_object_put(top);
        return NULL;
    }
    if (!json_object_object_get_ex(top, "config", &inner)) {
        inner = top;
    }
    text = xstrdup(json_object_to_json_string(inner));
    json_object_put(top);
    return text;
}

int guestcfg_from_json(libxl_ctx *ctx, const char *what, const char *json,
                       libxl_domain_config *ret_config, struct fault *fault)
{
    char *text = unwrap_json(json);
    int rc = ERROR_INVAL;

    libxl_domain_config_init(ret_config);
    if (text && ctx) {
        rc = libxl_domain_config_from_json(ctx, ret_config, text);
    }
    free(text);
    if (rc) {
        libxl_domain_config_dispose(ret_config);
        return fault_set(fault, EXIT_USAGE,
                         "%s is not JSON as libxl writes it for a guest", what);
    }
    ret_config->c_info.domid = GUEST_DOMID_ANY;
    if (guestcfg_check(what, ret_config, fault)) {
        libxl_domain_config_dispose(ret_config);
        return -1;
    }
    return 0;
}

static int from_text(libxl_ctx *ctx, const char *path, const char *text,
                     unsigned int lines, int strict,
                     libxl_domain_config *config, struct fault *fault)
{
    char *conf = place(PLACE_XL_CONF);
    struct xl_defaults defaults;
    struct cfg_reader reader;
    int ret = -1;

    if (xl_defaults_read(conf, &defaults, fault)) {
        free(conf);
        return -1;
    }
    free(conf);
    libxl_domain_config_init(config);
    if (cfg_open(&reader, path, text, lines, ctx, fault) == 0 &&
        check_keys(&reader, strict) == 0 &&
        guest_keys_read(&reader, &defaults, config) == 0 &&
        guestcfg_check(path, config, fault) == 0) {
        ret = 0;
    }
    cfg_close(&reader);
    xl_defaults_free(&defaults);
    if (ret) {
        libxl_domain_config_dispose(config);
    }
    return ret;
}

static unsigned int count_lines(const char *text)
{
    unsigned int lines = 1;

    for (; *text; text++) {
        lines += *text == '\n';
    }
    return lines;
}

int guestcfg_load(libxl_ctx *ctx, const char *path, char *const *overrides,
                  int count, int strict, libxl_domain_config *ret_config,
                  struct fault *fault)
{
    char *text;
    char *real = realpath(path, NULL); /* a link to a file is welcome */
    unsigned int lines;
    char first;
    size_t len;
    int ret;

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
    first = text[strspn(text, " \t\r\n")];
    if (first == '{' || first == '[') {
        ret = count ? fault_set(fault, EXIT_USAGE,
                                "%s is JSON: settings on the command line go "
                                "with xl.cfg files only",
                                path)
                    : guestcfg_from_json(ctx, path, text, ret_config, fault);
        free(text);
        return ret;
    }
    lines = count_lines(text);
    for (int i = 0; i < count; i++) {
        text = append_override(text, overrides[i], fault);
        if (!text) {
            return -1;
        }
    }
    ret = from_text(ctx, path, text, lines, strict, ret_config, fault);
    free(text);
    return ret;
}
