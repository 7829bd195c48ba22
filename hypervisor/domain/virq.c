/* SPDX-License-Identifier: MIT */
/*
 * domain/virq.c - virtual interrupts, and the console's as one of them.
 */
#include "domain/virq.h"

#include "lib/errno.h"
#include "log/printk.h"
#include "log/sink.h"
#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"
#include "dev/irq.h"
#include "dev/uart16550.h"
#include "domain/evtchn.h"

/* Serial input is looked at that often even if no interrupt comes. */
#define CONSOLE_POLL_NS 50000000ULL

/* NULL: the control domain.  Held by a reference. */
static struct domain *handler[NR_VIRQS];
static SPINLOCK(handler_lock, LOCK_RANK_DOMAIN, IRQ_ANY);

static struct timer console_timer;

bool virq_is_global(unsigned int virq)
{
    switch (virq) {
    case VIRQ_TIMER:
    case VIRQ_DEBUG:
    case VIRQ_XENOPROF:
    case VIRQ_XENPMU:
        return false;
    default:
        return true;
    }
}

void virq_raise(struct vcpu *v, unsigned int virq)
{
    evtchn_port_t port =
        __atomic_load_n(&v->virq_port[virq], __ATOMIC_ACQUIRE);

    if (port != 0) {
        evtchn_set_pending(v->domain, port);
    }
}

void virq_raise_global(unsigned int virq)
{
    struct domain *d = READ_ONCE(handler[virq]);

    if (d == NULL) {
        d = dom0;
    }
    if (d != NULL && d->max_vcpus > 0 && d->vcpu[0] != NULL) {
        virq_raise(d->vcpu[0], virq);
    }
}

int virq_set_handler(unsigned int virq, struct domain *d)
{
    struct domain *old;

    if (virq >= NR_VIRQS || !virq_is_global(virq) || domain_is_dying(d)) {
        return -EINVAL;
    }
    if (domain_is_dom0(d)) {
        d = NULL;
    } else {
        domain_hold(d);
    }
    spin_lock(&handler_lock);
    old = handler[virq];
    __atomic_store_n(&handler[virq], d, __ATOMIC_RELEASE);
    spin_unlock(&handler_lock);
    if (old != NULL) {
        domain_put(old);
    }
    return 0;
}

domid_t virq_get_handler(unsigned int virq)
{
    domid_t domid = 0;

    if (virq >= NR_VIRQS) {
        return DOMID_INVALID;
    }
    spin_lock(&handler_lock);
    if (handler[virq] != NULL) {
        domid = handler[virq]->domid;
    } else if (dom0 != NULL) {
        domid = dom0->domid;
    }
    spin_unlock(&handler_lock);
    return domid;
}

void virq_forget_domain(struct domain *d)
{
    for (unsigned int i = 0; i < NR_VIRQS; i++) {
        bool was = false;

        spin_lock(&handler_lock);
        if (handler[i] == d) {
            __atomic_store_n(&handler[i], NULL, __ATOMIC_RELEASE);
            was = true;
        }
        spin_unlock(&handler_lock);
        if (was) {
            domain_put(d);
        }
    }
}

/* ---- the console ------------------------------------------------------ */

static void console_softirq(void)
{
    log_drain();
    if (uart_rx_poll() != 0) {
        virq_raise_global(VIRQ_CONSOLE);
    }
    if (uart_irq_line() != 0) {
        irq_eoi(irq_isa_to_gsi(uart_irq_line()));
    }
}

static void console_irq(void *arg)
{
    (void)arg;
    softirq_raise(SOFTIRQ_CONSOLE);
}

static void console_poll(void *arg)
{
    (void)arg;
    softirq_raise(SOFTIRQ_CONSOLE);
    timer_set(&console_timer, clock_now_ns() + CONSOLE_POLL_NS);
}

void virq_init(void)
{
    unsigned int line = uart_irq_line();

    softirq_plug(SOFTIRQ_CONSOLE, console_softirq);
    if (uart_port_base() == 0) {
        return;
    }
    if (line != 0) {
        int rc = irq_bind(irq_isa_to_gsi(line), console_irq, NULL, "uart");

        if (rc == 0) {
            uart_rx_irq_enable();
        } else {
            pr_info("domain: serial input without interrupt (error %d)", -rc);
        }
    }
    timer_init(&console_timer, console_poll, NULL);
    timer_set(&console_timer, clock_now_ns() + CONSOLE_POLL_NS);
}
