/* SPDX-License-Identifier: MIT */
/*
 * dev/port61.h - system control port B: why an NMI came; speaker and 8254
 * gate.  Everything here is NMI_SAFE: one or two port accesses, no lock.
 */
#ifndef VIGIL_DEV_PORT61_H
#define VIGIL_DEV_PORT61_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/io.h"

#define PORT61       0x61
#define PORT61_SERR  0x80 /* PCI SERR# or parity: memory or system error */
#define PORT61_IOCHK 0x40 /* I/O channel check                           */

/**
 * port61_read() - status and control bits
 *
 * Context: any, NMI included.
 * Return:  the byte; PORT61_SERR and PORT61_IOCHK say which line is active
 */
static inline uint8_t port61_read(void)
{
    return inb(PORT61);
}

/**
 * port61_clear() - acknowledge NMI reasons and arm their sources again
 * @reasons: PORT61_SERR, PORT61_IOCHK or both
 *
 * Disables and re-enables the source, which clears its latch.
 *
 * Context: any, NMI included.
 * Return:  nothing.
 */
void port61_clear(uint8_t reasons);

/**
 * port61_mask() - acknowledge NMI reasons and leave their sources disabled
 * @reasons: PORT61_SERR, PORT61_IOCHK or both
 *
 * Context: any, NMI included.
 * Return:  nothing.
 */
void port61_mask(uint8_t reasons);

#endif
