/* SPDX-License-Identifier: MIT */
/*
 * churn/visitor.h - the guest that comes and goes: what Dom0 asks it to take,
 * and how its life ends.
 *
 * It runs the stub's own code, copied, at the address it was linked for, and
 * knows nothing but its first page, struct visitor_page.
 */
#ifndef VIGIL_STUBS_VISITOR_H
#define VIGIL_STUBS_VISITOR_H

#include "../bench/tiny.h"

#include <xen/event_channel.h>

#define VISITOR_VCPUS 4U

/* What it takes, and does not give back. */
#define TAKE_GRANTS      0x001U /* two grants, and one of Dom0's mapped    */
#define TAKE_V2          0x002U /* with a table of version 2               */
#define TAKE_PORTS       0x004U /* of every kind, hundreds                 */
#define TAKE_FIFO        0x008U /* with FIFO queues                        */
#define TAKE_TIMERS      0x010U /* one shot and periodic, on each vcpu     */
#define TAKE_AREAS       0x020U /* runstate, time, vcpu_info               */
#define TAKE_DESCRIPTORS 0x040U /* GDT, LDT, trap table                    */
#define TAKE_PINS        0x080U /* trees of page tables                    */
#define TAKE_BALLOON     0x100U /* a page given back, another one got      */
#define TAKE_EVERYTHING  0x1ffU
#define TAKE_MANY        0x200U /* FIFO pages and records of grants        */

/* Of TAKE_MANY: with those of TAKE_FIFO, and each a mapped grant. */
#define VISITOR_FIFO_PAGES 128U
#define VISITOR_RECORDS    120000U

/* How it ends. */
enum visitor_end {
    END_BLOCK,    /* blocked for ever                        */
    END_POLL,     /* in a poll                               */
    END_HOG,      /* runs                                    */
    END_CALLS,    /* runs, in hypercalls that take and give  */
    END_POWEROFF, /* by itself                               */
    END_CRASH,
    END_KILLED, /* an exception nobody handles             */
    END_SUSPEND,
    END_PAUSED, /* paused while it runs                    */
    END_UNBORN, /* never unpaused                          */
    END_COUNT,
};

/* Its pages behind the code, in the order of their addresses. */
enum visitor_slot {
    SLOT_DATA,
    SLOT_STACK, /* one of each vcpu */
    SLOT_CONTROL = SLOT_STACK + VISITOR_VCPUS,
    SLOT_ARRAY,
    SLOT_INFO,
    SLOT_GRANTED, /* two */
    SLOT_BALLOON = SLOT_GRANTED + 2,
    SLOT_MAPPED, /* so many are mapped; the others only there */
    SLOT_GDT = SLOT_MAPPED,
    SLOT_LDT,
    SLOT_TREE_L1, /* L2, L3, L4 follow: to be pinned */
    SLOT_L1 = SLOT_TREE_L1 + 4,
    SLOT_L4 = SLOT_L1 + 3,
    SLOT_COUNT,
    /* Addresses without a page, for what is not its own. */
    SLOT_SHARED = SLOT_COUNT,
    SLOT_GRANT_TABLE,
    SLOT_STATUS,
    SLOT_WINDOW,
};

#define SLOT_VA(slot) (VIRT_BASE + (unsigned long)(slot)*PAGE_SIZE)

/* Its first page. */
struct visitor_page {
    uint32_t take, end;
    uint32_t vcpus;
    domid_t self;
    uint64_t frame[SLOT_COUNT];
    evtchn_port_t dom0_port; /* Dom0's, unbound, for it */
    grant_ref_t dom0_ref;
    /* What it says. */
    evtchn_port_t port;   /* its own, unbound, for Dom0         */
    evtchn_port_t notify; /* bound to dom0_port                 */
    uint32_t line;        /* of visitor.c, where it failed; 0   */
    int64_t rc;           /* what the hypervisor said there     */
    uint32_t loops;       /* of END_CALLS                       */
    uint64_t runstate[VISITOR_VCPUS][8];
    uint64_t time[VISITOR_VCPUS][8];
};

#define VISITOR ((struct visitor_page *)SLOT_VA(SLOT_DATA))

/* Its grants, from the first that nobody uses for something else. */
#define VISITOR_REF 8U

/**
 * visitor_main() - where each of its vcpus begins
 * @vcpu: its number
 *
 * Context: in the guest alone.
 * Return:  does not return
 */
void visitor_main(unsigned int vcpu) __attribute__((noreturn));

#endif /* VIGIL_STUBS_VISITOR_H */
