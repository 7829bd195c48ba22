/* SPDX-License-Identifier: MIT */
/*
 * race/ports.c - event channels to ourselves, closed and reset while others
 * send, with FIFO queues and without.
 */
#include "race.h"

#define PORTS     8U
#define IN_ARRAY  (PAGE_SIZE / sizeof(uint32_t))
#define PENDING   (1U << EVTCHN_FIFO_PENDING)
#define MASKED    (1U << EVTCHN_FIFO_MASKED)
#define PAGES_MAX 128U /* of the event array */

static union {
    struct evtchn_fifo_control_block block;
    char page[PAGE_SIZE];
} control[VCPUS_MAX] __page_aligned;
static uint32_t array[IN_ARRAY] __page_aligned;

static evtchn_port_t ports[PORTS]; /* to send on, perhaps; 0: none */
static uint64_t sent, refused, odd, resets, closes, fifos;

static long reset(void)
{
    struct evtchn_reset op = {.dom = DOMID_SELF};

    return hc_evtchn_op(EVTCHNOP_reset, &op);
}

static long set_priority(evtchn_port_t port, uint32_t priority)
{
    struct evtchn_set_priority op = {.port = port, .priority = priority};

    return hc_evtchn_op(EVTCHNOP_set_priority, &op);
}

static long bind_ipi(unsigned int id, evtchn_port_t *ret_port)
{
    struct evtchn_bind_ipi op = {.vcpu = id};
    long rc = hc_evtchn_op(EVTCHNOP_bind_ipi, &op);

    *ret_port = op.port;
    return rc;
}

/* Both ends are ours. */
static long bind_pair(evtchn_port_t *ret_port)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF,
                                         .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};
    long rc = hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc);

    bind.remote_port = alloc.port;
    rc = rc ? rc : hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind);
    *ret_port = bind.local_port;
    return rc;
}

static long init_control(unsigned int id)
{
    struct evtchn_init_control op = {.control_gfn = mm_mfn(&control[id]),
                                     .vcpu = id};

    return hc_evtchn_op(EVTCHNOP_init_control, &op);
}

static long expand(const void *page)
{
    struct evtchn_expand_array op = {.array_gfn = mm_mfn(page)};

    return hc_evtchn_op(EVTCHNOP_expand_array, &op);
}

/* ---- the others ---------------------------------------------------------------- */

/* A port may be gone, another's, or of the other ABI at any moment. */
static void answer(long rc)
{
    switch (rc) {
    case 0:
        count(&sent);
        break;
    case -XEN_EINVAL:
    case -XEN_ENOENT:
    case -XEN_EBUSY:
    case -XEN_EOPNOTSUPP:
        count(&refused);
        break;
    default:
        count(&odd);
        break;
    }
}

static void turn(unsigned int id, uint64_t *seed)
{
    evtchn_port_t port = READ_ONCE(ports[draw(seed, PORTS)]), own;

    switch (draw(seed, 8)) {
    case 0:
        if (bind_ipi(id, &own) == 0) {
            answer(hc_evtchn_send(own));
            answer(hc_evtchn_close(own));
        }
        break;
    case 1:
        answer(set_priority(port, (uint32_t)draw(seed, 17)));
        break;
    case 2: {
        struct evtchn_unmask op = {.port = port};

        answer(hc_evtchn_op(EVTCHNOP_unmask, &op));
        break;
    }
    case 3: {
        struct evtchn_bind_vcpu op = {.port = port,
                                      .vcpu = (uint32_t)draw(seed, vcpus)};

        answer(hc_evtchn_op(EVTCHNOP_bind_vcpu, &op));
        break;
    }
    default:
        answer(hc_evtchn_send(port));
        break;
    }
}

/* ---- who takes the ports away --------------------------------------------------- */

static bool use_fifo(void)
{
    bool all = true;

    memset(array, 0, sizeof(array));
    for (unsigned int id = 0; id < vcpus; id++) {
        all = init_control(id) == 0 && all;
    }
    return expand(array) == 0 && all;
}

static void step(uint64_t *seed)
{
    bool fifo = resets % 2 == 0;

    if (fifo) {
        if (!use_fifo()) {
            count(&odd);
        }
        fifos++;
    }
    for (unsigned int i = 0; i < PORTS; i++) {
        evtchn_port_t port;

        /* Another may have closed the first end before it is bound. */
        if (bind_pair(&port) == 0) {
            WRITE_ONCE(ports[i], port);
        }
    }
    for (unsigned int i = 0; i < PORTS; i++) {
        if (draw(seed, 2)) {
            hc_sched_op(SCHEDOP_yield, NULL);
            (void)hc_evtchn_close(ports[draw(seed, PORTS)]);
            closes++;
        }
    }
    if (reset() != 0) {
        count(&odd);
    }
    resets++;
}

static bool begin(void)
{
    return CHECK(reset() == 0, "reset") &&
           CHECK(expand(array) == -XEN_EOPNOTSUPP, "an array without queues");
}

/* ---- at rest ----------------------------------------------------------------------- */

/* Linked where it was sent; a new priority counts from the next time on. */
static void check_priorities(void)
{
    struct evtchn_fifo_control_block *cb = &control[0].block;
    evtchn_port_t port;

    if (!CHECK(bind_ipi(0, &port) == 0, "bind_ipi")) {
        return;
    }
    CHECK(set_priority(port, 16) == -XEN_EINVAL, "priority 16");
    CHECK(set_priority(port, 3) == 0 && hc_evtchn_send(port) == 0, "send");
    CHECK(cb->ready == 1U << 3 && cb->head[3] == port,
          "ready %x, first of 3 is %u, not %u", cb->ready, cb->head[3], port);
    CHECK(set_priority(port, 12) == 0, "set_priority while pending");
    CHECK(cb->ready == 1U << 3, "it has moved: ready %x", cb->ready);
    /* As a guest does: unlink, then handle. */
    cb->ready = 0;
    CHECK(array[port] == (PENDING | 1U << EVTCHN_FIFO_LINKED), "word %x",
          array[port]);
    array[port] = 0;
    CHECK(hc_evtchn_send(port) == 0 && cb->ready == 1U << 12 &&
              cb->head[12] == port,
          "ready %x, first of 12 is %u", cb->ready, cb->head[12]);
    cb->ready = 0;
    array[port] = MASKED;
    CHECK(hc_evtchn_send(port) == 0 && array[port] == (MASKED | PENDING) &&
              cb->ready == 0,
          "masked: word %x, ready %x", array[port], cb->ready);
    CHECK(hc_evtchn_close(port) == 0 && hc_evtchn_send(port) == -XEN_EINVAL,
          "a closed port");
}

static void check_limits(void)
{
    struct evtchn_init_control bad = {.control_gfn = mm_mfn(&control[0]),
                                      .offset = PAGE_SIZE - 64};
    unsigned int pages = 1;

    CHECK(init_control(0) == -XEN_EINVAL, "a control block twice");
    CHECK(hc_evtchn_op(EVTCHNOP_init_control, &bad) == -XEN_EINVAL,
          "a control block over the end of its page");
    CHECK(expand((const void *)start_info->pt_base) == -XEN_EINVAL,
          "a page table as an array");
    while (pages <= PAGES_MAX && expand(array) == 0) {
        pages++;
    }
    CHECK(pages == PAGES_MAX && expand(array) == -XEN_ENOSPC,
          "an array of %u pages", pages);
}

/* What was its page is a page like any other again. */
static void check_page(const void *page)
{
    unsigned long mfn = mm_mfn(page);

    memset((void *)(uintptr_t)page, 0, PAGE_SIZE);
    CHECK(mm_protect(page, PTE_FLAGS_RO) == 0, "protect");
    CHECK(mm_mmuext(MMUEXT_PIN_L1_TABLE, mfn) == 0, "still written to");
    CHECK(mm_mmuext(MMUEXT_UNPIN_TABLE, mfn) == 0, "unpin");
    CHECK(mm_protect(page, PTE_FLAGS_DATA) == 0, "unprotect");
}

static bool enough(void)
{
    return sent >= 200 && resets >= 4;
}

static void end(void)
{
    evtchn_port_t port;

    print("race: %lu done, %lu refused; %lu resets, %lu of FIFO, %lu closed\n",
          sent, refused, resets, fifos, closes);
    CHECK(odd == 0, "%lu odd answers", odd);
    CHECK(reset() == 0 && use_fifo(), "FIFO after the race");
    check_priorities();
    check_limits();
    CHECK(bind_ipi(0, &port) == 0, "bind_ipi");
    CHECK(reset() == 0, "reset of a full array");
    CHECK(hc_evtchn_send(port) == -XEN_EINVAL, "a port outlived the reset");
    for (unsigned int id = 0; id < vcpus; id++) {
        check_page(&control[id]);
    }
    check_page(array);
    /* Two levels again. */
    CHECK(bind_ipi(0, &port) == 0 && hc_evtchn_send(port) == 0 &&
              evtchn_is_pending(port) && array[port] == 0,
          "no event by way of the shared page");
    CHECK(set_priority(port, 3) == -XEN_EOPNOTSUPP,
          "a priority without queues");
    evtchn_clear(port);
    CHECK(hc_evtchn_close(port) == 0, "close");
}

const struct race race_ports = {"ports", begin, turn, step, enough, end};
