/* SPDX-License-Identifier: MIT */
/*
 * dev/i8259.c - the legacy interrupt controllers, initialised and masked.
 */
#include "dev/i8259.h"

#include "x86/io.h"

#define MASTER_CMD  0x20
#define MASTER_DATA 0x21
#define SLAVE_CMD   0xa0
#define SLAVE_DATA  0xa1

#define ICW1_INIT_ICW4 0x11
#define ICW4_8086      0x01
#define CASCADE_LINE   2
#define OCW2_EOI       0x20
#define OCW3_READ_ISR  0x0b

void i8259_init(void)
{
    outb(MASTER_DATA, 0xff);
    outb(SLAVE_DATA, 0xff);
    outb(MASTER_CMD, ICW1_INIT_ICW4);
    outb(SLAVE_CMD, ICW1_INIT_ICW4);
    outb(MASTER_DATA, I8259_VECTOR_FIRST);
    outb(SLAVE_DATA, I8259_VECTOR_FIRST + 8);
    outb(MASTER_DATA, 1 << CASCADE_LINE);
    outb(SLAVE_DATA, CASCADE_LINE);
    outb(MASTER_DATA, ICW4_8086);
    outb(SLAVE_DATA, ICW4_8086);
    outb(MASTER_DATA, 0xff);
    outb(SLAVE_DATA, 0xff);
}

void i8259_spurious(unsigned int vector)
{
    unsigned int line = vector - I8259_VECTOR_FIRST;
    uint16_t cmd = line < 8 ? MASTER_CMD : SLAVE_CMD;

    /* Spurious ones have no bit in service and must not be acknowledged. */
    outb(cmd, OCW3_READ_ISR);
    if (inb(cmd) & (1U << (line % 8))) {
        outb(cmd, OCW2_EOI);
    }
    if (line >= 8) {
        outb(MASTER_CMD, OCW2_EOI);
    }
}
