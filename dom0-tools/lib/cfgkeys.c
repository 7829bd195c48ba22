/* SPDX-License-Identifier: MIT */
/* lib/cfgkeys.c - the keys of xl.cfg(5), and what Vigil does with each. */
#include <string.h>

#include "lib/cfgscan.h"

/* Keys that share an answer; ended by NULL. */
struct key_group {
    enum cfg_support support;
    const char *reason; /* of CFG_KNOWN, else NULL */
    const char *const *keys;
};

static const char *const used[] = {
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
    "cpus",
    "cpus_soft",
    "cpu_weight",
    "cap",
    "pool",
    "on_crash",
    "on_poweroff",
    "on_reboot",
    "on_watchdog",
    "on_soft_reset",
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
    "localtime",
    "rtc_timeoffset",
    "bootloader",
    "bootloader_args",
    "disk",
    "vif",
    NULL,
};

/* They ask for what a PV guest here gets anyway, or for nothing. */
static const char *const ignored[] = {
    "vendor_device",
    NULL,
};

static const char *const labels[] = {
    "seclabel",
    "init_seclabel",
    NULL,
};

static const char *const devices[] = {
    "pci",       "pci_permissive", "pci_msitranslate",
    "pci_seize", "pci_power_mgmt", "ioports",
    "iomem",     "irqs",           "dtdev",
    "e820_host", "passthrough",    "static_shm",
    NULL,
};

static const char *const hvm_only[] = {
    "hap",
    "oos",
    "pae",
    "acpi",
    "acpi_s3",
    "acpi_s4",
    "acpi_laptop_slate",
    "apic",
    "nx",
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
    "xen_platform_pci",
    "vendor_device_id",
    "boot",
    "mmio_hole",
    "max_altp2m",
    "shadow_memory",
    "serial",
    "soundhw",
    "device_tree",
    "mca_caps",
    "assisted_xapic",
    "assisted_x2apic",
    "suppress_dmi",
    "vmtrace_buf_kb",
    "lbr",
    "rdm",
    "rdm_mem_boundary",
    NULL,
};

static const char *const device_model[] = {
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
    "dm_restrict",
    "device_model_stubdomain_seclabel",
    NULL,
};

static const char *const display[] = {
    "vfb",
    "gfx_passthru",
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
    "vkb_device",
    "keymap",
    "vsnd",
    "vdispl",
    "vkb",
    "default_colormap",
    NULL,
};

static const char *const usb[] = {
    "usbctrl", "usbdev", "usb", "usbversion", "usbdevice", NULL,
};

static const char *const other_cpus[] = {
    "vuart", "gic_version", "sve", "tee", NULL,
};

static const char *const pvh_only[] = {
    "pvshim", "pvshim_path", "pvshim_cmdline", "pvshim_extra", NULL,
};

static const char *const others[] = {
    "firmware",
    "vnuma",
    "vtpm",
    "p9",
    "channel",
    "memory_static_max",
    "claim_mode",
    "driver_domain",
    "cpuid",
    "cpuid_level",
    "tsc_khz",
    "numa_placement",
    "nodes",
    "nomigrate",
    "xend_suspend_evtchn_compat",
    "pvcalls",
    "virtio",
    "vpmu",
    "xenstore_feature_mask",
    "msr_relaxed",
    "loader",
    "initrd",
    "args",
    "trustguestrxfilters",
    "hotplug_timeout",
    NULL,
};

static const struct key_group groups[] = {
    {CFG_USED, NULL, used},
    {CFG_IGNORED, NULL, ignored},
    {CFG_KNOWN, "the hypervisor has no security labels (no XSM)", labels},
    {CFG_KNOWN, "no device can be given to a guest: there is no IOMMU",
     devices},
    {CFG_KNOWN, "it is for HVM and PVH guests, and Vigil runs PV guests",
     hvm_only},
    {CFG_KNOWN, "PV guests have no device model", device_model},
    {CFG_KNOWN, "there is no display or sound for guests; use the console",
     display},
    {CFG_KNOWN, "there is no USB for guests", usb},
    {CFG_KNOWN, "it is for other processors", other_cpus},
    {CFG_KNOWN, "it is for PVH guests, and Vigil runs PV guests", pvh_only},
    {CFG_KNOWN, "Vigil does not know how to do it", others},
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static const struct key_group *group_of(const char *name)
{
    for (size_t i = 0; i < GROUPS; i++) {
        for (const char *const *key = groups[i].keys; *key; key++) {
            if (strcmp(*key, name) == 0) {
                return &groups[i];
            }
        }
    }
    return NULL;
}

enum cfg_support cfg_key_support(const char *name)
{
    const struct key_group *group = group_of(name);

    return group ? group->support : CFG_UNKNOWN;
}

const char *cfg_key_reason(const char *name)
{
    const struct key_group *group = group_of(name);

    return group && group->reason ? group->reason : "nobody knows why";
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

const char *cfg_key_nearest(const char *name)
{
    /* More than a third of the word wrong is another word. */
    unsigned int limit = (unsigned int)strlen(name) / 3 + 1;
    unsigned int best_distance = (limit > 3 ? 3 : limit) + 1;
    const char *best = NULL;

    for (size_t i = 0; i < GROUPS; i++) {
        for (const char *const *key = groups[i].keys; *key; key++) {
            unsigned int here = distance(name, *key);

            if (here < best_distance) {
                best_distance = here;
                best = *key;
            }
        }
    }
    return best;
}
