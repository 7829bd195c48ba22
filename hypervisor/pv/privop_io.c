/* SPDX-License-Identifier: MIT */
/*
 * pv/privop_io.c - port I/O of guests: who may, and what the ports are.
 *
 *   0x20 0x21 0xa0 0xa1   the hypervisor's interrupt controllers: nothing
 *   0x40 0x41             its timers: nothing
 *   0x42 0x43 0x61        timer channel 2 and the speaker gate, control
 *                         domain only
 *   0x70 0x71             CMOS: index shadowed, data from the chip for who
 *                         owns the ports
 *   0xcf8 0xcfc           PCI configuration: address shadowed, data for the
 *                         control domain
 *   the serial line's     the hypervisor's console: nothing
 *   all else              by the domain's set of ports
 */
#include "domain/rights.h"
#include "pv/privop_io.h"

#include "x86/exc.h"
#include "x86/io.h"
#include "x86/msr.h"
#include "cpu/softirq.h"
#include "dev/pci_guard.h"
#include "dev/rtc.h"
#include "dev/uart16550.h"
#include "pv/bounce.h"
#include "pv/guest_access.h"
#include "pv/pv.h"
#include "pv/switch.h"

#define PORT_PIT_CH2     0x42
#define PORT_PIT_MODE    0x43
#define PORT_SPEAKER     0x61
#define PORT_CMOS_INDEX  0x70
#define PORT_CMOS_DATA   0x71
#define PORT_PCI_ADDRESS 0xcf8
#define PORT_PCI_DATA    0xcfc

/* Elements of a rep that are done before the guest may be interrupted. */
#define REP_ELEMENTS_MAX 1024

static uint32_t all_ones(unsigned int bytes)
{
    return bytes >= 4 ? ~0U : (1U << (8 * bytes)) - 1;
}

static bool domain_owns_ports(const struct domain *d, uint16_t port,
                              unsigned int bytes)
{
    return rights_look(d, &d->io_ports, port, (uint64_t)port + bytes - 1);
}

/*
 * Ports with a meaning of their own here, whoever owns them, a bit for each:
 * 0x20 0x21, 0x40-0x43, 0x61, 0x70 0x71, 0xa0 0xa1.  One byte more, because
 * two are looked at.
 */
#define LOW_PORTS 0xc0U
static const uint8_t mediated_low[LOW_PORTS / 8 + 1] = {
    [0x20 / 8] = 0x03, [0x40 / 8] = 0x0f, [0x60 / 8] = 0x02,
    [0x70 / 8] = 0x03, [0xa0 / 8] = 0x03,
};

static bool any_mediated(unsigned int port, unsigned int bytes)
{
    unsigned int uart = uart_port_base();

    if (port + bytes > uart && port < uart + UART_PORT_COUNT && uart != 0) {
        return true;
    }
    if (port < LOW_PORTS) {
        unsigned int bits =
            mediated_low[port / 8] | mediated_low[port / 8 + 1] << 8;

        return (bits >> (port % 8) & ((1U << bytes) - 1)) != 0;
    }
    /* PCI data, which misaligned accesses reach. */
    return port + bytes > PORT_PCI_DATA && port <= PORT_PCI_DATA + 3;
}

static uint32_t hardware_in(uint16_t port, unsigned int bytes)
{
    switch (bytes) {
    case 1:
        return inb(port);
    case 2:
        return inw(port);
    default:
        return inl(port);
    }
}

static void hardware_out(uint16_t port, unsigned int bytes, uint32_t value)
{
    switch (bytes) {
    case 1:
        outb(port, (uint8_t)value);
        break;
    case 2:
        outw(port, (uint16_t)value);
        break;
    default:
        outl(port, value);
        break;
    }
}

static uint8_t read_byte(struct domain *d, unsigned int port)
{
    switch (port) {
    case PORT_PIT_CH2:
        return d->is_privileged ? inb(PORT_PIT_CH2) : 0xff;
    case PORT_SPEAKER:
        /* The NMI status bits are ours: shared info has the guest's view. */
        return d->is_privileged ? inb(PORT_SPEAKER) & 0x3f : 0xff;
    case PORT_CMOS_INDEX:
        return d->pv->cmos_index;
    case PORT_CMOS_DATA:
        return d->is_privileged || domain_owns_ports(d, PORT_CMOS_INDEX, 2)
                   ? rtc_read(d->pv->cmos_index)
                   : 0xff;
    default:
        if (port > 0xffff || any_mediated(port, 1) ||
            !domain_owns_ports(d, (uint16_t)port, 1)) {
            return 0xff;
        }
        return inb((uint16_t)port);
    }
}

static void write_byte(struct domain *d, unsigned int port, uint8_t value)
{
    switch (port) {
    case PORT_PIT_CH2:
        if (d->is_privileged) {
            outb(PORT_PIT_CH2, value);
        }
        break;
    case PORT_PIT_MODE:
        /* Channel 2 only; of a read-back command, its part for channel 2. */
        if (d->is_privileged && value >> 6 == 2) {
            outb(PORT_PIT_MODE, value);
        } else if (d->is_privileged && value >> 6 == 3 && (value & 8) != 0) {
            outb(PORT_PIT_MODE, (uint8_t)(value & ~0x06));
        }
        break;
    case PORT_SPEAKER:
        /* Gate and speaker; the NMI enables stay as they are. */
        if (d->is_privileged) {
            outb(PORT_SPEAKER,
                 (uint8_t)((inb(PORT_SPEAKER) & 0x0c) | (value & 0x03)));
        }
        break;
    case PORT_CMOS_INDEX:
        /* Bit 7 would mask NMIs for the whole machine. */
        d->pv->cmos_index = value & 0x7f;
        break;
    case PORT_CMOS_DATA:
        if (d->is_privileged || domain_owns_ports(d, PORT_CMOS_INDEX, 2)) {
            rtc_write(d->pv->cmos_index, value);
        }
        break;
    default:
        if (port <= 0xffff && !any_mediated(port, 1) &&
            domain_owns_ports(d, (uint16_t)port, 1)) {
            outb((uint16_t)port, value);
        }
        break;
    }
}

/* An access within the PCI data register, naturally sized. */
static bool is_pci_data(uint16_t port, unsigned int bytes)
{
    return (port & 0xfffc) == PORT_PCI_DATA && (port & 3U) + bytes <= 4;
}

uint32_t guest_io_read(struct domain *d, uint16_t port, unsigned int bytes)
{
    uint32_t value = 0;

    if (port == PORT_PCI_ADDRESS && bytes == 4) {
        return d->pv->pci_cf8;
    }
    if (is_pci_data(port, bytes)) {
        return d->is_privileged
                   ? pci_guest_port_read(d->pv->pci_cf8, port & 3U, bytes) &
                         all_ones(bytes)
                   : all_ones(bytes);
    }
    if (!any_mediated(port, bytes) && domain_owns_ports(d, port, bytes)) {
        return hardware_in(port, bytes);
    }
    for (unsigned int i = 0; i < bytes; i++) {
        value |= (uint32_t)read_byte(d, port + i) << (8 * i);
    }
    return value;
}

void guest_io_write(struct domain *d, uint16_t port, unsigned int bytes,
                    uint32_t value)
{
    if (port == PORT_PCI_ADDRESS && bytes == 4) {
        d->pv->pci_cf8 = value;
        return;
    }
    if (is_pci_data(port, bytes)) {
        if (d->is_privileged) {
            pci_guest_port_write(d->pv->pci_cf8, port & 3U, bytes, value);
        }
        return;
    }
    if (!any_mediated(port, bytes) && domain_owns_ports(d, port, bytes)) {
        hardware_out(port, bytes, value);
        return;
    }
    for (unsigned int i = 0; i < bytes; i++) {
        write_byte(d, port + i, (uint8_t)(value >> (8 * i)));
    }
}

/*
 * May this vcpu use the port in the mode it is in?  By IOPL (its kernel is
 * ring 1, its user mode ring 3), or by the bitmap its kernel gave us, where a
 * set bit forbids, as in a TSS (SDM 1, 19.5.2).
 */
static bool may_access(struct vcpu *v, uint16_t port, unsigned int bytes)
{
    const struct pv_vcpu *pv = v->pv;
    uint16_t bits = 0xffff;
    uint64_t at = pv->iobmp + port / 8;
    bool borrowed, readable;

    if ((pv->guest_kernel ? 1U : 3U) <= pv->iopl) {
        return true;
    }
    if (pv->iobmp == 0 || (unsigned int)port + bytes > pv->iobmp_limit) {
        return false;
    }
    /*
     * The bitmap is the kernel's: user mode does not map it, or maps memory
     * of its own there.  Two bytes cover any access; the second may lie
     * beyond the bitmap.
     */
    borrowed = pv_borrow_kernel_tables(v);
    readable = copy_from_guest(&bits, at, 2) == 0 ||
               ((port & 7U) + bytes <= 8 && copy_from_guest(&bits, at, 1) == 0);
    pv_return_tables(v, borrowed);
    if (!readable) {
        return false;
    }
    return (bits >> (port & 7) & ((1U << bytes) - 1)) == 0;
}

/* Write an input of @bytes to rax as the processor does. */
static void set_rax(struct cpu_regs *regs, unsigned int bytes, uint32_t value)
{
    switch (bytes) {
    case 1:
        regs->rax = (regs->rax & ~0xffUL) | (value & 0xff);
        break;
    case 2:
        regs->rax = (regs->rax & ~0xffffUL) | (value & 0xffff);
        break;
    default:
        regs->rax = value;
        break;
    }
}

static uint64_t segment_base(uint8_t segment)
{
    switch (segment) {
    case INSN_SEG_FS:
        return rdmsr(MSR_FS_BASE);
    case INSN_SEG_GS:
        return rdmsr(MSR_GS_BASE);
    default:
        return 0;
    }
}

/* Add @delta to a register of which the instruction uses @addr_bytes. */
static void step_register(uint64_t *reg, unsigned int addr_bytes, int64_t delta)
{
    uint64_t value = *reg + (uint64_t)delta;

    *reg = addr_bytes == 4 ? (uint32_t)value : value;
}

static uint64_t masked(uint64_t reg, unsigned int addr_bytes)
{
    return addr_bytes == 4 ? (uint32_t)reg : reg;
}

/* One element of ins or outs; false: guest memory is missing. */
static bool string_element(struct vcpu *v, struct cpu_regs *regs,
                           const struct privop_insn *insn, uint64_t base)
{
    uint16_t port = (uint16_t)regs->rdx;
    unsigned int bytes = insn->io_bytes;
    int64_t step = regs->rflags & RFLAGS_DF ? -(int64_t)bytes : (int64_t)bytes;
    bool is_in = insn->op == PRIVOP_INS;
    uint64_t *index = is_in ? &regs->rdi : &regs->rsi;
    uint64_t va = masked(*index, insn->addr_bytes) + base;
    uint32_t value = 0;

    if (is_in) {
        value = guest_io_read(v->domain, port, bytes);
        if (copy_to_guest(va, &value, bytes) != 0) {
            pv_bounce_page_fault(v, va, PFEC_WRITE | PFEC_USER);
            return false;
        }
    } else {
        if (copy_from_guest(&value, va, bytes) != 0) {
            pv_bounce_page_fault(v, va, PFEC_USER);
            return false;
        }
        guest_io_write(v->domain, port, bytes, value);
    }
    step_register(index, insn->addr_bytes, step);
    return true;
}

static enum privop_io_result string_io(struct vcpu *v, struct cpu_regs *regs,
                                       const struct privop_insn *insn)
{
    uint64_t base = insn->op == PRIVOP_OUTS ? segment_base(insn->segment) : 0;

    if (!insn->repeat) {
        return string_element(v, regs, insn, base) ? PRIVOP_IO_DONE
                                                   : PRIVOP_IO_FAULT;
    }
    for (unsigned int i = 0; masked(regs->rcx, insn->addr_bytes) != 0; i++) {
        /* rcx, rsi and rdi say how far we are, as on real hardware. */
        if (i == REP_ELEMENTS_MAX || (i != 0 && softirq_pending())) {
            return PRIVOP_IO_AGAIN;
        }
        if (!string_element(v, regs, insn, base)) {
            return PRIVOP_IO_FAULT;
        }
        step_register(&regs->rcx, insn->addr_bytes, -1);
    }
    return PRIVOP_IO_DONE;
}

enum privop_io_result privop_io(struct vcpu *v, struct cpu_regs *regs,
                                const struct privop_insn *insn)
{
    uint16_t port = insn->port_in_insn ? insn->port : (uint16_t)regs->rdx;
    unsigned int bytes = insn->io_bytes;

    if (!may_access(v, port, bytes)) {
        return PRIVOP_IO_REFUSED;
    }
    if (insn->op == PRIVOP_INS || insn->op == PRIVOP_OUTS) {
        return string_io(v, regs, insn);
    }
    if (insn->op == PRIVOP_IN) {
        set_rax(regs, bytes, guest_io_read(v->domain, port, bytes));
    } else {
        guest_io_write(v->domain, port, bytes, (uint32_t)regs->rax);
    }
    return PRIVOP_IO_DONE;
}
