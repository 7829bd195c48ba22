/* SPDX-License-Identifier: MIT */
/*
 * lib/types.h - the sizes everything else is made of.
 * Used everywhere, in every context.  Nothing but types and limits.
 */
#ifndef VIGIL_LIB_TYPES_H
#define VIGIL_LIB_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

typedef unsigned int cpu_t;
typedef uint64_t cpumask_t; /* bit n: CPU n; NR_CPUS of x86/percpu.h fit */

#define CPUMASK_OF(cpu) (1UL << (cpu))

#endif
