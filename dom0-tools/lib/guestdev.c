/* SPDX-License-Identifier: MIT */
/* lib/guestdev.c - disks and networks, as xl spells them. */
#include "lib/guestdev.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/outfile.h"

#define XL_CONF_BYTES_MAX (256 * 1024)
#define MTU_MIN           68
#define MTU_MAX           65535
#define VIFS_MAX          255

static void set_text(char **text, const char *value)
{
    free(*text);
    *text = xstrdup(value);
}

static int read_defaults(struct cfg_reader *reader, struct xl_defaults *all)
{
    static const struct {
        const char *key;
        size_t offset;
    } texts[] = {
        {"vif.default.script", offsetof(struct xl_defaults, vif_script)},
        {"vifscript", offsetof(struct xl_defaults, vif_script)},
        {"vif.default.bridge", offsetof(struct xl_defaults, vif_bridge)},
        {"defaultbridge", offsetof(struct xl_defaults, vif_bridge)},
        {"vif.default.gatewaydev", offsetof(struct xl_defaults, vif_gateway)},
        {"vif.default.backend", offsetof(struct xl_defaults, vif_backend)},
        {"blkdev_start", offsetof(struct xl_defaults, first_disk)},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char **text = (char **)(void *)((char *)all + texts[i].offset);

        if (cfg_text(reader, texts[i].key, text) < 0) {
            return -1;
        }
    }
    if (cfg_number(reader, "max_grant_frames", 0, INT32_MAX,
                   &all->grant_frames) < 0 ||
        cfg_number(reader, "max_maptrack_frames", 0, INT32_MAX,
                   &all->maptrack_frames) < 0 ||
        cfg_number(reader, "claim_mode", 0, 1, &all->claim) < 0 ||
        cfg_number(reader, "run_hotplug_scripts", 0, 1, &all->hotplug_scripts) <
            0) {
        return -1;
    }
    return 0;
}

int xl_defaults_read(const char *path, struct xl_defaults *ret_all,
                     struct fault *fault)
{
    struct cfg_reader reader;
    char *real = realpath(path, NULL);
    char *text = NULL;
    size_t len = 0;
    int ret = 0;

    memset(ret_all, 0, sizeof(*ret_all));
    ret_all->grant_frames = -1;
    ret_all->maptrack_frames = -1;
    ret_all->claim = 1;
    ret_all->hotplug_scripts = 1;
    if (!real) {
        return errno == ENOENT ? 0 : fault_errno(fault, errno, "%s", path);
    }
    if (infile_read(AT_FDCWD, real, XL_CONF_BYTES_MAX, &text, &len)) {
        fault_errno(fault, errno, "cannot read %s", path);
        free(real);
        return -1;
    }
    free(real);
    ret = cfg_open(&reader, path, text, UINT32_MAX, NULL, fault);
    if (ret == 0) {
        ret = read_defaults(&reader, ret_all);
    }
    cfg_close(&reader);
    free(text);
    if (ret) {
        xl_defaults_free(ret_all);
    }
    return ret;
}

void xl_defaults_free(struct xl_defaults *all)
{
    free(all->vif_script);
    free(all->vif_bridge);
    free(all->vif_gateway);
    free(all->vif_backend);
    free(all->first_disk);
    memset(all, 0, sizeof(*all));
}

int guest_disk_parse(struct cfg_reader *reader, const char *const *words,
                     int count, libxl_device_disk *disk)
{
    static const char prefix[] = "disk specification: ";
    int err = xlu_disk_parse(reader->xlu, count, words, disk);
    const char *why;
    const char *at;

    if (err == 0) {
        return 0;
    }
    why = cfg_complaint(reader);
    at = strstr(why, prefix);
    return cfg_refuse(reader, "disk", err == EINVAL ? EXIT_USAGE : EXIT_FAILED,
                      "disk '%s': %s", count ? words[0] : "",
                      at ? at + strlen(prefix) : why);
}

static int parse_mac(const char *text, libxl_mac mac)
{
    for (int i = 0; i < 6; i++) {
        char *end;
        unsigned long byte = strtoul(text, &end, 16);

        if (end == text || end - text > 2 || byte > 255 ||
            *end != (i < 5 ? ':' : '\0')) {
            return -1;
        }
        mac[i] = (uint8_t)byte;
        text = end + 1;
    }
    return 0;
}

static int parse_count(const char *text, long lowest, long highest, int *ret)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end == text || *end || number < lowest || number > highest) {
        return -1;
    }
    *ret = (int)number;
    return 0;
}

/* What is no plain text; 1: not one of these either. */
static int parse_special(struct cfg_reader *reader, const char *key,
                         const char *value, libxl_device_nic *vif)
{
    int bad = 0;

    if (strcmp(key, "mac") == 0) {
        bad = parse_mac(value, vif->mac);
    } else if (strcmp(key, "rate") == 0) {
        bad = xlu_vif_parse_rate(reader->xlu, value, vif) != 0;
    } else if (strcmp(key, "devid") == 0) {
        bad = parse_count(value, 0, VIFS_MAX, &vif->devid);
    } else if (strcmp(key, "mtu") == 0) {
        bad = parse_count(value, MTU_MIN, MTU_MAX, &vif->mtu);
    } else if (strcmp(key, "type") == 0) {
        if (strcmp(value, "vif")) {
            return cfg_refuse(reader, "vif", EXIT_UNSUPPORTED,
                              "vif type=%s needs a device model, which a PV "
                              "guest has not; give vif",
                              value);
        }
        vif->nictype = LIBXL_NIC_TYPE_VIF;
    } else if (strcmp(key, "trusted") == 0) {
        bad = strcmp(value, "0") && strcmp(value, "1");
        libxl_defbool_set(&vif->trusted, value[0] == '1');
    } else if (strcmp(key, "accel") == 0) {
        say("warning: ignored: vif accel=%s", value);
    } else {
        return 1;
    }
    return bad ? cfg_refuse(reader, "vif", EXIT_USAGE,
                            "vif %s=%s is not understood", key, value)
               : 0;
}

static int parse_setting(struct cfg_reader *reader, char *setting,
                         libxl_device_nic *vif)
{
    const struct {
        const char *key;
        char **text;
    } texts[] = {
        {"bridge", &vif->bridge},     {"gatewaydev", &vif->gatewaydev},
        {"netdev", &vif->gatewaydev}, {"ip", &vif->ip},
        {"script", &vif->script},     {"backend", &vif->backend_domname},
        {"vifname", &vif->ifname},    {"model", &vif->model},
    };
    char *value = strchr(setting, '=');
    int ret;

    if (!value) {
        return cfg_refuse(reader, "vif", EXIT_USAGE,
                          "vif '%s' is not key=value", setting);
    }
    *value++ = '\0';
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(texts[i].key, setting) == 0) {
            set_text(texts[i].text, value);
            return 0;
        }
    }
    ret = parse_special(reader, setting, value, vif);
    if (ret == 1) {
        return cfg_refuse(reader, "vif", EXIT_UNSUPPORTED,
                          "vif %s= is not offered; xl-network-configuration"
                          "(5) lists mac, bridge, ip, script, rate and more",
                          setting);
    }
    return ret;
}

int guest_vif_parse(struct cfg_reader *reader, const char *text,
                    libxl_device_nic *vif)
{
    char *copy = xstrdup(text);
    char *rest = NULL;
    int ret = 0;

    for (char *setting = strtok_r(copy, ",", &rest); setting && ret == 0;
         setting = strtok_r(NULL, ",", &rest)) {
        setting += strspn(setting, " ");
        if (*setting) {
            ret = parse_setting(reader, setting, vif);
        }
    }
    free(copy);
    return ret;
}

void guest_vif_defaults(libxl_device_nic *vif, const struct xl_defaults *all)
{
    if (all->vif_script) {
        set_text(&vif->script, all->vif_script);
    }
    if (all->vif_bridge) {
        set_text(&vif->bridge, all->vif_bridge);
    }
    if (all->vif_gateway) {
        set_text(&vif->gatewaydev, all->vif_gateway);
    }
    if (all->vif_backend) {
        set_text(&vif->backend_domname, all->vif_backend);
    }
}

static int read_disks(struct cfg_reader *reader, libxl_domain_config *config)
{
    XLU_ConfigList *list;
    int count;

    if (cfg_list(reader, "disk", &list, &count) < 0) {
        return -1;
    }
    config->disks = xmalloc((unsigned long)count * sizeof(*config->disks));
    for (int i = 0; i < count; i++) {
        const char *item = cfg_item(reader, "disk", list, i);
        libxl_device_disk *disk = &config->disks[config->num_disks++];

        libxl_device_disk_init(disk);
        if (!item || guest_disk_parse(reader, &item, 1, disk)) {
            return -1;
        }
    }
    return 0;
}

static int read_vifs(struct cfg_reader *reader, const struct xl_defaults *all,
                     libxl_domain_config *config)
{
    XLU_ConfigList *list;
    int count;

    if (cfg_list(reader, "vif", &list, &count) < 0) {
        return -1;
    }
    config->nics = xmalloc((unsigned long)count * sizeof(*config->nics));
    for (int i = 0; i < count; i++) {
        const char *item = cfg_item(reader, "vif", list, i);
        libxl_device_nic *vif = &config->nics[config->num_nics++];

        libxl_device_nic_init(vif);
        vif->devid = i;
        guest_vif_defaults(vif, all);
        if (!item || guest_vif_parse(reader, item, vif)) {
            return -1;
        }
    }
    return 0;
}

int guest_devices_read(struct cfg_reader *reader, const struct xl_defaults *all,
                       libxl_domain_config *config)
{
    return read_disks(reader, config) || read_vifs(reader, all, config) ? -1
                                                                        : 0;
}
