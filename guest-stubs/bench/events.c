/* SPDX-License-Identifier: MIT */
/*
 * bench/events.c - event channels, timers, scheduling.
 *
 * The upcall goes to a handler of its own: it takes the TSC first, clears the
 * master flag and returns by the iret hypercall.  Pending bits are cleared
 * before each send, outside the bracket.
 */
#include "bench.h"

#define NS_PER_US 1000UL
#define FAR_NS    (3600 * NS_PER_SEC)
#define PORTS     2048U

/* ---- the thin handler -------------------------------------------------- */

extern const char bench_upcall[];
extern volatile uint64_t bench_upcall_tsc;
extern volatile uint64_t bench_upcall_count;
volatile uint64_t bench_upcall_tsc, bench_upcall_count;

#define STR_(x) #x
#define STR(x)  STR_(x)

/* On entry: rcx, r11, then what iret wants below rax, r11, rcx and flags. */
__asm__(".text\n\t"
        ".balign 16\n"
        "bench_upcall:\n\t"
        "push %rax\n\t"
        "push %rdx\n\t"
        "rdtsc\n\t"
        "mov %eax, bench_upcall_tsc(%rip)\n\t"
        "mov %edx, bench_upcall_tsc+4(%rip)\n\t"
        "incq bench_upcall_count(%rip)\n\t"
        "movb $0, shared_info_area(%rip)\n\t" /* evtchn_upcall_pending */
        "pop %rdx\n\t"
        "pop %rax\n\t"
        "pop %rcx\n\t"
        "pop %r11\n\t"
        "push $0\n\t"
        "push %rcx\n\t"
        "push %r11\n\t"
        "push %rax\n\t"
        "mov $" STR(__HYPERVISOR_iret) ", %eax\n\t"
                                       "syscall\n\t"
                                       "ud2\n");

_Static_assert(offsetof(struct shared_info, vcpu_info) == 0 &&
                   offsetof(struct vcpu_info, evtchn_upcall_pending) == 0,
               "the handler clears byte 0");

static void use_handler(const void *entry)
{
    hc_callback_register(CALLBACKTYPE_event, CALLBACKF_mask_events, entry);
}

static void upcalls_masked(bool masked)
{
    WRITE_ONCE(vcpu_info0->evtchn_upcall_mask, masked);
    barrier();
}

/* ---- ports --------------------------------------------------------------- */

static evtchn_port_t ipi, loop_near, loop_far; /* near: sent; far: receives */

static long alloc(evtchn_port_t *ret_port)
{
    struct evtchn_alloc_unbound arg = {.dom = DOMID_SELF,
                                       .remote_dom = DOMID_SELF};
    long rc = hc_evtchn_op(EVTCHNOP_alloc_unbound, &arg);

    *ret_port = arg.port;
    return rc;
}

/* Nothing has happened yet: the next send goes all the way. */
static void calm(evtchn_port_t port)
{
    evtchn_clear(port);
    WRITE_ONCE(vcpu_info0->evtchn_pending_sel, 0);
    WRITE_ONCE(vcpu_info0->evtchn_upcall_pending, 0);
    barrier();
}

/* Without the hypercall: nothing is pending. */
static void open_mask(evtchn_port_t port)
{
    __atomic_fetch_and(&shared_info_page.evtchn_mask[port / 64],
                       ~(1UL << (port % 64)), __ATOMIC_SEQ_CST);
}

static bool bind_all(void)
{
    struct evtchn_bind_ipi bind = {.vcpu = 0};
    struct evtchn_bind_interdomain inter = {.remote_dom = DOMID_SELF};
    long rc;

    rc = hc_evtchn_op(EVTCHNOP_bind_ipi, &bind);
    ipi = bind.port;
    rc = rc ? rc : alloc(&loop_far);
    inter.remote_port = loop_far;
    rc = rc ? rc : hc_evtchn_op(EVTCHNOP_bind_interdomain, &inter);
    loop_near = inter.local_port;
    if (rc) {
        report(VERDICT_ERROR, "ports: %ld", rc);
        return false;
    }
    calm(loop_near);
    open_mask(ipi);
    open_mask(loop_far);
    return true;
}

/* The time from just before the send to the first line of the handler. */
static void to_handler(const char *name, evtchn_port_t sent,
                       evtchn_port_t received)
{
    unsigned int left;

    if (!bench_begin(name)) {
        return;
    }
    for (left = bench_count(BENCH_MANY); left; left--) {
        uint64_t t0, before = bench_upcall_count;

        calm(received);
        t0 = bench_tsc();
        hc_evtchn_send(sent);
        if (bench_upcall_count == before + 1) {
            bench_sample(bench_upcall_tsc - t0);
        }
    }
    bench_end();
}

static void sends(void)
{
    struct evtchn_bind_ipi bind = {.vcpu = 0};
    struct evtchn_unmask unmask = {.port = ipi};
    struct evtchn_status status = {.dom = DOMID_SELF, .port = ipi};

    BENCH("evtchn_send_masked_vcpu", BENCH_MANY, calm(ipi),
          hc_evtchn_send(ipi));
    BENCH("evtchn_send_already_pending", BENCH_MANY, , hc_evtchn_send(ipi));
    BENCH("evtchn_loopback_send_masked_vcpu", BENCH_MANY, calm(loop_far),
          hc_evtchn_send(loop_near));
    BENCH("evtchn_unmask_pending", BENCH_MANY, evtchn_mask(ipi); calm(ipi);
          hc_evtchn_send(ipi), hc_evtchn_op(EVTCHNOP_unmask, &unmask));
    BENCH("evtchn_status", BENCH_MANY, ,
          hc_evtchn_op(EVTCHNOP_status, &status));
    BENCH(
        "evtchn_bind_ipi", BENCH_MANY,
        if (bind.port) { hc_evtchn_close(bind.port); },
        hc_evtchn_op(EVTCHNOP_bind_ipi, &bind));
    if (bind.port) {
        hc_evtchn_close(bind.port);
    }

    calm(ipi);
    calm(loop_far);
    upcalls_masked(false);
    BENCH("evtchn_ipi_send_upcall_roundtrip", BENCH_MANY, calm(ipi),
          hc_evtchn_send(ipi));
    to_handler("evtchn_ipi_send_to_handler", ipi, ipi);
    BENCH("evtchn_loopback_send_upcall_roundtrip", BENCH_MANY, calm(loop_far),
          hc_evtchn_send(loop_near));
    to_handler("evtchn_loopback_send_to_handler", loop_near, loop_far);
    upcalls_masked(true);
    calm(ipi);
    calm(loop_far);
}

static void growth(void)
{
    static const unsigned int counts[] = {16, 256, 1024, 1800};
    static evtchn_port_t ports[PORTS];
    evtchn_port_t port = 0;
    unsigned int used = 0, i;
    char name[64];

    for (i = 0; i < ARRAY_SIZE(counts); i++) {
        while (used + 3 < counts[i] && alloc(&ports[used]) == 0) {
            used++;
        }
        format(name, sizeof(name), "evtchn_alloc_with_%u_ports", counts[i]);
        BENCH(
            name, BENCH_MANY, if (port) { hc_evtchn_close(port); },
            alloc(&port));
        if (port) {
            hc_evtchn_close(port);
            port = 0;
        }
        format(name, sizeof(name), "evtchn_send_with_%u_ports", counts[i]);
        BENCH(name, BENCH_MANY, calm(ipi), hc_evtchn_send(ipi));
    }
    while (used) {
        hc_evtchn_close(ports[--used]);
    }
    calm(ipi);
}

/* ---- timers -------------------------------------------------------------- */

static evtchn_port_t timer_port;

static bool bind_timer(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER, .vcpu = 0};
    long rc = hc_evtchn_op(EVTCHNOP_bind_virq, &bind);

    hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    if (rc) {
        report(VERDICT_ERROR, "VIRQ_TIMER: %ld", rc);
        return false;
    }
    timer_port = bind.port;
    calm(timer_port);
    open_mask(timer_port);
    return true;
}

/* By the parameters of the clock the deadline was set by. */
static uint64_t ns_of(uint64_t tsc)
{
    const struct vcpu_time_info *info = &vcpu_info0->time;
    uint64_t delta = tsc - info->tsc_timestamp;
    int shift = info->tsc_shift;

    delta = shift < 0 ? delta >> -shift : delta << shift;
    return info->system_time +
           (uint64_t)(((unsigned __int128)delta * info->tsc_to_system_mul) >>
                      32);
}

/* Nanoseconds are the unit here; at one a tick they are instructions. */
static void expiry(const char *name, uint64_t ahead_ns, bool block)
{
    unsigned int left;

    if (!bench_begin(name)) {
        return;
    }
    for (left = bench_count(BENCH_MANY); left; left--) {
        uint64_t before = bench_upcall_count, when;

        calm(timer_port);
        upcalls_masked(false);
        when = ns_of(bench_tsc()) + ahead_ns;
        hc_set_timer_op(when);
        while (bench_upcall_count == before) {
            if (!block) {
                continue;
            }
            /* It may fire before we block: then it is pending, and we do not. */
            upcalls_masked(true);
            if (bench_upcall_count == before) {
                hc_sched_op(SCHEDOP_block, NULL); /* unmasks */
            }
        }
        upcalls_masked(true);
        bench_sample(ns_of(bench_upcall_tsc) - when);
    }
    bench_end();
    calm(timer_port);
}

static void poll_overshoot(void)
{
    struct sched_poll poll = {.nr_ports = 0};
    unsigned int left;

    if (!bench_begin("sched_poll_timeout_overshoot")) {
        return;
    }
    for (left = bench_count(BENCH_MANY); left; left--) {
        poll.timeout = ns_of(bench_tsc()) + 200 * NS_PER_US;
        hc_sched_op(SCHEDOP_poll, &poll);
        bench_sample(ns_of(bench_tsc()) - poll.timeout);
    }
    bench_end();
}

static void timers(void)
{
    BENCH("set_timer_op_far", BENCH_MANY, ,
          hc_set_timer_op(FAR_NS + bench_left_ * NS_PER_US));
    hc_set_timer_op(0);
    expiry("timer_20us_expiry_to_upcall_running", 20 * NS_PER_US, false);
    expiry("timer_200us_expiry_to_upcall_running", 200 * NS_PER_US, false);
    expiry("timer_200us_expiry_to_upcall_blocked", 200 * NS_PER_US, true);
    hc_set_timer_op(0);
}

/* ---- scheduling ---------------------------------------------------------- */

static void scheduling(void)
{
    struct vcpu_runstate_info runstate;
    struct sched_poll poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, &ipi);
    poll_overshoot();
    evtchn_mask(ipi);
    hc_evtchn_send(ipi);
    BENCH("sched_poll_ready", BENCH_MANY, , hc_sched_op(SCHEDOP_poll, &poll));
    open_mask(ipi);
    BENCH("sched_block_event_pending", BENCH_MANY, upcalls_masked(true);
          calm(ipi); hc_evtchn_send(ipi), hc_sched_op(SCHEDOP_block, NULL));
    upcalls_masked(true);
    calm(ipi);
    BENCH("sched_yield", BENCH_MANY, , hc_sched_op(SCHEDOP_yield, NULL));
    BENCH("vcpuop_get_runstate", BENCH_MANY, ,
          hc_vcpu_op(VCPUOP_get_runstate_info, 0, &runstate));
}

/* ---- FIFO ---------------------------------------------------------------- */

static union {
    event_word_t word[PAGE_SIZE / sizeof(event_word_t)];
    char page[PAGE_SIZE];
} words __page_aligned;
static union {
    struct evtchn_fifo_control_block block;
    char page[PAGE_SIZE];
} control __page_aligned;

static long fifo_begin(void)
{
    struct evtchn_init_control init = {.control_gfn = mm_mfn(&control)};
    struct evtchn_expand_array expand = {.array_gfn = mm_mfn(&words)};
    long rc = hc_evtchn_op(EVTCHNOP_init_control, &init);

    return rc ? rc : hc_evtchn_op(EVTCHNOP_expand_array, &expand);
}

/* The word is taken off its queue: no word is linked, no queue is ready. */
static void fifo_calm(void)
{
    WRITE_ONCE(words.word[ipi], 0);
    WRITE_ONCE(control.block.ready, 0);
    WRITE_ONCE(vcpu_info0->evtchn_upcall_pending, 0);
    barrier();
}

static void fifo(void)
{
    struct evtchn_reset reset = {.dom = DOMID_SELF};
    long rc = fifo_begin();
    unsigned int left;

    if (rc) {
        bench_absent("evtchn_fifo_send_masked_vcpu", rc);
        return;
    }
    BENCH("evtchn_fifo_send_masked_vcpu", BENCH_MANY, fifo_calm(),
          hc_evtchn_send(ipi));
    fifo_calm();
    upcalls_masked(false);
    if (bench_begin("evtchn_fifo_send_to_handler")) {
        for (left = bench_count(BENCH_MANY); left; left--) {
            uint64_t t0, before = bench_upcall_count;

            fifo_calm();
            t0 = bench_tsc();
            hc_evtchn_send(ipi);
            if (bench_upcall_count == before + 1) {
                bench_sample(bench_upcall_tsc - t0);
            }
        }
        bench_end();
    }
    upcalls_masked(true);
    fifo_calm();
    /* Back to bitmaps, for whoever comes next; it closes every port. */
    rc = hc_evtchn_op(EVTCHNOP_reset, &reset);
    if (rc) {
        report(VERDICT_ERROR, "EVTCHNOP_reset: %ld", rc);
    }
}

static void run(void)
{
    upcalls_masked(true);
    if (!bind_all() || !bind_timer()) {
        return;
    }
    use_handler(bench_upcall);
    sends();
    growth();
    timers();
    scheduling();
    fifo();
    use_handler((const void *)trap_entry_points[TRAP_EVENT]);
    evtchn_init();
}

const struct bench_area bench_events = {"events", run};
