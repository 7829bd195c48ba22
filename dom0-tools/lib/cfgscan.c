/* SPDX-License-Identifier: MIT */
/* lib/cfgscan.c - which keys a guest's configuration file sets. */
#include "lib/cfgscan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fault.h"

/* The keys of xl.cfg(5), sorted by what Vigil does with them. */
static const char *const used_keys[] = {
    "name",
    "kernel",
    "ramdisk",
    "extra",
    "root",
    "cmdline",
    "memory",
    "maxmem",
    "vcpus",
    "maxvcpus",
    "on_crash",
    "on_poweroff",
    "on_reboot",
    "on_watchdog",
    "uuid",
    "type",
    "builder",
    "features",
    "event_channels",
    "max_event_channels",
    "max_grant_frames",
    "max_maptrack_frames",
    "max_grant_version",
    "tsc_mode",
};

/* They ask for what a PV guest here gets anyway, or for nothing. */
static const char *const ignored_keys[] = {
    "vendor_device",
    "seclabel",
    "init_seclabel",
    "bootloader_args",
};

static const char *const known_keys[] = {
    "pool",
    "cpus",
    "cpus_soft",
    "cpu_weight",
    "cap",
    "vnuma",
    "on_soft_reset",
    "bootloader",
    "device_tree",
    "disk",
    "vif",
    "vtpm",
    "p9",
    "vfb",
    "channel",
    "rdm",
    "usbctrl",
    "usbdev",
    "pci",
    "pci_permissive",
    "pci_msitranslate",
    "pci_seize",
    "pci_power_mgmt",
    "gfx_passthru",
    "ioports",
    "iomem",
    "irqs",
    "dtdev",
    "e820_host",
    "memory_static_max",
    "claim_mode",
    "driver_domain",
    "device_model_args",
    "device_model_args_pv",
    "device_model_args_hvm",
    "device_model_override",
    "device_model_version",
    "device_model_user",
    "stubdomain_kernel",
    "stubdomain_ramdisk",
    "stubdomain_cmdline",
    "stubdomain_memory",
    "device_model_stubdomain_override",
    "boot",
    "hap",
    "oos",
    "pae",
    "acpi",
    "acpi_s3",
    "acpi_s4",
    "acpi_laptop_slate",
    "apic",
    "nx",
    "cpuid",
    "cpuid_level",
    "hpet",
    "vpt_align",
    "timer_mode",
    "viridian",
    "hdtype",
    "bios",
    "bios_path_override",
    "firmware_override",
    "nestedhvm",
    "altp2m",
    "altp2mhvm",
    "vmx_misc",
    "smbios_firmware",
    "acpi_firmware",
    "ms_vm_genid",
    "localtime",
    "rtc_timeoffset",
    "tsc_khz",
    "xen_platform_pci",
    "vendor_device_id",
    "nographic",
    "vga",
    "videoram",
    "stdvga",
    "vnc",
    "vnclisten",
    "vncpasswd",
    "vncdisplay",
    "vncunused",
    "sdl",
    "opengl",
    "display",
    "spice",
    "spicehost",
    "spiceport",
    "spicetls_port",
    "spicedisable_ticketing",
    "spicepasswd",
    "spiceagent_mouse",
    "spicevdagent",
    "spice_clipboard_sharing",
    "spiceusbredirection",
    "spice_image_compression",
    "spice_streaming_video",
    "serial",
    "soundhw",
    "vkb_device",
    "usb",
    "usbversion",
    "usbdevice",
    "keymap",
    "numa_placement",
    "nodes",
    "nomigrate",
    "shadow_memory",
    "mmio_hole",
    "max_altp2m",
    "passthrough",
    "xend_suspend_evtchn_compat",
    "static_shm",
    "vsnd",
    "vdispl",
    "vkb",
    "pvcalls",
    "virtio",
    "suppress_dmi",
    "vpmu",
    "vmtrace_buf_kb",
    "vuart",
    "gic_version",
    "sve",
    "pvshim",
    "pvshim_path",
    "pvshim_cmdline",
    "pvshim_extra",
    "xenstore_feature_mask",
    "msr_relaxed",
    "dm_restrict",
    "loader",
    "initrd",
    "args",
    "default_colormap",
    "mca_caps",
    "trustguestrxfilters",
    "assisted_xapic",
    "assisted_x2apic",
    "hotplug_timeout",
    "lbr",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct scanner {
    const char *text;
    size_t len;
    size_t at;
    unsigned int line;
};

static int peek(const struct scanner *scan)
{
    return scan->at < scan->len ? (unsigned char)scan->text[scan->at] : -1;
}

static int next(struct scanner *scan)
{
    int c = peek(scan);

    if (c >= 0) {
        scan->at++;
        if (c == '\n') {
            scan->line++;
        }
    }
    return c;
}

static int is_name(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

static void skip_comment(struct scanner *scan)
{
    while (peek(scan) >= 0 && peek(scan) != '\n') {
        next(scan);
    }
}

static void skip_blanks(struct scanner *scan)
{
    while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\r') {
        next(scan);
    }
}

static void skip_string(struct scanner *scan)
{
    int quote = next(scan);
    int c;

    /* A string ends on its line; libxlutil reports one that does not. */
    while ((c = peek(scan)) >= 0 && c != '\n') {
        next(scan);
        if (c == quote) {
            return;
        }
        if (c == '\\' && peek(scan) >= 0) {
            next(scan);
        }
    }
}

/* Skip a value; 1 if it holds nothing but brackets and quotes. */
static int skip_value(struct scanner *scan)
{
    unsigned int depth = 0;
    int empty = 1;
    int c;

    while ((c = peek(scan)) >= 0) {
        if (c == '"' || c == '\'') {
            size_t from = scan->at;

            skip_string(scan);
            if (scan->at - from > 2) {
                empty = 0;
            }
            continue;
        }
        if (c == '#') {
            skip_comment(scan);
            continue;
        }
        if (depth == 0 && (c == '\n' || c == ';')) {
            break;
        }
        next(scan);
        if (c == '[') {
            depth++;
        } else if (c == ']') {
            depth -= depth ? 1 : 0;
        } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n' &&
                   c != ',') {
            empty = 0;
        }
    }
    return empty;
}

static void key_add(struct cfg_keys *keys, const char *name, size_t len,
                    unsigned int line, int empty)
{
    struct cfg_key *key;

    keys->keys =
        xrealloc(keys->keys, (keys->count + 1) * sizeof(struct cfg_key));
    key = &keys->keys[keys->count++];
    memset(key, 0, sizeof(*key));
    if (len >= sizeof(key->name)) {
        len = sizeof(key->name) - 1;
    }
    memcpy(key->name, name, len);
    key->line = line;
    key->empty = empty;
}

void cfg_scan(const char *text, size_t len, struct cfg_keys *ret_keys)
{
    struct scanner scan = {.text = text, .len = len, .line = 1};
    int c;

    memset(ret_keys, 0, sizeof(*ret_keys));
    while ((c = peek(&scan)) >= 0) {
        size_t from = scan.at;
        unsigned int line = scan.line;
        size_t name_len;

        if (c == '#') {
            skip_comment(&scan);
            continue;
        }
        if (!is_name(c)) {
            next(&scan);
            continue;
        }
        while (is_name(peek(&scan))) {
            next(&scan);
        }
        name_len = scan.at - from;
        skip_blanks(&scan);
        if (peek(&scan) == '+') {
            next(&scan);
        }
        if (peek(&scan) == '=') {
            next(&scan);
            key_add(ret_keys, text + from, name_len, line, 0);
            ret_keys->keys[ret_keys->count - 1].empty = skip_value(&scan);
        } else {
            skip_value(&scan); /* not an assignment: libxlutil complains */
        }
    }
}

void cfg_keys_free(struct cfg_keys *keys)
{
    free(keys->keys);
    memset(keys, 0, sizeof(*keys));
}

static int is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

enum cfg_support cfg_key_support(const char *name)
{
    if (is_among(name, used_keys, COUNT(used_keys))) {
        return CFG_USED;
    }
    if (is_among(name, ignored_keys, COUNT(ignored_keys))) {
        return CFG_IGNORED;
    }
    if (is_among(name, known_keys, COUNT(known_keys))) {
        return CFG_KNOWN;
    }
    return CFG_UNKNOWN;
}

/* Edit distance; the length of the table row bounds what is compared. */
static unsigned int distance(const char *a, const char *b)
{
    unsigned int row[CFG_KEY_BYTES];
    size_t b_len = strlen(b);

    if (b_len >= CFG_KEY_BYTES) {
        return CFG_KEY_BYTES;
    }
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = (unsigned int)j;
    }
    for (size_t i = 0; a[i]; i++) {
        unsigned int diagonal = row[0];

        row[0] = (unsigned int)i + 1;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned int best = diagonal + (a[i] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best) {
                best = row[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            row[j] = best;
        }
    }
    return row[b_len];
}

static void nearest_among(const char *name, const char *const *names,
                          size_t count, const char **best,
                          unsigned int *best_distance)
{
    for (size_t i = 0; i < count; i++) {
        unsigned int here = distance(name, names[i]);

        if (here < *best_distance) {
            *best_distance = here;
            *best = names[i];
        }
    }
}

const char *cfg_key_nearest(const char *name)
{
    /* More than a third of the word wrong is another word. */
    unsigned int limit = (unsigned int)strlen(name) / 3 + 1;
    unsigned int best_distance = (limit > 3 ? 3 : limit) + 1;
    const char *best = NULL;

    nearest_among(name, used_keys, COUNT(used_keys), &best, &best_distance);
    nearest_among(name, known_keys, COUNT(known_keys), &best, &best_distance);
    return best;
}
