/* SPDX-License-Identifier: MIT */
/*
 * hypercall/debug_keys.h - xl debug-keys: one letter, one report on the
 * console.
 */
#ifndef VIGIL_HYPERCALL_DEBUG_KEYS_H
#define VIGIL_HYPERCALL_DEBUG_KEYS_H

/**
 * debug_key() - do what a key stands for
 * @key: any character; one without a meaning does nothing
 *
 * C (crash) and R (restart) do not return.
 * Context: hypercall or softirq.
 */
void debug_key(char key);

#endif
