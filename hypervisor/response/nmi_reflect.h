/* SPDX-License-Identifier: MIT */
/*
 * response/nmi_reflect.h - give hardware NMIs to Dom0's vcpu 0, one by one.
 *
 * The causes wait in ras/nmi.c.  One at a time is armed: made pending.  When
 * the vcpu takes it, its reason bits are put into shared info, and when its
 * handler ends they are cleared and the next one is armed.  So the bits never
 * go stale, and the handler runs exactly once for each NMI.
 *
 * An NMI that Dom0 or a tool sends meanwhile merges into one that is pending,
 * as it does on this ABI.
 */
#ifndef VIGIL_RESPONSE_NMI_REFLECT_H
#define VIGIL_RESPONSE_NMI_REFLECT_H

/**
 * nmi_reflect_init() - listen to when NMIs are taken and done
 *
 * Context: boot, once.
 */
void nmi_reflect_init(void);

/**
 * nmi_reflect_run() - arm the next NMI if none is on its way
 *
 * Without a handler for vector 2 in Dom0 the NMIs were only logged.
 * Context: exit path, main stack, interrupts on.
 */
void nmi_reflect_run(void);

#endif
