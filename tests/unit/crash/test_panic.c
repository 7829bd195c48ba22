/* SPDX-License-Identifier: MIT */
/*
 * crash/panic: the ladder, undisturbed and disturbed at each stage.
 */
#include "tests/unit/crash/panic_machine.h"

#include <unistd.h>

#include "x86/percpu.h"
#include "log/printk.h"
#include "log/sink.h"
#include "cpu/tenant.h"
#include "crash/panic.h"
#include "crash/stop.h"
#include "fake_hw.h"

/* ---- stories ---- */

static void simple(void)
{
    panic("the reason is %d", 42);
}

static void undisturbed(void **state)
{
    (void)state;
    die_of(simple);
    assert_true(legacy->left);
    assert_true(said("(XEN) Panic on CPU 0:\n(XEN) the reason is 42\n"));
    assert_true(said("Call trace:"));
    assert_true(said("(XEN) Context: hypervisor\n"));
    assert_true(said("rax: 000000000000feed"));
    assert_true(said("first note"));
    assert_true(said("second note"));
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
    assert_int_equal(box()->kind, VIGIL_BOX_KIND_HYPERVISOR);
    assert_int_equal(box()->stage, VIGIL_BOX_STAGE_SEAL);
    assert_int_equal(box()->depth, 0);
    assert_string_equal(box()->reason, "the reason is 42");
    assert_non_null(strstr(section_text(VIGIL_BOX_SECT_NOTES),
                           "first note\nsecond note\n"));
}

static struct cpu_regs guilty = {.rip = 0xffff82d080200123,
                                 .rbx = 0xb0b,
                                 .cs = 0xe008,
                                 .entry_vector = 14,
                                 .error_code = 2};

static void exception(void)
{
    tenant_set(3, 1);
    panic_regs(&guilty, "page fault");
}

static void registers_of_an_exception(void **state)
{
    const struct vigil_box_regs *regs;

    (void)state;
    die_of(exception);
    assert_true(said("RIP:    e008:[<ffff82d080200123>] "
                     "guilty_function+0x23/0xf00"));
    assert_true(said("vector 14 error 00000002"));
    assert_non_null(strstr(section_text(VIGIL_BOX_SECT_BACKTRACE),
                           "guilty_function+0x23/0xf00\n"));
    regs = (const void *)section_text(VIGIL_BOX_SECT_REGS);
    assert_int_equal(regs->rip, 0xffff82d080200123);
    assert_int_equal(regs->rbx, 0xb0b);
    assert_int_equal(regs->domid, 3);
    assert_int_equal(regs->vcpu, 1);
    assert_int_equal(regs->kernel_gs_base, 3);
}

static const struct vigil_box_cpu *boxed_cpu(unsigned int at)
{
    return (const struct vigil_box_cpu *)(const void *)section_text(
               VIGIL_BOX_SECT_CPUS) + at;
}

static void reset_by_hand(void)
{
    _exit(0);
}

static void reset_at_the_first_line(void)
{
    sink_hook = reset_by_hand;
    tenant_set(3, 1);
    panic_regs(&guilty, "and then the line stands still");
}

/* A serial line may stand still: what matters is kept before. */
static void the_box_comes_before_the_lines(void **state)
{
    const struct vigil_box_regs *regs;

    (void)state;
    die_of(reset_at_the_first_line);
    assert_false(legacy->left);
    assert_int_equal(legacy->console_len, 0);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_TORN);
    assert_int_equal(box()->stage, VIGIL_BOX_STAGE_QUIET);
    assert_int_equal(box()->kind, VIGIL_BOX_KIND_HYPERVISOR);
    assert_string_equal(box()->reason, "and then the line stands still");
    regs = (const void *)section_text(VIGIL_BOX_SECT_REGS);
    assert_int_equal(regs->rip, guilty.rip);
    assert_int_equal(boxed_cpu(0)->rip, guilty.rip);
    assert_non_null(strstr(section_text(VIGIL_BOX_SECT_BACKTRACE),
                           "guilty_function+0x23/0xf00\n"));
}

/* An NMI in an interrupt of a guest, and in the middle of dying another NMI. */
static void in_a_nest(void)
{
    this_cpu()->context =
        context_within(context_within(0, CTX_IRQ, true), CTX_NMI, false);
    panic_regs(&guilty, "deep down");
}

static void fails_in_nmi(void)
{
    note_hook = NULL;
    this_cpu()->context =
        context_within(this_cpu()->context, CTX_NMI, false);
    panic_regs(&guilty, "deeper");
}

static void in_a_nest_twice(void)
{
    note_hook = fails_in_nmi;
    in_a_nest();
}

static void says_what_it_was_in(void **state)
{
    (void)state;
    die_of(in_a_nest);
    assert_true(said("(XEN) Context: nmi in irq in guest\n"));
    assert_false(said("that was in"));
    assert_int_equal(boxed_cpu(0)->context, 0x80000021);
    assert_int_equal(boxed_cpu(0)->cpu, 0);
    assert_int_equal(boxed_cpu(0)->state, VIGIL_BOX_CPU_DIED);
    assert_int_equal(boxed_cpu(0)->rip, guilty.rip);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);

    die_of(in_a_nest_twice);
    assert_true(said("(XEN) Context: nmi in irq in guest\n"));
    assert_true(said("that was in: nmi in crash in nmi in irq in guest\n"));
    assert_int_equal(boxed_cpu(0)->context, 0x80000021);
    assert_true(said("second note"));
}

static void fault_again(void)
{
    note_hook = NULL;
    panic_regs(&guilty, "fault in a note");
}

static void bad_note(void)
{
    note_hook = fault_again;
    panic("first reason");
}

static void a_note_that_faults_is_skipped(void **state)
{
    (void)state;
    die_of(bad_note);
    assert_true(legacy->left);
    assert_true(said("while dying (stage 4): fault in a note"));
    assert_true(said("second note"));
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
    assert_string_equal(box()->reason, "first reason");
    assert_int_equal(box()->depth, 1);
}

static void sink_faults(void)
{
    panic_regs(&guilty, "fault in the serial line");
}

static void bad_sink(void)
{
    sink_hook = sink_faults;
    panic("nobody will read this");
}

static void a_sink_that_faults_is_dropped(void **state)
{
    (void)state;
    die_of(bad_sink);
    assert_true(legacy->left);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
    assert_string_equal(box()->reason, "nobody will read this");
    assert_int_equal(box()->depth, 1);
    assert_non_null(strstr(section_text(VIGIL_BOX_SECT_NOTES), "second note"));
}

static void crash_in_notes_for_ever(void)
{
    panic("worse");
}

static void hopeless(void)
{
    /* Writer and sink both fail. */
    sink_hook = sink_faults;
    note_hook = crash_in_notes_for_ever;
    panic("hopeless");
}

static void failing_notes_still_end_in_a_seal(void **state)
{
    (void)state;
    die_of(hopeless);
    assert_true(legacy->left);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
}

static void fail_while_leaving(void)
{
    panic("cannot leave");
}

static void no_way_out(void)
{
    leave_hook = fail_while_leaving;
    panic("locked in");
}

static void failing_to_leave_ends_bluntly(void **state)
{
    (void)state;
    die_of(no_way_out);
    assert_true(legacy->left);
    assert_true(legacy->fell);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
    assert_string_equal(box()->reason, "locked in");
}

static jmp_buf back_to_owner;

static void other_cpu_halts(void)
{
    legacy->parked = true;
    fake_cpu = 0;
    longjmp(back_to_owner, 1);
}

static void other_cpu_fails(void)
{
    note_hook = NULL;
    fake_halt_hook = other_cpu_halts;
    if (setjmp(back_to_owner) == 0) {
        fake_cpu = 1;
        panic_regs(&guilty, "me too");
    }
}

struct cpu_block *cpu_blocks[NR_CPUS];

static void two_cpus(void)
{
    note_hook = other_cpu_fails;
    panic("first CPU");
}

static void second_cpu_leaves_a_line_and_parks(void **state)
{
    (void)state;
    die_of(two_cpus);
    assert_true(legacy->parked);
    assert_true(said("CPU 1 fails too: me too"));
    assert_string_equal(box()->reason, "first CPU");
    assert_int_equal(box()->cpu, 0);
    assert_int_equal(box()->depth, 0);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
}

static void dom0_dies(void)
{
    crash_dom0("Dom0 said goodbye");
}

static void dom0_has_its_own_kind(void **state)
{
    (void)state;
    die_of(dom0_dies);
    assert_int_equal(box()->kind, VIGIL_BOX_KIND_DOM0);
    assert_true(said("Domain 0 crashed:"));
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
}

static void in_nmi_while_printing(void)
{
    /* The NMI interrupts the holder of the sink lock. */
    sink_hook = NULL;
    this_cpu()->context |= CTX_NMI;
    panic_regs(&guilty, "fatal NMI");
}

static void nmi_in_printk(void)
{
    sink_hook = in_nmi_while_printing;
    printk(LOG_INFO, "interrupted line");
}

static void nmi_that_interrupted_printk(void **state)
{
    (void)state;
    die_of(nmi_in_printk);
    assert_true(legacy->left);
    assert_true(said("fatal NMI"));
    assert_int_equal(box()->depth, 0);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
}

static void broken_assertion(void)
{
    assert_failed("a == b", "file.c", 7);
}

static void assertions_name_their_place(void **state)
{
    (void)state;
    die_of(broken_assertion);
    assert_string_equal(box()->reason, "Assertion 'a == b' failed at file.c:7");
}

static cpumask_t one_other(void)
{
    return CPUMASK_OF(1);
}

static void nothing_happens(void)
{
}

static bool takes_init(cpu_t cpu)
{
    (void)cpu;
    return true;
}

static void deaf_cpu(void)
{
    static const struct crash_stop_ops ops = {one_other, nothing_happens,
                                              takes_init};

    cpu_blocks[1] = &fake_cpu_blocks[1];
    fake_cpu_blocks[1].context = CTX_IRQ;
    crash_stop_register(&ops);
    fake_tsc_step = 1000000;
    panic("alone");
}

static void a_cpu_that_does_not_stop_is_named(void **state)
{
    (void)state;
    die_of(deaf_cpu);
    assert_true(said("1 CPUs did not stop"));
    assert_true(
        said("CPU 1 did not stop, in: irq in hypervisor; it was sent INIT\n"));
    assert_int_equal(boxed_cpu(1)->cpu, 1);
    assert_int_equal(boxed_cpu(1)->state, VIGIL_BOX_CPU_INIT);
    assert_int_equal(boxed_cpu(1)->context, CTX_IRQ);
    assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES), BOX_SEALED_OK);
}

static void is_stopped(void)
{
    legacy->parked = true;
    fake_cpu = 0;
    longjmp(back_to_owner, 1);
}

/* CPU 1 takes the NMI: up to now it may have written. */
static void stops_now(void)
{
    legacy->early = log_is_emergency();
    legacy->said_before = legacy->console_len;
    fake_halt_hook = is_stopped;
    if (setjmp(back_to_owner) == 0) {
        fake_cpu = 1;
        assert_true(crash_stop_requested());
        crash_stop_park(&guilty);
    }
}

static void stopping_faults(void)
{
    static bool once;

    if (!once) {
        once = true;
        panic_regs(&guilty, "fault at the local APIC");
    }
}

/* It stops; it is dead; stopping it is what fails. */
static const struct crash_stop_ops stopping[] = {
    {one_other, stops_now, takes_init},
    {one_other, nothing_happens, takes_init},
    {one_other, stopping_faults, takes_init},
};
static unsigned int how;

/* CPU 1 is in the middle of a line, with the sinks' lock, when CPU 0 dies. */
static void dies_meanwhile(void)
{
    sink_hook = NULL;
    fake_cpu = 0;
    cpu_blocks[1] = &fake_cpu_blocks[1];
    crash_stop_register(&stopping[how]);
    fake_tsc_step = 1000000;
    this_cpu()->context = CTX_NMI;
    panic_regs(&guilty, "while another one writes");
}

static void one_writes(void)
{
    sink_hook = dies_meanwhile;
    fake_cpu = 1;
    printk(LOG_INFO, "the line of another");
}

static void others_stop_before_the_sinks_are_taken(void **state)
{
    (void)state;
    for (how = 0; how < ARRAY_SIZE(stopping); how++) {
        die_of(one_writes);
        assert_true(legacy->left);
        assert_int_equal(legacy->parked, how == 0);
        assert_false(legacy->early);
        assert_int_equal(legacy->said_before, 0);
        assert_true(said("(XEN) the line of another\n"));
        assert_true(said("(XEN) while another one writes\n"));
        assert_true(strstr(legacy->console, "the line of another") <
                    strstr(legacy->console, "while another one writes"));
        assert_int_equal(said("CPU 1 was in hypervisor, at:"), how == 0);
        assert_int_equal(said("1 CPUs did not stop"), how == 1);
        assert_int_equal(
            said("while dying (stage 2): fault at the local APIC"), how == 2);
        assert_true(said("(XEN) Context: nmi in hypervisor\n"));
        assert_int_equal(box()->depth, how == 2);
        assert_int_equal(blackbox_check(legacy->zone, ZONE_BYTES),
                         BOX_SEALED_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undisturbed),
        cmocka_unit_test(the_box_comes_before_the_lines),
        cmocka_unit_test(registers_of_an_exception),
        cmocka_unit_test(says_what_it_was_in),
        cmocka_unit_test(a_note_that_faults_is_skipped),
        cmocka_unit_test(a_sink_that_faults_is_dropped),
        cmocka_unit_test(failing_notes_still_end_in_a_seal),
        cmocka_unit_test(failing_to_leave_ends_bluntly),
        cmocka_unit_test(second_cpu_leaves_a_line_and_parks),
        cmocka_unit_test(dom0_has_its_own_kind),
        cmocka_unit_test(nmi_that_interrupted_printk),
        cmocka_unit_test(assertions_name_their_place),
        cmocka_unit_test(a_cpu_that_does_not_stop_is_named),
        cmocka_unit_test(others_stop_before_the_sinks_are_taken),
    };

    return cmocka_run_group_tests(tests, panic_machine, NULL);
}
