/* SPDX-License-Identifier: MIT */
/*
 * bench.h - how the bench times one operation, and what it times.
 *
 * Each area file defines its struct bench_area and goes through its operations:
 *
 *     BENCH("hypercall_unknown_nr", BENCH_MANY, , hypercall2(63, 0, 0));
 *
 * prints one line, which scripts/bench reads:
 *
 *     BENCH <name> <min> <median> <max> <iterations>
 *
 * The unit is the TSC.  Under QEMU's -icount shift=0 that is instructions,
 * of guest and hypervisor together, and repeats to the digit.  The cost of the
 * empty bracket is taken off.  The names are those of docs/performance.md.
 *
 * The same file runs on any hypervisor with the Xen ABI: what one does not
 * offer is reported by bench_absent() and has no figure.
 */
#ifndef VIGIL_STUBS_BENCH_H
#define VIGIL_STUBS_BENCH_H

#include "stub.h"

/* Iterations of each operation. */
#define BENCH_MANY 1000U
#define BENCH_MAX  1000U

static inline uint64_t bench_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return ((uint64_t)high << 32) | low;
}

/**
 * bench_begin() - start the samples of one operation
 * @name: as in docs/performance.md
 *
 * Context: not nested.
 * Return:  false when the command line (only=PREFIX, several by commas) does
 *          not ask for it: then no sample may be given
 */
bool bench_begin(const char *name);

/**
 * bench_count() - how often to repeat the operation
 * @wanted: at most BENCH_MAX
 *
 * Context: any.
 * Return:  @wanted, or the command line's n=N if that is less
 */
unsigned int bench_count(unsigned int wanted);

/**
 * bench_sample() - keep one sample
 * @tsc: difference of two bench_tsc() around the operation
 *
 * Context: between bench_begin() and bench_end(); also in handlers.
 * Return:  nothing
 */
void bench_sample(uint64_t tsc);

/**
 * bench_end() - print the line of the operation
 *
 * Context: after the last sample.
 * Return:  nothing
 */
void bench_end(void);

/**
 * bench_value() - print a figure that is not a set of samples
 * @name:  as in docs/performance.md
 * @value: the figure
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void bench_value(const char *name, uint64_t value);

/**
 * bench_absent() - an operation this hypervisor refuses, or did wrongly
 * @name: the operation
 * @rc:   what it said
 *
 * Prints "BENCH-ABSENT <name> <rc>".  Context: any but handlers.
 * Return:  nothing
 */
void bench_absent(const char *name, long rc);

/* Time `op`; `prepare` (may be empty) runs before each, outside the bracket. */
#define BENCH(name, iterations, prepare, op)                                   \
    do {                                                                       \
        if (bench_begin(name)) {                                               \
            unsigned int bench_left_ = bench_count(iterations);                \
                                                                               \
            while (bench_left_--) {                                            \
                uint64_t bench_t0_, bench_t1_;                                 \
                                                                               \
                prepare;                                                       \
                bench_t0_ = bench_tsc();                                       \
                op;                                                            \
                bench_t1_ = bench_tsc();                                       \
                bench_sample(bench_t1_ - bench_t0_);                           \
            }                                                                  \
            bench_end();                                                       \
        }                                                                      \
    } while (0)

/* An area: a file of its name, which goes through its operations. */
struct bench_area {
    const char *name;
    void (*run)(void);
};
extern const struct bench_area bench_calls;   /* hypercalls, multicall, iret */
extern const struct bench_area bench_bounces; /* exceptions, syscalls, NMI   */
extern const struct bench_area bench_emulate; /* privileged instructions, FPU */
extern const struct bench_area bench_paging;  /* page tables, descriptors    */
extern const struct bench_area bench_events;  /* events, timers, scheduling  */
extern const struct bench_area bench_grants;  /* grant tables, console       */
extern const struct bench_area bench_domains; /* domctl: whole lives, growth */

/**
 * bench_page_tables() - the part of bench_paging that is in tables.c
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void bench_page_tables(void);

#endif /* VIGIL_STUBS_BENCH_H */
