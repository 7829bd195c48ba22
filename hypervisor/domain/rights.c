/* SPDX-License-Identifier: MIT */
/*
 * domain/rights.c - sets of ports, frames and interrupts of a domain.
 */
#include "domain/rights.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "log/printk.h"
#include "cpu/features.h"
#include "mm/heap.h"
#include "dev/acpi.h"
#include "dev/acpi_madt.h"
#include "dev/efi.h"
#include "dev/i6300esb.h"
#include "dev/irq.h"
#include "dev/uart16550.h"

#define PORT_LAST        0xffffU
#define LAPIC_DEFAULT    0xfee00000UL
#define MSI_WINDOW_BYTES 0x100000UL

/* AMD: the last 12 GiB of 2^40, or of all addresses from family 0x17 on. */
#define HT_HOLE_BYTES  0x300000000UL
#define HT_HOLE_END    0x10000000000UL
#define HT_MOVED_SINCE 0x17

#define RANGES 64 /* of each kind */

/* Most domains never get a right, and need no room for one. */
static int make_room(struct domain *d)
{
    struct range *space;

    if (d->rights_space != NULL) {
        return 0;
    }
    space = heap_alloc(3 * RANGES * sizeof(*space));
    if (space == NULL) {
        return -ENOMEM;
    }
    d->rights_space = space;
    rangeset_init(&d->io_ports, space, RANGES);
    rangeset_init(&d->io_mem, space + RANGES, RANGES);
    rangeset_init(&d->irqs, space + 2 * RANGES, RANGES);
    return 0;
}

static uint64_t frame_last(void)
{
    unsigned int bits = cpu_features.phys_bits;

    return MASK_BITS((bits >= 32 && bits <= 52 ? bits : 52) - PAGE_SHIFT);
}

static void deny(struct rangeset *set, uint64_t first, uint64_t last)
{
    if (rangeset_remove(set, first, last) != 0) {
        pr_err("domain: no room to take away 0x%lx - 0x%lx", first, last);
    }
}

static void deny_mem(struct domain *d, maddr_t first, uint64_t bytes)
{
    deny(&d->io_mem, first >> PAGE_SHIFT, (first + bytes - 1) >> PAGE_SHIFT);
}

/* It runs at our privilege: whoever writes it owns the hypervisor. */
static void deny_firmware_code(struct domain *d)
{
    struct efi_region r;

    for (unsigned int i = 0; efi_map_region(i, &r); i++) {
        if (r.type == EFI_RUNTIME_CODE) {
            deny_mem(d, r.start, r.bytes);
        }
    }
}

/*
 * HyperTransport's interrupts, system management and configuration cycles are
 * addresses too: who writes there sends them.  Firmware keeps the old place of
 * the hole reserved on later families, where it is at the end of what the
 * processor can address, and its IOMMUs still have it: both are denied.
 */
static void deny_hypertransport(struct domain *d)
{
    const struct cpu_features *f = &cpu_features;

    if (f->vendor != CPU_AMD && strcmp(f->vendor_id, "HygonGenuine") != 0) {
        return;
    }
    deny_mem(d, HT_HOLE_END - HT_HOLE_BYTES, HT_HOLE_BYTES);
    /* With fewer than 40 bits there is none. */
    if (f->family >= HT_MOVED_SINCE &&
        frame_last() >= HT_HOLE_END >> PAGE_SHIFT) {
        deny_mem(d, ((frame_last() + 1) << PAGE_SHIFT) - HT_HOLE_BYTES,
                 HT_HOLE_BYTES);
    }
}

void rights_init_control(struct domain *d)
{
    static const struct {
        uint16_t first, last;
    } ours[] = {
        {0x20, 0x21},   {0xa0, 0xa1}, /* 8259s                              */
        {0x40, 0x43},   {0x61, 0x61}, /* 8254; gate, speaker, NMI reasons   */
        {0xcf8, 0xcff},               /* PCI configuration: mediated        */
    };
    const struct acpi_madt *madt = acpi_madt();
    const struct acpi_fixed *fixed = acpi_fixed();

    if (make_room(d) != 0 || rangeset_add(&d->io_ports, 0, PORT_LAST) != 0 ||
        rangeset_add(&d->io_mem, 0, frame_last()) != 0 ||
        rangeset_add(&d->irqs, 0, NR_IRQS - 1) != 0) {
        pr_err("domain: rights of the control domain are incomplete");
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(ours); i++) {
        deny(&d->io_ports, ours[i].first, ours[i].last);
    }
    if (fixed->pm_timer != 0) {
        deny(&d->io_ports, fixed->pm_timer, fixed->pm_timer + 3U);
    }
    if (fixed->smi_command != 0 && fixed->smi_command <= PORT_LAST) {
        deny(&d->io_ports, fixed->smi_command, fixed->smi_command);
    }
    if (uart_port_base() != 0) {
        deny(&d->io_ports, uart_port_base(),
             uart_port_base() + UART_PORT_COUNT - 1U);
    }
    deny_mem(d, LAPIC_DEFAULT, MSI_WINDOW_BYTES);
    if (madt != NULL) {
        deny_mem(d, madt->lapic_address, PAGE_SIZE);
    }
    for (unsigned int i = 0; irq_ioapic_page(i) != 0; i++) {
        deny_mem(d, irq_ioapic_page(i), PAGE_SIZE);
    }
    if (esb_page() != 0) {
        deny_mem(d, esb_page(), PAGE_SIZE);
    }
    deny_hypertransport(d);
    deny_firmware_code(d);
}

bool rights_look(const struct domain *d, const struct rangeset *set,
                 uint64_t first, uint64_t last)
{
    uint32_t seq;
    bool is_in;

    do {
        seq = seqcount_read_begin(&d->rights_seq);
        is_in = rangeset_contains(set, first, last);
    } while (unlikely(seqcount_read_retry(&d->rights_seq, seq)));
    return is_in;
}

bool rights_ports_ok(struct domain *d, uint32_t port, uint32_t count)
{
    return count != 0 && port <= PORT_LAST && count <= PORT_LAST + 1 - port &&
           rights_look(d, &d->io_ports, port, port + count - 1);
}

bool rights_mem_ok(const struct domain *d, mfn_t m, uint64_t count)
{
    uint64_t first = mfn_x(m);

    return count != 0 && count - 1 <= ~0UL - first &&
           rights_look(d, &d->io_mem, first, first + count - 1);
}

bool rights_mem_read_ok(const struct domain *d, mfn_t m, uint64_t count)
{
    if (rights_mem_ok(d, m, count)) {
        return true;
    }
    if (!domain_is_dom0(d) || count != 1) {
        return false;
    }
    for (unsigned int i = 0; irq_ioapic_page(i) != 0; i++) {
        if (irq_ioapic_page(i) >> PAGE_SHIFT == mfn_x(m)) {
            return true;
        }
    }
    return false;
}

bool rights_irq_ok(struct domain *d, unsigned int pirq)
{
    return rights_look(d, &d->irqs, pirq, pirq);
}

int rights_change(struct domain *d, enum rights_kind kind, uint64_t first,
                  uint64_t last, bool allow)
{
    struct rangeset *set = NULL;
    uint64_t limit = 0;
    int rc;

    switch (kind) {
    case RIGHTS_PORTS:
        set = &d->io_ports;
        limit = PORT_LAST;
        break;
    case RIGHTS_MEM:
        set = &d->io_mem;
        limit = frame_last();
        break;
    case RIGHTS_IRQ:
        set = &d->irqs;
        limit = NR_IRQS - 1;
        break;
    }
    if (last < first || last > limit) {
        return -EINVAL;
    }
    spin_lock(&d->lock);
    seqcount_write_begin(&d->rights_seq);
    rc = make_room(d);
    if (rc == 0) {
        rc = allow ? rangeset_add(set, first, last)
                   : rangeset_remove(set, first, last);
    }
    seqcount_write_end(&d->rights_seq);
    spin_unlock(&d->lock);
    return rc;
}
