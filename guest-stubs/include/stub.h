/* SPDX-License-Identifier: MIT */
/*
 * stub.h - what a guest stub may use.
 *
 * A stub is a 64-bit PV kernel that proves one claim about the hypervisor.
 * Its main.c defines stub_name and stub_main(); the code in common/ boots it,
 * gives it a console, traps, events, time and page-table helpers, and prints
 * the verdict as the last line:
 *
 *     STUB <name>: SUCCESS|SKIP|ERROR|FAILURE <text>
 *
 *   SUCCESS  the claim holds           SKIP     it cannot be tried here
 *   ERROR    the stub itself is wrong  FAILURE  the hypervisor is wrong
 *
 * The worst verdict reported is kept.  A stub that reports nothing is in ERROR.
 *
 * One vCPU, one stack, no interrupts unless the stub unmasks events.  Handlers
 * (traps, NMI, #MC, events) run on the interrupted stack and must not print:
 * they may have interrupted the console code.
 */
#ifndef VIGIL_STUBS_STUB_H
#define VIGIL_STUBS_STUB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hypercall.h"
#include "lib.h"
#include "traps.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))

/* Where PFN 0 is mapped; the same number is in the ELF note of start.S. */
#define VIRT_BASE 0xffffffff80000000UL

#define PTE_P  0x001UL
#define PTE_RW 0x002UL
#define PTE_U  0x004UL
#define PTE_A  0x020UL
#define PTE_D  0x040UL

#define PTE_FLAGS_DATA  (PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D)
#define PTE_FLAGS_RO    (PTE_P | PTE_U | PTE_A)
#define PTE_FLAGS_TABLE PTE_FLAGS_DATA

#define RFLAGS_IF 0x200UL

#define NS_PER_MS  1000000UL
#define NS_PER_SEC 1000000000UL

#define __page_aligned __attribute__((aligned(4096)))

/* ---- The stub itself (main.c) ------------------------------------------- */

/* Its name, as in the verdict line. */
extern const char stub_name[];

/**
 * stub_main() - prove the claim
 *
 * Reports through report(), CHECK() and friends; returning ends the stub:
 * verdict line, then power off.
 *
 * Context: once, events masked, console and traps ready.
 * Return:  nothing
 */
void stub_main(void);

/* ---- setup.c ------------------------------------------------------------ */

extern struct start_info *start_info;
/*
 * The page of struct shared_info, mapped over a page of our own bss: a whole
 * one, since whatever else lay in it would be lost.
 */
union shared_info_area {
    struct shared_info info;
    char page[PAGE_SIZE];
};
extern union shared_info_area shared_info_area;
#define shared_info_page (shared_info_area.info)
#define vcpu_info0       (&shared_info_page.vcpu_info[0])

/**
 * stub_start() - first C function: set up everything, run the stub, end
 * @si: start_info page, as given in rsi at the entry point
 *
 * Context: called by start.S once, on the stub's own stack.
 * Return:  does not return
 */
void stub_start(struct start_info *si) __attribute__((noreturn));

/**
 * stub_is_dom0() - are we the control domain?
 *
 * Context: any.
 * Return:  true when start_info says SIF_INITDOMAIN
 */
bool stub_is_dom0(void);

/**
 * stub_shutdown() - end the domain
 * @reason: SHUTDOWN_*
 *
 * Lets the console drain first (bounded).
 *
 * Context: any but handlers.
 * Return:  does not return
 */
void stub_shutdown(unsigned int reason) __attribute__((noreturn));

/* ---- report.c ----------------------------------------------------------- */

/* In rising order of badness: the worst is kept. */
enum verdict {
    VERDICT_SUCCESS,
    VERDICT_SKIP,
    VERDICT_ERROR,
    VERDICT_FAILURE
};

/**
 * report() - state a verdict
 * @verdict: VERDICT_*
 * @fmt:     why, one line without newline; printf_() formats
 *
 * The text of the first report of the worst verdict is kept for the last line
 * (of SUCCESS: the last one).  Anything but SUCCESS is printed at once too.
 *
 * Context: any but handlers.
 * Return:  nothing
 */
PRINTF_LIKE(2, 3)
void report(enum verdict verdict, const char *fmt, ...);

/**
 * report_check() - count one check; a FAILURE if it does not hold
 * @holds: the outcome
 * @fmt:   what was checked and what was seen; printed only when it fails
 *
 * Context: any but handlers.  Use CHECK().
 * Return:  @holds
 */
PRINTF_LIKE(2, 3)
bool report_check(bool holds, const char *fmt, ...);

#define CHECK(cond, ...) report_check(!!(cond), __VA_ARGS__)

/**
 * report_last_line() - print the verdict line
 *
 * Context: once, after the last report.
 * Return:  the worst verdict
 */
enum verdict report_last_line(void);

/* ---- console.c ---------------------------------------------------------- */

/**
 * console_init() - find the console: CONSOLEIO in Dom0, else the shared ring
 *
 * Context: once, before the first print.
 * Return:  nothing
 */
void console_init(void);

/**
 * console_write() - write bytes to the console
 * @text: bytes, not necessarily terminated
 * @len:  number of bytes
 *
 * On the ring each \n becomes \r\n, and a full ring is waited for (bounded:
 * a reader that takes nothing for two seconds loses the rest).
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void console_write(const char *text, size_t len);

/**
 * console_debug_write() - write bytes to the hypervisor's console only
 * @text: bytes
 * @len:  number of bytes
 *
 * For words that must not depend on another domain.
 *
 * Context: any, also handlers.
 * Return:  nothing
 */
void console_debug_write(const char *text, size_t len);

/**
 * console_drain() - wait until the reader has taken all output
 * @timeout_ns: longest wait in nanoseconds
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void console_drain(uint64_t timeout_ns);

/* ---- time.c ------------------------------------------------------------- */

/**
 * time_now_ns() - system time of this vCPU
 *
 * Context: any; rdtsc.
 * Return:  nanoseconds since the hypervisor booted
 */
uint64_t time_now_ns(void);

/**
 * time_sleep_ns() - let other vCPUs run for a while
 * @ns: length in nanoseconds
 *
 * Ends earlier when an event is pending.  An NMI or #MC meanwhile is taken at
 * once, but does not make the sleep longer.
 *
 * Context: any but handlers; SCHEDOP_poll, SCHEDOP_yield where that fails.
 * Return:  nothing
 */
void time_sleep_ns(uint64_t ns);

/* ---- evtchn.c ----------------------------------------------------------- */

/**
 * evtchn_init() - mask all ports and take over the event callback
 *
 * Context: once, after the shared page is mapped; upcalls stay masked.
 * Return:  nothing
 */
void evtchn_init(void);

/**
 * evtchn_unmask() - let a port interrupt us, delivering what is pending
 * @port: an open port
 *
 * Context: any but handlers; EVTCHNOP_unmask.
 * Return:  what the hypervisor said
 */
long evtchn_unmask(evtchn_port_t port);

/**
 * evtchn_mask() - stop a port from interrupting us
 * @port: 0-4095
 *
 * Context: any.
 * Return:  nothing
 */
void evtchn_mask(evtchn_port_t port);

/**
 * evtchn_is_pending() - is a port's pending bit set?
 * @port: 0-4095
 *
 * Context: any.
 * Return:  true if so
 */
bool evtchn_is_pending(evtchn_port_t port);

/**
 * evtchn_clear() - clear a port's pending bit
 * @port: 0-4095
 *
 * Context: any.
 * Return:  true if it was set
 */
bool evtchn_clear(evtchn_port_t port);

/**
 * evtchn_count() - upcalls taken for a port since the start
 * @port: 0-4095
 *
 * Context: any.
 * Return:  the count
 */
unsigned int evtchn_count(evtchn_port_t port);

/**
 * events_enable() - clear the upcall mask and take what is pending
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void events_enable(void);

/**
 * events_disable() - set the upcall mask
 *
 * Context: any.
 * Return:  nothing
 */
void events_disable(void);

/* ---- mm.c --------------------------------------------------------------- */

/**
 * mm_pfn() - pseudo-physical frame behind an address of the boot region
 * @va: address at or above VIRT_BASE
 *
 * Context: any.
 * Return:  frame number, 4 KiB units
 */
unsigned long mm_pfn(const void *va);

/**
 * mm_mfn() - machine frame first given for an address of the boot region
 * @va: address at or above VIRT_BASE
 *
 * Reads the P2M list: remappings do not change the answer.
 *
 * Context: any.
 * Return:  machine frame number, 4 KiB units
 */
unsigned long mm_mfn(const void *va);

/**
 * mm_maddr() - machine address of a byte of the boot region
 * @va: address at or above VIRT_BASE
 *
 * Context: any.
 * Return:  machine address in bytes
 */
uint64_t mm_maddr(const void *va);

/**
 * mm_describe() - tell where our P2M list is, for who saves us or writes a core
 *
 * In the shared page; needed again when we are restored.
 * Context: any.
 */
void mm_describe(void);

/**
 * mm_map() - map a machine address at a page of ours
 * @va:    page-aligned address inside the boot region
 * @maddr: machine address; the offset within its frame is ignored
 * @flags: PTE_*
 *
 * Context: any but handlers.
 * Return:  what update_va_mapping said
 */
long mm_map(const void *va, uint64_t maddr, uint64_t flags);

/**
 * mm_protect() - change the flags of one of our own pages
 * @va:    page-aligned address inside the boot region
 * @flags: PTE_*; 0 unmaps
 *
 * Context: any but handlers.
 * Return:  what update_va_mapping said
 */
long mm_protect(const void *va, uint64_t flags);

/**
 * mm_user_tables() - page tables of user mode, for 2 MiB from 4 MiB on
 * @l4: page of our own; other entries may be filled in
 * @l3: another
 * @l2: another
 * @l1: another, with the entries that are wanted
 *
 * Links them, makes them read-only, pins the first and makes it user mode's.
 * Context: once for each.
 * Return:  what the first call that failed said, or 0
 */
long mm_user_tables(uint64_t *l4, uint64_t *l3, uint64_t *l2, uint64_t *l1);

/**
 * mm_pte_maddr() - where the entry that maps an address lies
 * @va:    any address mapped by the boot page tables down to that level
 * @level: 1 for the L1 entry up to 4 for the L4 entry
 *
 * Context: any.
 * Return:  machine address of the 8-byte entry; 0 if a table is missing
 */
uint64_t mm_pte_maddr(const void *va, unsigned int level);

/**
 * mm_pte() - value of the entry that maps an address
 * @va:    as for mm_pte_maddr()
 * @level: as for mm_pte_maddr()
 *
 * Context: any.
 * Return:  the entry; 0 if a table is missing
 */
uint64_t mm_pte(const void *va, unsigned int level);

/**
 * mm_mmuext() - one mmuext_op on a frame
 * @cmd: MMUEXT_* with an mfn argument
 * @mfn: machine frame number
 *
 * Context: any but handlers.
 * Return:  what mmuext_op said
 */
long mm_mmuext(unsigned int cmd, unsigned long mfn);

/**
 * mm_write_pte() - one mmu_update
 * @maddr: machine address of the entry, MMU_* command in bits 0-1
 * @value: new value
 *
 * Context: any but handlers.
 * Return:  what mmu_update said
 */
long mm_write_pte(uint64_t maddr, uint64_t value);

/* ---- MSRs, by privileged-instruction emulation -------------------------- */

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return ((uint64_t)high << 32) | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value),
                       "d"((uint32_t)(value >> 32))
                     : "memory");
}

#endif /* VIGIL_STUBS_STUB_H */
