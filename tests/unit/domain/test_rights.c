/* SPDX-License-Identifier: MIT */
/*
 * domain/rights.c: what the control domain does not get, each with its
 * neighbours; what a machine that lacks a thing does not lose; changes.
 *
 * That nobody maps unusable memory is pv/test_mmu_update.c's, since it holds
 * whatever the rights say.
 */
#include "tests/unit/unit.h"

#include "lib/errno.h"
#include "cpu/features.h"
#include "mm/heap.h"
#include "dev/acpi.h"
#include "dev/acpi_madt.h"
#include "dev/efi.h"
#include "dev/i6300esb.h"
#include "dev/irq.h"
#include "dev/uart16550.h"
#include "domain/rights.h"
#include "fake_hw.h"
#include "fake_printk.h"

#define GIB       0x40000000UL
#define TIB       (1024 * GIB)
#define BITS      48
#define SPACE_END (1UL << BITS)
#define HPET      0xfed00000UL

/* Of another place than usual, or the message window would hide it. */
#define LAPIC 0xfec80000UL
#define ESB   0xfebf1000UL

struct cpu_features cpu_features;

static struct domain dom, guest;
static void *space[2];
static bool no_heap;

/* ---- the machine --------------------------------------------------------- */

static struct acpi_fixed fixed;
static struct acpi_madt madt;
static bool has_madt;
static uint64_t ioapics[3]; /* ends with 0 */
static uint16_t uart;
static maddr_t esb;
static struct efi_region efi[5];
static unsigned int efi_count;

void *heap_alloc(size_t bytes)
{
    void *p = no_heap ? NULL : calloc(1, bytes);

    for (unsigned int i = 0; i < ARRAY_SIZE(space); i++) {
        if (space[i] == NULL) {
            space[i] = p;
            break;
        }
    }
    return p;
}

const struct acpi_madt *acpi_madt(void)
{
    return has_madt ? &madt : NULL;
}

const struct acpi_fixed *acpi_fixed(void)
{
    return &fixed;
}

uint64_t irq_ioapic_page(unsigned int n)
{
    return ioapics[n];
}

uint16_t uart_port_base(void)
{
    return uart;
}

maddr_t esb_page(void)
{
    return esb;
}

bool efi_map_region(unsigned int idx, struct efi_region *ret_region)
{
    if (idx >= efi_count) {
        return false;
    }
    *ret_region = efi[idx];
    return true;
}

static void processor(enum cpu_vendor vendor, const char *id,
                      unsigned int family, unsigned int bits)
{
    cpu_features = (struct cpu_features){
        .vendor = vendor, .family = family, .phys_bits = bits};
    snprintf(cpu_features.vendor_id, sizeof(cpu_features.vendor_id), "%s", id);
}

/* A control domain without rights, on a machine that has nothing. */
static void bare(void)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(space); i++) {
        free(space[i]);
        space[i] = NULL;
    }
    fake_hw_reset();
    memset(&dom, 0, sizeof(dom));
    memset(&guest, 0, sizeof(guest));
    dom.is_privileged = true;
    guest.domid = 1;
    spin_lock_init(&dom.lock, "domain", LOCK_RANK_DOMAIN, IRQ_ANY);
    spin_lock_init(&guest.lock, "domain", LOCK_RANK_DOMAIN, IRQ_ANY);
    memset(&fixed, 0, sizeof(fixed));
    has_madt = false;
    memset(ioapics, 0, sizeof(ioapics));
    uart = 0;
    esb = 0;
    efi_count = 0;
    no_heap = false;
    processor(CPU_INTEL, "GenuineIntel", 6, BITS);
}

/* One that has everything. */
static void full(void)
{
    bare();
    processor(CPU_AMD, "AuthenticAMD", 0x17, BITS);
    fixed.pm_timer = 0x608;
    fixed.smi_command = 0xb2;
    uart = 0x3f8;
    has_madt = true;
    madt.lapic_address = LAPIC;
    ioapics[0] = 0xfec00000;
    ioapics[1] = 0xfec10000;
    esb = ESB;
    efi[0] = (struct efi_region){
        .start = 0x7f000000, .bytes = 0x3000, .type = EFI_RUNTIME_CODE};
    efi[1] = (struct efi_region){
        .start = 0x7f003000, .bytes = 0x3000, .type = EFI_RUNTIME_DATA};
    efi[2] = (struct efi_region){
        .start = 0x7f006000, .bytes = 0x1000, .type = EFI_ACPI_NVS};
    efi[3] = (struct efi_region){
        .start = 0x7f008000, .bytes = 0x1000, .type = EFI_RUNTIME_CODE};
    efi[4] = (struct efi_region){
        .start = 0x7f00a000, .bytes = 0x1000, .type = EFI_MMIO};
    efi_count = 5;
}

/* ---- what is asked ------------------------------------------------------- */

static bool page_ok(maddr_t a)
{
    return rights_mem_ok(&dom, mfn(a >> PAGE_SHIFT), 1);
}

/* First and last are denied, also in between, and what is beside them is not. */
static void assert_mem_hole(maddr_t first, maddr_t end)
{
    assert_false(page_ok(first));
    assert_false(page_ok(first + (end - first) / 2));
    assert_false(page_ok(end - 1));
    assert_true(page_ok(first - 1));
    assert_true(end == SPACE_END || page_ok(end));
}

static void assert_port_hole(unsigned int first, unsigned int last)
{
    for (unsigned int port = first; port <= last; port++) {
        assert_false(rights_ports_ok(&dom, port, 1));
    }
    assert_true(rights_ports_ok(&dom, first - 1, 1));
    assert_true(rights_ports_ok(&dom, last + 1, 1));
    /* One of several is enough. */
    assert_false(rights_ports_ok(&dom, first - 1, 2));
    assert_false(rights_ports_ok(&dom, last, 2));
}

static void ports(void **state)
{
    static const struct {
        uint16_t first, last;
    } holes[] = {
        {0x20, 0x21},   {0xa0, 0xa1},   /* 8259s                     */
        {0x40, 0x43},   {0x61, 0x61},   /* 8254, its gate            */
        {0xb2, 0xb2},   {0x3f8, 0x3ff}, /* SMI command; serial line  */
        {0x608, 0x60b}, {0xcf8, 0xcff}, /* PM timer; configuration   */
    };
    unsigned int denied = 0, listed = 0;

    (void)state;
    full();
    rights_init_control(&dom);
    for (unsigned int i = 0; i < ARRAY_SIZE(holes); i++) {
        assert_port_hole(holes[i].first, holes[i].last);
        listed += holes[i].last - holes[i].first + 1U;
    }
    /* Nothing else: the RTC, the keyboard, the PM registers. */
    for (unsigned int port = 0; port <= 0xffff; port++) {
        denied += !rights_ports_ok(&dom, port, 1);
    }
    assert_int_equal(denied, listed);
    assert_true(rights_ports_ok(&dom, 0x70, 2));
    assert_false(rights_ports_ok(&dom, 0, 0));
    assert_false(rights_ports_ok(&dom, 0xffff, 2));
    assert_false(rights_ports_ok(&dom, 0x10000, 1));
    assert_false(rights_ports_ok(&dom, 1, ~0U));
}

static void memory(void **state)
{
    (void)state;
    full();
    rights_init_control(&dom);
    assert_mem_hole(LAPIC, LAPIC + PAGE_SIZE);
    assert_mem_hole(0xfec00000, 0xfec01000);
    assert_mem_hole(0xfec10000, 0xfec11000);
    assert_mem_hole(0xfee00000, 0xfef00000); /* messages */
    assert_mem_hole(ESB, ESB + PAGE_SIZE);
    assert_mem_hole(0x7f000000, 0x7f003000); /* firmware's code, not its data */
    assert_mem_hole(0x7f008000, 0x7f009000);
    assert_mem_hole(TIB - 12 * GIB, TIB); /* HyperTransport's, old and new */
    assert_mem_hole(SPACE_END - 12 * GIB, SPACE_END);
    /* Beyond what the processor can address there is nothing. */
    assert_false(page_ok(SPACE_END));
    assert_true(page_ok(0));
    /* The set has these holes and no others, which also counts them. */
    assert_int_equal(dom.io_mem.count, 9);
    /* The HPET is Dom0's, for good and ill: known limit 36. */
    assert_true(page_ok(HPET));
    /* Several frames: all of them or none. */
    assert_true(rights_mem_ok(&dom, mfn(0xfee00 - 2), 2));
    assert_false(rights_mem_ok(&dom, mfn(0xfee00 - 2), 3));
    assert_false(rights_mem_ok(&dom, mfn(0xfedff), 0x102));
    assert_false(rights_mem_ok(&dom, mfn(0), 0));
    assert_false(rights_mem_ok(&dom, mfn(1), ~0UL));
}

/* Registers of an IO-APIC may be looked at, by the control domain alone. */
static void only_reading(void **state)
{
    (void)state;
    full();
    rights_init_control(&dom);
    assert_true(rights_mem_read_ok(&dom, mfn(0xfec00), 1));
    assert_true(rights_mem_read_ok(&dom, mfn(0xfec10), 1));
    assert_true(rights_mem_read_ok(&dom, mfn(0xfec01), 1));
    assert_false(rights_mem_read_ok(&dom, mfn(0xfec00), 2));
    assert_false(rights_mem_read_ok(&dom, mfn(LAPIC >> PAGE_SHIFT), 1));
    assert_false(rights_mem_read_ok(&dom, mfn(0xfee00), 1));
    assert_false(rights_mem_read_ok(&guest, mfn(0xfec00), 1));
    assert_false(rights_mem_read_ok(&guest, mfn(0xfec01), 1));
}

static void hypertransport(void **state)
{
    static const struct {
        enum cpu_vendor vendor;
        const char *id;
        unsigned int family, bits;
        bool old_hole, new_hole;
    } rows[] = {
        {CPU_INTEL, "GenuineIntel", 6, 46, false, false},
        {CPU_OTHER, "CentaurHauls", 6, 46, false, false},
        {CPU_AMD, "AuthenticAMD", 0x10, 48, true, false},
        {CPU_AMD, "AuthenticAMD", 0x16, 46, true, false},
        {CPU_AMD, "AuthenticAMD", 0x17, 48, true, true},
        {CPU_AMD, "AuthenticAMD", 0x19, 43, true, true},
        {CPU_AMD, "AuthenticAMD", 0x1a, 52, true, true},
        {CPU_OTHER, "HygonGenuine", 0x18, 48, true, true},
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        maddr_t end = 1UL << rows[i].bits;

        bare();
        processor(rows[i].vendor, rows[i].id, rows[i].family, rows[i].bits);
        rights_init_control(&dom);
        assert_int_equal(page_ok(TIB - 12 * GIB), !rows[i].old_hole);
        assert_int_equal(page_ok(TIB - 1), !rows[i].old_hole);
        assert_true(page_ok(TIB - 12 * GIB - 1) && page_ok(TIB));
        assert_int_equal(page_ok(end - 12 * GIB), !rows[i].new_hole);
        assert_int_equal(page_ok(end - 1), !rows[i].new_hole);
        assert_true(page_ok(end - 12 * GIB - 1));
        assert_false(page_ok(end));
    }
    /* Where both are one, and where it is out of reach. */
    bare();
    processor(CPU_AMD, "AuthenticAMD", 0x17, 40);
    rights_init_control(&dom);
    assert_false(page_ok(TIB - 12 * GIB) || page_ok(TIB - 1));
    assert_true(page_ok(TIB - 12 * GIB - 1));
    bare();
    processor(CPU_AMD, "AuthenticAMD", 0x17, 39);
    rights_init_control(&dom);
    assert_true(page_ok(TIB / 2 - 1) && page_ok(TIB / 2 - 12 * GIB));
}

/* What is not there takes nothing away. */
static void absent(void **state)
{
    unsigned int denied = 0;

    (void)state;
    bare();
    fixed.smi_command = 0x10064; /* no port: not even its low half */
    rights_init_control(&dom);
    for (unsigned int port = 0; port <= 0xffff; port++) {
        denied += !rights_ports_ok(&dom, port, 1);
    }
    assert_int_equal(denied, 2 + 2 + 4 + 1 + 8);
    assert_true(rights_ports_ok(&dom, 0, 0x20));
    assert_true(rights_mem_ok(&dom, mfn(0), 0xfee00));
    assert_true(
        rights_mem_ok(&dom, mfn(0xfef00), (SPACE_END >> PAGE_SHIFT) - 0xfef00));
    assert_mem_hole(0xfee00000, 0xfef00000);
    assert_int_equal(dom.io_mem.count, 2);
}

static void interrupts(void **state)
{
    (void)state;
    full();
    rights_init_control(&dom);
    assert_true(rights_irq_ok(&dom, 0));
    assert_true(rights_irq_ok(&dom, NR_IRQS - 1));
    assert_false(rights_irq_ok(&dom, NR_IRQS));
    assert_false(rights_irq_ok(&guest, 0));
}

/* Without room there are no rights, and the log says so. */
static void no_room(void **state)
{
    (void)state;
    full();
    no_heap = true;
    fake_printk_forget();
    rights_init_control(&dom);
    assert_true(
        fake_printk_said("rights of the control domain are incomplete"));
    assert_false(rights_ports_ok(&dom, 0x80, 1));
    assert_false(page_ok(0));
    assert_false(rights_irq_ok(&dom, 0));
    assert_int_equal(rights_change(&guest, RIGHTS_IRQ, 5, 5, true), -ENOMEM);
}

static void changes(void **state)
{
    uint64_t last_frame = (SPACE_END >> PAGE_SHIFT) - 1;

    (void)state;
    full();
    assert_int_equal(rights_change(&guest, RIGHTS_PORTS, 0x300, 0x307, true),
                     0);
    assert_true(rights_ports_ok(&guest, 0x300, 8));
    assert_false(rights_ports_ok(&guest, 0x300, 9));
    assert_int_equal(rights_change(&guest, RIGHTS_PORTS, 0x301, 0x301, false),
                     0);
    assert_false(rights_ports_ok(&guest, 0x300, 8));
    assert_true(rights_ports_ok(&guest, 0x302, 6));
    assert_int_equal(rights_change(&guest, RIGHTS_IRQ, 5, 5, true), 0);
    assert_true(rights_irq_ok(&guest, 5) && !rights_irq_ok(&guest, 6));
    assert_int_equal(rights_change(&guest, RIGHTS_MEM, 7, last_frame, true), 0);
    assert_true(rights_mem_ok(&guest, mfn(7), last_frame - 6));
    assert_false(rights_mem_ok(&guest, mfn(6), 1));
    /* Backwards, or beyond the last. */
    assert_int_equal(rights_change(&guest, RIGHTS_MEM, 8, 7, true), -EINVAL);
    assert_int_equal(rights_change(&guest, RIGHTS_MEM, 7, last_frame + 1, true),
                     -EINVAL);
    assert_int_equal(rights_change(&guest, RIGHTS_PORTS, 0, 0x10000, true),
                     -EINVAL);
    assert_int_equal(rights_change(&guest, RIGHTS_IRQ, 0, NR_IRQS, true),
                     -EINVAL);
    /* Too many pieces: the set stays as it was. */
    for (unsigned int i = 0; i < 64; i++) {
        int rc = rights_change(&guest, RIGHTS_PORTS, 0x1000 + 2 * i,
                               0x1000 + 2 * i, true);

        assert_int_equal(rc, i < 62 ? 0 : -ENOMEM);
        assert_int_equal(rights_ports_ok(&guest, 0x1000 + 2 * i, 1), i < 62);
    }
    bare();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports),        cmocka_unit_test(memory),
        cmocka_unit_test(only_reading), cmocka_unit_test(hypertransport),
        cmocka_unit_test(absent),       cmocka_unit_test(interrupts),
        cmocka_unit_test(no_room),      cmocka_unit_test(changes),
    };

    return UNIT_RUN(tests);
}
