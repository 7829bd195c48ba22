/* SPDX-License-Identifier: MIT */
/*
 * crash/stop: all answer, at once, late or never; INIT, and who must not get it.
 *
 * What stops stays so, hence each story runs in a child process.
 */
#include "tests/unit/unit.h"

#include "tests/unit/child.h"
#include "x86/percpu.h"
#include "crash/backtrace.h"
#include "crash/blackbox.h"
#include "crash/stop.h"
#include "fake_hw.h"
#include "fake_printk.h"

#define KHZ   1000 /* cycles in a millisecond */
#define MS(n) ((uint64_t)(n)*KHZ)
#define CPUS  8
#define NEVER UINT64_MAX

struct cpu_block *cpu_blocks[NR_CPUS];

static unsigned int lines;
static struct vigil_box_cpu boxed[CPUS];
static unsigned int boxed_count;

/* The machine: when each CPU takes the NMI, if it is sent; who gets INIT. */
static cpumask_t others;
static uint64_t answers_at[CPUS];
static uint64_t nmi_at;
static cpumask_t answered, got_init;
static cpu_t bootstrap;
static uint64_t init_takes;
static unsigned int nmis;
static jmp_buf parked;

void backtrace_line(uint64_t rip, enum backtrace_rip kind)
{
    assert_int_equal(rip, 0x1234);
    assert_int_equal(kind, BACKTRACE_EXACT);
    lines++;
}

void blackbox_cpu(cpu_t cpu, uint32_t state, uint32_t context,
                  const struct cpu_regs *regs)
{
    assert_in_range(boxed_count, 0, CPUS - 1);
    boxed[boxed_count++] = (struct vigil_box_cpu){
        .cpu = cpu,
        .state = state,
        .context = context,
        .rip = regs != NULL ? regs->rip : 0,
    };
}

static cpumask_t others_online(void)
{
    return others;
}

static void halted(void)
{
    longjmp(parked, 1);
}

static const struct cpu_regs where = {.rip = 0x1234, .cs = 0xe008};

static void park(cpu_t cpu, const struct cpu_regs *regs)
{
    if (setjmp(parked) == 0) {
        fake_cpu = cpu;
        /* What stops it is an NMI; what it was in is without that. */
        this_cpu()->context =
            context_within(cpu == 1 ? CTX_IRQ : 0, CTX_NMI, cpu == 2);
        crash_stop_park(regs);
    }
    fake_cpu = 0;
}

static void take_nmi(cpu_t cpu)
{
    answered |= CPUMASK_OF(cpu);
    fake_cpu = cpu;
    assert_true(crash_stop_requested());
    park(cpu, &where);
}

/* Between two looks: whose time has come takes the NMI. */
static void others_run(void)
{
    for (cpu_t cpu = 1; cpu < CPUS; cpu++) {
        cpumask_t me = CPUMASK_OF(cpu);

        if (nmis != 0 && answers_at[cpu] != NEVER &&
            ((answered | got_init) & me) == 0 &&
            fake_tsc - nmi_at >= answers_at[cpu]) {
            take_nmi(cpu);
        }
    }
}

static void nmi_others(void)
{
    /* Asked are the others, never the dying CPU itself. */
    assert_false(crash_stop_requested());
    nmi_at = fake_tsc;
    nmis++;
}

static bool init(cpu_t cpu)
{
    assert_int_not_equal(cpu, 0);
    fake_tsc += init_takes;
    if (cpu == bootstrap) {
        return false;
    }
    got_init |= CPUMASK_OF(cpu);
    return true;
}

static const struct crash_stop_ops ops = {others_online, nmi_others, init};

/* In a child: CPUs of @mask are there; none answers unless the story says so. */
static void begin(cpumask_t mask)
{
    fake_hw_reset();
    fake_halt_hook = halted;
    fake_relax_hook = others_run;
    fake_tsc_step = KHZ / 10;
    for (cpu_t cpu = 0; cpu < CPUS; cpu++) {
        answers_at[cpu] = NEVER;
        cpu_blocks[cpu] = &fake_cpu_blocks[cpu];
    }
    others = mask;
    bootstrap = NR_CPUS;
    crash_stop_register(&ops);
}

static void alone(void)
{
    begin(0);
    assert_false(crash_stop_requested());
    assert_false(crash_stop_began());
    assert_int_equal(crash_stop_others(KHZ), 0);
    assert_int_equal(nmis, 0);
    assert_true(crash_stop_began());
    assert_false(crash_stop_requested());
    fake_cpu = 1;
    assert_true(crash_stop_requested());
}

static void all_answer(void)
{
    begin(0x6);
    answers_at[1] = answers_at[2] = 0;
    assert_int_equal(crash_stop_others(KHZ), 0);
    assert_in_range(fake_tsc, 0, MS(5));
    assert_int_equal(got_init, 0);
    crash_stop_keep();
    crash_stop_print();
    assert_int_equal(lines, 2);
    assert_true(fake_printk_said("CPU 1 was in irq in hypervisor, at:"));
    assert_true(fake_printk_said("CPU 2 was in guest, at:"));
    assert_int_equal(boxed_count, 2);
    assert_int_equal(boxed[0].state, VIGIL_BOX_CPU_STOPPED);
    assert_int_equal(boxed[0].context, CTX_IRQ);
    assert_int_equal(boxed[0].rip, 0x1234);
    assert_int_equal(boxed[1].context, CTX_OF_GUEST);

    /* They are stopped, though they do not answer again. */
    assert_int_equal(crash_stop_others(0), 0);
    assert_int_equal(got_init, 0);
    /* One that is offline and stops too does not count for another. */
    others = 0x30;
    assert_int_equal(crash_stop_others(KHZ), 2);
}

/* One that is slow is waited for; as long as they come one by one, for all. */
static void answer_late(void)
{
    begin(0xe);
    answers_at[1] = MS(230);
    answers_at[2] = MS(240);
    answers_at[3] = MS(480);
    assert_int_equal(crash_stop_others(KHZ), 0);
    assert_in_range(fake_tsc, MS(480), MS(490));
    assert_int_equal(got_init, 0);
}

static void too_late(void)
{
    begin(0x6);
    answers_at[1] = MS(5);
    answers_at[2] = MS(280);
    assert_int_equal(crash_stop_others(KHZ), 1);
    assert_int_equal(got_init, 0x4);
    assert_in_range(fake_tsc, MS(255 + 10), MS(280));
}

static void never_ending(void)
{
    begin(0xfe);
    for (cpu_t cpu = 1; cpu < CPUS; cpu++) {
        answers_at[cpu] = MS(100) * cpu;
    }
    /* 100, 200, 300, 400, 500: then it is enough. */
    assert_in_range(crash_stop_others(KHZ), 2, 3);
    assert_in_range(fake_tsc, MS(500), MS(530));
}

static void dead(void)
{
    begin(0xa);
    answers_at[1] = 0;
    fake_cpu_blocks[3].context = CTX_MC;
    assert_int_equal(crash_stop_others(KHZ), 1);
    assert_int_equal(got_init, 0x8);
    /* After that it has some time to take it. */
    assert_in_range(fake_tsc, MS(260), MS(275));
    crash_stop_keep();
    crash_stop_print();
    assert_true(fake_printk_said(
        "CPU 3 did not stop, in: mce in hypervisor; it was sent INIT"));
    assert_int_equal(boxed_count, 2);
    assert_int_equal(boxed[0].state, VIGIL_BOX_CPU_STOPPED);
    assert_int_equal(boxed[1].cpu, 3);
    assert_int_equal(boxed[1].state, VIGIL_BOX_CPU_INIT);
    assert_int_equal(boxed[1].context, CTX_MC);

    /* Leaving the machine after that: nobody is waited for any more. */
    got_init = 0;
    fake_tsc = 0;
    assert_int_equal(crash_stop_others(KHZ), 0);
    assert_int_equal(got_init, 0);
    assert_in_range(fake_tsc, 0, MS(5));
}

static void bootstrap_is_dead(void)
{
    begin(0x6);
    bootstrap = 1;
    assert_int_equal(crash_stop_others(KHZ), 2);
    assert_int_equal(got_init, 0x4);
    crash_stop_keep();
    crash_stop_print();
    assert_true(fake_printk_said("CPU 1 did not stop, in: hypervisor"));
    assert_false(fake_printk_said(
        "CPU 1 did not stop, in: hypervisor; it was sent INIT"));
    assert_true(fake_printk_said(
        "CPU 2 did not stop, in: hypervisor; it was sent INIT"));
    assert_int_equal(boxed[0].state, VIGIL_BOX_CPU_SILENT);
    assert_int_equal(boxed[1].state, VIGIL_BOX_CPU_INIT);
}

/* Only that one is: INIT went to nobody, and there is nothing to wait for. */
static void only_bootstrap_is_dead(void)
{
    begin(0x2);
    bootstrap = 1;
    cpu_blocks[1] = NULL; /* and its block is lost */
    fake_cpu_blocks[1].context = CTX_MC;
    assert_int_equal(crash_stop_others(KHZ), 1);
    assert_int_equal(got_init, 0);
    assert_in_range(fake_tsc, MS(250), MS(255));
    crash_stop_keep();
    crash_stop_print();
    assert_int_equal(boxed_count, 1);
    assert_int_equal(boxed[0].cpu, 1);
    assert_int_equal(boxed[0].state, VIGIL_BOX_CPU_SILENT);
    assert_int_equal(boxed[0].context, 0);
    assert_true(fake_printk_said("CPU 1 did not stop, in: hypervisor\n"));
}

/* It stops, and nobody knows where it was: there is no line of it. */
static void stops_without_registers(void)
{
    begin(0x6);
    answers_at[2] = 0;
    park(1, NULL);
    assert_int_equal(crash_stop_others(KHZ), 0);
    crash_stop_keep();
    crash_stop_print();
    assert_int_equal(boxed_count, 1);
    assert_int_equal(boxed[0].cpu, 2);
    assert_int_equal(lines, 1);
    assert_false(fake_printk_said("CPU 1"));
}

/* A block that was written over: it stops, and does so as no CPU there is. */
static void block_is_trampled(void)
{
    static const cpu_t numbers[] = {NR_CPUS, UINT32_MAX};

    begin(0x2);
    for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
        fake_cpu_blocks[1].cpu_id = numbers[i];
        park(1, &where);
    }
    assert_int_equal(crash_stop_others(KHZ), 1);
    crash_stop_keep();
    crash_stop_print();
    assert_int_equal(boxed_count, 1);
    assert_int_equal(boxed[0].cpu, 1);
    assert_int_equal(boxed[0].state, VIGIL_BOX_CPU_INIT);
    assert_int_equal(lines, 0);
}

/* The local APIC is stuck, and each INIT waits for it. */
static void stuck_icr(void)
{
    begin(0xfe);
    init_takes = MS(40);
    assert_int_equal(crash_stop_others(KHZ), 7);
    assert_int_equal(got_init, 0xe);
    assert_in_range(fake_tsc, MS(350), MS(390));
}

/* Who dies stands itself, for long: that is not the others' time. */
static void stood(void)
{
    begin(0x2);
    fake_tsc_step = MS(50);
    answers_at[1] = MS(900);
    assert_int_equal(crash_stop_others(KHZ), 0);
    assert_int_equal(got_init, 0);
}

static void unknown_clock(void)
{
    begin(0x2);
    fake_tsc_step = 1000000;
    assert_int_equal(crash_stop_others(0), 1);
    /* 260 ms at 4 GHz */
    assert_in_range(fake_tsc, 1040000000, 1070000000);
}

#define STORY(story)                                                           \
    static void test_##story(void **state)                                     \
    {                                                                          \
        (void)state;                                                           \
        in_child(story);                                                       \
    }

STORY(alone)
STORY(all_answer)
STORY(answer_late)
STORY(too_late)
STORY(never_ending)
STORY(dead)
STORY(bootstrap_is_dead)
STORY(only_bootstrap_is_dead)
STORY(stops_without_registers)
STORY(block_is_trampled)
STORY(stuck_icr)
STORY(stood)
STORY(unknown_clock)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_all_answer),
        cmocka_unit_test(test_answer_late),
        cmocka_unit_test(test_too_late),
        cmocka_unit_test(test_never_ending),
        cmocka_unit_test(test_dead),
        cmocka_unit_test(test_bootstrap_is_dead),
        cmocka_unit_test(test_only_bootstrap_is_dead),
        cmocka_unit_test(test_stops_without_registers),
        cmocka_unit_test(test_block_is_trampled),
        cmocka_unit_test(test_stuck_icr),
        cmocka_unit_test(test_stood),
        cmocka_unit_test(test_unknown_clock),
    };

    return UNIT_RUN(tests);
}
