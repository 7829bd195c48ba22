/* SPDX-License-Identifier: MIT */
/*
 * dev/msi.c with irq.c: what is written to a device for its messages.
 */
#include "tests/unit/unit.h"

#include "lib/errno.h"
#include "x86/percpu.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"
#include "dev/acpi_madt.h"
#include "dev/acpi_mcfg.h"
#include "dev/i8259.h"
#include "dev/ioapic.h"
#include "dev/irq_impl.h"
#include "dev/msi.h"
#include "dev/msix_table.h"
#include "fake_hw.h"
#include "mm/hvmap.h"

/* 00:03.0: MSI of up to 8, 64 bits, no mask bits unless a test says so. */
#define BDF  pci_bdf(0, 0, 0x18)
#define MSI  0x50
#define MSIX 0x70
#define CF8  (0x80000000U | 0x18 << 8)
#define ROWS 4

static uint8_t config[256];
static uint32_t table[ROWS * 4], new_table[ROWS * 4], address, now_writes;
static maddr_t table_at;
static uint64_t now_ns;
static struct timer *timer;
static unsigned int handled;
static bool raised;

/* ---- what the code under test calls -------------------------------------- */

void lapic_eoi(void)
{
}

uint32_t lapic_id(void)
{
    return 3;
}

uint64_t clock_now_ns(void)
{
    return now_ns;
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.fn = fn, .arg = arg};
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    t->deadline_ns = deadline_ns;
    timer = t;
}

void softirq_raise(enum softirq nr)
{
    (void)nr;
    raised = true;
}

void i8259_init(void)
{
}

void i8259_spurious(unsigned int vector)
{
    (void)vector;
}

unsigned int ioapic_init(void)
{
    return 24;
}

bool ioapic_has(unsigned int gsi)
{
    return gsi < 24;
}

void ioapic_route(unsigned int gsi, const struct ioapic_route *route,
                  bool is_masked)
{
    (void)gsi;
    (void)route;
    (void)is_masked;
}

void ioapic_set_mask(unsigned int gsi, bool is_masked)
{
    (void)gsi;
    (void)is_masked;
}

void ioapic_set_target(unsigned int gsi, uint32_t apic_id)
{
    (void)gsi;
    (void)apic_id;
}

int ioapic_read_register(uint64_t base, unsigned int reg, uint32_t *ret_value)
{
    (void)base;
    (void)reg;
    (void)ret_value;
    return -EINVAL;
}

uint64_t ioapic_address(unsigned int n)
{
    (void)n;
    return 0;
}

const struct acpi_madt *acpi_madt(void)
{
    return NULL;
}

const struct acpi_mcfg *acpi_mcfg(void)
{
    static const struct acpi_mcfg none;

    return &none;
}

void *iomap(maddr_t a, size_t bytes)
{
    (void)a;
    (void)bytes;
    return NULL;
}

int msix_table_find(pci_bdf_t bdf, unsigned int cap,
                    struct msix_table *ret_table)
{
    assert_int_equal(bdf, BDF);
    assert_int_equal(cap, MSIX);
    *ret_table = (struct msix_table){.first = table_at, .rows = ROWS};
    return table_at != 0 ? 0 : -ENODEV;
}

volatile uint8_t *msix_page_map(maddr_t page)
{
    assert_int_equal(page, table_at);
    return (volatile uint8_t *)(table_at == 0xfd000000 ? table : new_table);
}

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    uint32_t v = 0xffffffffU;

    if ((address & 0xffffff00U) == CF8) {
        memcpy(&v, config + (address & 0xfc) + (port & 3U), bytes);
    }
    return v;
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    if (port == 0xcf8) {
        address = v;
    } else if ((address & 0xffffff00U) == CF8) {
        memcpy(config + (address & 0xfc) + (port & 3U), &v, bytes);
        now_writes++;
    }
}

static void put16(unsigned int reg, unsigned int v)
{
    config[reg] = (uint8_t)v;
    config[reg + 1] = (uint8_t)(v >> 8);
}

static unsigned int get16(unsigned int reg)
{
    return config[reg] | (unsigned int)config[reg + 1] << 8;
}

static uint32_t get32(unsigned int reg)
{
    return get16(reg) | get16(reg + 2) << 16;
}

static void handler(void *arg)
{
    (void)arg;
    handled++;
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_in_hook = port_in;
    fake_out_hook = port_out;
    memset(config, 0, sizeof(config));
    memset(table, 0, sizeof(table));
    memset(new_table, 0, sizeof(new_table));
    table_at = 0xfd000000;
    put16(0, 0x1234);
    put16(PCI_STATUS, PCI_STATUS_CAP_LIST);
    config[PCI_CAP_POINTER] = MSI;
    put16(MSI, MSIX << 8 | PCI_CAP_MSI);
    put16(MSI + MSI_CONTROL, MSI_CONTROL_64BIT | 3 << 1);
    put16(MSIX, PCI_CAP_MSIX);
    put16(MSIX + MSI_CONTROL, ROWS - 1);
    memset(irq_descs, 0, sizeof(irq_descs));
    now_ns = 5000000000ULL;
    timer = NULL;
    handled = 0;
    raised = false;
    irq_set_ratelimit(1000);
    irq_init();
    irq_cpu_up(1, 9);
    return 0;
}

static unsigned int alloc(unsigned int count)
{
    const struct msi_request req = {.bdf = BDF, .count = count};
    unsigned int irq;

    assert_int_equal(irq_msi_alloc(&req, &irq), 0);
    return irq;
}

static void come(unsigned int irq, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        fake_irqs_on = false;
        irq_dispatch(irq_descs[irq].vector);
        fake_irqs_on = true;
        now_ns += 1000;
        if (raised) {
            raised = false;
            irq_storm_softirq();
        }
    }
}

static void one_message(void **state)
{
    unsigned int irq = alloc(1);

    (void)state;
    assert_int_equal(get32(MSI + MSI_ADDRESS), 0xfee00000 | 3 << 12);
    assert_int_equal(get32(MSI + MSI_ADDRESS_HIGH), 0);
    assert_int_equal(get16(MSI + MSI_DATA_64), irq_descs[irq].vector);
    assert_int_equal(get16(MSI + MSI_CONTROL) & MSI_CONTROL_ENABLE, 0);
    assert_int_equal(irq_bind(irq, handler, NULL, "test"), 0);
    come(irq, 1);
    assert_int_equal(handled, 1);

    /* Lost, and written again. */
    put16(MSI + MSI_DATA_64, 0);
    irq_msi_restore(BDF);
    irq_msi_restore(pci_bdf(0, 1, 0)); /* has none */
    assert_int_equal(get16(MSI + MSI_DATA_64), irq_descs[irq].vector);

    /* Moved: one word is written, and nothing else. */
    now_writes = 0;
    irq_follow(irq, 1);
    assert_int_equal(get32(MSI + MSI_ADDRESS), 0xfee00000 | 9 << 12);
    assert_int_equal(now_writes, 1);
}

static void several_messages(void **state)
{
    struct msi_request req = {.bdf = BDF, .count = 8};
    unsigned int irq = alloc(8), other;

    (void)state;
    assert_int_equal(get16(MSI + MSI_DATA_64) % 8, 0);
    assert_int_equal(get16(MSI + MSI_CONTROL) >> 4 & 7, 3);
    assert_int_equal(irq_descs[irq + 5].vector, irq_descs[irq].vector + 5);
    assert_int_equal(irq_msi_alloc(&req, &other), -EEXIST);
    for (unsigned int i = 0; i < 8; i++) {
        irq_msi_free(irq + i);
    }
    req.count = 16; /* more than it can */
    assert_int_equal(irq_msi_alloc(&req, &other), -EINVAL);
    req.count = 3;
    assert_int_equal(irq_msi_alloc(&req, &other), -EINVAL);
    req.count = 0;
    assert_int_equal(irq_msi_alloc(&req, &other), -EINVAL);
    req.count = 1;
    req.bdf = pci_bdf(0, 1, 0);
    assert_int_equal(irq_msi_alloc(&req, &other), -ENODEV);
    assert_int_equal(alloc(8), irq); /* all of them are free again */
}

static void only_ours_are_enabled(void **state)
{
    unsigned int irq;

    (void)state;
    msi_guest_control(BDF, MSI, 0x0001);
    assert_int_equal(get16(MSI + MSI_CONTROL), MSI_CONTROL_64BIT | 3 << 1);
    irq = alloc(2);
    msi_guest_control(BDF, MSI, 0xffff); /* how many there are stays */
    assert_int_equal(get16(MSI + MSI_CONTROL),
                     MSI_CONTROL_64BIT | 3 << 1 | 1 << 4 | 1);
    msi_guest_control(BDF, MSI, 0);
    assert_int_equal(get16(MSI + MSI_CONTROL) & 1, 0);
    irq_msi_free(irq);
    irq_msi_free(irq + 1);
    msi_guest_control(BDF, MSI, 1);
    assert_int_equal(get16(MSI + MSI_CONTROL) & 1, 0);
}

static void mask_bits_are_used(void **state)
{
    unsigned int irq;

    (void)state;
    put16(MSI + MSI_CONTROL, MSI_CONTROL_64BIT | MSI_CONTROL_MASKABLE | 3 << 1);
    irq = alloc(4);
    assert_int_equal(get32(MSI + MSI_MASK_64), 0xf);
    assert_int_equal(irq_bind(irq + 2, handler, NULL, "test"), 0);
    assert_int_equal(get32(MSI + MSI_MASK_64), 0xb);
    come(irq + 2, 1200);
    assert_int_equal(get32(MSI + MSI_MASK_64), 0xf); /* a storm */
    timer->fn(timer->arg);
    assert_int_equal(get32(MSI + MSI_MASK_64), 0xb);
    irq_unbind(irq + 2);
    assert_int_equal(get32(MSI + MSI_MASK_64), 0xf);
}

/* Nothing to mask it with: a storm turns it off as a whole, for a while. */
static void a_storm_without_mask_bits(void **state)
{
    unsigned int irq = alloc(1);

    (void)state;
    assert_int_equal(irq_bind(irq, handler, NULL, "test"), 0);
    msi_guest_control(BDF, MSI, 1);
    come(irq, 1200);
    assert_int_equal(get16(MSI + MSI_CONTROL) & 1, 0);
    msi_guest_control(BDF, MSI, 1); /* not now */
    assert_int_equal(get16(MSI + MSI_CONTROL) & 1, 0);
    handled = 0;
    timer->fn(timer->arg);
    assert_int_equal(get16(MSI + MSI_CONTROL) & 1, 1);
    assert_int_equal(handled, 1); /* for what it did not send */

    now_ns += 2000000000;
    come(irq, 1200);
    msi_guest_control(BDF, MSI, 0); /* its driver has had enough of it */
    timer->fn(timer->arg);
    assert_int_equal(get16(MSI + MSI_CONTROL) & 1, 0);

    now_ns += 2000000000;
    msi_guest_control(BDF, MSI, 1);
    come(irq, 1200);
    irq_msi_free(irq);
    timer->fn(timer->arg);
    assert_int_equal(get16(MSI + MSI_CONTROL) & 1, 0);
}

static void rows_of_msix(void **state)
{
    struct msi_request req = {
        .bdf = BDF, .is_msix = true, .entry = 2, .count = 1};
    unsigned int irq, other;

    (void)state;
    assert_int_equal(irq_msi_alloc(&req, &irq), 0);
    assert_int_equal(table[8], 0xfee00000 | 3 << 12);
    assert_int_equal(table[10], irq_descs[irq].vector);
    assert_int_equal(table[11], 1);
    assert_int_equal(irq_msi_alloc(&req, &other), -EEXIST);
    req.entry = ROWS;
    assert_int_equal(irq_msi_alloc(&req, &other), -EINVAL);
    req.entry = 3;
    assert_int_equal(irq_msi_alloc(&req, &other), 0);
    assert_int_equal(irq_bind(irq, handler, NULL, "test"), 0);
    assert_int_equal(table[11], 0);
    irq_follow(irq, 1);
    assert_int_equal(table[8], 0xfee00000 | 9 << 12);
    assert_int_equal(table[10], irq_descs[irq].vector);
    assert_int_equal(table[11], 0);
    irq_follow(other, 1); /* nobody handles it: it stays */
    assert_int_equal(table[12], 0xfee00000 | 3 << 12);
    fake_cpu = 1;
    come(irq, 1200);
    fake_cpu = 0;
    assert_int_equal(table[11], 1);
    timer->fn(timer->arg);
    assert_int_equal(table[11], 0);
    /* Its BAR moves: the message is where the device looks for it. */
    table_at = 0;
    msix_rows_moved(BDF);
    table_at = 0xfd800000;
    msix_rows_moved(pci_bdf(0, 1, 0));
    assert_int_equal(new_table[8], 0);
    msix_rows_moved(BDF);
    assert_int_equal(new_table[8], 0xfee00000 | 9 << 12);
    assert_int_equal(new_table[10], irq_descs[irq].vector);
    assert_int_equal(new_table[11], 0);
    assert_int_equal(new_table[15], 1); /* the other one: masked */
    irq_msi_free(irq);
    assert_int_equal(new_table[11], 1);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_message),
        T(several_messages),
        T(only_ours_are_enabled),
        T(mask_bits_are_used),
        T(a_storm_without_mask_bits),
        T(rows_of_msix),
    };

    return UNIT_RUN(tests);
}
