/* SPDX-License-Identifier: MIT */
/*
 * pv/privop_io.h - port I/O of guests: who may, and what the ports are.
 *
 * Every in and out of a PV guest traps, because its hardware IOPL is 0.
 * Whether it may is decided by the virtual IOPL (the guest's kernel counts
 * as ring 1) or the guest's own I/O bitmap; what it reaches by the domain's
 * set of ports.  Ports outside that set float: reads are all ones, writes go
 * nowhere.
 */
#ifndef VIGIL_PV_PRIVOP_IO_H
#define VIGIL_PV_PRIVOP_IO_H

#include "lib/compiler.h"
#include "x86/regs.h"
#include "domain/vcpu.h"
#include "pv/privop_decode.h"

enum privop_io_result {
    PRIVOP_IO_DONE,    /* registers updated; advance rip               */
    PRIVOP_IO_AGAIN,   /* part of a rep is done: run it again          */
    PRIVOP_IO_REFUSED, /* no right to this port: #GP                   */
    PRIVOP_IO_FAULT,   /* guest memory missing: #PF was queued         */
};

/**
 * privop_io() - perform a decoded IN, OUT, INS or OUTS
 * @v:    the current vcpu
 * @regs: its frame; rip is left to the caller
 * @insn: decoded
 *
 * Context: exception path of the current vcpu.
 * Return:  see enum privop_io_result
 */
enum privop_io_result privop_io(struct vcpu *v, struct cpu_regs *regs,
                                const struct privop_insn *insn) MUST_CHECK;

/**
 * guest_io_read() - what a domain reads from a port
 * @d:     domain
 * @port:  first port
 * @bytes: 1, 2 or 4
 *
 * Context: any but NMI/#MC.
 * Return:  the value; all ones where the domain has no right
 */
uint32_t guest_io_read(struct domain *d, uint16_t port, unsigned int bytes);

/**
 * guest_io_write() - a domain writes to a port
 * @d:     domain
 * @port:  first port
 * @bytes: 1, 2 or 4
 * @value: the low @bytes count
 *
 * Context: any but NMI/#MC.
 */
void guest_io_write(struct domain *d, uint16_t port, unsigned int bytes,
                    uint32_t value);

#endif
