/* SPDX-License-Identifier: MIT */
/*
 * boot/version.h - who we are, in one line.
 */
#ifndef VIGIL_BOOT_VERSION_H
#define VIGIL_BOOT_VERSION_H

/**
 * version_text() - "Vigil 4.17.0-vigil build-id ..."
 *
 * Context: any after the first call at boot.
 * Return:  static, NUL-terminated
 */
const char *version_text(void);

#endif
