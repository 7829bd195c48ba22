/* SPDX-License-Identifier: MIT */
/*
 * crash/panic: where it dies, and so which stack it goes on with; what is a guest's;
 * failures before the first stage, and in each.
 */
#include "tests/unit/crash/panic_machine.h"

#include <pthread.h>
#include <unistd.h>

#include "x86/percpu.h"
#include "log/printk.h"
#include "log/ring.h"
#include "cpu/tenant.h"
#include "crash/panic.h"
#include "fake_hw.h"

struct cpu_block *cpu_blocks[NR_CPUS];

static struct cpu_regs guilty = {
    .rip = 0xffff82d080200123, .cs = 0xe008, .entry_vector = 14};

/* ---- on a stack that lies as a CPU's does ---- */

#define LOWEST  0xe000UL /* of the main stack, with room below */
#define HIGHEST (CPU_BLOCK_BYTES - CPU_STRUCT_BYTES - sizeof(struct cpu_regs))
#define NMI_TOP (CPU_STACK_NMI_A + 0x1000UL)
#define KEPT    256 /* bytes below what is interrupted that are left alone */
#define BLOCKS  3

/* The thread begins in the last block, and the story runs in the middle one. */
static char *blocks;
static uint64_t story_at; /* the stack pointer: an offset in it */
static void (*story_there)(void);

static uint64_t block(void)
{
    return (uintptr_t)blocks + CPU_BLOCK_BYTES;
}

/* ASan would put something of its own around the room. */
__attribute__((no_sanitize("address"))) static void *go_down(void *arg)
{
    uint64_t here = (uintptr_t)__builtin_frame_address(0);
    volatile char *room = __builtin_alloca(here - (block() + story_at));

    room[0] = 0;
    story_there();
    return arg;
}

static void on_stack(void)
{
    pthread_attr_t attr;
    pthread_t thread;

    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(
        pthread_attr_setstack(&attr, blocks, BLOCKS * CPU_BLOCK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attr, go_down, NULL), 0);
    (void)pthread_join(thread, NULL); /* the story ends the process */
    _exit(1);
}

static void die_at(uint64_t offset, void (*story)(void))
{
    story_at = offset;
    story_there = story;
    die_of(on_stack);
    assert_true(legacy->left);
}

static void fault(void)
{
    panic_regs(&guilty, "where?");
}

/* An offset in the block of what was chosen when it died at that one. */
static uint64_t chosen(uint64_t offset, uint64_t interrupted)
{
    guilty.rsp = block() + interrupted;
    die_at(offset, fault);
    guilty.rsp = 0;
    assert_int_equal(legacy->stack % 16, 0);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
    return legacy->stack - block();
}

static void chooses_a_stack(void **state)
{
    static const struct {
        uint64_t sp, interrupted, chosen;
    } rows[] = {
        /* The main stack, with room below it. */
        {0xf000, 0, 0xf000 - KEPT},
        {0xf000, 0xf400, 0xf000 - KEPT},
        {LOWEST, 0xf000, LOWEST - KEPT},
        {HIGHEST - 24, 0xf000, (HIGHEST - 24 - KEPT) & ~15UL},
        /* Not enough room, or none of a stack. */
        {LOWEST - 16, 0xf000, 0xf000 - KEPT},
        {HIGHEST + 8, 0xf000, 0xf000 - KEPT},
        /* An IST stack: below what was interrupted on the main one, if it was. */
        {NMI_TOP - 0x400, 0xf008, 0xf000 - KEPT},
        {NMI_TOP - 0x400, LOWEST, LOWEST - KEPT},
        {NMI_TOP - 0x400, HIGHEST - 8, (HIGHEST - 8 - KEPT) & ~15UL},
        {NMI_TOP - 0x400, LOWEST - 8, LOWEST},
        {NMI_TOP - 0x400, HIGHEST, LOWEST},
        {NMI_TOP - 0x400, CPU_BLOCK_BYTES + 0xf000, LOWEST},
        {NMI_TOP - 0x400, -0x1000UL, LOWEST},
    };
    /* How far below the story it looks at its stack pointer. */
    uint64_t below = 0xf000 - (chosen(0xf000, 0) + KEPT);

    (void)state;
    assert_in_range(below, 0, 0x2000);
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(chosen(rows[i].sp + below, rows[i].interrupted),
                         rows[i].chosen);
    }
}

/* ---- what is a guest's ---- */

static void fault_with_frames(void)
{
    guilty.rbp = (uintptr_t)__builtin_frame_address(0);
    tenant_set(3, 1);
    panic_regs(&guilty, "with a frame pointer that is good");
}

static void a_guest_has_no_trace(void **state)
{
    const struct vigil_box_regs *regs;
    const char *trace;

    (void)state;
    /* Ours: where it was, and who called that. */
    die_at(0xf000, fault_with_frames);
    trace = section_text(VIGIL_BOX_SECT_BACKTRACE);
    assert_non_null(trace);
    assert_non_null(strchr(trace, '\n'));
    assert_non_null(strstr(strchr(trace, '\n'), "[<"));
    assert_true(said("CONTEXT: hypervisor   vector 14"));
    /* A guest's: neither is ours to follow, or to look up. */
    guilty.cs = 0xe033;
    die_at(0xf000, fault_with_frames);
    assert_null(section_text(VIGIL_BOX_SECT_BACKTRACE));
    assert_true(said("RIP:    e033:[<ffff82d080200123>] guest\n"));
    assert_true(said("CONTEXT: guest d3v1   vector 14"));
    assert_true(said("Call trace:\n(XEN) first note\n"));
    regs = (const void *)section_text(VIGIL_BOX_SECT_REGS);
    assert_int_equal(regs->rip, guilty.rip);
    assert_int_equal(regs->domid, 3);
    guilty.cs = 0xe008;
}

/* ---- how severe its lines are ---- */

static void keep_levels(void)
{
    const struct log_ring *ring = log_ring_now();
    struct vigil_log_cell cell;

    for (uint64_t seq = 1; seq < log_ring_next(ring); seq++) {
        assert_int_equal(log_ring_read(ring, seq, &cell), LOG_READ_OK);
        if (memmem(cell.text, cell.len, ": ", 2) != NULL) {
            legacy->levels |= 1UL << cell.level;
        }
    }
}

static void alive(void)
{
    crash_print_regs(&guilty);
    keep_levels();
    assert_int_equal(crash_stage_now(), CRASH_NONE);
    _exit(0);
}

static void dying(void)
{
    leave_hook = keep_levels;
    fault();
}

/* A frame that is printed while the machine lives is no panic's. */
static void levels(void **state)
{
    (void)state;
    die_of(alive);
    assert_int_equal(legacy->levels, 1UL << LOG_NOTICE);
    die_of(dying);
    assert_int_equal(legacy->levels, 1UL << LOG_PANIC);
    assert_true(said("RIP:    e008:[<ffff82d080200123>] guilty_function"));
}

/* ---- failures where nothing has begun, and everywhere ---- */

static unsigned int faults_left;

/* The box's memory is what is bad: the flush of it faults. */
static void flush_faults(void)
{
    if (faults_left != 0) {
        faults_left--;
        panic_regs(&guilty, "bad box");
    }
}

static void box_faults(void)
{
    fake_barrier_hook = flush_faults;
    panic("the first reason");
}

static unsigned int count(const char *words)
{
    unsigned int n = 0;

    for (const char *at = legacy->console; (at = strstr(at, words)) != NULL;
         at += strlen(words)) {
        n++;
    }
    return n;
}

/* It has its registers and no stage yet: the ladder begins nevertheless. */
static void fails_before_the_first_stage(void **state)
{
    (void)state;
    faults_left = 1;
    die_of(box_faults);
    assert_true(legacy->left);
    assert_int_equal(count("while dying (stage 0): bad box"), 1);
    assert_int_equal(count("while dying"), 1);
    assert_true(said("Panic on CPU 0:"));
    assert_true(said("second note"));
    assert_int_equal(box()->depth, 1);
    assert_int_equal(box()->kind, VIGIL_BOX_KIND_HYPERVISOR);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
    /* Those of the first failure: panic()'s are made up. */
    assert_int_equal(((const struct vigil_box_regs *)(const void *)section_text(
                          VIGIL_BOX_SECT_REGS))
                         ->rax,
                     0xfeed);
}

/* Each stage fails, and each step of the notes: in the end it only leaves. */
static void fails_too_often(void **state)
{
    (void)state;
    faults_left = UINT32_MAX;
    die_of(box_faults);
    assert_true(legacy->left);
    assert_false(legacy->fell);
    assert_int_equal(count("while dying"), 9);
    assert_int_equal(count("while dying (stage 4)"), 5);
    assert_false(said("first note"));
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_TORN);
    assert_int_equal(box()->depth, 8);
    /* One less, and the rest is done. */
    faults_left = 8;
    die_of(box_faults);
    assert_true(legacy->left);
    assert_int_equal(count("while dying"), 8);
    assert_true(said("second note"));
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
    assert_int_equal(box()->depth, 8);
}

static int set_up(void **state)
{
    blocks = aligned_alloc(CPU_BLOCK_BYTES, BLOCKS * CPU_BLOCK_BYTES);
    assert_non_null(blocks);
    return panic_machine(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_a_stack),
        cmocka_unit_test(a_guest_has_no_trace),
        cmocka_unit_test(levels),
        cmocka_unit_test(fails_before_the_first_stage),
        cmocka_unit_test(fails_too_often),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
