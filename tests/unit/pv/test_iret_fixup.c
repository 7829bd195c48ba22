/* SPDX-License-Identifier: MIT */
/*
 * pv/iret_fixup: recognise the fault no processor reports; finish the return.
 */
#include "tests/unit/unit.h"

#include "pv/guest_access.h"
#include "pv/iret_fixup.h"
#include "pv/privop.h"

#define RIP 0xffffffff81000000UL
#define RSP 0xffffffff82003f00UL

static uint8_t code[2];
static uint64_t stack[5];
static bool stack_readable, long_mode;

bool privop_in_long_mode(const struct cpu_regs *regs)
{
    (void)regs;
    return long_mode;
}

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    if (va == RIP && bytes == sizeof(code)) {
        memcpy(dst, code, bytes);
        return 0;
    }
    assert_int_equal(va, RSP);
    assert_true(bytes <= sizeof(stack));
    memcpy(dst, stack, bytes);
    return stack_readable ? 0 : -14;
}

static struct cpu_regs regs;

static int set_up(void **state)
{
    (void)state;
    code[0] = 0x48;
    code[1] = 0xcf;
    stack[0] = 0xffffffff81234567UL;
    stack[1] = 0xe033;
    stack[2] = 0x10246;
    stack[3] = 0xffffffff82003f80UL;
    stack[4] = 0xe02b;
    stack_readable = long_mode = true;
    regs = (struct cpu_regs){.rip = RIP,
                             .cs = 0xe033,
                             .rsp = RSP,
                             .ss = 0xe02b,
                             .rflags = RFLAGS_IF | RFLAGS_FIXED};
    return 0;
}

static void recognised(void **state)
{
    (void)state;
    assert_true(iret_fixup_matches(&regs, 1));
    /* A write, a user access, a missing page, a fetch: all real faults. */
    for (uint32_t ec = 0; ec < 0x40; ec++) {
        assert_int_equal(iret_fixup_matches(&regs, ec), ec == 1);
    }
    regs.cs = 0xe008;
    assert_false(iret_fixup_matches(&regs, 1));
}

static void iretq_finished(void **state)
{
    (void)state;
    assert_true(pv_finish_smap_iret(NULL, &regs, RSP, 1));
    assert_int_equal(regs.rip, 0xffffffff81234567UL);
    assert_int_equal(regs.cs, 0xe033);
    assert_int_equal(regs.rsp, 0xffffffff82003f80UL);
    assert_int_equal(regs.ss, 0xe02b);
    /* RF and the arithmetic flags came with the frame, IF stayed. */
    assert_int_equal(regs.rflags, 0x10246);
}

static void lretq_finished(void **state)
{
    (void)state;
    code[1] = 0xcb;
    assert_true(pv_finish_smap_iret(NULL, &regs, RSP + 8, 1));
    assert_int_equal(regs.rip, 0xffffffff81234567UL);
    assert_int_equal(regs.rsp, RSP + 16);
    assert_int_equal(regs.ss, 0xe02b);
    /* The third word is not part of a far return. */
    set_up(NULL);
    code[1] = 0xcb;
    assert_false(pv_finish_smap_iret(NULL, &regs, RSP + 16, 1));
}

static void flags_are_sanitised(void **state)
{
    const uint64_t mine =
        RFLAGS_IF | RFLAGS_IOPL | RFLAGS_VM | RFLAGS_VIF | RFLAGS_VIP;

    (void)state;
    stack[2] = ~0UL & ~RFLAGS_IF;
    assert_true(pv_finish_smap_iret(NULL, &regs, RSP, 1));
    assert_int_equal(regs.rflags & mine, RFLAGS_IF);
    assert_int_equal(regs.rflags >> 22, 0);
    assert_true(regs.rflags & RFLAGS_TF);
    assert_true(regs.rflags & RFLAGS_AC);
}

static void refuse_and_change_nothing(void)
{
    struct cpu_regs before = regs;

    assert_false(pv_finish_smap_iret(NULL, &regs, RSP, 1));
    assert_memory_equal(&before, &regs, sizeof(regs));
    set_up(NULL);
}

static void bad_frames(void **state)
{
    static const uint16_t bad_cs[] = {0,      3,      0xe008, 0xe00b,
                                      0xe010, 0xe02b, 0xe043};
    static const uint16_t bad_ss[] = {0, 3, 0xe010, 0xe013, 0xe033, 0xffff - 4};

    (void)state;
    for (size_t i = 0; i < sizeof(bad_cs) / sizeof(bad_cs[0]); i++) {
        stack[1] = bad_cs[i];
        refuse_and_change_nothing();
    }
    for (size_t i = 0; i < sizeof(bad_ss) / sizeof(bad_ss[0]); i++) {
        stack[4] = bad_ss[i];
        refuse_and_change_nothing();
    }
    stack[0] = 0xffff82d080200000UL; /* the hypervisor */
    refuse_and_change_nothing();
    stack[0] = 0x0000800000000000UL; /* not canonical */
    refuse_and_change_nothing();
    stack_readable = false;
    refuse_and_change_nothing();
    long_mode = false;
    refuse_and_change_nothing();
    code[0] = 0x90;
    refuse_and_change_nothing();
    code[1] = 0xc3;
    refuse_and_change_nothing();
}

static void own_selectors(void **state)
{
    (void)state;
    /* Ring 0 of its own table is raised; its LDT is its own business. */
    stack[1] = 0x10;
    stack[4] = 0x1c;
    assert_true(pv_finish_smap_iret(NULL, &regs, RSP, 1));
    assert_int_equal(regs.cs, 0x13);
    assert_int_equal(regs.ss, 0x1f);
}

static void address_elsewhere(void **state)
{
    (void)state;
    assert_false(pv_finish_smap_iret(NULL, &regs, RSP - 1, 1));
    assert_false(pv_finish_smap_iret(NULL, &regs, RSP + 40, 1));
    assert_true(pv_finish_smap_iret(NULL, &regs, RSP + 39, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(recognised, set_up),
        cmocka_unit_test_setup(iretq_finished, set_up),
        cmocka_unit_test_setup(lretq_finished, set_up),
        cmocka_unit_test_setup(flags_are_sanitised, set_up),
        cmocka_unit_test_setup(bad_frames, set_up),
        cmocka_unit_test_setup(own_selectors, set_up),
        cmocka_unit_test_setup(address_elsewhere, set_up),
    };

    return UNIT_RUN(tests);
}
