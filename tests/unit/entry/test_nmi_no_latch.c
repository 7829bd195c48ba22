/* SPDX-License-Identifier: MIT */
/*
 * entry/nmi_entry with CONFIG_NMI_LATCH=n: one stack, each NMI by itself.
 */
#include "tests/unit/entry/door_machine.h"

#include "entry/trap.h"

int comes_here(struct cpu_regs *regs)
{
    return comes(IST_NMI, nmi_entry, regs);
}

static void second(struct cpu_regs *regs)
{
    if (regs == &in_hv) {
        assert_int_equal(handler_word, CTX_NMI << 4 | CTX_NMI | CTX_OF_GUEST);
        return;
    }
    assert_int_equal(handled, 1);
    assert_int_equal(comes_here(&in_hv), 0);
    assert_int_equal(handled, 2);
    assert_int_equal(this_cpu()->context, CTX_NMI | CTX_OF_GUEST);
}

static void handled_where_it_comes(void **state)
{
    (void)state;
    in_handler = second;
    assert_int_equal(comes_here(&in_guest), 0);
    assert_int_equal(handled, 2); /* and no third: nothing was latched */
    assert_int_equal(this_cpu()->nmi_count, 2);
    assert_int_equal(this_cpu()->nmi_latched, 0);
    assert_int_equal(this_cpu()->nmi_depth, 0);
    assert_int_equal(this_cpu()->context, 0);
}

static void one_stack(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        assert_int_equal(comes_here(i % 2 == 0 ? &in_hv : &in_guest), 0);
        assert_int_equal(next_stack(IST_NMI), stack_at(CPU_STACK_NMI_A));
    }
    assert_int_equal(handled, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_DOORS,
        cmocka_unit_test_setup(handled_where_it_comes, set_up),
        cmocka_unit_test_setup(one_stack, set_up),
    };

    return UNIT_RUN(tests);
}
