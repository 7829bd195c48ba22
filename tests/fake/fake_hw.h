/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_hw.h - the scripted machine behind tests/fake/x86/.
 *
 * A test says what the hardware would answer, runs the code, and looks at
 * what it did.  What was not scripted aborts: silence would hide mistakes.
 * fake_hw_reset() in the set-up of each test.
 */
#ifndef VIGIL_FAKE_HW_H
#define VIGIL_FAKE_HW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Back to: CPU 0, interrupts on, TSC 0, no MSR, no port, all memory good. */
void fake_hw_reset(void);

/* ---- time: each rdtsc() returns fake_tsc, then adds fake_tsc_step ---- */
extern uint64_t fake_tsc;
extern uint64_t fake_tsc_step;

/* ---- this CPU ---- */
extern __thread unsigned int fake_cpu; /* whose block this_cpu() returns */
extern uint64_t fake_rsp; /* what read_rsp() says; 0: the true one */
extern bool fake_irqs_on;
extern uint64_t fake_cr[16]; /* read_crN, write_crN */
extern uint64_t fake_dr[8];
extern uint16_t fake_selector[4]; /* DS, ES, FS, GS */
extern unsigned int fake_flushed_lines;
extern unsigned int fake_flushed_buffers; /* flush_buffers(): VERW */
extern unsigned int fake_tlb_flushes;
/* halt() and triple_fault() call these; NULL aborts. */
extern void (*fake_halt_hook)(void);
extern void (*fake_triple_fault_hook)(void);
extern uint64_t fake_stack_left_for; /* stack_leave(): the new one */
/* smp_mb() calls it: what another CPU does just then; NULL: nothing. */
extern void (*fake_barrier_hook)(void);
/* The same of cpu_relax(). */
extern void (*fake_relax_hook)(void);

/* ---- MSRs ---- */
void fake_msr_set(uint32_t index, uint64_t value); /* exists from now on  */
uint64_t fake_msr_get(uint32_t index);             /* what it holds now   */
void fake_msr_fault(uint32_t index, bool read, bool write); /* #GP        */
void fake_msr_drop_writes(uint32_t index); /* they are accepted and forgotten */
unsigned int fake_msr_writes(uint32_t index); /* wrmsr()s since the reset */
bool fake_msr_read(uint32_t index, uint64_t *ret_value);
bool fake_msr_write(uint32_t index, uint64_t value);

/* ---- CPUID: leaves not scripted read as zero ---- */
void fake_cpuid_set(uint32_t leaf, uint32_t subleaf, uint32_t a, uint32_t b,
                    uint32_t c, uint32_t d);
void fake_cpuid_read(uint32_t leaf, uint32_t subleaf, uint32_t ret_abcd[4]);

/* ---- ports: a hook answers all of them; NULL aborts ---- */
extern uint32_t (*fake_in_hook)(uint16_t port, unsigned int bytes);
extern void (*fake_out_hook)(uint16_t port, unsigned int bytes, uint32_t v);
uint32_t fake_in(uint16_t port, unsigned int bytes);
void fake_out(uint16_t port, unsigned int bytes, uint32_t v);

/* ---- device memory: 32-bit accesses; NULL: it is plain memory ---- */
extern uint32_t (*fake_mmio_in_hook)(const volatile void *p);
extern void (*fake_mmio_out_hook)(volatile void *p, uint32_t v);

/* ---- memory that may fault: bytes in [start, end) do ---- */
extern uintptr_t fake_bad_start, fake_bad_end;
size_t fake_copy_may_fault(void *dst, const void *src, size_t n);
size_t fake_zero_may_fault(void *dst, size_t n);

/* An asm room was entered that the test did not expect. */
void fake_unexpected(const char *what, uint64_t detail)
    __attribute__((noreturn));

#endif
