/* SPDX-License-Identifier: MIT */
/*
 * One guest vcpu with code, a buffer and a port bitmap in its memory, for the
 * tests of privileged instructions: what pv/privop*.c, guest_msr.c and
 * ctrlreg.c call, and what they did with it.
 */
#ifndef VIGIL_TESTS_PRIVOP_MACHINE_H
#define VIGIL_TESTS_PRIVOP_MACHINE_H

#include "tests/unit/unit.h"

#include "x86/cr.h"
#include "x86/exc.h"
#include "x86/msr.h"
#include "cpu/spec_ctrl.h"
#include "pv/privop.h"
#include "pv/privop_decode.h"
#include "pv/pv.h"
#include "fake_hw.h"

#define CODE   ((uint64_t)code) /* eight bytes before the end of a page */
#define BUFFER 0xffffffff82000000UL
#define BITMAP 0xffffffff83000000UL

#define BUFFER_BYTES 4096
#define BITMAP_BYTES 16

extern struct domain dom;
extern struct pv_vcpu pv;
extern struct trap_info traps[PV_TRAPS];
extern struct vcpu vcpu;
extern struct cpu_regs *regs;
/* One more bit of CPUID that the guest has; 0: none. */
extern unsigned int feature_too;
extern vcpu_info_t info;

/* The guest's memory, and whether the page behind CODE's is there. */
extern struct code_pages {
    uint8_t before[4096 - 8];
    uint8_t code[INSN_BYTES_MAX];
} code_pages;
#define code (code_pages.code)
extern uint8_t buffer[BUFFER_BYTES], bitmap[BITMAP_BYTES];
extern bool next_page_missing;

/* What was bounced to the guest: a vector, -1 for nothing; CR2 of a #PF. */
extern int trap;
extern uint64_t fault_addr;

/* Devices: what reads give, what was last written. */
extern uint64_t pci_value;
extern uint32_t pci_cf8;
extern uint8_t cmos[128];
extern uint16_t last_port;
extern uint32_t last_out, in_value;
extern unsigned int outs;

/* Fixture: everything fresh, the control domain's kernel running at CODE. */
int privop_set_up(void **state);

/* Execute; where it is emulated, rip must be right behind it. */
bool run(const char *text, size_t len);

#define RUN(text) run(text, sizeof(text) - 1)

#endif
