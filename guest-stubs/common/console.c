/* SPDX-License-Identifier: MIT */
/*
 * console.c - where words go.
 *
 * Dom0:  CONSOLEIO_write, straight to the machine's console.
 * domU:  the shared ring of xen/io/console.h, read by Dom0's console daemon,
 *        and CONSOLEIO_write as a copy in the hypervisor's log.
 *
 * The other end of the ring is another domain: its index is read once per
 * turn and never trusted to be in range.
 */
#include "stub.h"

#include <xen/io/console.h>

/* A reader that takes nothing for this long is given up. */
#define READER_PATIENCE_NS (2 * NS_PER_SEC)

/* Only its address counts: the ring's frame is mapped over it. */
static union {
    struct xencons_interface ring;
    char page[PAGE_SIZE];
} console_page __page_aligned;

static bool have_ring;
static bool reader_lost;

void console_init(void)
{
    unsigned long mfn = start_info->console.domU.mfn;

    if (stub_is_dom0() || !mfn) {
        return;
    }
    have_ring =
        !mm_map(&console_page, (uint64_t)mfn << PAGE_SHIFT, PTE_FLAGS_DATA);
}

static void ring_notify(void)
{
    struct evtchn_send send = {.port = start_info->console.domU.evtchn};

    hc_evtchn_op(EVTCHNOP_send, &send);
}

static uint32_t ring_room(void)
{
    struct xencons_interface *ring = &console_page.ring;
    uint32_t used = ring->out_prod - READ_ONCE(ring->out_cons);

    return used > sizeof(ring->out) ? 0 : (uint32_t)sizeof(ring->out) - used;
}

/* Wait until some room is there; false if the reader has gone. */
static bool ring_wait(void)
{
    uint64_t deadline = time_now_ns() + READER_PATIENCE_NS;

    ring_notify();
    while (!ring_room()) {
        if (time_now_ns() > deadline) {
            reader_lost = true;
            return false;
        }
        time_sleep_ns(2 * NS_PER_MS);
    }
    return true;
}

static void ring_put(char c)
{
    struct xencons_interface *ring = &console_page.ring;

    if (!ring_room() && (reader_lost || !ring_wait())) {
        return;
    }
    reader_lost = false;
    ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = c;
    /* The byte before the index that publishes it; x86 keeps the order. */
    barrier();
    WRITE_ONCE(ring->out_prod, ring->out_prod + 1);
}

void console_debug_write(const char *text, size_t len)
{
    hc_console_write(text, len);
}

void console_write(const char *text, size_t len)
{
    size_t i;

    console_debug_write(text, len);
    if (!have_ring) {
        return;
    }
    for (i = 0; i < len; i++) {
        if (text[i] == '\n') {
            ring_put('\r');
        }
        ring_put(text[i]);
    }
    ring_notify();
}

void console_drain(uint64_t timeout_ns)
{
    struct xencons_interface *ring = &console_page.ring;
    uint64_t deadline = time_now_ns() + timeout_ns;

    while (have_ring && !reader_lost &&
           READ_ONCE(ring->out_cons) != ring->out_prod &&
           time_now_ns() < deadline) {
        ring_notify();
        time_sleep_ns(5 * NS_PER_MS);
    }
}
