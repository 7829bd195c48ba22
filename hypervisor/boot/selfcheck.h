/* SPDX-License-Identifier: MIT */
/*
 * boot/selfcheck.h - does what guards the hypervisor work on this CPU?
 */
#ifndef VIGIL_BOOT_SELFCHECK_H
#define VIGIL_BOOT_SELFCHECK_H

#include "lib/compiler.h"

/**
 * selfcheck_cpu() - try each protection, say which there are
 *
 * Executes data, writes constants and code, reads and executes a page that is
 * open to guests, touches every guard page of this CPU's block.  What does not
 * fault although the processor claims the protection is a panic.  One line in
 * the log names what works, and what the processor lacks.  The first CPU looks
 * at every mapping of the hypervisor's, too.
 *
 * Context: boot of each CPU, after features_cpu_init(), desc_init() and, on the
 *          first one, init of memory; interrupts off, on the hypervisor's own
 *          page tables; one CPU at a time.
 */
void selfcheck_cpu(void);

/**
 * selfcheck_set_option() - vigil_selfcheck=: break a protection first
 * @value: nx, wp, text, alias, map, smep, smap, umip or guard
 *
 * For tests of the check: it must find out, and the machine does not start
 * whether it does or not.
 * Context: boot, before selfcheck_cpu().
 * Return:  0, -EINVAL no such name
 */
int selfcheck_set_option(const char *value) MUST_CHECK;

#endif
