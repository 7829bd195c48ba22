/* SPDX-License-Identifier: MIT */
/*
 * crash/panic.c - the ladder of dying (stages: panic.h).
 *
 *   panic(), panic_regs()                       on whatever stack failed
 *     die()      claim; keep reason, registers and return addresses in
 *                static memory; leave the small stack
 *       ladder() on the crash stack: one stage after the other
 *
 * A failure inside a stage comes back through panic_regs() or panic() on the
 * same CPU: it is logged, and the ladder starts afresh at the top of the
 * crash stack with the next stage.  NOTES has several independent steps; a
 * failure in one of them goes on with the next step.  After too many failures
 * only LEAVE remains.
 */
#include "crash/panic.h"

#include "lib/format.h"
#include "lib/string.h"
#include "x86/cr.h"
#include "x86/crash_asm.h"
#include "x86/msr.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "log/sink.h"
#include "cpu/clock.h"
#include "cpu/tenant.h"
#include "crash/backtrace.h"
#include "crash/blackbox.h"
#include "crash/context.h"
#include "crash/notes.h"
#include "crash/reboot.h"
#include "crash/stop.h"
#include "crash/symbols.h"

/* More failures than this inside the crash path: stop recording, reset. */
#define DEPTH_MAX 8

/* Room the crash path wants below it on the main stack. */
#define CRASH_STACK_BYTES 0x3000UL

#define BANNER "****************************************"

enum notes_step {
    STEP_REGS,
    STEP_TRACE,
    STEP_CPUS,
    STEP_WRITERS,
    STEP_DONE,
};

/*
 * Everything about this crash.  Written by the CPU that owns it; the first
 * word decides who that is.
 */
static struct crash {
    uint32_t owner; /* a: CPU + 1 of the first to fail, 0 while alive */
    uint32_t stage; /* a: enum crash_stage */
    uint32_t depth;
    uint32_t kind; /* VIGIL_BOX_KIND_* */
    enum notes_step step;
    uint32_t context; /* the context word where it failed */
    bool have_regs;
    struct cpu_regs regs;
    struct vigil_box_regs public_regs;
    uint64_t trace[BACKTRACE_DEPTH_MAX];
    unsigned int trace_count;
    uint64_t stack_top;
    char reason[VIGIL_BOX_REASON_BYTES];
    char again[VIGIL_BOX_REASON_BYTES]; /* the newest failure while dying */
    uint32_t again_context;
    unsigned int silent; /* CPUs that did not stop */
} crash;

NMI_SAFE bool crash_in_progress(void)
{
    return __atomic_load_n(&crash.owner, __ATOMIC_ACQUIRE) != 0;
}

enum crash_stage crash_stage_now(void)
{
    return __atomic_load_n(&crash.stage, __ATOMIC_ACQUIRE);
}

static void fill_public_regs(void)
{
    struct vigil_box_regs *p = &crash.public_regs;
    const struct cpu_regs *r = &crash.regs;
    struct tenant badge = tenant_now();

    *p = (struct vigil_box_regs){
        .rax = r->rax,
        .rbx = r->rbx,
        .rcx = r->rcx,
        .rdx = r->rdx,
        .rsi = r->rsi,
        .rdi = r->rdi,
        .rbp = r->rbp,
        .rsp = r->rsp,
        .r8 = r->r8,
        .r9 = r->r9,
        .r10 = r->r10,
        .r11 = r->r11,
        .r12 = r->r12,
        .r13 = r->r13,
        .r14 = r->r14,
        .r15 = r->r15,
        .rip = r->rip,
        .rflags = r->rflags,
        .cr0 = read_cr0(),
        .cr2 = read_cr2(),
        .cr3 = read_cr3(),
        .cr4 = read_cr4(),
        .fs_base = rdmsr(MSR_FS_BASE),
        .gs_base = rdmsr(MSR_GS_BASE),
        .kernel_gs_base = rdmsr(MSR_KERNEL_GS_BASE),
        .cs = r->cs,
        .ss = r->ss,
        .ds = read_ds(),
        .es = read_es(),
        .fs = read_fs(),
        .gs = read_gs(),
        .vector = r->entry_vector,
        .error_code = r->error_code,
        .cpu = this_cpu_id(),
        .domid = badge.domid,
        .vcpu = badge.vcpu,
    };
}

void crash_print_regs(const struct cpu_regs *r)
{
    enum log_level level = crash_in_progress() ? LOG_PANIC : LOG_NOTICE;
    struct tenant badge = tenant_now();
    char where[96];
    char who[24] = "hypervisor";

    if (regs_from_guest(r)) {
        snprintf(who, sizeof(who), "guest d%uv%u", badge.domid, badge.vcpu);
        snprintf(where, sizeof(where), "guest");
    } else {
        symbol_format(where, sizeof(where), r->rip);
    }
    printk(level, "CPU:    %u", this_cpu_id());
    printk(level, "RIP:    %04x:[<%016lx>] %s", r->cs, r->rip, where);
    printk(level, "RFLAGS: %016lx   CONTEXT: %s   vector %u error %08x",
           r->rflags, who, r->entry_vector, r->error_code);
    printk(level, "rax: %016lx   rbx: %016lx   rcx: %016lx", r->rax, r->rbx,
           r->rcx);
    printk(level, "rdx: %016lx   rsi: %016lx   rdi: %016lx", r->rdx, r->rsi,
           r->rdi);
    printk(level, "rbp: %016lx   rsp: %016lx   r8:  %016lx", r->rbp, r->rsp,
           r->r8);
    printk(level, "r9:  %016lx   r10: %016lx   r11: %016lx", r->r9, r->r10,
           r->r11);
    printk(level, "r12: %016lx   r13: %016lx   r14: %016lx", r->r12, r->r13,
           r->r14);
    printk(level, "r15: %016lx   cr0: %016lx   cr4: %016lx", r->r15, read_cr0(),
           read_cr4());
    printk(level, "cr3: %016lx   cr2: %016lx", read_cr3(), read_cr2());
    printk(level, "fsb: %016lx   gsb: %016lx   gss: %016lx", rdmsr(MSR_FS_BASE),
           rdmsr(MSR_GS_BASE), rdmsr(MSR_KERNEL_GS_BASE));
    printk(level,
           "ds: %04x   es: %04x   fs: %04x   gs: %04x   ss: %04x   "
           "cs: %04x",
           read_ds(), read_es(), read_fs(), read_gs(), r->ss, r->cs);
}

/* The call trace, innermost first: printed, or kept in the box. */
static void each_of_trace(void (*line)(uint64_t rip, enum backtrace_rip kind))
{
    if (!regs_from_guest(&crash.regs)) {
        line(crash.regs.rip, BACKTRACE_EXACT);
    }
    for (unsigned int i = 0; i < crash.trace_count; i++) {
        line(crash.trace[i], BACKTRACE_RETURN);
    }
}

/* ---- the stages ---- */

/* What matters most is in the box before anything is waited for or printed. */
static void stage_claim(void)
{
    blackbox_reason(crash.reason);
    fill_public_regs();
    blackbox_regs(&crash.public_regs);
    blackbox_cpu(this_cpu_id(), VIGIL_BOX_CPU_DIED, crash.context,
                 &crash.regs);
    each_of_trace(backtrace_keep);
}

/* Nothing is printed here: they may be writing to the same devices. */
static void stage_stop(void)
{
    crash.silent = crash_stop_others(clock_tsc_khz());
    crash_stop_keep();
}

static void stage_quiet(void)
{
    log_emergency();
    printk(LOG_PANIC, "%s", BANNER);
    if (crash.kind == VIGIL_BOX_KIND_DOM0) {
        printk(LOG_PANIC, "Domain 0 crashed:");
    } else {
        printk(LOG_PANIC, "Panic on CPU %u:", this_cpu_id());
    }
    printk(LOG_PANIC, "%s", crash.reason);
    printk(LOG_PANIC, "%s", BANNER);
    if (crash.silent != 0) {
        printk(LOG_PANIC, "%u CPUs did not stop", crash.silent);
    }
}

static void notes_step(enum notes_step step)
{
    char words[VIGIL_CTX_TEXT_BYTES];

    switch (step) {
    case STEP_REGS:
        printk(LOG_PANIC, "Context: %s",
               context_words(crash.context, words, sizeof(words)));
        crash_print_regs(&crash.regs);
        break;
    case STEP_TRACE:
        printk(LOG_PANIC, "Call trace:");
        each_of_trace(backtrace_line);
        break;
    case STEP_CPUS:
        crash_stop_print();
        break;
    case STEP_WRITERS:
        crash_notes_write();
        break;
    case STEP_DONE:
        break;
    }
}

static void stage_notes(void)
{
    while (crash.step != STEP_DONE) {
        enum notes_step step = crash.step;

        /*
         * Count a step before it runs, so that a fault in it leads to the
         * next; the writers count themselves one by one.
         */
        if (step != STEP_WRITERS || !crash_notes_left()) {
            crash.step++;
        }
        notes_step(step);
    }
}

static void run_stage(enum crash_stage stage)
{
    switch (stage) {
    case CRASH_NONE:
        break;
    case CRASH_CLAIM:
        stage_claim();
        break;
    case CRASH_STOP:
        stage_stop();
        break;
    case CRASH_QUIET:
        stage_quiet();
        break;
    case CRASH_NOTES:
        stage_notes();
        break;
    case CRASH_SEAL:
        /* What follows would change the log behind the seal's back. */
        blackbox_stage(CRASH_SEAL, crash.depth);
        blackbox_seal();
        break;
    case CRASH_LEAVE:
        machine_leave();
    }
}

/* The only writer of the stage; it only advances (INV-CRASH-2). */
static enum crash_stage next_stage(void)
{
    enum crash_stage stage = crash_stage_now();

    if (crash.depth > DEPTH_MAX) {
        stage = CRASH_LEAVE;
    } else if (stage == CRASH_NOTES && crash.step != STEP_DONE) {
        return stage; /* the next of its steps */
    } else {
        stage++; /* ladder() has looked: it is not the last one */
    }
    __atomic_store_n(&crash.stage, stage, __ATOMIC_RELEASE);
    return stage;
}

static void ladder(void)
{
    /* The newest failure, if we are here because a stage failed. */
    if (crash.depth != 0) {
        char words[VIGIL_CTX_TEXT_BYTES];

        log_emergency();
        printk(LOG_PANIC, "while dying (stage %u): %s", crash_stage_now(),
               crash.again);
        if (crash.again_context != this_cpu()->context) {
            printk(LOG_PANIC, "that was in: %s",
                   context_words(crash.again_context, words, sizeof(words)));
        }
    }
    for (;;) {
        enum crash_stage stage;

        if (crash_stage_now() == CRASH_LEAVE) {
            /* Leaving failed: no more politeness. */
            triple_fault();
        }
        stage = next_stage();
        if (stage < CRASH_SEAL) {
            blackbox_stage(stage, crash.depth);
        }
        run_stage(stage);
    }
}

/*
 * The dying path may run deep and must not trample what it reports.  On the
 * main stack it stays where it is if there is room below.  On an IST stack
 * (one page) it moves to the main stack, below what was interrupted there, or
 * to the middle of it if that is not known: the return addresses have been
 * collected already.
 */
static uint64_t choose_stack(uint64_t interrupted_rsp)
{
    uint64_t sp = read_rsp();
    uint64_t block = cpu_block_of(sp);
    uint64_t lowest = block + CPU_STACK_MAIN + CRASH_STACK_BYTES;
    uint64_t highest =
        block + CPU_BLOCK_BYTES - CPU_STRUCT_BYTES - sizeof(struct cpu_regs);

    if (sp >= lowest && sp < highest) {
        return (sp - 256) & ~15UL;
    }
    if (interrupted_rsp >= lowest && interrupted_rsp < highest) {
        return (interrupted_rsp - 256) & ~15UL;
    }
    return lowest & ~15UL;
}

/* Become the owner of the crash, or find out that we are not. */
static bool claim(void)
{
    uint32_t me = this_cpu_id() + 1;
    uint32_t owner = 0;

    if (__atomic_compare_exchange_n(&crash.owner, &owner, me, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        return true;
    }
    return owner == me;
}

PRINTF_LIKE(4, 0)
static NORETURN void die(uint32_t kind, const struct cpu_regs *regs,
                         uint64_t own_rbp, const char *fmt, va_list args)
{
    uint32_t context = this_cpu()->context;

    irq_disable();
    if (!claim()) {
        char line[128];

        this_cpu()->context = context_within(context, CTX_CRASH, false);
        /* Leave one record, touch no sink, and wait for the end. */
        vscnprintf(line, sizeof(line), fmt, args);
        log_nmi(LOG_PANIC, "CPU %u fails too: %s", this_cpu_id(), line);
        crash_stop_park(regs);
    }
    if (crash_stage_now() != CRASH_NONE || crash.have_regs) {
        crash.depth++;
        crash.again_context = context;
        /* What failed is left behind, with its stack. */
        this_cpu()->context = context_within(crash.context, CTX_CRASH, false);
        vscnprintf(crash.again, sizeof(crash.again), fmt, args);
        stack_leave(ladder, crash.stack_top);
    }

    crash.kind = kind;
    crash.context = context;
    this_cpu()->context = context_within(context, CTX_CRASH, false);
    crash.have_regs = true;
    crash.stack_top = choose_stack(regs->rsp);
    memcpy(&crash.regs, regs, sizeof(*regs));
    /* From here on a reset finds that there was a crash. */
    blackbox_begin(kind, this_cpu_id());
    vscnprintf(crash.reason, sizeof(crash.reason), fmt, args);
    /* A guest's frame pointer is not ours to follow. */
    if (!regs_from_guest(regs)) {
        crash.trace_count = backtrace_walk(own_rbp, backtrace_stack_ok,
                                           crash.trace, BACKTRACE_DEPTH_MAX);
    }
    stack_leave(ladder, crash.stack_top);
}

/*
 * Registers as they were at the call of the function this is inlined into.
 * The rip is inside the call: behind it, for it never returns, may be
 * another function.
 */
static ALWAYS_INLINE void capture_caller(struct cpu_regs *regs)
{
    memset(regs, 0, sizeof(*regs));
    regs_capture(regs);
    regs->rip = (uintptr_t)__builtin_return_address(0) - 1;
    regs->rsp = (uintptr_t)__builtin_frame_address(0) + 16;
    regs->rbp = *(const uint64_t *)__builtin_frame_address(0);
}

void panic(const char *fmt, ...)
{
    struct cpu_regs regs;
    va_list args;

    capture_caller(&regs);
    va_start(args, fmt);
    die(VIGIL_BOX_KIND_HYPERVISOR, &regs, regs.rbp, fmt, args);
}

void panic_regs(const struct cpu_regs *regs, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    die(VIGIL_BOX_KIND_HYPERVISOR, regs, regs->rbp, fmt, args);
}

void crash_dom0(const char *fmt, ...)
{
    struct cpu_regs regs;
    va_list args;

    capture_caller(&regs);
    va_start(args, fmt);
    die(VIGIL_BOX_KIND_DOM0, &regs, regs.rbp, fmt, args);
}

void assert_failed(const char *what, const char *file, int line)
{
    panic("Assertion '%s' failed at %s:%d", what, file, line);
}
