/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn_fifo.c, interrupted: at each locked operation of a sender another
 * one sends, at each of his a third one, or the guest takes events, or moves one.
 * Each comes to its end while the others are where they are: nobody waits.
 */
#include "tests/unit/domain/evtchn_machine.h"

#include "lib/bits.h"
#include "cpu/timer.h"

#define PENDING 0x80000000U
#define MASKED  0x40000000U
#define LINKED  0x20000000U
#define LINK    0x1ffffU

#define PORTS 300

static evtchn_port_t port[PORTS],
    from[PORTS];                      /* of dom_a; of who sends there */
static evtchn_port_t head[VCPUS][16]; /* the guest's               */
static evtchn_port_t order[PORTS];    /* in which it took them     */
static unsigned int taken;

/* ---- one in the middle of another --------------------------------------- */

#define LEVELS 3

static void (*op[LEVELS])(void);
static unsigned int at[LEVELS], steps[LEVELS]; /* 0: never */
static unsigned int level;

void atomic_step(void)
{
    unsigned int l = level;

    if (l + 1 < LEVELS && op[l + 1] != NULL && ++steps[l] == at[l]) {
        level++;
        steps[level] = 0;
        op[level]();
        level = l;
    }
}

static void nothing(void)
{
}

/* Return: the steps the first of them has, whatever comes between. */
static unsigned int run(void (*first)(void), unsigned int at_first,
                        void (*second)(void), unsigned int at_second,
                        void (*third)(void))
{
    op[1] = second;
    op[2] = third;
    at[0] = at_first;
    at[1] = at_second;
    steps[0] = steps[1] = 0;
    first();
    op[1] = op[2] = NULL;
    return steps[0];
}

/* ---- the guest ---------------------------------------------------------- */

static uint32_t *word_at(evtchn_port_t p)
{
    return (uint32_t *)page(10) + p;
}

static struct evtchn_fifo_control_block *block(unsigned int vcpu)
{
    return (void *)((uint8_t *)page(1 + vcpu) + 8 * vcpu);
}

static void consume(unsigned int vcpu)
{
    struct evtchn_fifo_control_block *cb = block(vcpu);
    uint32_t ready = cb->ready;

    cb->ready = 0;
    while (ready != 0) {
        unsigned int q = bit_lowest(ready);
        evtchn_port_t p = head[vcpu][q] != 0 ? head[vcpu][q] : cb->head[q];
        uint32_t w = *word_at(p);

        assert_true(p != 0 && (w & LINKED) != 0);
        assert_true(p != port[1] || vcpu == 0); /* it is never moved */
        *word_at(p) = w & ~(LINKED | LINK);
        head[vcpu][q] = w & LINK;
        if (head[vcpu][q] == 0) {
            ready &= ~(1U << q);
        }
        if ((w & (PENDING | MASKED)) == PENDING) {
            *word_at(p) &= ~PENDING;
            order[taken++ % PORTS] = p;
        }
        ready |= cb->ready;
        cb->ready = 0;
    }
}

static void guest(void)
{
    for (unsigned int v = 0; v < VCPUS; v++) {
        consume(v);
    }
}

/* Nobody sends.  What was late or not, there is nothing left. */
static void all_is_done(void)
{
    guest();
    for (unsigned int v = 0; v < VCPUS; v++) {
        const struct evtchn_vcpu *q = &dom_a.evtchn->fifo->queue[v];

        assert_int_equal(q->turn, 0);
        assert_int_equal(q->taken + q->rest + q->looks_at, 0);
    }
    for (unsigned int i = 0; i < PORTS; i++) {
        assert_int_equal(evtchn_of(dom_a.evtchn, port[i])->next, 0);
        assert_int_equal(*word_at(port[i]), 0);
    }
}

/* ---- what may happen ---------------------------------------------------- */

static void send(unsigned int i)
{
    assert_int_equal(evtchn_send(&dom_b, from[i]), 0);
}

static void send_0(void)
{
    send(0);
}

static void send_1(void)
{
    send(1);
}

static void raise_0(void)
{
    evtchn_set_pending(&dom_a, port[0]);
}

static void move_to(unsigned int i, unsigned int vcpu)
{
    assert_int_equal(evtchn_bind_vcpu(&dom_a, port[i], vcpu), 0);
}

static void move_0(void)
{
    move_to(0, 1);
}

static void hide_and_show_0(void)
{
    (void)__atomic_fetch_or(word_at(port[0]), MASKED, __ATOMIC_SEQ_CST);
    assert_int_equal(evtchn_unmask(&dom_a, port[0]), 0);
}

static void (*const others[])(void) = {
    nothing, send_0, send_1, raise_0, move_0, guest, hide_and_show_0,
};

/* Both are linked on vcpu 0, perhaps, and the first one is its tail there. */
static void begin(bool is_linked)
{
    move_to(0, 0);
    send(1);
    send(0);
    if (!is_linked) {
        guest();
    }
}

static void use_fifo(void)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        assert_int_equal(
            evtchn_fifo_init_control(dom_a.vcpu[i], mfn(1 + i), 8 * i), 0);
    }
    assert_int_equal(evtchn_fifo_expand_array(&dom_a, mfn(10)), 0);
    for (unsigned int i = 0; i < PORTS; i++) {
        assert_int_equal(evtchn_alloc_unbound(&dom_a, dom_b.domid, &port[i]),
                         0);
        assert_int_equal(
            evtchn_bind_interdomain(&dom_b, &dom_a, port[i], &from[i]), 0);
    }
    memset(head, 0, sizeof(head));
    guest();
    taken = 0;
}

static bool same_channel(void (*a)(void), void (*b)(void))
{
    /* Two cannot use one end, of two channels' own locks, at a time. */
    return a == b && a != nothing && a != guest;
}

/* A sender to each of two channels, and all that may come between. */
static void nobody_waits_and_nothing_is_lost(void **state)
{
    static void (*const first[])(void) = {send_0, send_1, hide_and_show_0};
    unsigned int runs = 0;

    (void)state;
    use_fifo();
    for (unsigned int f = 0; f < 3 * 4; f++) {
        for (unsigned int o = 0; o < ARRAY_SIZE(others) * ARRAY_SIZE(others);
             o++) {
            void (*one)(void) = first[f / 4];
            void (*two)(void) = others[o / ARRAY_SIZE(others)];
            void (*three)(void) = others[o % ARRAY_SIZE(others)];
            bool is_linked = f % 2 != 0, moves = f / 2 % 2 != 0;
            unsigned int long_of_one = 60, long_of_two;

            if (same_channel(one, two) || same_channel(one, three) ||
                same_channel(two, three) ||
                (one == hide_and_show_0 &&
                 (two == raise_0 || three == raise_0)) ||
                (two == hide_and_show_0 && three == raise_0) ||
                (two == raise_0 && three == hide_and_show_0)) {
                continue;
            }
            for (unsigned int i = 1; i <= long_of_one; i++) {
                long_of_two = 1;
                for (unsigned int j = 1; j <= long_of_two; j++) {
                    unsigned int took;

                    begin(is_linked);
                    if (moves) {
                        move_0();
                    }
                    took = run(one, i, two, j, three);
                    if (i > took) {
                        long_of_one = took;
                    }
                    long_of_two = steps[1];
                    all_is_done();
                    runs++;
                }
            }
        }
    }
    assert_true(runs > 3000);
}

/* ---- many for one ------------------------------------------------------- */

static unsigned int burst; /* how many send at once */

static void send_many(void)
{
    for (unsigned int i = 1; i <= burst; i++) {
        send(i);
    }
}

/* Steps of a send that nobody interrupts, to a queue that is empty. */
static unsigned int usual_steps(void)
{
    unsigned int took = run(send_0, 0, nothing, 0, NULL);

    all_is_done();
    taken = 0;
    return took;
}

/* They come while one is giving the queues back: he does it for them. */
static void they_come_in_order(void **state)
{
    (void)state;
    use_fifo();
    burst = 100;
    (void)run(send_0, usual_steps(), send_many, 0, NULL);
    assert_null(late_timer);
    all_is_done();
    assert_int_equal(taken, 1 + burst);
    for (unsigned int i = 0; i <= burst; i++) {
        assert_int_equal(order[i], port[i]);
    }
}

static void what_is_too_much_is_late(void **state)
{
    unsigned int fired = 0;

    (void)state;
    use_fifo();
    burst = PORTS - 1;
    (void)run(send_0, usual_steps(), send_many, 0, NULL);
    assert_non_null(late_timer);
    guest();
    assert_true(taken < 1 + burst);
    while (late_timer != NULL) {
        struct timer *t = late_timer;

        /* Who sends meanwhile waits no less. */
        send(0);
        late_timer = NULL;
        t->fn(t->arg);
        guest();
        fired++;
    }
    assert_true(fired >= 2 && fired <= 4);
    all_is_done();
    assert_int_equal(taken, 1 + burst + 1);
    for (unsigned int i = 0; i <= burst; i++) {
        assert_int_equal(order[i], port[i]);
    }
}

/* Its timer finds nothing of what a reset has given back. */
static void a_reset_does_what_is_late(void **state)
{
    (void)state;
    use_fifo();
    burst = PORTS - 1;
    (void)run(send_0, usual_steps(), send_many, 0, NULL);
    assert_non_null(late_timer);
    assert_int_equal(evtchn_reset(&dom_a, NULL), 0);
    assert_int_equal(held[1] + held[2] + held[3] + held[10], 0);
    for (unsigned int i = 0; i < PORTS; i++) {
        assert_int_equal(evtchn_of(dom_a.evtchn, port[i])->next, 0);
    }
    late_timer->fn(late_timer->arg);
}

/* Somebody else is at it: a sender returns at once, and once is enough. */
static void a_sender_leaves_it_with_who_is_there(void **state)
{
    struct evtchn_vcpu *q;

    (void)state;
    use_fifo();
    q = &dom_a.evtchn->fifo->queue[0];
    q->turn = TURN_HELD;
    send(0);
    assert_int_equal(*word_at(port[0]), PENDING);
    assert_int_equal(q->turn, TURN_HELD | port[0]);
    raise_0();
    assert_int_equal(evtchn_unmask(&dom_a, port[0]), 0);
    send(1);
    assert_int_equal(q->turn, TURN_HELD | port[1]);
    assert_int_equal(evtchn_of(dom_a.evtchn, port[1])->next,
                     TURN_HELD | port[0]);
    assert_int_equal(evtchn_of(dom_a.evtchn, port[0])->next, TURN_HELD);
    /* A vcpu's queues that are held are not in the way of another's. */
    move_to(2, 1);
    assert_int_equal(q->turn, TURN_HELD | port[1]);
    evtchn_of(dom_a.evtchn, port[2])->last = FIFO_QUEUE(1, 7);
    send(2);
    assert_int_equal(*word_at(port[2]), PENDING | LINKED);
    /* As if it had never been; the ports are closed when the test ends. */
    evtchn_of(dom_a.evtchn, port[0])->next = 0;
    evtchn_of(dom_a.evtchn, port[1])->next = 0;
    q->turn = 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, evtchn_setup, evtchn_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nobody_waits_and_nothing_is_lost),
        T(they_come_in_order),
        T(what_is_too_much_is_late),
        T(a_reset_does_what_is_late),
        T(a_sender_leaves_it_with_who_is_there),
    };

    return cmocka_run_group_tests(tests, evtchn_group_setup, NULL);
}
