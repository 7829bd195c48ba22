/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi.h - who sent this NMI?
 *
 * Every source is asked, for two causes can arrive as one NMI:
 *
 *   1  a dying CPU wants this one to stop (before anything else)
 *   2  somebody asks where this CPU is (crash/dump.h)
 *   3  the watchdog's own (ras/watchdog.h)
 *   4  port 0x61: SERR or IOCHK (the CPU that has the NMI line)
 *   5  error sources of the firmware (ras/ghes.h)
 *   6  nobody: unknown
 *
 * One that was 2 or 3 and nothing else ends there.  Of another what is seen is
 * noted (ras/nmi_note.h), then the policy (nmi=) decides.  For
 * Dom0 the causes are counted, one count for one NMI; response/nmi_reflect.c
 * hands them out one by one, so none is lost when Dom0 is slower than they
 * come.  A source that sends too many (ras/nmi_storm.h) is only counted.
 */
#ifndef VIGIL_RAS_NMI_H
#define VIGIL_RAS_NMI_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/regs.h"

/* Causes of one NMI: bits, as Xen numbers them for shared_info.nmi_reason. */
#define NMI_CAUSE_IOCHK   1U
#define NMI_CAUSE_SERR    2U
#define NMI_CAUSE_UNKNOWN 4U
#define NMI_CAUSES_TOLD   7U /* these; Dom0 looks for the others itself */
#define NMI_CAUSE_FIRMWARE 8U /* ras/ghes.h */
#define NMI_CAUSES        16U /* combinations of them */

/**
 * ras_nmi() - classify, log and act on one NMI
 * @regs: interrupted context
 *
 * Context: NMI.
 */
NMI_SAFE void ras_nmi(struct cpu_regs *regs);

/**
 * nmi_set_policy() - the nmi= option
 * @value: "ignore", "dom0" or "fatal"
 *
 * Context: boot.
 * Return:  0; -EINVAL
 */
int nmi_set_policy(const char *value) MUST_CHECK;

/**
 * nmi_set_line_cpu() - whose LINT1 is the machine's NMI line
 * @cpu: its number; the first CPU until this is called
 *
 * Context: any but NMI/#MC.
 */
void nmi_set_line_cpu(cpu_t cpu);

/**
 * nmi_line_cpu() - whose it is
 *
 * Context: any.
 * Return:  number of a CPU
 */
cpu_t nmi_line_cpu(void);

/**
 * nmi_causes_of() - what a value of port 0x61 says
 * @port61: the byte; 0xff (no such device) says nothing
 *
 * Context: any, NMI included; pure.
 * Return:  NMI_CAUSE_* bits, at least NMI_CAUSE_UNKNOWN
 */
NMI_SAFE unsigned int nmi_causes_of(uint8_t port61);

/**
 * nmi_causes_name() - the same in words
 * @causes: NMI_CAUSE_* bits
 *
 * Context: any, NMI included; pure.
 * Return:  static string
 */
NMI_SAFE const char *nmi_causes_name(unsigned int causes);

/**
 * nmi_next_for_dom0() - take one NMI out of those that wait for Dom0
 *
 * Context: any but NMI/#MC.
 * Return:  its NMI_CAUSE_* bits; 0: none waits
 */
unsigned int nmi_next_for_dom0(void);

/**
 * nmi_waits_for_dom0() - is there one?
 *
 * Context: any.
 * Return:  true: nmi_next_for_dom0() would find one
 */
bool nmi_waits_for_dom0(void);

#endif
