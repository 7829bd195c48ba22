/* SPDX-License-Identifier: MIT */
/*
 * vigil/mce.h - a machine-check record: what the processor said, where it was,
 * what was made of it.
 *
 * The black box holds an array of these (VIGIL_BOX_SECT_MCE): they live there
 * from the moment of capture until somebody collects them, so whatever ends the
 * machine leaves those that nobody had.  They are in no order, and one whose
 * number is 0 is empty, or was being written when the machine ended.
 */
#ifndef VIGIL_PUBLIC_MCE_H
#define VIGIL_PUBLIC_MCE_H

#include <stdint.h>

#define VIGIL_MCE_BANKS 14 /* banks in one record; more make another record */

/* vigil_mce_record.where: what the processor was doing. */
#define VIGIL_MCE_IN_HYPERVISOR 1
#define VIGIL_MCE_IN_GUEST      2
#define VIGIL_MCE_POLLED        4 /* no machine check: found by looking       */
#define VIGIL_MCE_LEFT_OVER     8 /* found at boot, from before the reset     */

/* grade: what the error means, least serious first. */
#define VIGIL_MCE_NONE   0 /* no error                                     */
#define VIGIL_MCE_LOG    1 /* corrected, or of no consequence              */
#define VIGIL_MCE_LATER  2 /* memory is bad, nobody has used it            */
#define VIGIL_MCE_ACTION 3 /* the interrupted guest has used bad memory    */
#define VIGIL_MCE_KILL   4 /* the interrupted guest cannot go on           */
#define VIGIL_MCE_FATAL  5 /* the machine cannot go on                     */

/* vigil_mce_bank.action: what was done about it. */
#define VIGIL_MCE_DID_NOTHING  0
#define VIGIL_MCE_DID_OFFLINE  1 /* the frame was free: out of service now  */
#define VIGIL_MCE_DID_VMCE     2 /* its owner got a virtual #MC             */
#define VIGIL_MCE_DID_KILL     3 /* its owner, or its user, was killed      */
#define VIGIL_MCE_DID_DEGRADED 4 /* the hypervisor's own memory: marked     */
#define VIGIL_MCE_DID_MARK     5 /* leaves service when its owner lets go   */

#define VIGIL_MCE_NO_DOMAIN 0xffffu

struct vigil_mce_bank {
    uint64_t status; /* IA32_MCi_STATUS                                    */
    uint64_t addr;   /* valid if status bit 58                             */
    uint64_t misc;   /* valid if status bit 59                             */
    uint16_t bank;
    uint16_t owner; /* domid that owns the memory, VIGIL_MCE_NO_DOMAIN    */
    uint8_t grade;
    uint8_t action;
    uint16_t reserved;
};

struct vigil_mce_record {
    uint64_t seq; /* 1-based, in the order of capture; 0: no record        */
    uint64_t tsc;
    uint64_t mcg_status;
    uint64_t mcg_cap;
    uint64_t rip; /* interrupted instruction; 0 for polled ones           */
    uint16_t cs;
    uint16_t where; /* VIGIL_MCE_IN_*, POLLED, LEFT_OVER                    */
    uint16_t domid; /* guest the processor served, VIGIL_MCE_NO_DOMAIN     */
    uint16_t vcpu;
    uint32_t cpu;
    uint32_t apic_id;
    uint32_t grade; /* worst of its banks                                  */
    uint32_t banks; /* valid entries of bank[]; 0: no bank was valid       */
    struct vigil_mce_bank bank[VIGIL_MCE_BANKS];
};

#endif
