/* SPDX-License-Identifier: MIT */
/*
 * dev/irq_storm.c - interrupts that come too often are held back.
 *
 * A line that is stuck, or a device gone mad, must not take the CPU from the
 * guests, nor be fatal.  What has come more often than the limit in 10 ms is
 * masked at its source for 10 ms; if it goes on within a second after that,
 * twice as long each time, up to 1.28 s: then at least 99 % of the time are
 * left.  Nothing is lost by it: a level stays asserted, MSI-X and maskable MSI
 * are kept by the device; for the others the handler is called once at the end
 * of the pause.
 *
 * An interrupt handler may have interrupted the holder of any lock, so it only
 * masks what it can without one, and leaves the rest to the softirq.
 */
#include "lib/bits.h"
#include "x86/atomic.h"
#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"
#include "dev/ioapic.h"
#include "dev/irq_impl.h"
#include "log/printk.h"

#define WINDOW_NS    10000000ULL
#define PAUSE_MIN_NS 10000000ULL
#define PAUSE_MAX_NS 1280000000ULL
#define CALM_NS      1000000000ULL  /* so long without: the next is short   */
#define SILENT_NS    60000000000ULL /* so long without: it is news again    */

/* 100,000 in a second; disks and networks stay well below. */
#define LIMIT_DEFAULT 1000U

/*
 * Legend: L irq_lock   i  irq_dispatch(), without a lock: one that was just
 *         moved may be counted by two CPUs at once, and too low.
 * The timer is never set again before it has fired: the irq may have been
 * freed meanwhile, and given to another message.
 */
struct storm {
    struct timer timer;
    bool is_timing;        /* L                                         */
    uint64_t window_ns;    /* i: start                                  */
    uint32_t window_count; /* i                                         */
    uint32_t pauses;       /* L, read without                           */
    uint64_t resumed_ns;   /* L: end of the last pause                  */
    uint64_t pause_ns;     /* L: length of the last pause               */
    uint64_t reported_ns;  /* L                                         */
};

static struct storm storms[NR_IRQS];
static uint64_t asked[NR_IRQS / 64]; /* a: to be held back */
static unsigned int limit = LIMIT_DEFAULT; /* c after boot */

void irq_set_ratelimit(unsigned int count)
{
    limit = count;
}

uint32_t irq_storm_pauses(unsigned int irq)
{
    return READ_ONCE(storms[irq].pauses);
}

static const char *kind_of(const struct irq_desc *desc)
{
    if (desc->is_msi) {
        return desc->is_msix ? "MSI-X" : "MSI";
    }
    return desc->is_level ? "level" : "edge";
}

/* Would an interrupt that came while it was masked be forgotten? */
static bool forgets(const struct irq_desc *desc)
{
    return desc->is_msi ? !msi_can_mask(desc) : !desc->is_level;
}

static void pause_ends(void *arg)
{
    unsigned int irq = (unsigned int)((struct storm *)arg - storms);
    struct storm *s = &storms[irq];
    struct irq_desc *desc = &irq_descs[irq];
    unsigned long flags = spin_lock_irqsave(&irq_lock);
    uint64_t now = clock_now_ns();
    bool call = false, report = false;
    const char *kind = kind_of(desc), *name = desc->name;
    pci_bdf_t bdf = desc->bdf;
    bool is_msi = desc->is_msi;

    s->is_timing = false;
    desc->is_held = false;
    s->resumed_ns = now;
    WRITE_ONCE(s->window_ns, 0);
    if (desc->exists) {
        report = s->reported_ns == 0 || now - s->reported_ns > SILENT_NS;
        s->reported_ns = now;
        call = !desc->is_masked && forgets(desc);
        irq_mask_update(irq);
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    if (call) {
        irq_call(irq);
    }
    if (report && is_msi) {
        pr_warn("dev: irq %u (%s of device " PCI_BDF_FMT ") comes more than "
                "%u times in 10 ms: held back",
                irq, kind, PCI_BDF_ARGS(bdf), limit);
    } else if (report) {
        pr_warn("dev: irq %u (%s, of %s) comes more than %u times in 10 ms: "
                "held back",
                irq, kind, name != NULL ? name : "nobody", limit);
    }
}

void irq_storm_init(void)
{
    for (unsigned int irq = 0; irq < NR_IRQS; irq++) {
        timer_init(&storms[irq].timer, pause_ends, &storms[irq]);
    }
}

/* One stride more.  True: that was too many. */
static bool too_many(struct storm *s, uint64_t now)
{
    if (now - READ_ONCE(s->window_ns) > WINDOW_NS) {
        WRITE_ONCE(s->window_ns, now);
        WRITE_ONCE(s->window_count, 0);
        return false;
    }
    WRITE_ONCE(s->window_count, s->window_count + IRQ_STORM_STRIDE);
    return READ_ONCE(s->window_count) >= limit;
}

void irq_storm_check(unsigned int irq)
{
    if (limit == 0 || !too_many(&storms[irq], clock_now_ns())) {
        return;
    }
    if (!irq_descs[irq].is_msi) {
        ioapic_set_mask(irq, true);
    } else if (irq_descs[irq].is_msix) {
        msix_mask_now(&irq_descs[irq]);
    }
    (void)atomic_or(&asked[irq / 64], BIT(irq % 64));
    softirq_raise(SOFTIRQ_IRQ);
}

static void hold(unsigned int irq)
{
    struct storm *s = &storms[irq];
    struct irq_desc *desc = &irq_descs[irq];
    unsigned long flags = spin_lock_irqsave(&irq_lock);
    uint64_t now = clock_now_ns(), until = 0;

    if (desc->exists && !s->is_timing) {
        /* The first pause may fall into the first second of the clock. */
        s->pause_ns = now - s->resumed_ns > CALM_NS || s->pause_ns == 0
                          ? PAUSE_MIN_NS
                          : MIN(2 * s->pause_ns, PAUSE_MAX_NS);
        until = now + s->pause_ns;
        WRITE_ONCE(s->pauses, s->pauses + 1);
        s->is_timing = true;
        desc->is_held = true;
    }
    if (desc->exists) {
        irq_mask_update(irq);
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    if (until != 0) {
        timer_set(&s->timer, until);
    }
}

void irq_storm_softirq(void)
{
    for (unsigned int w = 0; w < ARRAY_SIZE(asked); w++) {
        uint64_t bits = READ_ONCE(asked[w]);

        if (likely(bits == 0)) {
            continue;
        }
        bits = atomic_xchg(&asked[w], 0);
        while (bits != 0) {
            hold(w * 64 + bit_lowest(bits));
            bits &= bits - 1;
        }
    }
}
