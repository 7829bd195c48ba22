/* SPDX-License-Identifier: MIT */
/*
 * pci - Dom0 and its PCI devices: interrupts by line and by message, storms,
 * and what it may not write.  Needs QEMU's edu device (1234:11e8); with
 * virtio-rng (1af4:1005 or :1044) the MSI-X part, too.
 *
 * Claim: a line and a message arrive once each time; a line that nobody quiets
 * does not take the processor from us; Dom0 cannot write messages itself, by
 * ports or in memory; wrong arguments of physdev_op get their error.
 * Plan:
 *   1. Errors of physdev_op.
 *   2. Configuration space: ordinary registers yes, MSI address and data no,
 *      enable only with a message of ours.
 *   3. Line: level, one event each time, quiet after acknowledge and EOI.
 *   4. Storm: EOI without quieting the device, for 2 s: most of it is ours.
 *   5. Message: one event each time, none lost in 200; unmapped: none.
 *   6. MSI-X table: mapped read-only, writes to rows have no effect.
 *   7. Configuration space in memory (ecam=ADDRESS): read, written, filtered.
 */
#include "stub.h"

const char stub_name[] = "pci";

#define EDU_IDENT     0x00
#define EDU_LIVE      0x04
#define EDU_IRQ_STATE 0x24
#define EDU_IRQ_RAISE 0x60
#define EDU_IRQ_ACK   0x64

#define PCI_COMMAND 0x04
#define PCI_BAR0    0x10
#define PCI_INTLINE 0x3c
#define CAP_MSI     0x05
#define CAP_MSIX    0x11

static uint8_t window[PAGE_SIZE] __page_aligned;
static uint8_t table_window[PAGE_SIZE] __page_aligned;
static unsigned int edu = ~0U, rng = ~0U; /* bus << 8 | devfn */

static void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static uint32_t inl(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static uint32_t cfg_read(unsigned int bdf, unsigned int reg)
{
    outl(0xcf8, 0x80000000U | bdf << 8 | (reg & 0xfc));
    return inl(0xcfc);
}

static void cfg_write(unsigned int bdf, unsigned int reg, uint32_t v)
{
    outl(0xcf8, 0x80000000U | bdf << 8 | (reg & 0xfc));
    outl(0xcfc, v);
}

static void cfg_write16(unsigned int bdf, unsigned int reg, uint16_t v)
{
    outl(0xcf8, 0x80000000U | bdf << 8 | (reg & 0xfc));
    outw((uint16_t)(0xcfc + (reg & 2)), v);
}

static unsigned int capability(unsigned int bdf, unsigned int id)
{
    unsigned int at = cfg_read(bdf, 0x34) & 0xfc;

    for (unsigned int i = 0; i < 48 && at >= 0x40; i++) {
        uint32_t head = cfg_read(bdf, at);

        if ((head & 0xff) == id) {
            return at;
        }
        at = head >> 8 & 0xfc;
    }
    return 0;
}

static long physdev(unsigned long cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_physdev_op, cmd, (unsigned long)arg);
}

static uint32_t mmio(unsigned int reg)
{
    return *(volatile uint32_t *)(void *)(window + reg);
}

static void mmio_write(unsigned int reg, uint32_t v)
{
    *(volatile uint32_t *)(void *)(window + reg) = v;
}

static void find_devices(void)
{
    for (unsigned int dev = 0; dev < 32; dev++) {
        uint32_t id = cfg_read(dev << 3, 0);

        if (id == 0x11e81234) {
            edu = dev << 3;
        } else if (id == 0x10051af4 || id == 0x10441af4) {
            rng = dev << 3;
        }
    }
}

/* Wait up to a second for @count events of a port. */
static bool wait_events(evtchn_port_t port, unsigned int count)
{
    uint64_t end = time_now_ns() + NS_PER_SEC;

    while (evtchn_count(port) < count && time_now_ns() < end) {
        time_sleep_ns(NS_PER_MS);
    }
    return evtchn_count(port) >= count;
}

static evtchn_port_t bind(unsigned int pirq, unsigned int flags)
{
    struct evtchn_bind_pirq op = {.pirq = pirq, .flags = flags};
    long rc = hc_evtchn_op(EVTCHNOP_bind_pirq, &op);

    CHECK(rc == 0, "bind_pirq %u: %ld", pirq, rc);
    evtchn_unmask(op.port);
    return op.port;
}

static void close(evtchn_port_t port)
{
    struct evtchn_close op = {.port = port};

    evtchn_mask(port);
    CHECK(hc_evtchn_op(EVTCHNOP_close, &op) == 0, "close");
}

static long unmap(int pirq)
{
    struct physdev_unmap_pirq op = {.domid = DOMID_SELF, .pirq = pirq};

    return physdev(PHYSDEVOP_unmap_pirq, &op);
}

static long eoi(unsigned int pirq)
{
    struct physdev_eoi op = {.irq = pirq};

    return physdev(PHYSDEVOP_eoi, &op);
}

static void check_errors(void)
{
    struct physdev_map_pirq map = {.domid = DOMID_SELF,
                                   .type = MAP_PIRQ_TYPE_GSI,
                                   .index = -1,
                                   .pirq = -1};
    struct physdev_setup_gsi gsi = {.gsi = 100000};
    struct physdev_pci_mmcfg_reserved mmcfg = {.address = 0x1000,
                                               .end_bus = 255};
    struct physdev_get_free_pirq get = {.type = MAP_PIRQ_TYPE_MSI};
    struct physdev_pci_device dev = {.bus = 0, .devfn = 0xf9};
    struct physdev_irq_status_query query = {.irq = 100000};
    struct physdev_dbgp_op dbgp = {.op = 7};

    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_EINVAL, "GSI -1");
    map.index = 100000;
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_EINVAL, "GSI 100000");
    map.type = MAP_PIRQ_TYPE_UNKNOWN;
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_EINVAL, "type");
    map.type = MAP_PIRQ_TYPE_MSI_SEG;
    map.bus = 0;
    map.devfn = 0xf9;
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_ENODEV, "no device");
    map.bus = 0x70000;
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_ENODEV, "no segment");
    map.type = MAP_PIRQ_TYPE_MULTI_MSI;
    map.bus = 0;
    map.entry_nr = 33;
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_EINVAL, "33 messages");
    map.domid = 77;
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_ESRCH, "no domain");
    CHECK(physdev(PHYSDEVOP_map_pirq, NULL) == -XEN_EFAULT, "no argument");
    CHECK(physdev(PHYSDEVOP_setup_gsi, &gsi) == -XEN_EINVAL, "setup_gsi");
    CHECK(physdev(PHYSDEVOP_pci_mmcfg_reserved, &mmcfg) == -XEN_ENODEV,
          "a window that is none");
    CHECK(physdev(PHYSDEVOP_pci_device_add, &dev) != 0, "no device added");
    CHECK(physdev(PHYSDEVOP_restore_msi_ext, &dev) == -XEN_ENODEV, "restore");
    CHECK(physdev(PHYSDEVOP_prepare_msix, &dev) == -XEN_ENODEV, "prepare");
    CHECK(physdev(PHYSDEVOP_irq_status_query, &query) == -XEN_EINVAL, "query");
    CHECK(physdev(PHYSDEVOP_dbgp_op, &dbgp) == -XEN_EINVAL, "dbgp");
    CHECK(physdev(99, NULL) == -XEN_ENOSYS, "number 99");
    CHECK(eoi(300) == 0, "EOI of nothing");
    CHECK(eoi(100000) == -XEN_EINVAL, "EOI of no number");
    CHECK(unmap(-1) == -XEN_EINVAL && unmap(500) == -XEN_EINVAL, "unmap");

    CHECK(physdev(PHYSDEVOP_get_free_pirq, &get) == 0, "get_free_pirq");
    CHECK(unmap((int)get.pirq) == 0, "a reserved number");
    CHECK(unmap((int)get.pirq) == -XEN_EINVAL, "twice");
    get.type = MAP_PIRQ_TYPE_UNKNOWN;
    CHECK(physdev(PHYSDEVOP_get_free_pirq, &get) == -XEN_EINVAL, "no type");
}

static void check_config(unsigned int msi)
{
    uint32_t control = cfg_read(edu, msi), line = cfg_read(edu, PCI_INTLINE);

    CHECK(msi != 0, "edu has no MSI");
    cfg_write(edu, PCI_INTLINE, (line & ~0xffU) | 0x55);
    CHECK((cfg_read(edu, PCI_INTLINE) & 0xff) == 0x55, "interrupt line");
    cfg_write(edu, PCI_INTLINE, line);
    cfg_write(edu, msi + 4, 0xfee00000);
    cfg_write(edu, msi + 12, 0x31);
    CHECK(cfg_read(edu, msi + 4) == 0 && cfg_read(edu, msi + 12) == 0,
          "a message of our own: %x %x", cfg_read(edu, msi + 4),
          cfg_read(edu, msi + 12));
    cfg_write16(edu, msi + 2, (uint16_t)(control >> 16 | 1));
    CHECK((cfg_read(edu, msi) >> 16 & 1) == 0, "enabled without a message");
}

static evtchn_port_t line_port;

static void check_line(unsigned int gsi)
{
    struct physdev_map_pirq map = {.domid = DOMID_SELF,
                                   .type = MAP_PIRQ_TYPE_GSI,
                                   .index = (int)gsi,
                                   .pirq = (int)gsi};
    struct physdev_setup_gsi setup = {
        .gsi = (int)gsi, .triggering = 1, .polarity = 1};
    struct physdev_irq_status_query query = {.irq = gsi};

    CHECK(physdev(PHYSDEVOP_setup_gsi, &setup) == 0, "setup_gsi %u", gsi);
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == 0, "map_pirq");
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == 0, "map_pirq again");
    line_port = bind(gsi, BIND_PIRQ__WILL_SHARE);
    CHECK(physdev(PHYSDEVOP_irq_status_query, &query) == 0 &&
              (query.flags & XENIRQSTAT_needs_eoi) != 0,
          "a level line needs no EOI?");
    for (unsigned int i = 1; i <= 50; i++) {
        mmio_write(EDU_IRQ_RAISE, 1);
        if (!CHECK(wait_events(line_port, i), "line: %u of %u",
                   evtchn_count(line_port), i)) {
            break;
        }
        CHECK(mmio(EDU_IRQ_STATE) == 1, "state");
        mmio_write(EDU_IRQ_ACK, 1);
        CHECK(eoi(gsi) == 0, "EOI");
    }
    time_sleep_ns(20 * NS_PER_MS);
    CHECK(evtchn_count(line_port) == 50, "line: %u after the last",
          evtchn_count(line_port));
}

/*
 * A handler that answers, and does not look at its device: the line comes
 * again at once, some 50,000 times in a second.  Held back for 10 ms, 20 ms and
 * so on it comes 10 times as often as the limit in 2 s; the test's limit is 64.
 */
static void check_storm(unsigned int gsi)
{
    unsigned int before = evtchn_count(line_port), events;
    uint64_t n = 0, end;

    mmio_write(EDU_IRQ_RAISE, 1);
    end = time_now_ns() + 2 * NS_PER_SEC;
    while (time_now_ns() < end) {
        (void)eoi(gsi);
        n++;
    }
    mmio_write(EDU_IRQ_ACK, 1);
    (void)eoi(gsi);
    events = evtchn_count(line_port) - before;
    print("pci: storm: %u events, %lu EOIs\n", events, n);
    CHECK(events > 100, "no storm: %u events", events);
    CHECK(events < 5000, "not held back: %u events", events);
    CHECK(n > 2 * events, "%lu rounds for %u events", n, events);

    /* And after the longest pause the line works as before. */
    time_sleep_ns(1500 * NS_PER_MS);
    before = evtchn_count(line_port);
    mmio_write(EDU_IRQ_RAISE, 1);
    CHECK(wait_events(line_port, before + 1), "the line is dead after a storm");
    mmio_write(EDU_IRQ_ACK, 1);
    (void)eoi(gsi);
    close(line_port);
}

static void check_message(unsigned int msi)
{
    struct physdev_map_pirq map = {.domid = DOMID_SELF,
                                   .type = MAP_PIRQ_TYPE_MSI_SEG,
                                   .index = -1,
                                   .pirq = -1,
                                   .bus = (int)(edu >> 8),
                                   .devfn = (int)(edu & 0xff)};
    struct physdev_pci_device dev = {.devfn = (uint8_t)edu};
    evtchn_port_t port;
    unsigned int before;
    uint32_t data;

    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == 0, "map_pirq of a message");
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_EEXIST, "twice");
    port = bind((unsigned int)map.pirq, 0);
    cfg_write16(edu, msi + 2, (uint16_t)(cfg_read(edu, msi) >> 16 | 1));
    CHECK((cfg_read(edu, msi) >> 16 & 1) == 1, "not enabled");
    data = cfg_read(edu, msi + 12);
    before = evtchn_count(port); /* the port was the line's */
    for (unsigned int i = 1; i <= 200; i++) {
        mmio_write(EDU_IRQ_RAISE, 1);
        if (!CHECK(wait_events(port, before + i), "message: %u of %u",
                   evtchn_count(port) - before, i)) {
            break;
        }
        mmio_write(EDU_IRQ_ACK, 1);
    }
    /* One more for each time it was held back: what came then is unknown. */
    CHECK(evtchn_count(port) - before <= 220, "messages: %u for 200",
          evtchn_count(port) - before);
    cfg_write(edu, msi + 12, 0xff);
    CHECK(cfg_read(edu, msi + 12) == data, "its data was changed");
    CHECK(physdev(PHYSDEVOP_restore_msi_ext, &dev) == 0, "restore_msi");
    CHECK(cfg_read(edu, msi + 12) == data, "restored otherwise");
    close(port);
    mmio_write(EDU_IRQ_RAISE, 1);
    mmio_write(EDU_IRQ_ACK, 1);
    CHECK(unmap(map.pirq) == 0, "unmap");
    CHECK(unmap(map.pirq) == -XEN_EINVAL, "unmap twice");
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == 0, "map after unmap");
    CHECK(unmap(map.pirq) == 0, "unmap");
    cfg_write16(edu, msi + 2, (uint16_t)(cfg_read(edu, msi) >> 16 & 0xfffe));
}

static void check_table(void)
{
    unsigned int cap = capability(rng, CAP_MSIX);
    uint32_t where = cfg_read(rng, cap + 4), bar;
    struct physdev_pci_device dev = {.devfn = (uint8_t)rng};
    struct physdev_pci_device_add add = {.devfn = (uint8_t)rng};
    struct physdev_map_pirq map = {.domid = DOMID_SELF,
                                   .type = MAP_PIRQ_TYPE_MSI_SEG,
                                   .index = -1,
                                   .pirq = -1,
                                   .devfn = (int)rng,
                                   .entry_nr = 1,
                                   .table_base = 1};
    volatile uint32_t *row;
    uint32_t address;

    bar = cfg_read(rng, PCI_BAR0 + 4 * (where & 7)) & ~0xfU;
    cfg_write16(rng, PCI_COMMAND, 0x0006);
    CHECK(physdev(PHYSDEVOP_pci_device_add, &add) == 0, "pci_device_add");
    CHECK(physdev(PHYSDEVOP_prepare_msix, &dev) == 0, "prepare_msix");
    CHECK(mm_map(table_window, bar + (where & ~7U), PTE_FLAGS_DATA) == 0,
          "map the table");
    CHECK((mm_pte(table_window, 1) & PTE_RW) == 0, "mapped writable");
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == 0, "map_pirq of MSI-X");
    row = (volatile uint32_t *)(void *)(table_window + (where & 0xff8) + 16);
    address = row[0];
    CHECK(address >> 20 == 0xfee, "address %x", address);
    CHECK((row[3] & 1) == 1, "not masked before it is bound");
    row[0] = 0x12345678;
    row[2] = 0x31;
    row[3] = 0;
    CHECK(row[0] == address && (row[3] & 1) == 1, "a row was written: %x %x",
          row[0], row[3]);
    map.entry_nr = 5000;
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_EINVAL, "row 5000");
    map.entry_nr = 1;
    CHECK(physdev(PHYSDEVOP_map_pirq, &map) == -XEN_EEXIST, "row 1 twice");
    CHECK(unmap(map.pirq) == 0, "unmap");
    CHECK(physdev(PHYSDEVOP_release_msix, &dev) == 0, "release_msix");
}

static void check_ecam(uint64_t base, unsigned int msi)
{
    struct physdev_pci_mmcfg_reserved mmcfg = {
        .address = base, .end_bus = 255, .flags = XEN_PCI_MMCFG_RESERVED};
    volatile uint32_t *reg = (volatile uint32_t *)(void *)table_window;
    uint32_t line, ext;

    CHECK(physdev(PHYSDEVOP_pci_mmcfg_reserved, &mmcfg) == 0, "the window");
    mmcfg.address += PAGE_SIZE;
    CHECK(physdev(PHYSDEVOP_pci_mmcfg_reserved, &mmcfg) == -XEN_ENODEV,
          "a window that is none");
    CHECK(mm_map(table_window, base + (edu << 12), PTE_FLAGS_DATA) == 0,
          "map configuration space");
    CHECK((mm_pte(table_window, 1) & PTE_RW) == 0, "mapped writable");
    CHECK(reg[0] == 0x11e81234, "vendor %x", reg[0]);
    line = reg[PCI_INTLINE / 4];
    reg[PCI_INTLINE / 4] = (line & ~0xffU) | 0x66;
    CHECK((cfg_read(edu, PCI_INTLINE) & 0xff) == 0x66, "interrupt line");
    *(volatile uint8_t *)(void *)(table_window + PCI_INTLINE) = 0x77;
    CHECK((cfg_read(edu, PCI_INTLINE) & 0xff) == 0x77, "a byte of it");
    reg[PCI_INTLINE / 4] = line;
    reg[(msi + 4) / 4] = 0xfee0f000;
    CHECK(reg[(msi + 4) / 4] != 0xfee0f000, "a message of our own");
    ext = reg[0x100 / 4];
    reg[0x100 / 4] = ~ext; /* nothing there, or read-only: no fault */
    CHECK(reg[0x100 / 4] == ext, "registers from 256 on");
}

void stub_main(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};
    unsigned int msi, gsi;
    uint64_t ecam = cmdline_number("ecam", 0);

    if (!stub_is_dom0()) {
        report(VERDICT_SKIP, "not the control domain");
        return;
    }
    CHECK(physdev(PHYSDEVOP_set_iopl, &iopl) == 0, "set_iopl");
    events_enable();
    check_errors();
    find_devices();
    if (edu == ~0U) {
        report(VERDICT_SKIP, "no edu device");
        return;
    }
    msi = capability(edu, CAP_MSI);
    gsi = (unsigned int)cmdline_number("gsi", cfg_read(edu, PCI_INTLINE) & 0xff);
    cfg_write16(edu, PCI_COMMAND, 0x0006); /* memory, bus master */
    CHECK(mm_map(window, cfg_read(edu, PCI_BAR0) & ~0xfU, PTE_FLAGS_DATA) == 0,
          "map edu");
    CHECK((mmio(EDU_IDENT) & 0xff) == 0xed, "ident %x", mmio(EDU_IDENT));
    check_config(msi);
    check_line(gsi);
    check_storm(gsi);
    check_message(msi);
    if (rng != ~0U) {
        check_table();
    }
    if (ecam != 0) {
        check_ecam(ecam, msi);
    }
    report(VERDICT_SUCCESS, "line %u, %u messages%s%s", gsi, 200,
           rng != ~0U ? ", MSI-X" : "", ecam != 0 ? ", ECAM" : "");
}
