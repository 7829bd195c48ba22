/* SPDX-License-Identifier: MIT */
/*
 * dev/i8259.h - the legacy interrupt controllers: moved out of the way.
 */
#ifndef VIGIL_DEV_I8259_H
#define VIGIL_DEV_I8259_H

/* Spurious interrupts of the pair arrive at these vectors. */
#define I8259_VECTOR_FIRST 0x20
#define I8259_VECTOR_LAST  0x2f

/**
 * i8259_init() - move both controllers to their vectors and mask every line
 *
 * Context: boot, interrupts off.
 * Return:  nothing.
 */
void i8259_init(void);

/**
 * i8259_spurious() - answer an interrupt at one of their vectors
 * @vector: I8259_VECTOR_FIRST .. I8259_VECTOR_LAST
 *
 * All lines are masked, so it is spurious; nothing to acknowledge, except
 * the cascade for one of the second controller.
 *
 * Context: interrupt, IF=0.
 * Return:  nothing.
 */
void i8259_spurious(unsigned int vector);

#endif
