/* SPDX-License-Identifier: MIT */
/*
 * dev/irq.c, irq_vector.c: masking by type, end of interrupt; vectors and moves
 * from CPU to CPU; a pin that sends NMIs.
 */
#include "tests/unit/dev/irq_machine.h"

#include "lib/errno.h"
#include "x86/percpu.h"

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

/* It is nobody's interrupt, and masked again when it is given back. */
static void a_pin_sends_nmis(void **state)
{
    (void)state;
    assert_int_equal(irq_take_nmi(PINS), -EINVAL);
    assert_int_equal(irq_take_nmi(17), -EINVAL);
    assert_int_equal(irq_take_nmi(2), 0);
    assert_true(routes[2].is_nmi);
    assert_int_equal(routes[2].apic_id, 3); /* to this CPU */
    assert_false(masked[2]);
    assert_true(irq_has_handler(2));
    assert_int_equal(irq_take_nmi(2), -EBUSY);
    assert_int_equal(irq_bind(2, handler, &handled, "test"), -EBUSY);
    irq_give_nmi(2);
    assert_true(masked[2]);
    assert_false(irq_has_handler(2));
    assert_int_equal(irq_bind(2, handler, &handled, "test"), 0);
    assert_false(routes[2].is_nmi);

    /* Somebody's pin is not given away, and not taken. */
    assert_int_equal(irq_take_nmi(2), -EBUSY);
    irq_give_nmi(2);
    irq_give_nmi(PINS);
    assert_true(irq_has_handler(2));
    assert_false(masked[2]);
    dispatch(routes[2].vector);
    assert_int_equal(handled, 1);
}

static void unknown_vectors_are_acknowledged(void **state)
{
    (void)state;
    dispatch(0x66);
    assert_int_equal(eois, 1);
    dispatch(0x27); /* of the 8259s */
    assert_int_equal(eois, 1);
}

#define T(f) cmocka_unit_test_setup(f, irq_machine_setup)

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
        T(a_pin_sends_nmis),
        T(unknown_vectors_are_acknowledged),
    };

    return UNIT_RUN(tests);
}
