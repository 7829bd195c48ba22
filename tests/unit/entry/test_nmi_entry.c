/* SPDX-License-Identifier: MIT */
/*
 * entry/nmi_entry: stacks in turn, the latch, the ways out.
 */
#include "tests/unit/entry/door_machine.h"

#include "entry/trap.h"
#include "fake_hw.h"

int comes_here(struct cpu_regs *regs)
{
    return comes(IST_NMI, nmi_entry, regs);
}

static void looks_at_itself(struct cpu_regs *regs)
{
    assert_ptr_equal(regs, &in_hv);
    assert_int_equal(this_cpu()->nmi_depth, 1);
    /* This one's frame is on A for as long as it is in here. */
    assert_int_equal(next_stack(IST_NMI), stack_at(CPU_STACK_NMI_B));
}

static void one(void **state)
{
    (void)state;
    in_handler = looks_at_itself;
    assert_int_equal(comes_here(&in_hv), 0);
    assert_int_equal(handled, 1);
    assert_int_equal(handler_word, CTX_NMI);
    assert_int_equal(this_cpu()->nmi_count, 1);
    assert_int_equal(this_cpu()->nmi_depth, 0);
    assert_int_equal(this_cpu()->nmi_latched, 0);
    assert_int_equal(self_ipis, 0);
    /* Until it has left the stack is its own. */
    assert_int_equal(next_stack(IST_NMI), stack_at(CPU_STACK_NMI_B));
}

static void stacks_take_turns(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 6; i++) {
        assert_int_equal(
            next_stack(IST_NMI),
            stack_at(i % 2 == 0 ? CPU_STACK_NMI_A : CPU_STACK_NMI_B));
        assert_int_equal(comes_here(i % 3 == 0 ? &in_guest : &in_hv), 0);
    }
    assert_int_equal(next_stack(IST_MC), stack_at(CPU_STACK_MC_A));
    assert_int_equal(this_cpu()->nmi_count, 6);
}

static unsigned int rounds, at_once;

/* So many come in each of so many rounds. */
static void more_come(struct cpu_regs *regs)
{
    uint64_t next = next_stack(IST_NMI);
    uint32_t word = this_cpu()->context;

    assert_ptr_equal(regs, &in_guest);
    assert_int_equal(word, CTX_NMI | CTX_OF_GUEST);
    assert_int_equal(this_cpu()->nmi_latched, 0);
    if (handled > rounds) {
        return;
    }
    for (unsigned int i = 0; i < at_once; i++) {
        assert_int_equal(comes_here(&in_hv), 0);
        assert_int_equal(this_cpu()->nmi_latched, 1);
        /* It has left nothing behind but that. */
        assert_int_equal(next_stack(IST_NMI), next);
        assert_int_equal(this_cpu()->nmi_depth, 1);
        assert_int_equal(this_cpu()->context, word);
    }
}

static void latched_goes_round(void **state)
{
    (void)state;
    in_handler = more_come;
    for (rounds = 0; rounds < 4; rounds++) {
        for (at_once = 1; at_once < 3; at_once++) {
            handled = 0;
            this_cpu()->nmi_count = 0;
            fake_cr[2] = 0x77;
            assert_int_equal(comes_here(&in_guest), 0);
            assert_int_equal(handled, rounds + 1);
            assert_int_equal(this_cpu()->nmi_count, rounds + 1);
            assert_int_equal(this_cpu()->nmi_depth, 0);
            assert_int_equal(this_cpu()->nmi_latched, 0);
            assert_int_equal(this_cpu()->context, 0);
            assert_int_equal(fake_cr[2], 0x77);
        }
    }
}

static void second_on_the_way_out(void)
{
    in_self_ipi = NULL;
    assert_int_equal(this_cpu()->nmi_depth, 0);
    assert_int_equal(comes_here(&in_hv), 0);
    assert_int_equal(handled, 2);
}

/* Past its handler it is not latched: nobody would go round. */
static void on_the_way_out(void **state)
{
    (void)state;
    this_cpu()->work = WORK_NMI;
    in_self_ipi = second_on_the_way_out;
    assert_int_equal(comes_here(&in_hv), 0);
    assert_int_equal(handled, 2);
    assert_int_equal(this_cpu()->nmi_count, 2);
    assert_int_equal(this_cpu()->nmi_latched, 0);
    assert_int_equal(self_ipis, 2);
    assert_int_equal(this_cpu()->context, 0);
}

static void defers(struct cpu_regs *regs)
{
    (void)regs;
    this_cpu()->work |= WORK_LOG;
}

static void work_is_not_forgotten(void **state)
{
    (void)state;
    assert_int_equal(comes_here(&in_guest), 0);
    assert_int_equal(self_ipis, 0);
    in_handler = defers;
    assert_int_equal(comes_here(&in_guest), 0);
    assert_int_equal(self_ipis, 1);
    assert_int_equal(comes_here(&in_hv), 0);
    assert_int_equal(self_ipis, 2);
    assert_int_equal(this_cpu()->work, WORK_LOG);
    /* Softirqs raised their own interrupt. */
    in_handler = NULL;
    this_cpu()->work = 0;
    this_cpu()->softirq = 1;
    assert_int_equal(comes_here(&in_hv), 0);
    assert_int_equal(self_ipis, 2);
}

static void ways_out(void **state)
{
    struct cpu_regs usual = in_guest;

    (void)state;
    assert_int_equal(comes_here(&in_guest), 0);
    in_guest.cs = SEL_GUEST_CS32;
    assert_int_equal(comes_here(&in_guest), 0);
    /* Its IRET may fault: there is a fixup at the main stack's end only. */
    in_guest.cs = 0x07;
    assert_int_equal(comes_here(&in_guest), 1);
    in_guest = usual;
    in_guest.ss = 0x0f;
    assert_int_equal(comes_here(&in_guest), 1);
    in_guest = usual;
    in_guest.rip = 1UL << 47;
    assert_int_equal(comes_here(&in_guest), 1);
    /* The hypervisor's own selectors are not a guest's, and cannot fault. */
    assert_int_equal(in_hv.ss, 0);
    assert_int_equal(comes_here(&in_hv), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_DOORS,
        cmocka_unit_test_setup(one, set_up),
        cmocka_unit_test_setup(stacks_take_turns, set_up),
        cmocka_unit_test_setup(latched_goes_round, set_up),
        cmocka_unit_test_setup(on_the_way_out, set_up),
        cmocka_unit_test_setup(work_is_not_forgotten, set_up),
        cmocka_unit_test_setup(ways_out, set_up),
    };

    return UNIT_RUN(tests);
}
