/* SPDX-License-Identifier: MIT */
/*
 * crash/backtrace and crash/symbols: destroyed stacks, every lookup.
 */
#include "tests/unit/unit.h"

#include <ucontext.h>

#include "x86/image.h"
#include "x86/layout.h"
#include "crash/backtrace.h"
#include "crash/blackbox.h"
#include "crash/panic.h"
#include "crash/symbols.h"
#include "fake_printk.h"

const uint32_t symbol_count = 5;
const struct symbol_entry symbol_table[] = {
    {0x10, 0}, {0x20, 6}, {0x80, 13}, {0x410, 19}, {0x440, 24},
};
const char symbol_names[] = "first\0second\0third\0boot\0late";

bool crash_in_progress(void)
{
    return false;
}

static char kept[256];

void blackbox_text_append(uint32_t type, const char *text, size_t len)
{
    assert_int_equal(type, VIGIL_BOX_SECT_BACKTRACE);
    assert_in_range(len, 1, sizeof(kept) - 1);
    memcpy(kept, text, len);
    kept[len] = '\0';
}

static uint64_t stack[32];

static bool in_stack(uint64_t addr)
{
    return addr >= (uintptr_t)stack && addr + 16 <= (uintptr_t)(stack + 32);
}

static uint64_t at(unsigned int i)
{
    return (uintptr_t)&stack[i];
}

static void walks_up(void **state)
{
    uint64_t rips[8];

    (void)state;
    memset(stack, 0, sizeof(stack));
    stack[2] = at(6);
    stack[3] = 0x111;
    stack[6] = at(20);
    stack[7] = 0x222;
    stack[20] = 0;
    stack[21] = 0x333;
    assert_int_equal(backtrace_walk(at(2), in_stack, rips, 8), 3);
    assert_int_equal(rips[0], 0x111);
    assert_int_equal(rips[1], 0x222);
    assert_int_equal(rips[2], 0x333);
    assert_int_equal(backtrace_walk(at(2), in_stack, rips, 2), 2);
    assert_int_equal(backtrace_walk(at(2), in_stack, rips, 0), 0);
}

static void destroyed_stacks(void **state)
{
    uint64_t rips[8];

    (void)state;
    memset(stack, 0, sizeof(stack));
    /* Not on the stack, not aligned, at its very end. */
    assert_int_equal(backtrace_walk(0, in_stack, rips, 8), 0);
    assert_int_equal(backtrace_walk(UINT64_MAX, in_stack, rips, 8), 0);
    assert_int_equal(backtrace_walk(at(2) + 1, in_stack, rips, 8), 0);
    assert_int_equal(backtrace_walk(at(31), in_stack, rips, 8), 0);
    /* To itself, downwards, out of the stack. */
    stack[2] = at(2);
    stack[3] = 0x111;
    assert_int_equal(backtrace_walk(at(2), in_stack, rips, 8), 1);
    stack[2] = at(0);
    assert_int_equal(backtrace_walk(at(2), in_stack, rips, 8), 1);
    stack[2] = 0xffff800000000000;
    assert_int_equal(backtrace_walk(at(2), in_stack, rips, 8), 1);
}

static void names(void **state)
{
    static const struct {
        uint64_t addr;
        const char *text;
    } rows[] = {
        {0x1000, "0000000000001000"}, /* before the first          */
        {0x100f, "0000000000001000"}, /* (set below)               */
        {0x1010, "first+0x0/0x10"},
        {0x101f, "first+0xf/0x10"},
        {0x1020, "second+0x0/0x60"},
        {0x107f, "second+0x5f/0x60"},
        {0x1080, "third+0x0/0x80"},
        {0x10ff, "third+0x7f/0x80"},
        {0x1100, "0000000000001100"},
        {0, "0000000000000000"},
        {UINT64_MAX, "ffffffffffffffff"},
        /* Boot's code, with constants before and data behind it. */
        {0x13ff, "00000000000013ff"},
        {0x1400, "0000000000001400"},
        {0x140f, "000000000000140f"},
        {0x1410, "boot+0x0/0x30"},
        {0x1445, "late+0x5/0x60"},
        {0x149f, "late+0x5f/0x60"},
        {0x14a0, "00000000000014a0"},
    };
    char buf[64];

    (void)state;
    fake_image_start = 0x1000;
    fake_image_text_end = 0x1100;
    fake_image_init_start = 0x1400;
    fake_image_init_text_end = 0x14a0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        symbol_format(buf, sizeof(buf), rows[i].addr);
        if (i == 1) {
            assert_string_equal(buf, "000000000000100f");
        } else {
            assert_string_equal(buf, rows[i].text);
        }
    }
    /* The next instruction after a call may be another function's. */
    symbol_format_return(buf, sizeof(buf), 0x1080);
    assert_string_equal(buf, "second+0x60/0x60");
    symbol_format_return(buf, sizeof(buf), 0x1011);
    assert_string_equal(buf, "first+0x1/0x10");
    symbol_format_return(buf, sizeof(buf), 0x1100);
    assert_string_equal(buf, "third+0x80/0x80");
    symbol_format_return(buf, sizeof(buf), 0x1101);
    assert_string_equal(buf, "0000000000001101");
    symbol_format_return(buf, sizeof(buf), 0x14a0);
    assert_string_equal(buf, "late+0x60/0x60");
    symbol_format_return(buf, sizeof(buf), 0);
    assert_string_equal(buf, "0000000000000000");
    symbol_format(buf, 4, 0x1010);
    assert_string_equal(buf, "fir");
}

static void prints_a_line_each(void **state)
{
    unsigned int before = fake_printk_count;

    (void)state;
    backtrace_line(0x1020, BACKTRACE_EXACT);
    assert_string_equal(fake_printk_last,
                        "   [<0000000000001020>] second+0x0/0x60");
    backtrace_line(0x1020, BACKTRACE_RETURN);
    assert_string_equal(fake_printk_last,
                        "   [<0000000000001020>] first+0x10/0x10");
    assert_int_equal(fake_printk_count, before + 2);
}

/* In the box there is the line that is printed. */
static void keeps_what_it_prints(void **state)
{
    const uint64_t rips[] = {0x1000, 0x1010, 0x1020,     0x1021,    0x10ff,
                             0,      1,      0x7fff0000, UINT64_MAX};
    char printed[256];

    (void)state;
    for (unsigned int i = 0; i < 2 * ARRAY_SIZE(rips); i++) {
        backtrace_line(rips[i / 2], (enum backtrace_rip)(i % 2));
        backtrace_keep(rips[i / 2], (enum backtrace_rip)(i % 2));
        snprintf(printed, sizeof(printed), "%s\n", fake_printk_last);
        assert_string_equal(kept, printed);
    }
}

/* A CPU's block, and who looks at it from its main stack. */
static uint8_t block[CPU_BLOCK_BYTES] __attribute__((aligned(CPU_BLOCK_BYTES)));
static ucontext_t outside, inside;

static void put_pair(uint64_t offset, uint64_t rbp, uint64_t rip)
{
    memcpy(&block[offset], &rbp, sizeof(rbp));
    memcpy(&block[offset + 8], &rip, sizeof(rip));
}

static uint64_t in_block(uint64_t offset)
{
    return (uintptr_t)&block[offset];
}

static void from_the_stack(void)
{
    uint64_t rips[4];

    /* On stacks, in a guard page, at the edges, and of another CPU. */
    assert_true(backtrace_stack_ok(in_block(CPU_STACK_NMI_A)));
    assert_true(backtrace_stack_ok(in_block(CPU_STACK_NMI_A + 0xff0)));
    assert_false(backtrace_stack_ok(in_block(CPU_STACK_NMI_A + 0xff8)));
    assert_false(backtrace_stack_ok(in_block(CPU_STACK_NMI_A - 8)));
    assert_true(
        backtrace_stack_ok(in_block(CPU_BLOCK_BYTES - CPU_STRUCT_BYTES - 16)));
    assert_false(
        backtrace_stack_ok(in_block(CPU_BLOCK_BYTES - CPU_STRUCT_BYTES - 8)));
    assert_false(backtrace_stack_ok(in_block(0) - CPU_BLOCK_BYTES / 2));
    assert_false(backtrace_stack_ok(0));
    assert_false(backtrace_stack_ok(UINT64_MAX));

    put_pair(CPU_STACK_NMI_A + 0x100, in_block(CPU_STACK_NMI_A + 0x200), 0x111);
    put_pair(CPU_STACK_NMI_A + 0x200, in_block(CPU_STACK_NMI_A + 0x300), 0x222);
    put_pair(CPU_STACK_NMI_A + 0x300, in_block(CPU_STACK_NMI_A + 0x200), 0x333);
    assert_int_equal(
        backtrace_walk_nmi(in_block(CPU_STACK_NMI_A + 0x100), rips, 4), 3);
    assert_int_equal(rips[2],
                     0x333); /* who has called it lies lower: the end */
    assert_int_equal(
        backtrace_walk_nmi(in_block(CPU_STACK_NMI_A + 0x100), rips, 2), 2);
    assert_int_equal(
        backtrace_walk_nmi(in_block(CPU_STACK_NMI_A + 0x104), rips, 4), 0);
    assert_int_equal(backtrace_walk_nmi(in_block(0), rips, 4), 0);
    put_pair(CPU_STACK_NMI_A + 0x300, in_block(CPU_STACK_NMI_A + 0x400), 0);
    assert_int_equal(
        backtrace_walk_nmi(in_block(CPU_STACK_NMI_A + 0x100), rips, 4), 2);
}

static void walks_its_own_block(void **state)
{
    (void)state;
    assert_int_equal(getcontext(&inside), 0);
    inside.uc_stack.ss_sp = &block[CPU_STACK_MAIN];
    inside.uc_stack.ss_size = 0x4000;
    inside.uc_link = &outside;
    makecontext(&inside, from_the_stack, 0);
    assert_int_equal(swapcontext(&outside, &inside), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_up),
        cmocka_unit_test(destroyed_stacks),
        cmocka_unit_test(names),
        cmocka_unit_test(walks_its_own_block),
        cmocka_unit_test(prints_a_line_each),
        cmocka_unit_test(keeps_what_it_prints),
    };

    return UNIT_RUN(tests);
}
