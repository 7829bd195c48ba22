/* SPDX-License-Identifier: MIT */
/* lib/guestkeys.c - the keys of xl.cfg that Vigil acts on. */
#include "lib/guestkeys.h"

#include <errno.h>
#include <libxl_utils.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/amount.h"
#include "lib/guestcfg.h"

#define DEBIAN_BOOT_DIR    "/usr/lib/xen-4.17/boot"
#define MEMORY_MIB_MIN     4
#define EVENT_CHANNELS_MIN 63
#define EVENT_CHANNELS_MAX 131071
#define GRANT_FRAMES_MAX   4096
#define MAPTRACK_MAX       65536
#define WEIGHT_MAX         65535
#define KNOWN_CPUS_NONE    64 /* bits, when the machine is not known */

/* A file, how it is read, and what becomes of it. */
struct loader {
    struct cfg_reader *reader;
    const struct xl_defaults *defaults;
    libxl_domain_config *config;
};

static const struct {
    const char *name;
    libxl_action_on_shutdown action;
} actions[] = {
    {"destroy", LIBXL_ACTION_ON_SHUTDOWN_DESTROY},
    {"restart", LIBXL_ACTION_ON_SHUTDOWN_RESTART},
    {"rename-restart", LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME},
    {"preserve", LIBXL_ACTION_ON_SHUTDOWN_PRESERVE},
    {"coredump-destroy", LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY},
    {"coredump-restart", LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART},
    {"soft-reset", LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET},
};

#define ACTIONS       (sizeof(actions) / sizeof(actions[0]))
#define CONFIG(field) offsetof(libxl_domain_config, field)

static int read_actions(struct loader *loader)
{
    static const struct {
        const char *key;
        size_t offset;
        libxl_action_on_shutdown fallback;
    } keys[] = {
        {"on_poweroff", CONFIG(on_poweroff), LIBXL_ACTION_ON_SHUTDOWN_DESTROY},
        {"on_reboot", CONFIG(on_reboot), LIBXL_ACTION_ON_SHUTDOWN_RESTART},
        {"on_watchdog", CONFIG(on_watchdog), LIBXL_ACTION_ON_SHUTDOWN_DESTROY},
        {"on_crash", CONFIG(on_crash), LIBXL_ACTION_ON_SHUTDOWN_DESTROY},
        /* No PV guest does it; written down as xl does. */
        {"on_soft_reset", CONFIG(on_soft_reset),
         LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        libxl_action_on_shutdown *action =
            (void *)((char *)loader->config + keys[i].offset);
        char *name = NULL;
        size_t at = 0;
        int set = cfg_text(loader->reader, keys[i].key, &name);

        *action = keys[i].fallback;
        while (set == 1 && at < ACTIONS && strcmp(actions[at].name, name)) {
            at++;
        }
        if (set == 1 && at < ACTIONS &&
            (actions[at].action != LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET ||
             keys[i].fallback == LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET)) {
            *action = actions[at].action;
        } else if (set == 1) {
            set = cfg_refuse(loader->reader, keys[i].key, EXIT_UNSUPPORTED,
                             "%s = %s is not offered; give destroy, restart, "
                             "rename-restart, preserve, coredump-destroy or "
                             "coredump-restart",
                             keys[i].key, name);
        }
        free(name);
        if (set < 0) {
            return -1;
        }
    }
    return 0;
}

/* Keys whose value is a number and nothing else. */
static int read_numbers(struct loader *loader)
{
    static const struct {
        const char *key;
        size_t offset; /* of an int or an uint32_t */
        long lowest;
        long highest;
    } keys[] = {
        {"cpu_weight", CONFIG(b_info.sched_params.weight), 1, WEIGHT_MAX},
        {"cap", CONFIG(b_info.sched_params.cap), 0, 100L * GUEST_VCPUS_MAX},
        {"event_channels", CONFIG(b_info.event_channels), EVENT_CHANNELS_MIN,
         EVENT_CHANNELS_MAX},
        {"max_event_channels", CONFIG(b_info.event_channels),
         EVENT_CHANNELS_MIN, EVENT_CHANNELS_MAX},
        {"max_grant_frames", CONFIG(b_info.max_grant_frames), 1,
         GRANT_FRAMES_MAX},
        {"max_maptrack_frames", CONFIG(b_info.max_maptrack_frames), 0,
         MAPTRACK_MAX},
        {"max_grant_version", CONFIG(b_info.max_grant_version), 1, 2},
        {"rtc_timeoffset", CONFIG(b_info.rtc_timeoffset), INT_MIN, INT_MAX},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        long number;
        int set = cfg_number(loader->reader, keys[i].key, keys[i].lowest,
                             keys[i].highest, &number);

        if (set == 1) {
            int value = (int)number;

            memcpy((char *)loader->config + keys[i].offset, &value,
                   sizeof(value));
        } else if (set < 0) {
            return -1;
        }
    }
    return 0;
}

static int read_memory(struct loader *loader)
{
    libxl_domain_build_info *build = &loader->config->b_info;
    long memory = MEMORY_MIB_MIN;
    int set = cfg_number(loader->reader, "memory", MEMORY_MIB_MIN,
                         GUEST_MEMORY_MIB_MAX, &memory);
    long maxmem;

    if (set < 0) {
        return -1;
    }
    if (set) {
        build->target_memkb = (uint64_t)memory * 1024;
        build->max_memkb = build->target_memkb;
    }
    set = cfg_number(loader->reader, "maxmem", memory, GUEST_MEMORY_MIB_MAX,
                     &maxmem);
    if (set == 1) {
        build->max_memkb = (uint64_t)maxmem * 1024;
    }
    return set < 0 ? -1 : 0;
}

static void make_bitmap(libxl_bitmap *bitmap, unsigned int bits)
{
    bitmap->size = (bits + 7) / 8;
    bitmap->map = xmalloc(bitmap->size);
}

static int read_vcpus(struct loader *loader)
{
    libxl_domain_build_info *build = &loader->config->b_info;
    long vcpus = 1;
    long most;
    int set = cfg_number(loader->reader, "vcpus", 1, GUEST_VCPUS_MAX, &vcpus);

    if (set < 0) {
        return -1;
    }
    if (set) {
        make_bitmap(&build->avail_vcpus, (unsigned int)vcpus);
        for (int i = 0; i < vcpus; i++) {
            libxl_bitmap_set(&build->avail_vcpus, i);
        }
        build->max_vcpus = (int)vcpus;
    }
    set = cfg_number(loader->reader, "maxvcpus", vcpus, GUEST_VCPUS_MAX, &most);
    if (set == 1) {
        build->max_vcpus = (int)most;
    }
    return set < 0 ? -1 : 0;
}

/* For cpus_parse(): ask libxl which CPUs a node of memory has. */
static int node_cpus(void *context, unsigned long node, int take_away,
                     uint8_t *map, size_t bytes)
{
    libxl_ctx *ctx = context;
    libxl_bitmap cpus;
    int ret = -1;

    libxl_bitmap_init(&cpus);
    if (node <= INT_MAX && libxl_cpu_bitmap_alloc(ctx, &cpus, 0) == 0 &&
        libxl_node_to_cpumap(ctx, (int)node, &cpus) == 0) {
        for (size_t i = 0; i < bytes && i < cpus.size; i++) {
            map[i] = (uint8_t)(take_away ? map[i] & ~cpus.map[i]
                                         : map[i] | cpus.map[i]);
        }
        ret = 0;
    }
    libxl_bitmap_dispose(&cpus);
    return ret;
}

static int parse_affinity(struct loader *loader, const char *key,
                          const char *text, libxl_bitmap *cpus)
{
    libxl_ctx *ctx = loader->reader->ctx;
    int count = ctx ? libxl_get_max_cpus(ctx) : KNOWN_CPUS_NONE;

    make_bitmap(cpus, (unsigned int)(count > 0 ? count : KNOWN_CPUS_NONE));
    if (cpus_parse(text, ctx ? node_cpus : NULL, ctx, cpus->map, cpus->size)) {
        return cfg_refuse(loader->reader, key, EXIT_USAGE,
                          "%s = %s is no set of CPUs; give e.g. 0-3,^1 or all",
                          key, text);
    }
    if (libxl_bitmap_is_empty(cpus)) {
        return cfg_refuse(loader->reader, key, EXIT_USAGE,
                          "%s = %s: this machine has none of these CPUs, only "
                          "0 to %d",
                          key, text, count - 1);
    }
    return 0;
}

/* One string for all vcpus, or a list with one for each. */
static int read_affinity(struct loader *loader, const char *key, int *count,
                         libxl_bitmap **all)
{
    libxl_domain_build_info *build = &loader->config->b_info;
    struct cfg_reader *reader = loader->reader;
    const char *text = NULL;
    XLU_ConfigList *list;
    int vcpus = build->max_vcpus ? build->max_vcpus : 1;
    int items = vcpus;

    if (xlu_cfg_get_string(reader->xlu, key, &text, 1) == ESRCH) {
        return 0;
    }
    if (!text && cfg_list(reader, key, &list, &items) < 0) {
        return -1;
    }
    *all = xmalloc((unsigned long)vcpus * sizeof(**all));
    for (int i = 0; i < items && i < vcpus; i++) {
        const char *item = text ? text : cfg_item(reader, key, list, i);

        if (!item || parse_affinity(loader, key, item, &(*all)[(*count)++])) {
            return -1;
        }
    }
    return 1;
}

static int read_affinities(struct loader *loader)
{
    libxl_domain_build_info *build = &loader->config->b_info;
    const char *text;
    int hard = read_affinity(loader, "cpus", &build->num_vcpu_hard_affinity,
                             &build->vcpu_hard_affinity);
    int soft = hard < 0 ? -1
                        : read_affinity(loader, "cpus_soft",
                                        &build->num_vcpu_soft_affinity,
                                        &build->vcpu_soft_affinity);

    if (hard < 0 || soft < 0) {
        return -1;
    }
    /* Who says where each vcpu goes does not want it placed. */
    if (soft ||
        (hard && xlu_cfg_get_string(loader->reader->xlu, "cpus", &text, 1))) {
        libxl_defbool_set(&build->numa_placement, false);
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

static int read_file(struct loader *loader, const char *key, char **ret_path)
{
    char *name = NULL;
    int set = cfg_text(loader->reader, key, &name);

    if (set == 1 && name[0]) {
        *ret_path = find_file(loader->reader->path, name);
        if (!*ret_path) {
            set = cfg_refuse(loader->reader, key, EXIT_NOT_FOUND,
                             "%s = %s: no such readable file, neither as given "
                             "nor beside %s nor in " DEBIAN_BOOT_DIR,
                             key, name, loader->reader->path);
        }
    }
    free(name);
    return set < 0 ? -1 : 0;
}

static int read_cmdline(struct loader *loader)
{
    char **cmdline = &loader->config->b_info.cmdline;
    char *extra = NULL;
    char *root = NULL;
    int ret = 0;

    if (cfg_text(loader->reader, "cmdline", cmdline) < 0 ||
        cfg_text(loader->reader, "root", &root) < 0 ||
        cfg_text(loader->reader, "extra", &extra) < 0) {
        ret = -1;
    } else if (*cmdline && (root || extra)) {
        say("warning: cmdline is set, so root and extra are ignored");
    } else if (!*cmdline && (root || extra)) {
        *cmdline = xasprintf("%s%s%s%s", root ? "root=" : "", root ? root : "",
                             root && extra ? " " : "", extra ? extra : "");
    }
    free(root);
    free(extra);
    return ret;
}

static int read_bootloader(struct loader *loader)
{
    libxl_domain_build_info *build = &loader->config->b_info;
    XLU_ConfigList *list;
    char *line = NULL;
    int count = 0;

    if (cfg_text(loader->reader, "bootloader", &build->bootloader) < 0) {
        return -1;
    }
    if (xlu_cfg_get_list(loader->reader->xlu, "bootloader_args", &list, &count,
                         1) == 0) {
        build->bootloader_args =
            xmalloc(((unsigned long)count + 1) * sizeof(char *));
        for (int i = 0; i < count; i++) {
            const char *item =
                cfg_item(loader->reader, "bootloader_args", list, i);

            if (!item) {
                return -1;
            }
            build->bootloader_args[i] = xstrdup(item);
        }
        return 0;
    }
    /* Of old it was one string with blanks. */
    if (cfg_text(loader->reader, "bootloader_args", &line) == 1) {
        char *rest = NULL;

        build->bootloader_args =
            xmalloc((strlen(line) / 2 + 2) * sizeof(char *));
        for (char *word = strtok_r(line, " \t\n", &rest); word;
             word = strtok_r(NULL, " \t\n", &rest)) {
            build->bootloader_args[count++] = xstrdup(word);
        }
        free(line);
    }
    return 0;
}

/* xl spells the modes of the time stamp counter as words or as numbers. */
static int read_tsc_mode(struct loader *loader)
{
    static const char *const modes[] = {"default", "always_emulate", "native"};
    char *text = NULL;
    int set = cfg_text(loader->reader, "tsc_mode", &text);
    int found = 0;

    for (int mode = 0; set == 1 && mode < 3; mode++) {
        if (strcmp(text, modes[mode]) == 0 ||
            (text[0] == '0' + mode && text[1] == '\0')) {
            loader->config->b_info.tsc_mode = (libxl_tsc_mode)mode;
            found = 1;
        }
    }
    if (set == 1 && !found) {
        set = cfg_refuse(loader->reader, "tsc_mode", EXIT_UNSUPPORTED,
                         "tsc_mode = %s is not offered; give default, "
                         "always_emulate or native",
                         text);
    }
    free(text);
    return set < 0 ? -1 : 0;
}

static int refuse_type(struct loader *loader, const char *key,
                       const char *value)
{
    return cfg_refuse(loader->reader, key, EXIT_UNSUPPORTED,
                      "%s = %s is not offered: Vigil runs PV guests; give "
                      "type = \"pv\", or `xl create` on another hypervisor",
                      key, value);
}

static int read_type(struct loader *loader)
{
    const XLU_Config *xlu = loader->reader->xlu;
    const char *type;

    if (xlu_cfg_get_string(xlu, "type", &type, 1) == 0 && strcmp(type, "pv")) {
        return refuse_type(loader, "type", type);
    }
    if (xlu_cfg_get_string(xlu, "builder", &type, 1) == 0 &&
        strcmp(type, "generic") && strcmp(type, "linux")) {
        return refuse_type(loader, "builder", type);
    }
    loader->config->c_info.type = LIBXL_DOMAIN_TYPE_PV;
    libxl_domain_build_info_init_type(&loader->config->b_info,
                                      LIBXL_DOMAIN_TYPE_PV);
    return 0;
}

static int read_identity(struct loader *loader)
{
    libxl_domain_create_info *create = &loader->config->c_info;
    char *uuid = NULL;
    int set;

    if (cfg_text(loader->reader, "name", &create->name) < 0 ||
        cfg_text(loader->reader, "pool", &create->pool_name) < 0) {
        return -1;
    }
    libxl_uuid_generate(&create->uuid);
    set = cfg_text(loader->reader, "uuid", &uuid);
    if (set == 1 && uuid_parse(uuid, libxl_uuid_bytearray(&create->uuid))) {
        set = cfg_refuse(loader->reader, "uuid", EXIT_USAGE,
                         "uuid = %s is not a UUID; give it as xxxxxxxx-xxxx-"
                         "xxxx-xxxx-xxxxxxxxxxxx",
                         uuid);
    }
    free(uuid);
    return set < 0 ? -1 : 0;
}

/* What the machine and xl.conf say of every guest. */
static void apply_defaults(struct loader *loader)
{
    libxl_domain_build_info *build = &loader->config->b_info;
    const struct xl_defaults *defaults = loader->defaults;

    libxl_defbool_set(&loader->config->c_info.run_hotplug_scripts,
                      defaults->hotplug_scripts != 0);
    libxl_defbool_set(&build->claim_mode, defaults->claim != 0);
    if (defaults->first_disk) {
        build->blkdev_start = xstrdup(defaults->first_disk);
    }
    if (defaults->maptrack_frames >= 0) {
        build->max_maptrack_frames = (uint32_t)defaults->maptrack_frames;
    }
    if (defaults->grant_frames >= 0) {
        build->max_grant_frames = (uint32_t)defaults->grant_frames;
    }
}

int guest_keys_read(struct cfg_reader *reader,
                    const struct xl_defaults *defaults,
                    libxl_domain_config *config)
{
    struct loader all = {reader, defaults, config};
    struct loader *loader = &all;
    libxl_domain_build_info *build = &config->b_info;
    char *features = NULL;
    int set;

    if (read_type(loader)) {
        return -1;
    }
    apply_defaults(loader);
    if (read_identity(loader) || read_actions(loader) || read_numbers(loader) ||
        read_memory(loader) || read_vcpus(loader) || read_affinities(loader) ||
        read_tsc_mode(loader) || read_file(loader, "kernel", &build->kernel) ||
        read_file(loader, "ramdisk", &build->ramdisk) || read_cmdline(loader) ||
        read_bootloader(loader)) {
        return -1;
    }
    xlu_cfg_get_defbool(reader->xlu, "localtime", &build->localtime, 1);
    set = cfg_text(loader->reader, "features", &features);
    build->u.pv.features = features;
    return set < 0 ? -1
                   : guest_devices_read(loader->reader, loader->defaults,
                                        loader->config);
}
