/* SPDX-License-Identifier: MIT */
/* lib/guestkeys.h - the keys of xl.cfg that Vigil acts on. */
#ifndef VIGIL_TOOLS_GUESTKEYS_H
#define VIGIL_TOOLS_GUESTKEYS_H

#include "lib/cfgread.h"
#include "lib/guestdev.h"

/**
 * guest_keys_read() - fill in a configuration from what a file sets
 * @reader:   open
 * @defaults: what xl.conf says
 * @config:   initialised; what the file does not set is left to libxl
 *
 * Context: any.
 * Return:  0, or -1 after a fault
 */
int guest_keys_read(struct cfg_reader *reader,
                    const struct xl_defaults *defaults,
                    libxl_domain_config *config);

#endif
