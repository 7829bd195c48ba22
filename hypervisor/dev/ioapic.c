/* SPDX-License-Identifier: MIT */
/*
 * dev/ioapic.c - IO-APIC registers, reached through an index and a window.
 *
 * The entry's low half is kept in memory as well, so that masking is one
 * write.  The lock is the last in the order: interrupt handlers take it on
 * top of whatever was interrupted.
 */
#include "dev/ioapic.h"

#include "lib/errno.h"
#include "x86/io.h"
#include "sync/spinlock.h"
#include "log/printk.h"
#include "mm/hvmap.h"
#include "dev/acpi_madt.h"

#define REG_SELECT 0x00
#define REG_WINDOW 0x10

#define IOAPIC_ID          0x00
#define IOAPIC_VERSION     0x01
#define IOAPIC_ARBITRATION 0x02
#define IOAPIC_RTE(pin)    (0x10 + 2 * (pin))

#define RTE_MASKED     (1U << 16)
#define RTE_LEVEL      (1U << 15)
#define RTE_ACTIVE_LOW (1U << 13)
#define RTE_NMI        (4U << 8)

#define PINS_MAX 120U
#define GSI_MAX  256U /* the rest of irq.h's numbers is for messages */

struct ioapic {
    volatile uint8_t *regs;
    uint64_t address;
    unsigned int gsi_base, pin_count;
    uint32_t low[PINS_MAX]; /* low halves of the entries */
};

static struct ioapic ioapics[MADT_IOAPICS_MAX];
static unsigned int ioapic_count;
static SPINLOCK(ioapic_lock, LOCK_RANK_IRQ_LEAF, IRQ_OFF);

static uint32_t reg_read(const struct ioapic *io, unsigned int reg)
{
    mmio_write32(io->regs + REG_SELECT, reg);
    return mmio_read32(io->regs + REG_WINDOW);
}

static void reg_write(const struct ioapic *io, unsigned int reg, uint32_t v)
{
    mmio_write32(io->regs + REG_SELECT, reg);
    mmio_write32(io->regs + REG_WINDOW, v);
}

static struct ioapic *find(unsigned int gsi, unsigned int *ret_pin)
{
    for (unsigned int i = 0; i < ioapic_count; i++) {
        struct ioapic *io = &ioapics[i];

        if (gsi >= io->gsi_base && gsi - io->gsi_base < io->pin_count) {
            *ret_pin = gsi - io->gsi_base;
            return io;
        }
    }
    return NULL;
}

static bool ioapic_add(const struct madt_ioapic *m)
{
    struct ioapic *io = &ioapics[ioapic_count];
    uint32_t version;

    if (m->gsi_base >= GSI_MAX) {
        return false;
    }
    io->regs = iomap(m->address, 0x20);
    if (io->regs == NULL) {
        return false;
    }
    version = reg_read(io, IOAPIC_VERSION);
    if (version == 0xffffffffU) {
        return false; /* nothing answers there */
    }
    io->address = m->address;
    io->gsi_base = m->gsi_base;
    io->pin_count = ((version >> 16) & 0xff) + 1;
    if (io->pin_count > PINS_MAX) {
        io->pin_count = PINS_MAX;
    }
    if (io->pin_count > GSI_MAX - io->gsi_base) {
        io->pin_count = GSI_MAX - io->gsi_base;
    }
    for (unsigned int pin = 0; pin < io->pin_count; pin++) {
        io->low[pin] = RTE_MASKED;
        reg_write(io, IOAPIC_RTE(pin), RTE_MASKED);
        reg_write(io, IOAPIC_RTE(pin) + 1, 0);
    }
    ioapic_count++;
    return true;
}

unsigned int ioapic_init(void)
{
    const struct acpi_madt *madt = acpi_madt();
    unsigned int top = 0;

    for (unsigned int i = 0; madt != NULL && i < madt->ioapic_count; i++) {
        const struct madt_ioapic *m = &madt->ioapic[i];

        if (!ioapic_add(m)) {
            pr_warn("dev: IO-APIC %u at 0x%x, GSI %u: unusable", m->id,
                    m->address, m->gsi_base);
        }
    }
    for (unsigned int i = 0; i < ioapic_count; i++) {
        const struct ioapic *io = &ioapics[i];

        top = MAX(top, io->gsi_base + io->pin_count);
        pr_info("dev: IO-APIC at 0x%lx, GSI %u-%u", io->address, io->gsi_base,
                io->gsi_base + io->pin_count - 1);
    }
    return top;
}

bool ioapic_has(unsigned int gsi)
{
    unsigned int pin;

    return find(gsi, &pin) != NULL;
}

void ioapic_route(unsigned int gsi, const struct ioapic_route *route,
                  bool is_masked)
{
    unsigned int pin;
    struct ioapic *io = find(gsi, &pin);
    unsigned long flags;
    uint32_t low;

    if (io == NULL) {
        return;
    }
    low = route->vector | (route->is_level ? RTE_LEVEL : 0) |
          (route->is_active_low ? RTE_ACTIVE_LOW : 0) |
          (route->is_nmi ? RTE_NMI : 0) |
          (is_masked ? RTE_MASKED : 0);
    flags = spin_lock_irqsave(&ioapic_lock);
    io->low[pin] = low;
    /* Masked while the halves do not belong together. */
    reg_write(io, IOAPIC_RTE(pin), low | RTE_MASKED);
    reg_write(io, IOAPIC_RTE(pin) + 1, route->apic_id << 24);
    reg_write(io, IOAPIC_RTE(pin), low);
    spin_unlock_irqrestore(&ioapic_lock, flags);
}

void ioapic_set_mask(unsigned int gsi, bool is_masked)
{
    unsigned int pin;
    struct ioapic *io = find(gsi, &pin);
    unsigned long flags;

    if (io == NULL) {
        return;
    }
    flags = spin_lock_irqsave(&ioapic_lock);
    if (is_masked) {
        io->low[pin] |= RTE_MASKED;
    } else {
        io->low[pin] &= ~RTE_MASKED;
    }
    reg_write(io, IOAPIC_RTE(pin), io->low[pin]);
    spin_unlock_irqrestore(&ioapic_lock, flags);
}

void ioapic_set_target(unsigned int gsi, uint32_t apic_id)
{
    unsigned int pin;
    const struct ioapic *io = find(gsi, &pin);
    unsigned long flags;

    if (io == NULL) {
        return;
    }
    flags = spin_lock_irqsave(&ioapic_lock);
    reg_write(io, IOAPIC_RTE(pin) + 1, apic_id << 24);
    spin_unlock_irqrestore(&ioapic_lock, flags);
}

int ioapic_read_register(uint64_t base, unsigned int reg, uint32_t *ret_value)
{
    for (unsigned int i = 0; i < ioapic_count; i++) {
        const struct ioapic *io = &ioapics[i];
        unsigned long flags;

        if (io->address != base) {
            continue;
        }
        if (reg > IOAPIC_ARBITRATION &&
            (reg < IOAPIC_RTE(0) || reg >= IOAPIC_RTE(io->pin_count))) {
            return -EINVAL;
        }
        flags = spin_lock_irqsave(&ioapic_lock);
        *ret_value = reg_read(io, reg);
        spin_unlock_irqrestore(&ioapic_lock, flags);
        return 0;
    }
    return -EINVAL;
}

uint64_t ioapic_address(unsigned int n)
{
    return n < ioapic_count ? ioapics[n].address : 0;
}
