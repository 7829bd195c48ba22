/* SPDX-License-Identifier: MIT */
/*
 * stranger/keeper.c - Dom0's side: a guest gets ports, a frame, an interrupt,
 * uses each and nothing beside it, and loses it.
 *
 * The ports and the interrupt are those of the second serial line (COM2); its
 * scratch register keeps a byte that tells who has written last.
 */
#include "puppet.h"

#define COM2         0x2f8U
#define COM2_IRQ     3U
#define UART_IER     1U
#define UART_MCR     4U
#define UART_SCRATCH 7U
#define IER_EMPTY    2U
#define MCR_OUT2     8U
#define SCRATCH      (COM2 + UART_SCRATCH)

static char window[PAGE_SIZE] __page_aligned;
static char own[PAGE_SIZE] __page_aligned;

static uint8_t inb(unsigned int from)
{
    uint8_t value;

    __asm__ volatile("inb %w1, %b0" : "=a"(value) : "d"(from));
    return value;
}

static void outb(unsigned int to, unsigned int value)
{
    __asm__ volatile("outb %b0, %w1" : : "a"(value), "d"(to));
}

static long port_right(unsigned int first, unsigned int count, bool allow)
{
    struct xen_domctl op = {
        .u.ioport_permission = {.first_port = first,
                                .nr_ports = count,
                                .allow_access = allow},
    };

    return tiny_domctl(puppet_domid(), &op, XEN_DOMCTL_ioport_permission);
}

static long frame_right(unsigned long first, unsigned long count, bool allow)
{
    struct xen_domctl op = {
        .u.iomem_permission = {.first_mfn = first,
                               .nr_mfns = count,
                               .allow_access = allow},
    };

    return tiny_domctl(puppet_domid(), &op, XEN_DOMCTL_iomem_permission);
}

static long frame_mapping(unsigned long frame, bool add)
{
    struct xen_domctl op = {
        .u.memory_mapping = {.first_gfn = frame,
                             .first_mfn = frame,
                             .nr_mfns = 1,
                             .add_mapping = add},
    };

    return tiny_domctl(puppet_domid(), &op, XEN_DOMCTL_memory_mapping);
}

static long line_right(unsigned int pirq, bool allow)
{
    struct xen_domctl op = {
        .u.irq_permission = {.pirq = (uint8_t)pirq, .allow_access = allow},
    };

    return tiny_domctl(puppet_domid(), &op, XEN_DOMCTL_irq_permission);
}

/* ---- ports ---------------------------------------------------------------- */

static long guest_in(unsigned int port)
{
    return puppet_do(PUPPET_IN8, port, 0, 0, 0);
}

/* It reads nothing, and what it writes is not written. */
static void port_is_closed(const char *when)
{
    outb(SCRATCH, 0x5a);
    expect(when, guest_in(SCRATCH), 0xff);
    expect(when, puppet_do(PUPPET_OUT8, SCRATCH, 0xa5, 0, 0), 0);
    expect(when, inb(SCRATCH), 0x5a);
}

static void port_is_open(const char *when)
{
    outb(SCRATCH, 0x5a);
    expect(when, guest_in(SCRATCH), 0x5a);
    expect(when, puppet_do(PUPPET_OUT8, SCRATCH, 0xa5, 0, 0), 0);
    expect(when, inb(SCRATCH), 0xa5);
}

static void check_port(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};

    expect("in without privilege", guest_in(SCRATCH), PUPPET_FAULT);
    expect("set_iopl",
           puppet_op(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &iopl,
                     sizeof(iopl)),
           0);
    port_is_closed("before it is given");
    expect("give a port", port_right(SCRATCH, 1, true), 0);
    port_is_open("given");
    /* Its neighbours: the modem's state, which is not all ones, and control. */
    outb(COM2 + UART_MCR, 0);
    CHECK(inb(SCRATCH - 1) != 0xff, "the port beside says nothing");
    expect("the port below", guest_in(SCRATCH - 1), 0xff);
    expect("the port above", guest_in(SCRATCH + 1), 0xff);
    expect("two ports, of which one is given",
           puppet_do(PUPPET_IN16, SCRATCH - 1, 0, 0, 0), 0xa5ff);
    (void)puppet_do(PUPPET_OUT8, COM2 + UART_MCR, 3, 0, 0);
    expect("another register", inb(COM2 + UART_MCR), 0);
    (void)puppet_do(PUPPET_OUT16, COM2 + UART_MCR, 0x0303, 0, 0);
    expect("another register", inb(COM2 + UART_MCR), 0);
    (void)puppet_do(PUPPET_OUT16, SCRATCH - 1, 0x3cff, 0, 0);
    expect("of two ports the one given", inb(SCRATCH), 0x3c);
    expect("take it away", port_right(SCRATCH, 1, false), 0);
    port_is_closed("taken away");
}

static void check_port_ranges(void)
{
    static const struct {
        unsigned int first, count;
    } ours[] = {{0x20, 1},    {0x43, 1},  {0x61, 1}, {0xcf8, 8},
                {0, 0x10000}, {0x3f8, 1}, {0x1f, 3}};

    expect("give eight", port_right(COM2, 8, true), 0);
    expect("take one of them away", port_right(COM2 + 3, 1, false), 0);
    port_is_open("around the one taken away");
    CHECK(inb(COM2 + 3) != 0xff, "the line's format");
    expect("the one taken away", guest_in(COM2 + 3), 0xff);
    expect("beside it", guest_in(COM2 + 4), inb(COM2 + 4));
    expect("take what is left", port_right(COM2, 8, false), 0);
    port_is_closed("all taken away");
    for (unsigned int i = 0; i < ARRAY_SIZE(ours); i++) {
        long rc = port_right(ours[i].first, ours[i].count, true);

        CHECK(rc == -XEN_EPERM, "give the hypervisor's ports from %x: %ld",
              ours[i].first, rc);
    }
    expect("give no port", port_right(COM2, 0, true), -XEN_EINVAL);
    expect("give more than there are", port_right(0xffff, 2, true),
           -XEN_EINVAL);
}

/* ---- memory ---------------------------------------------------------------- */

static long guest_map(unsigned long frame, uint64_t flags)
{
    return puppet_do(__HYPERVISOR_update_va_mapping, PUPPET_WINDOW,
                     frame << PAGE_SHIFT | flags, UVMF_INVLPG, 0);
}

static void frame_is_closed(const char *when, unsigned long frame)
{
    expect(when, guest_map(frame, PTE_FLAGS_DATA), -XEN_EPERM);
    expect(when, guest_map(frame, PTE_FLAGS_RO), -XEN_EPERM);
    expect(when,
           puppet_do(__HYPERVISOR_update_va_mapping_otherdomain, PUPPET_WINDOW,
                     frame << PAGE_SHIFT | PTE_FLAGS_RO, UVMF_INVLPG, DOMID_IO),
           -XEN_EPERM);
    expect(when, frame_mapping(frame, true), -XEN_EPERM);
    expect(when, puppet_do(PUPPET_READ32, PUPPET_WINDOW, 0, 0, 0),
           PUPPET_FAULT);
}

static void check_frame(void)
{
    const volatile uint32_t *hpet = (const volatile uint32_t *)window;

    CHECK(mm_map(window, HPET_FRAME << PAGE_SHIFT, PTE_FLAGS_DATA) == 0,
          "map the HPET ourselves");
    frame_is_closed("before it is given", HPET_FRAME);
    expect("give a frame", frame_right(HPET_FRAME, 1, true), 0);
    expect("memory_mapping", frame_mapping(HPET_FRAME, true), 0);
    frame_is_closed("the frame below", HPET_FRAME - 1);
    frame_is_closed("the frame above", HPET_FRAME + 1);
    expect("map it", guest_map(HPET_FRAME, PTE_FLAGS_DATA), 0);
    expect("what it reads there",
           puppet_do(PUPPET_READ32, PUPPET_WINDOW, 0, 0, 0), (long)hpet[0]);
    expect("unmap it", guest_map(0, 0), 0);
    expect("take it away", frame_right(HPET_FRAME, 1, false), 0);
    frame_is_closed("taken away", HPET_FRAME);
    CHECK(mm_protect(window, 0) == 0, "unmap the HPET");
}

/* What Dom0 itself has not got it cannot give; memory is no device. */
static void check_frame_ranges(void)
{
    unsigned long mine = mm_mfn(own);

    expect("give the local APIC", frame_right(0xfee00, 1, true), -XEN_EPERM);
    expect("give an IO-APIC", frame_right(0xfec00, 1, true), -XEN_EPERM);
    expect("give all", frame_right(0, 1UL << 24, true), -XEN_EPERM);
    expect("give none", frame_right(HPET_FRAME, 0, true), -XEN_EINVAL);
    expect("give a page of our own", frame_right(mine, 1, true), 0);
    expect("which is not a device's", guest_map(mine, PTE_FLAGS_DATA),
           -XEN_EINVAL);
    expect("not to read, either", guest_map(mine, PTE_FLAGS_RO), -XEN_EINVAL);
    expect("take it away", frame_right(mine, 1, false), 0);
}

/* ---- an interrupt ----------------------------------------------------------- */

static long guest_map_line(unsigned int gsi)
{
    struct physdev_map_pirq op = {.domid = DOMID_SELF,
                                  .type = MAP_PIRQ_TYPE_GSI,
                                  .index = (int)gsi,
                                  .pirq = (int)gsi};

    return puppet_op(__HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq, &op,
                     sizeof(op));
}

static long guest_bind(unsigned int pirq, evtchn_port_t *ret_port)
{
    struct evtchn_bind_pirq op = {.pirq = pirq};
    long rc = puppet_op(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, &op,
                        sizeof(op));

    *ret_port = op.port;
    return rc;
}

static long guest_close(evtchn_port_t port)
{
    struct evtchn_close op = {.port = port};

    return puppet_op(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &op,
                     sizeof(op));
}

static long for_it(unsigned int cmd, bool map)
{
    struct physdev_map_pirq on = {.domid = puppet_domid(),
                                  .type = MAP_PIRQ_TYPE_GSI,
                                  .index = COM2_IRQ,
                                  .pirq = COM2_IRQ};
    struct physdev_unmap_pirq off = {.domid = puppet_domid(), .pirq = COM2_IRQ};

    return hypercall2(__HYPERVISOR_physdev_op, cmd,
                      map ? (unsigned long)&on : (unsigned long)&off);
}

/* The line's chip has nothing to send: it interrupts when it may. */
static bool interrupt_comes(evtchn_port_t port)
{
    uint64_t deadline = time_now_ns() + 100 * NS_PER_MS;
    uint64_t seen = 0;

    (void)puppet_seen();
    outb(COM2 + UART_MCR, MCR_OUT2);
    outb(COM2 + UART_IER, IER_EMPTY);
    while (!(seen & 1UL << port) && time_now_ns() < deadline) {
        time_sleep_ns(NS_PER_MS);
        seen |= puppet_seen();
    }
    outb(COM2 + UART_IER, 0);
    outb(COM2 + UART_MCR, 0);
    return (seen & 1UL << port) != 0;
}

static void line_is_closed(const char *when, unsigned int gsi)
{
    evtchn_port_t port;

    expect(when, guest_map_line(gsi), -XEN_EPERM);
    expect(when, guest_bind(gsi, &port), -XEN_EINVAL);
}

static void check_line(void)
{
    evtchn_port_t port;

    line_is_closed("before it is given", COM2_IRQ);
    expect("give a line", line_right(COM2_IRQ, true), 0);
    line_is_closed("the line below", COM2_IRQ - 1);
    line_is_closed("the line above", COM2_IRQ + 1);
    expect("map it", guest_map_line(COM2_IRQ), 0);
    expect("bind it", guest_bind(COM2_IRQ, &port), 0);
    CHECK(interrupt_comes(port), "its interrupt does not come");
    expect("close it", guest_close(port), 0);
    CHECK(!interrupt_comes(port), "it comes though nobody is bound");
    expect("take it away", line_right(COM2_IRQ, false), 0);
    expect("bind it, still mapped", guest_bind(COM2_IRQ, &port), -XEN_EPERM);
    expect("unmap it", for_it(PHYSDEVOP_unmap_pirq, false), 0);
    line_is_closed("taken away", COM2_IRQ);
}

/* As the tools do: mapped for it, which gives it, too; then the right. */
static void check_line_of_tools(void)
{
    evtchn_port_t port;

    expect("map a line for it", for_it(PHYSDEVOP_map_pirq, true), 0);
    expect("give it, too", line_right(COM2_IRQ, true), 0);
    expect("bind it", guest_bind(COM2_IRQ, &port), 0);
    CHECK(interrupt_comes(port), "its interrupt does not come");
    /* Under its hands. */
    expect("unmap it", for_it(PHYSDEVOP_unmap_pirq, false), 0);
    CHECK(!interrupt_comes(port), "it comes though it is not mapped");
    expect("take it away", line_right(COM2_IRQ, false), 0);
    line_is_closed("taken away", COM2_IRQ);
    (void)guest_close(port);
}

/* ---- what is raised for the control domain ---------------------------------- */

static void check_virq(void)
{
    struct evtchn_bind_virq op = {.virq = VIRQ_DOM_EXC};
    struct evtchn_bind_virq mine = {.virq = VIRQ_DOM_EXC};
    static struct tiny other;

    CHECK(hc_evtchn_op(EVTCHNOP_bind_virq, &mine) == 0, "bind it ourselves");
    expect("bind what is raised when domains end",
           puppet_op(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &op,
                     sizeof(op)),
           0);
    (void)puppet_seen();
    if (CHECK(tiny_build(&other, TINY_SHUTS_DOWN) == 0, "make another") &&
        CHECK(tiny_unpause(&other) == 0, "unpause it")) {
        tiny_await(mine.port);
    }
    /* Had it been sent to both, it would have come before this answer. */
    (void)puppet_do(PUPPET_READ32, 0xffffffff80000000UL, 0, 0, 0);
    CHECK((puppet_seen() & 1UL << op.port) == 0, "a guest heard of it");
    CHECK(tiny_destroy(&other) == 0, "destroy the other");
}

void keeper_main(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};

    (void)hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl,
                     (unsigned long)&iopl);
    outb(SCRATCH, 0x5a);
    if (inb(SCRATCH) != 0x5a) {
        report(VERDICT_SKIP, "no second serial line");
        return;
    }
    if (!puppet_make()) {
        return;
    }
    check_port();
    check_port_ranges();
    check_frame();
    check_frame_ranges();
    check_line();
    check_line_of_tools();
    check_virq();
    puppet_end();
}
