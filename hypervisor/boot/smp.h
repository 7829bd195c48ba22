/* SPDX-License-Identifier: MIT */
/*
 * boot/smp.h - start and stop the processors besides the first.
 */
#ifndef VIGIL_BOOT_SMP_H
#define VIGIL_BOOT_SMP_H

#include "lib/types.h"

#include "lib/compiler.h"

/**
 * smp_init() - number the processors, be able to reach them
 * @max: how many to use, at least 1 (maxcpus=)
 *
 * The boot processor is CPU 0, the others follow in the firmware's order.
 * Context: boot, after acpi_init() and lapic_init().
 */
void smp_init(unsigned int max);

/**
 * smp_start_all() - start those smp_init() numbered, up to its @max
 * @nmi_cpu: who shall have the machine's NMI line (nmi_cpu=)
 *
 * One that does not come is named in the log, and left out.
 * Context: boot, interrupts on, everything else has been initialised.
 */
void smp_start_all(cpu_t nmi_cpu);

/**
 * ap_main() - a further processor, on its own stack, in its own block
 *
 * Context: boot/ap.S, interrupts off.  Returns to go idle.
 */
void ap_main(void);

#endif
