/* SPDX-License-Identifier: MIT */
/*
 * stranger/ports.c - in, out and other instructions of a processor's owner,
 * and the use of what we were given.
 *
 * Without I/O privilege each in and out is a #GP.  With it, which any kernel
 * may ask for, ports that are not ours read as all ones and forget what is
 * written: the ABI's way to refuse a driver that probes.
 */
#include "stranger.h"

#define PORTS_ALL   0x10000UL
#define CMOS_INDEX  0x70U /* a shadow of our own */
#define PCI_ADDRESS 0xcf8U
#define PCI_DATA    0xcfcU

/* Of a 16550. */
#define UART_IER     1U
#define UART_IIR     2U
#define UART_MCR     4U
#define UART_SCRATCH 7U
#define IER_EMPTY    2U
#define MCR_OUT2     8U

#define BITMAP_BYTES 8192U

static char window[PAGE_SIZE] __page_aligned;
static uint8_t bitmap[BITMAP_BYTES] __page_aligned; /* all allowed */

/* Was the instruction a #GP? */
static bool faulted(void)
{
    bool is = trap_seen.count == 1 && trap_seen.vector == TRAP_GP &&
              trap_seen.error == 0;

    CHECK(is || trap_seen.count == 0, "%u traps, vector %lu error %lx",
          trap_seen.count, trap_seen.vector, trap_seen.error);
    return is;
}

#define TRY(insn, ...)                                                         \
    do {                                                                       \
        trap_seen.count = 0;                                                   \
        __asm__ volatile("1: " insn "\n2:\n\t" EXTABLE("1b", "2b")             \
                         : __VA_ARGS__                                         \
                         : "memory");                                          \
    } while (0)

static uint32_t in(unsigned int port, unsigned int bytes)
{
    uint32_t value = 0;

    switch (bytes) {
    case 1:
        TRY("inb %w1, %b0", "+a"(value) : "d"(port));
        return value & 0xff;
    case 2:
        TRY("inw %w1, %w0", "+a"(value) : "d"(port));
        return value & 0xffff;
    default:
        TRY("inl %w1, %k0", "+a"(value) : "d"(port));
        return value;
    }
}

static void out(unsigned int port, unsigned int bytes, uint32_t value)
{
    switch (bytes) {
    case 1:
        TRY("outb %b0, %w1", : "a"(value), "d"(port));
        break;
    case 2:
        TRY("outw %w0, %w1", : "a"(value), "d"(port));
        break;
    default:
        TRY("outl %k0, %w1", : "a"(value), "d"(port));
        break;
    }
}

static long set_iopl(unsigned int iopl)
{
    struct physdev_set_iopl op = {.iopl = iopl};

    return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl,
                      (unsigned long)&op);
}

static long set_bitmap(uint8_t *bits, uint32_t ports)
{
    struct physdev_set_iobitmap op = {.nr_ports = ports};

    set_xen_guest_handle(op.bitmap, bits);
    return hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap,
                      (unsigned long)&op);
}

static bool is_given(unsigned long port)
{
    return port - given.port < given.ports;
}

/*
 * What would end the machine or take it over, if it were done: reset by three
 * ways, sleep, NMIs and interrupts off, the timer, the console, PCI.
 */
static const struct {
    uint16_t port;
    uint8_t bytes;
    uint32_t value;
} harm[] = {
    {0x20, 1, 0x11},  {0x21, 1, 0xff},  {0xa1, 1, 0xff},    {0x43, 1, 0x30},
    {0x40, 1, 0x00},  {0x61, 1, 0x0f},  {0x64, 1, 0xfe},    {0x70, 1, 0x8f},
    {0x71, 1, 0x00},  {0x80, 1, 0x5a},  {0x92, 1, 0x01},    {0x3f8, 1, '!'},
    {0x3f9, 1, 0x00}, {0x4d0, 1, 0xff}, {0x604, 2, 0x2000}, {0xb004, 2, 0x2000},
    {0xb2, 1, 0x01},  {PCI_DATA, 4, 0}, {0xcf9, 1, 0x06},   {0xcf9, 1, 0x0e},
    {0xcfb, 1, 0x80}, {0x2ff, 1, 0x5a},
};

/* @what: in which state the vcpu is. */
static void check_refused(const char *what)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(harm); i++) {
        out(harm[i].port, harm[i].bytes, harm[i].value);
        CHECK(faulted(), "%s: out to %x was not refused", what, harm[i].port);
        in(harm[i].port, harm[i].bytes);
        CHECK(faulted(), "%s: in from %x was not refused", what, harm[i].port);
    }
    in(0xffff, 2);
    CHECK(faulted(), "%s: in beyond the last port was not refused", what);
}

static void check_nothing_there(const char *what)
{
    unsigned long bad = 0, first = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(harm); i++) {
        if (is_given(harm[i].port)) {
            continue;
        }
        out(harm[i].port, harm[i].bytes, harm[i].value);
        CHECK(!faulted(), "%s: out to %x", what, harm[i].port);
    }
    for (unsigned long port = 0; port < PORTS_ALL; port++) {
        if (is_given(port) || port == CMOS_INDEX) {
            continue;
        }
        if (in((unsigned int)port, 1) != 0xff || trap_seen.count != 0) {
            first = bad++ ? first : port;
        }
    }
    CHECK(bad == 0, "%s: %lu ports answered, the first %lx", what, bad, first);
    /* Configuration of the host bridge. */
    out(PCI_ADDRESS, 4, 0x80000000);
    CHECK(in(PCI_DATA, 4) == ~0U, "%s: PCI configuration is read", what);
    CHECK(in(0x3f8, 2) == 0xffff && in(0x60, 4) == ~0U, "%s: wide ports", what);
}

static void check_ports(void)
{
    check_refused("no privilege");
    expect("set_iopl 4", set_iopl(4), -XEN_EINVAL);
    expect("set_iopl 1", set_iopl(1), 0);
    check_nothing_there("iopl 1");
    expect("set_iopl 0", set_iopl(0), 0);
    check_refused("privilege gone again");
    expect("set_iobitmap", set_bitmap(bitmap, PORTS_ALL), 0);
    CHECK(in(0x60, 1) == 0xff && !faulted(), "a port of the bitmap");
    CHECK(in(PCI_DATA, 4) == ~0U && !faulted(), "PCI data by the bitmap");
    expect("a bitmap of the hypervisor's",
           set_bitmap((uint8_t *)0xffff830000001000UL, PORTS_ALL), -XEN_EINVAL);
    expect("no bitmap", set_bitmap(NULL, 0), 0);
    check_refused("bitmap gone again");
}

static bool msr_written(uint32_t msr, uint64_t value)
{
    uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32);

    TRY("wrmsr", : "c"(msr), "a"(low), "d"(high));
    return !faulted();
}

/* Of the hypervisor's processor; every value is refused, also the one read. */
static void check_msrs(void)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
    } tries[] = {
        {0x10, 0},                            /* TSC                      */
        {0x1b, 0xfee00000},                   /* APIC base: off           */
        {0x3a, 5},                            /* FEATURE_CONTROL          */
        {0x79, 0},                            /* microcode                */
        {0x9e, 0},                            /* SMBASE                   */
        {0x174, 8},          {0x175, 0},      /* SYSENTER                 */
        {0x176, 0},          {0x1d9, 1},      /* DEBUGCTL     */
        {0x200, 6},          {0x2ff, 0},      /* MTRRs                    */
        {0x250, 0},          {0x277, 0},      /* PAT                      */
        {0x480, 0},                           /* VMX                      */
        {0x6e0, 1},          {0x808, 0xff},   /* deadline; x2APIC: TPR    */
        {0x830, 0x000c4500},                  /* x2APIC: INIT to all      */
        {0xc0000080, 0},                      /* EFER                     */
        {0xc0000081, 0},     {0xc0000082, 0}, /* STAR, LSTAR              */
        {0xc0000083, 0},     {0xc0000084, 0}, /* CSTAR, FMASK             */
        {0xc0010010, 0},     {0xc0010111, 0}, /* SYSCFG, SMM              */
        {0xc0010114, 0},     {0xc0010117, 0}, /* VM_CR, VM_HSAVE_PA       */
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(tries); i++) {
        CHECK(!msr_written(tries[i].msr, tries[i].value), "MSR %x was written",
              tries[i].msr);
    }
}

/* What the processor does not let anyone but its owner do. */
static void check_instructions(void)
{
    static const struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } table = {0xffff, VIRT_BASE};

    TRY("lgdt %0", : "m"(table));
    CHECK(faulted(), "lgdt");
    TRY("lidt %0", : "m"(table));
    CHECK(faulted(), "lidt");
    TRY("lldt %w0", : "r"(0));
    CHECK(faulted(), "lldt");
    TRY("ltr %w0", : "r"(0x40));
    CHECK(faulted(), "ltr");
    TRY("mov %0, %%cr3", : "r"(HPET_FRAME << PAGE_SHIFT));
    CHECK(faulted(), "a device as page tables");
    TRY("mov %0, %%cr8", : "r"(15UL));
    CHECK(faulted(), "cr8");
    TRY("swapgs", :);
    CHECK(faulted(), "swapgs");
    TRY("sysretq", :);
    CHECK(faulted(), "sysret");
    TRY("cli", :);
    CHECK(faulted(), "cli without privilege");
}

void stranger_ports(void)
{
    check_ports();
    check_msrs();
    check_instructions();
}

/* A byte that only the chip can have kept; then its interrupt. */
static void use_ports(void)
{
    unsigned int base = (unsigned int)given.port;

    expect("set_iopl", set_iopl(1), 0);
    for (unsigned int value = 0x5a; value < 0x60; value++) {
        out(base + UART_SCRATCH, 1, value);
        CHECK(in(base + UART_SCRATCH, 1) == value, "the port given to us: %x",
              in(base + UART_SCRATCH, 1));
    }
    CHECK(in(base - 1, 1) == 0xff &&
              in(base + (unsigned int)given.ports, 1) == 0xff,
          "the ports beside");
    /* Half of it is ours. */
    CHECK(in(base + UART_SCRATCH, 2) == (0xff00 | 0x5f), "two at the end: %x",
          in(base + UART_SCRATCH, 2));
    expect("set_iopl", set_iopl(0), 0);
    in(base + UART_SCRATCH, 1);
    CHECK(faulted(), "the port given to us, without privilege");
}

static void use_interrupt(void)
{
    unsigned int base = (unsigned int)given.port;
    struct physdev_map_pirq map = {.domid = DOMID_SELF,
                                   .type = MAP_PIRQ_TYPE_GSI,
                                   .index = (int)given.irq,
                                   .pirq = (int)given.irq};
    struct evtchn_bind_pirq bind = {.pirq = (uint32_t)given.irq};
    struct physdev_eoi eoi = {.irq = (uint32_t)given.irq};
    uint64_t deadline = time_now_ns() + 2 * NS_PER_SEC;

    expect("map our interrupt",
           hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq,
                      (unsigned long)&map),
           0);
    expect("bind our interrupt", hc_evtchn_op(EVTCHNOP_bind_pirq, &bind), 0);
    expect("set_iopl", set_iopl(1), 0);
    out(base + UART_MCR, 1, MCR_OUT2);
    out(base + UART_IER, 1, IER_EMPTY);
    while (!evtchn_is_pending(bind.port) && time_now_ns() < deadline) {
        time_sleep_ns(NS_PER_MS);
    }
    CHECK(evtchn_clear(bind.port), "our interrupt does not come; IIR %x",
          in(base + UART_IIR, 1));
    out(base + UART_IER, 1, 0);
    (void)hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_eoi,
                     (unsigned long)&eoi);
    expect("close it", hc_evtchn_close(bind.port), 0);
    expect("set_iopl", set_iopl(0), 0);
}

static void use_frame(void)
{
    const volatile uint32_t *hpet = (const volatile uint32_t *)window;

    if (!CHECK(mm_map(window, (uint64_t)given.frame << PAGE_SHIFT,
                      PTE_FLAGS_DATA) == 0,
               "map the frame given to us")) {
        return;
    }
    CHECK(hpet[0] >> 16 == 0x8086 && hpet[1] != 0 && hpet[1] <= 100000000,
          "the HPET says %x, %x fs", hpet[0], hpet[1]);
    CHECK(mm_map(window, 0, 0) == 0, "unmap it");
}

void stranger_given(void)
{
    if (given.ports != 0) {
        use_ports();
    }
    if (given.irq != 0) {
        use_interrupt();
    }
    if (given.frame != 0) {
        use_frame();
    }
}
