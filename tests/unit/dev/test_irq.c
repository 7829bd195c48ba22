/* SPDX-License-Identifier: MIT */
/*
 * dev/irq.c, irq_vector.c, irq_storm.c: masking by type, end of interrupt;
 * vectors and moves from CPU to CPU; what comes too often is held back.
 */
#include "tests/unit/unit.h"

#include "lib/errno.h"
#include "x86/percpu.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"
#include "dev/acpi_madt.h"
#include "dev/i8259.h"
#include "dev/ioapic.h"
#include "dev/irq.h"
#include "dev/irq_impl.h"
#include "fake_hw.h"

#define PINS 24

static struct ioapic_route routes[PINS];
static bool masked[PINS];
static uint32_t targets[PINS];
static unsigned int eois, handled, message_masks, message_moves;
static bool message_masked, message_maskable, raised;
static uint64_t now_ns;
static struct timer *timer;
static bool masked_at_eoi;
static struct acpi_madt madt;

/* ---- what the code under test calls -------------------------------------- */

void lapic_eoi(void)
{
    eois++;
    masked_at_eoi = masked[9];
}

uint64_t clock_now_ns(void)
{
    return now_ns;
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.deadline_ns = TIMER_NEVER, .fn = fn, .arg = arg};
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    assert_int_equal(t->deadline_ns, TIMER_NEVER); /* never set twice */
    t->deadline_ns = deadline_ns;
    timer = t;
}

uint32_t lapic_id(void)
{
    return 3;
}

void i8259_init(void)
{
}

void i8259_spurious(unsigned int vector)
{
    (void)vector;
}

unsigned int ioapic_init(void)
{
    for (unsigned int i = 0; i < PINS; i++) {
        masked[i] = true;
    }
    return PINS;
}

bool ioapic_has(unsigned int gsi)
{
    return gsi < PINS && gsi != 17;
}

void ioapic_route(unsigned int gsi, const struct ioapic_route *route,
                  bool is_masked)
{
    routes[gsi] = *route;
    targets[gsi] = route->apic_id;
    masked[gsi] = is_masked;
}

void ioapic_set_mask(unsigned int gsi, bool is_masked)
{
    masked[gsi] = is_masked;
}

void ioapic_set_target(unsigned int gsi, uint32_t apic_id)
{
    targets[gsi] = apic_id;
}

int ioapic_read_register(uint64_t base, unsigned int reg, uint32_t *ret_value)
{
    (void)base;
    (void)reg;
    (void)ret_value;
    return -EINVAL;
}

uint64_t ioapic_address(unsigned int n)
{
    return n == 0 ? 0xfec00000 : 0;
}

const struct acpi_madt *acpi_madt(void)
{
    return &madt;
}

void msi_set_mask(struct irq_desc *desc, bool is_masked)
{
    (void)desc;
    message_masked = is_masked;
    message_masks++;
}

void msix_mask_now(const struct irq_desc *desc)
{
    (void)desc;
    message_masked = true;
}

void softirq_raise(enum softirq nr)
{
    assert_int_equal(nr, SOFTIRQ_IRQ);
    raised = true;
}

bool msi_can_mask(const struct irq_desc *desc)
{
    (void)desc;
    return message_maskable;
}

void msi_move(const struct irq_desc *desc)
{
    (void)desc;
    message_moves++;
}

static void handler(void *arg)
{
    handled++;
    assert_ptr_equal(arg, &handled);
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(irq_descs, 0, sizeof(irq_descs));
    eois = handled = message_masks = message_moves = 0;
    now_ns = 5000000000ULL;
    timer = NULL;
    message_maskable = true;
    irq_set_ratelimit(1000);
    madt = (struct acpi_madt){
        .override_count = 2,
        .override = {{.isa = 0, .gsi = 2}, {.isa = 9, .gsi = 9, .flags = 0xd}},
    };
    irq_init();
    return 0;
}

static void dispatch(unsigned int vector)
{
    fake_irqs_on = false;
    irq_dispatch(vector);
    fake_irqs_on = true;
    if (raised) {
        raised = false;
        irq_storm_softirq();
    }
}

static void level_waits_for_its_eoi(void **state)
{
    (void)state;
    assert_int_equal(irq_bind(9, handler, &handled, "test"), 0);
    assert_true(routes[9].is_level);
    assert_false(routes[9].is_active_low); /* by the override */
    assert_int_equal(routes[9].apic_id, 3);
    assert_false(masked[9]);
    assert_true(irq_needs_eoi(9));
    dispatch(routes[9].vector);
    assert_int_equal(handled, 1);
    assert_int_equal(eois, 1);
    assert_true(masked_at_eoi);
    irq_eoi(9);
    assert_false(masked[9]);
    irq_eoi(9); /* not waiting: nothing */
    dispatch(routes[9].vector);
    irq_unbind(9);
    irq_eoi(9); /* its owner is gone: stays masked */
    assert_true(masked[9]);
}

static void edge_is_not_masked(void **state)
{
    (void)state;
    assert_int_equal(irq_isa_to_gsi(0), 2);
    assert_int_equal(irq_isa_to_gsi(4), 4);
    assert_int_equal(irq_bind(4, handler, &handled, "test"), 0);
    assert_int_equal(irq_bind(4, handler, &handled, "again"), -EBUSY);
    assert_true(irq_has_handler(4));
    assert_false(irq_needs_eoi(4));
    dispatch(routes[4].vector);
    dispatch(routes[4].vector);
    assert_int_equal(handled, 2);
    assert_false(masked[4]);
    irq_unbind(4);
    assert_true(masked[4]);
    assert_false(irq_has_handler(4));
    dispatch(routes[4].vector); /* one was on its way */
    assert_int_equal(handled, 2);
    assert_int_equal(eois, 3);
}

static void setup_is_refused_when_it_would_disturb(void **state)
{
    struct irq_info info;

    (void)state;
    assert_int_equal(irq_setup_gsi(PINS, true, true), -EINVAL);
    assert_int_equal(irq_setup_gsi(17, true, true), -EINVAL);
    assert_int_equal(irq_setup_gsi(20, true, false), 0);
    assert_true(masked[20]);
    assert_int_not_equal(routes[20].vector, 0);
    assert_int_equal(irq_bind(20, handler, &handled, "test"), 0);
    assert_int_equal(irq_setup_gsi(20, true, false), 0);
    assert_int_equal(irq_setup_gsi(20, false, false), -EEXIST);
    assert_int_equal(irq_info_get(20, &info), 0);
    assert_true(info.is_level);
    assert_true(info.has_handler);
    assert_int_equal(irq_info_get(17, &info), -EINVAL);
    assert_int_equal(irq_bind(17, handler, &handled, "test"), -EINVAL);
    assert_int_equal(irq_bind(NR_IRQS, handler, &handled, "test"), -EINVAL);
}

/* A message without a device. */
static int make_messages(unsigned int first, unsigned int count, bool is_msix)
{
    int rc;

    for (unsigned int i = 0; i < count; i++) {
        irq_descs[first + i] = (struct irq_desc){
            .exists = true,
            .is_msi = true,
            .is_msix = is_msix,
            .entry = (uint16_t)i,
            .block = (uint16_t)count,
            .is_masked = true,
        };
    }
    fake_irqs_on = false;
    rc = irq_vectors_take(first, count);
    fake_irqs_on = true;
    return rc;
}

static void vectors_are_aligned_and_run_out(void **state)
{
    unsigned int v, n = 0, irq = 110;

    (void)state;
    assert_int_equal(make_messages(100, 8, false), 0);
    v = irq_descs[100].vector;
    assert_int_equal(v % 8, 0);
    assert_in_range(v, IRQ_VECTOR_FIRST, IRQ_VECTOR_LAST - 7);
    assert_int_equal(irq_bind(103, handler, &handled, "test"), 0);
    dispatch(v + 3U);
    assert_int_equal(handled, 1);
    while (make_messages(irq, 1, true) == 0) {
        assert_int_not_equal(irq_descs[irq].vector, 0x80);
        n++;
        irq++;
    }
    assert_int_equal(n, IRQ_VECTOR_LAST - IRQ_VECTOR_FIRST + 1 - 8 - 1);
    assert_int_equal(make_messages(irq, 1, true), -ENOSPC);
    v = irq_descs[120].vector;
    fake_irqs_on = false;
    irq_vector_free(120);
    fake_irqs_on = true;
    assert_int_equal(irq_at(0, v), -1);
    assert_int_equal(make_messages(irq, 1, true), 0);
    assert_int_equal(irq_descs[irq].vector, v);

    /* A second CPU has as many again; those that are here cannot go there. */
    irq_cpu_up(1, 5);
    assert_int_equal(make_messages(irq + 1, 1, true), 0);
    assert_int_equal(irq_descs[irq + 1].cpu, 1);
    v = irq_descs[irq + 1].vector;
    assert_int_equal(irq_at(1, v), irq + 1);
    assert_int_equal(irq_bind((unsigned int)irq_at(0, v), handler, &handled,
                              "test"), 0);
    irq_follow((unsigned int)irq_at(0, v), 1);
    assert_int_equal(irq_descs[irq_at(0, v)].cpu, 0);
}

static void messages_follow_their_vcpu(void **state)
{
    unsigned int v;

    (void)state;
    irq_cpu_up(1, 5);
    irq_cpu_up(2, 255); /* cannot be named */
    assert_int_equal(make_messages(100, 1, true), 0);
    assert_int_equal(irq_bind(100, handler, &handled, "test"), 0);
    v = irq_descs[100].vector;
    irq_follow(100, 2);
    irq_follow(100, NR_CPUS);
    irq_follow(NR_IRQS, 1);
    assert_int_equal(message_moves, 0);
    irq_follow(100, 0);
    irq_follow(100, 1);
    assert_int_equal(message_moves, 1);
    assert_int_equal(irq_descs[100].cpu, 1);
    assert_int_equal(irq_descs[100].vector, v);
    irq_follow(100, 0); /* not so soon */
    assert_int_equal(message_moves, 1);

    dispatch(v); /* was on its way to CPU 0 */
    fake_cpu = 1;
    dispatch(v);
    assert_int_equal(handled, 2);
    fake_cpu = 0;
    now_ns += 20000000;
    irq_follow(100, 0);
    assert_int_equal(message_moves, 2);
}

static void a_block_moves_as_one(void **state)
{
    (void)state;
    irq_cpu_up(1, 5);
    assert_int_equal(make_messages(100, 4, false), 0);
    for (unsigned int i = 0; i < 4; i++) {
        assert_int_equal(irq_bind(100 + i, handler, &handled, "test"), 0);
    }
    irq_follow(102, 1); /* follows the first one only */
    assert_int_equal(message_moves, 0);
    irq_follow(100, 1);
    assert_int_equal(message_moves, 1);
    fake_cpu = 1;
    for (unsigned int i = 0; i < 4; i++) {
        assert_int_equal(irq_descs[100 + i].cpu, 1);
        dispatch(irq_descs[100].vector + i);
    }
    fake_cpu = 0;
    assert_int_equal(handled, 4);
}

static void an_old_place_is_given_away_when_it_is_needed(void **state)
{
    unsigned int irq = 101, v;

    (void)state;
    irq_cpu_up(1, 5);
    assert_int_equal(make_messages(100, 1, true), 0);
    assert_int_equal(irq_bind(100, handler, &handled, "test"), 0);
    v = irq_descs[100].vector;
    irq_follow(100, 1);
    /* Everything on both CPUs is taken, but for the old place. */
    while (make_messages(irq, 1, true) == 0) {
        irq++;
    }
    assert_int_equal(irq_at(0, v), 100);
    now_ns += 1000000001;
    assert_int_equal(make_messages(irq, 1, true), 0);
    assert_int_equal(irq_descs[irq].vector, v);
    assert_int_equal(irq_at(0, v), irq);
    assert_int_equal(irq_at(1, v), 100);
    fake_irqs_on = false;
    irq_vector_free(100); /* not the one that is another's by now */
    fake_irqs_on = true;
    assert_int_equal(irq_at(0, v), irq);
    assert_int_equal(irq_at(1, v), -1);
}

static void a_level_pin_moves_when_it_is_quiet(void **state)
{
    (void)state;
    irq_cpu_up(1, 5);
    assert_int_equal(irq_bind(9, handler, &handled, "test"), 0);
    dispatch(routes[9].vector);
    irq_follow(9, 1);
    assert_int_equal(targets[9], 3);
    irq_eoi(9);
    assert_int_equal(targets[9], 5);
    assert_false(masked[9]);
    fake_cpu = 1;
    dispatch(routes[9].vector);
    fake_cpu = 0;
    assert_int_equal(handled, 2);
    irq_eoi(9);
    assert_int_equal(targets[9], 5);

    assert_int_equal(irq_bind(4, handler, &handled, "edge"), 0);
    irq_follow(4, 1); /* at once, and never masked */
    assert_int_equal(targets[4], 5);
    assert_false(masked[4]);
}

static void a_cpu_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_int_equal(irq_cpu_down(7), 0); /* was never there */
    assert_int_equal(irq_cpu_down(0), -EBUSY);
    irq_cpu_up(1, 5);
    assert_int_equal(irq_bind(9, handler, &handled, "test"), 0);
    assert_int_equal(irq_bind(4, handler, &handled, "edge"), 0);
    assert_int_equal(make_messages(100, 2, false), 0);
    assert_int_equal(irq_cpu_down(0), 0);
    assert_int_equal(targets[9], 5);
    assert_int_equal(targets[4], 5);
    assert_int_equal(irq_descs[100].cpu, 1);
    assert_int_equal(irq_descs[101].cpu, 1);
    assert_int_equal(message_moves, 1);
    dispatch(routes[9].vector); /* the last ones that were sent to it */
    assert_int_equal(handled, 1);
    irq_follow(100, 0);
    assert_int_equal(irq_descs[100].cpu, 1);
    /* A new one is for those that are left. */
    assert_int_equal(make_messages(110, 1, true), 0);
    assert_int_equal(irq_descs[110].cpu, 1);
    assert_int_equal(irq_cpu_down(1), -EBUSY);
}

static void a_cpu_stays_when_there_is_no_room(void **state)
{
    unsigned int irq = 100;

    (void)state;
    irq_cpu_up(1, 5);
    while (irq < NR_IRQS && make_messages(irq, 1, true) == 0) {
        irq++;
    }
    assert_int_equal(irq_cpu_down(0), -ENOSPC);
    assert_int_equal(irq_cpu_down(1), -ENOSPC);
    fake_irqs_on = false;
    irq_vector_free(105);
    fake_irqs_on = true;
    assert_int_equal(make_messages(105, 1, true), 0);
}

/* ---- storms ---------------------------------------------------------------- */

/* @count interrupts, @ns apart. */
static void come(unsigned int vector, unsigned int count, uint64_t ns)
{
    for (unsigned int i = 0; i < count; i++) {
        dispatch(vector);
        now_ns += ns;
    }
}

static void pause_is_over(uint64_t ns)
{
    assert_non_null(timer);
    assert_in_range(timer->deadline_ns - now_ns, ns - 2000000, ns);
    now_ns = timer->deadline_ns;
    timer->deadline_ns = TIMER_NEVER;
    timer->fn(timer->arg);
}

static void a_storm_after_power_on_is_held_back(void **state)
{
    (void)state;
    now_ns = 50000000; /* no second of quiet has been yet */
    assert_int_equal(make_messages(104, 1, true), 0);
    assert_int_equal(irq_bind(104, handler, &handled, "test"), 0);
    come(irq_descs[104].vector, 1200, 1000);
    pause_is_over(10000000);
}

static void what_comes_too_often_is_held_back(void **state)
{
    uint64_t pause = 10000000;
    unsigned int v;
    struct irq_info info;

    (void)state;
    message_masked = false;
    assert_int_equal(make_messages(100, 1, true), 0);
    assert_int_equal(irq_bind(100, handler, &handled, "test"), 0);
    v = irq_descs[100].vector;
    come(v, 5000, 11000); /* 90,000 in a second: busy, no more */
    assert_null(timer);
    come(v, 1200, 1000);
    assert_non_null(timer);
    assert_true(message_masked);
    for (unsigned int i = 0; i < 12; i++) {
        pause_is_over(pause);
        assert_false(message_masked);
        come(v, 1088, 1000);
        assert_true(message_masked);
        pause = MIN(2 * pause, 1280000000ULL);
    }
    assert_int_equal(irq_info_get(100, &info), 0);
    assert_int_equal(info.pauses, 13);
    pause_is_over(pause);
    assert_int_equal(handled, 5000 + 1200 + 12 * 1088); /* and no more */
    /* A second of quiet: the next one is short again. */
    now_ns += 1100000000;
    come(v, 1088, 1000);
    pause_is_over(10000000);
    irq_set_ratelimit(0);
    come(v, 100000, 10);
    assert_false(message_masked);
}

static void a_stuck_line_is_held_back(void **state)
{
    (void)state;
    now_ns = 300000000; /* soon after power-on */
    assert_int_equal(irq_bind(9, handler, &handled, "test"), 0);
    for (unsigned int i = 0; i < 1200; i++) {
        dispatch(routes[9].vector);
        now_ns += 1000;
        irq_eoi(9);
        if (timer != NULL) {
            break;
        }
    }
    assert_non_null(timer);
    assert_true(masked[9]); /* in spite of the EOI */
    irq_eoi(9);
    assert_true(masked[9]);
    handled = 0;
    pause_is_over(10000000);
    assert_false(masked[9]);
    assert_int_equal(handled, 0); /* a line that is stuck says so itself */
}

static void what_a_pause_swallowed_is_made_up_for(void **state)
{
    (void)state;
    assert_int_equal(irq_bind(4, handler, &handled, "edge"), 0);
    come(routes[4].vector, 1152, 1000);
    assert_true(masked[4]);
    handled = 0;
    pause_is_over(10000000);
    assert_int_equal(handled, 1);
    assert_false(masked[4]);

    message_maskable = false;
    timer = NULL;
    assert_int_equal(make_messages(100, 1, false), 0);
    assert_int_equal(irq_bind(100, handler, &handled, "test"), 0);
    come(irq_descs[100].vector, 1152, 1000);
    irq_unbind(100); /* nobody wants it any more */
    handled = 0;
    pause_is_over(10000000);
    assert_int_equal(handled, 0);
}

static void unknown_vectors_are_acknowledged(void **state)
{
    (void)state;
    dispatch(0x66);
    assert_int_equal(eois, 1);
    dispatch(0x27); /* of the 8259s */
    assert_int_equal(eois, 1);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(level_waits_for_its_eoi),
        T(edge_is_not_masked),
        T(setup_is_refused_when_it_would_disturb),
        T(vectors_are_aligned_and_run_out),
        T(messages_follow_their_vcpu),
        T(a_block_moves_as_one),
        T(an_old_place_is_given_away_when_it_is_needed),
        T(a_level_pin_moves_when_it_is_quiet),
        T(a_cpu_leaves_nothing_behind),
        T(a_cpu_stays_when_there_is_no_room),
        T(a_storm_after_power_on_is_held_back),
        T(what_comes_too_often_is_held_back),
        T(a_stuck_line_is_held_back),
        T(what_a_pause_swallowed_is_made_up_for),
        T(unknown_vectors_are_acknowledged),
    };

    return UNIT_RUN(tests);
}
