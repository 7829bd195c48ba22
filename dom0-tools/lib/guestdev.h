/* SPDX-License-Identifier: MIT */
/*
 * lib/guestdev.h - disks and networks, as xl spells them.
 *
 * In a configuration file a disk or a network is one string of a list; on the
 * command line of block-attach and network-attach it is several words.
 */
#ifndef VIGIL_TOOLS_GUESTDEV_H
#define VIGIL_TOOLS_GUESTDEV_H

#include "lib/cfgread.h"

/* What xl.conf(5) says of all guests; NULL and -1: nothing. */
struct xl_defaults {
    char *vif_script;
    char *vif_bridge;
    char *vif_gateway;
    char *vif_backend;
    char *first_disk;
    long grant_frames;
    long maptrack_frames;
    long claim;
    long hotplug_scripts;
};

/**
 * xl_defaults_read() - read xl.conf
 * @path:    file; a missing one is as good as an empty one
 * @ret_all: filled in on success; release with xl_defaults_free()
 * @fault:   says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int xl_defaults_read(const char *path, struct xl_defaults *ret_all,
                     struct fault *fault);

/**
 * xl_defaults_free() - release what xl_defaults_read() allocated
 * @all: as filled in
 *
 * Context: any.
 */
void xl_defaults_free(struct xl_defaults *all);

/**
 * guest_disk_parse() - read one disk
 * @reader: open; gets the complaint
 * @words:  the string, or the words of a command line
 * @count:  number of @words
 * @disk:   initialised by libxl_device_disk_init()
 *
 * Context: any.
 * Return:  0, or -1; the complaint begins with the place of key "disk"
 */
int guest_disk_parse(struct cfg_reader *reader, const char *const *words,
                     int count, libxl_device_disk *disk);

/**
 * guest_vif_parse() - read one network interface
 * @reader: open; gets the complaint
 * @text:   settings, with commas between
 * @vif:    initialised by libxl_device_nic_init()
 *
 * Context: any.
 * Return:  0, or -1; the complaint begins with the place of key "vif"
 */
int guest_vif_parse(struct cfg_reader *reader, const char *text,
                    libxl_device_nic *vif);

/**
 * guest_vif_defaults() - give a network interface what xl.conf says
 * @vif: initialised by libxl_device_nic_init()
 * @all: as read
 *
 * Context: any.
 */
void guest_vif_defaults(libxl_device_nic *vif, const struct xl_defaults *all);

/**
 * guest_devices_read() - read the keys disk and vif
 * @reader: open
 * @all:    defaults
 * @config: gets the devices
 *
 * Context: any.
 * Return:  0, or -1
 */
int guest_devices_read(struct cfg_reader *reader, const struct xl_defaults *all,
                       libxl_domain_config *config);

#endif
