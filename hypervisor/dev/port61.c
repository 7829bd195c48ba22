/* SPDX-License-Identifier: MIT */
/*
 * dev/port61.c - system control port B.
 *
 *   read   7 SERR  6 IOCHK  5 timer 2 output  4 refresh
 *   r/w    3 IOCHK disabled and cleared  2 SERR disabled and cleared
 *          1 speaker  0 timer 2 gate
 */
#include "dev/port61.h"

#include "x86/io.h"

#define CLEAR_IOCHK 0x08
#define CLEAR_SERR  0x04
#define WRITABLE    0x0f

NMI_SAFE void port61_mask(uint8_t reasons)
{
    uint8_t v = inb(PORT61) & WRITABLE;

    if (reasons & PORT61_SERR) {
        v |= CLEAR_SERR;
    }
    if (reasons & PORT61_IOCHK) {
        v |= CLEAR_IOCHK;
    }
    outb(PORT61, v);
}

NMI_SAFE void port61_clear(uint8_t reasons)
{
    uint8_t v = inb(PORT61) & WRITABLE;
    uint8_t bits = 0;

    if (reasons & PORT61_SERR) {
        bits |= CLEAR_SERR;
    }
    if (reasons & PORT61_IOCHK) {
        bits |= CLEAR_IOCHK;
    }
    outb(PORT61, v | bits);
    outb(PORT61, (uint8_t)(v & ~bits));
}
