/* SPDX-License-Identifier: MIT */
/*
 * sample.h - how bench-user times one operation.
 *
 * The unit is the TSC: under QEMU's -icount shift=0 that is instructions, of
 * program, kernel and hypervisor together.  The cost of the empty bracket is
 * taken off.  Each operation prints one line, as guest-stubs/bench does:
 *
 *     BENCH <name> <min> <median> <max> <iterations>
 *
 * or, when it could not be done, BENCH-ABSENT <name> <errno>.
 */
#ifndef VIGIL_BENCH_SAMPLE_H
#define VIGIL_BENCH_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/* Iterations of a system call, of something with processes, of a long one. */
#define SAMPLE_MANY 1000U
#define SAMPLE_SOME 200U
#define SAMPLE_FEW  20U
#define SAMPLE_MAX  2048U

static inline uint64_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return ((uint64_t)high << 32) | low;
}

/**
 * sample_setup() - measure the empty bracket, keep the choices
 * @only:  NULL, or prefixes of names, separated by commas
 * @limit: most iterations of one operation; 0: as each wants
 *
 * Context: once, before the others.
 * Return:  nothing
 */
void sample_setup(const char *only, unsigned int limit);

/**
 * sample_begin() - start the samples of one operation
 * @name: as in docs/performance.md
 *
 * Context: not nested.
 * Return:  false when it is not asked for: then no sample may be given
 */
bool sample_begin(const char *name);

/**
 * sample_count() - how often to repeat the operation
 * @wanted: at most SAMPLE_MAX
 *
 * Context: any.
 * Return:  @wanted, or the limit if that is less
 */
unsigned int sample_count(unsigned int wanted);

/**
 * sample_add() - keep one sample
 * @ticks: difference of two tsc() around the operation
 *
 * Context: after sample_begin().
 * Return:  nothing
 */
void sample_add(uint64_t ticks);

/**
 * sample_add_raw() - keep one sample that has no bracket in it
 * @ticks: the figure
 *
 * Context: after sample_begin().
 * Return:  nothing
 */
void sample_add_raw(uint64_t ticks);

/**
 * sample_end() - print the line of the operation
 *
 * Context: after the last sample.
 * Return:  nothing
 */
void sample_end(void);

/**
 * sample_absent() - an operation that failed
 *
 * Prints "BENCH-ABSENT <name> <errno>".  Context: after sample_begin(), in
 * the place of sample_end().
 * Return:  nothing
 */
void sample_absent(void);

/**
 * bench_calls() - system calls without memory or processes
 *
 * Context: after sample_setup().
 * Return:  nothing
 */
void bench_calls(void);

/**
 * bench_memory() - page faults, mmap, mprotect, signals from faults
 *
 * Context: after sample_setup().
 * Return:  nothing
 */
void bench_memory(void);

/**
 * bench_processes() - two processes, fork, exec
 * @self: path of a program that ends at once when given "--exit"
 *
 * Context: after sample_setup().
 * Return:  nothing
 */
void bench_processes(const char *self);

/**
 * bench_guests() - lives of guests made by xl, in nanoseconds
 *
 * Needs Xen's daemons.  Context: after sample_setup(); not as init.
 * Return:  nothing
 */
void bench_guests(void);

#endif /* VIGIL_BENCH_SAMPLE_H */
