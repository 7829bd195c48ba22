/* SPDX-License-Identifier: MIT */
/*
 * hypercall/cpu_hotplug.h - processors come and go as Dom0 asks, by sysctl and
 * by platform_op.
 */
#ifndef VIGIL_HYPERCALL_CPU_HOTPLUG_H
#define VIGIL_HYPERCALL_CPU_HOTPLUG_H

#include "hypercall/call.h"

/**
 * cpu_hotplug_online() - start a processor
 * @cpu: its number
 *
 * Context: hypercall.
 * Return:  as smp_cpu_up(); -EPERM: second threads have been switched off, and
 *          another thread of its core is online
 */
int64_t cpu_hotplug_online(uint32_t cpu) MUST_CHECK;

/**
 * cpu_hotplug_smt() - start or stop all second threads of cores
 * @on: start them, and let cpu_hotplug_online() do so; else stop them
 *
 * All but CPU 0 that are not thread 0 of their core.  One that has another
 * error ends it; those before it stay as they are then.
 * Context: hypercall.
 * Return:  0; -EOPNOTSUPP: a core has one thread; -ERESTART: some are done, the
 *          same call does the others; else as smp_cpu_up(), smp_cpu_down()
 */
int64_t cpu_hotplug_smt(bool on) MUST_CHECK;

#endif
