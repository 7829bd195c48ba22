/* SPDX-License-Identifier: MIT */
/*
 * entry/mce_entry: which way out, and the stack the next one comes on.
 * test_mce_no_ret has the same with CONFIG_NMI_RET_RULE=n.
 */
#include "tests/unit/entry/door_machine.h"

#include "entry/trap.h"
#include "fake_hw.h"

#define BY_IRET 0
#define BY_RET  (CONFIG_NMI_RET_RULE ? 1 : BY_IRET)
#define BY_MAIN 2

extern const uint8_t syscall_gap_start[], syscall_gap_end[];

int comes_here(struct cpu_regs *regs)
{
    return comes(IST_MC, mce_entry, regs);
}

/* One comes on each stack; what is left on it must not be trodden on. */
static void leaves(struct cpu_regs *regs, int way)
{
    static const uint64_t pair[] = {CPU_STACK_MC_A, CPU_STACK_MC_B};

    for (unsigned int i = 0; i < 2; i++) {
        this_cpu()->tss->ist[IST_MC - 1] = stack_at(pair[i]);
        assert_int_equal(comes_here(regs), way);
        /* Only a frame that leaves by IRET is still there. */
        assert_int_equal(next_stack(IST_MC),
                         stack_at(pair[way == BY_IRET ? 1 - i : i]));
    }
}

static void of_the_hypervisor(void **state)
{
    struct cpu_regs usual = in_hv;

    (void)state;
    leaves(&in_hv, BY_RET);
    assert_int_equal(handler_word, CTX_MC);
    in_hv.rflags |= RFLAGS_IF;
    leaves(&in_hv, BY_IRET);
    in_hv = usual;
    in_hv.rip = (uintptr_t)syscall_gap_start;
    leaves(&in_hv, BY_IRET);
    in_hv.rip = (uintptr_t)syscall_gap_end - 1;
    leaves(&in_hv, BY_IRET);
    in_hv.rip = (uintptr_t)syscall_gap_end;
    leaves(&in_hv, BY_RET);
    in_hv.rip = (uintptr_t)syscall_gap_start - 1;
    leaves(&in_hv, BY_RET);
    /* A guest's rsp, at the edge of our block and beyond. */
    in_hv = usual;
    in_hv.rsp = stack_at(0) - PAGE_SIZE + CPU_BLOCK_BYTES;
    leaves(&in_hv, BY_RET);
    in_hv.rsp++;
    leaves(&in_hv, BY_IRET);
    in_hv.rsp = stack_at(0) - PAGE_SIZE;
    leaves(&in_hv, BY_IRET);
}

static void of_a_guest(void **state)
{
    (void)state;
    leaves(&in_guest, BY_IRET);
    assert_int_equal(handler_word, CTX_MC | CTX_OF_GUEST);
    in_guest.ss = 0x0f; /* its IRET may fault */
    leaves(&in_guest, BY_MAIN);
    in_guest.ss = SEL_GUEST_DS;
    in_guest.rip = 1UL << 47;
    leaves(&in_guest, BY_MAIN);
    assert_int_equal(self_ipis, 0);
}

static void defers(struct cpu_regs *regs)
{
    (void)regs;
    this_cpu()->work |= WORK_MCE;
}

/* The guest must not run before the response has; we are asked again. */
static void work_is_not_forgotten(void **state)
{
    (void)state;
    in_handler = defers;
    leaves(&in_guest, BY_MAIN);
    assert_int_equal(self_ipis, 0);
    leaves(&in_hv, BY_RET);
    assert_int_equal(self_ipis, 2);
    in_hv.rflags |= RFLAGS_IF;
    leaves(&in_hv, BY_IRET);
    assert_int_equal(self_ipis, 4);
    in_handler = NULL;
    this_cpu()->work = 0;
    leaves(&in_hv, BY_IRET);
    assert_int_equal(self_ipis, 4);
}

/* MCIP keeps a second out of the handler, but not an NMI. */
static void nmi_comes(struct cpu_regs *regs)
{
    in_handler = NULL;
    assert_ptr_equal(regs, &in_guest);
    assert_int_equal(comes(IST_NMI, nmi_entry, &in_hv), 0);
    assert_int_equal(handler_word, CTX_NMI << 4 | CTX_MC | CTX_OF_GUEST);
    assert_int_equal(*blackbox_contexts, CTX_MC | CTX_OF_GUEST);
}

static void nmi_inside(void **state)
{
    (void)state;
    in_handler = nmi_comes;
    fake_cr[2] = 0x4321;
    assert_int_equal(comes_here(&in_guest), BY_IRET);
    assert_int_equal(handled, 2);
    assert_int_equal(this_cpu()->context, 0);
    assert_int_equal(next_stack(IST_MC), stack_at(CPU_STACK_MC_B));
    assert_int_equal(next_stack(IST_NMI), stack_at(CPU_STACK_NMI_B));
    assert_int_equal(fake_cr[2], 0x4321);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_DOORS,
        cmocka_unit_test_setup(of_the_hypervisor, set_up),
        cmocka_unit_test_setup(of_a_guest, set_up),
        cmocka_unit_test_setup(work_is_not_forgotten, set_up),
        cmocka_unit_test_setup(nmi_inside, set_up),
    };

    return UNIT_RUN(tests);
}
