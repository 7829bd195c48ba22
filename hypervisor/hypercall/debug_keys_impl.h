/* SPDX-License-Identifier: MIT */
/*
 * hypercall/debug_keys_impl.h - the keys that are about the machine and the
 * log, for debug_keys.c, which has the table; nobody else includes this.
 */
#ifndef VIGIL_HYPERCALL_DEBUG_KEYS_IMPL_H
#define VIGIL_HYPERCALL_DEBUG_KEYS_IMPL_H

/**
 * debug_key_timers() - key a: the timers of each CPU
 *
 * Context: hypercall or softirq.
 */
void debug_key_timers(void);

/**
 * debug_key_cpus() - key B: every CPU writes its stack
 *
 * Context: hypercall or softirq.
 */
void debug_key_cpus(void);

/**
 * debug_key_clocks() - key t: TSC, system time, wall clock
 *
 * Context: hypercall or softirq.
 */
void debug_key_clocks(void);

/**
 * debug_key_nmi() - key n: NMIs and machine checks since boot
 *
 * Context: hypercall or softirq.
 */
void debug_key_nmi(void);

/**
 * debug_key_nodes() - key u: memory, processors and distances of the nodes
 *
 * Context: hypercall or softirq.
 */
void debug_key_nodes(void);

/**
 * debug_key_ioapics() - key z: the entries of the IO-APICs, as they are
 *
 * Context: hypercall or softirq.
 */
void debug_key_ioapics(void);

/**
 * debug_key_ring() - key w: the console ring once more, on the sinks only
 *
 * Context: hypercall or softirq.
 */
void debug_key_ring(void);

/**
 * debug_key_more() - key +: one log level more on the console
 *
 * Context: hypercall or softirq.
 */
void debug_key_more(void);

/**
 * debug_key_less() - key -: one log level less
 *
 * Context: hypercall or softirq.
 */
void debug_key_less(void);

/**
 * debug_key_whose() - key G: from now on + and - are about the other levels
 *
 * Context: hypercall or softirq.
 */
void debug_key_whose(void);

#endif
