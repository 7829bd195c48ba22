/* SPDX-License-Identifier: MIT */
/*
 * evtchn.c - events by the 2-level bitmaps of the shared page.
 *
 * The hypervisor sets bits at any time, so ours are changed with locked
 * instructions.  Order of taking: clear upcall_pending, then fetch the
 * selector, then the words; the other way round could lose an event.
 */
#include "stub.h"

#define PORTS (EVTCHN_2L_NR_CHANNELS)

static unsigned int counts[PORTS];

static bool test_and_clear_bit(unsigned long *words, unsigned int bit)
{
    unsigned long mask = 1UL << (bit % 64);

    return (__atomic_fetch_and(&words[bit / 64], ~mask, __ATOMIC_SEQ_CST) &
            mask) != 0;
}

static bool upcall(struct trap_regs *regs)
{
    (void)regs;
    vcpu_info0->evtchn_upcall_pending = 0;
    unsigned long sel = __atomic_exchange_n(&vcpu_info0->evtchn_pending_sel, 0,
                                            __ATOMIC_SEQ_CST);

    while (sel) {
        unsigned int word = (unsigned int)__builtin_ctzl(sel);
        unsigned long bits = READ_ONCE(shared_info_page.evtchn_pending[word]) &
                             ~READ_ONCE(shared_info_page.evtchn_mask[word]);

        sel &= sel - 1;
        while (bits) {
            unsigned int port = word * 64 + (unsigned int)__builtin_ctzl(bits);

            bits &= bits - 1;
            if (evtchn_clear(port)) {
                counts[port]++;
            }
        }
    }
    return true;
}

void evtchn_init(void)
{
    unsigned int word;

    vcpu_info0->evtchn_upcall_mask = 1;
    for (word = 0; word < 64; word++) {
        WRITE_ONCE(shared_info_page.evtchn_mask[word], ~0UL);
    }
    trap_handle(TRAP_EVENT, upcall);
}

long evtchn_unmask(evtchn_port_t port)
{
    struct evtchn_unmask arg = {.port = port};

    return hc_evtchn_op(EVTCHNOP_unmask, &arg);
}

void evtchn_mask(evtchn_port_t port)
{
    __atomic_fetch_or(&shared_info_page.evtchn_mask[port / 64],
                      1UL << (port % 64), __ATOMIC_SEQ_CST);
}

bool evtchn_is_pending(evtchn_port_t port)
{
    return (READ_ONCE(shared_info_page.evtchn_pending[port / 64]) >>
            (port % 64)) &
           1;
}

bool evtchn_clear(evtchn_port_t port)
{
    return test_and_clear_bit(shared_info_page.evtchn_pending, port);
}

unsigned int evtchn_count(evtchn_port_t port)
{
    return READ_ONCE(counts[port]);
}

void events_enable(void)
{
    WRITE_ONCE(vcpu_info0->evtchn_upcall_mask, 0);
    barrier();
    if (READ_ONCE(vcpu_info0->evtchn_upcall_pending)) {
        /* Any hypercall delivers on its way out; this one does nothing. */
        hc_xen_version(XENVER_version, NULL);
    }
}

void events_disable(void)
{
    WRITE_ONCE(vcpu_info0->evtchn_upcall_mask, 1);
    barrier();
}
