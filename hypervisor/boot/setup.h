/* SPDX-License-Identifier: MIT */
/*
 * boot/setup.h - start of day.
 */
#ifndef VIGIL_BOOT_SETUP_H
#define VIGIL_BOOT_SETUP_H

#include "lib/types.h"

/**
 * boot_main() - everything from the loader to a Dom0 that may run
 * @magic: eax at entry
 * @info:  ebx at entry
 *
 * Returns to boot/head.S, which enters the exit path.
 * Context: boot CPU, its main stack, interrupts off.
 */
void boot_main(uint32_t magic, uint32_t info);

#endif
