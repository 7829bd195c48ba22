/* SPDX-License-Identifier: MIT */
/*
 * cpu/ipi.h - interrupts from one CPU to others.
 */
#ifndef VIGIL_CPU_IPI_H
#define VIGIL_CPU_IPI_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * ipi_send() - interrupt one CPU
 * @cpu:    started; may be this one
 * @vector: e.g. VECTOR_RESCHEDULE
 *
 * Context: any but NMI/#MC.
 */
void ipi_send(cpu_t cpu, uint8_t vector);

/**
 * ipi_send_mask() - interrupt several CPUs
 * @mask:   started ones; this one is left out
 * @vector: e.g. VECTOR_CALL
 *
 * Context: any but NMI/#MC.
 */
void ipi_send_mask(cpumask_t mask, uint8_t vector);

#endif
