/* SPDX-License-Identifier: MIT */
/*
 * boot/harvest.h - the black box of the previous boot, and the place of ours.
 */
#ifndef VIGIL_BOOT_HARVEST_H
#define VIGIL_BOOT_HARVEST_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * harvest_boxes() - find what the last boot left; start this boot's box
 *
 * The zones are hidden from the allocator and from Dom0 (memmap_hide()).
 * Context: boot, after memmap_finish(), before anything allocates.
 */
void harvest_boxes(void);

#endif
