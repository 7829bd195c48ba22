/* SPDX-License-Identifier: MIT */
/*
 * domain/death.c - a ring of death records, oldest overwritten and counted.
 *
 * A record is written where it will be read, without the lock, for the guest's
 * stack is copied into it: its place in the ring is taken first, with no number
 * in it, and the number is what makes it one.
 */
#include "domain/death.h"

#include "cpu/clock.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "sync/spinlock.h"
#include "log/printk.h"

#define DEATHS_KEPT 64

/* Legend:  R ring_lock   c constant after boot   p only this CPU */
static SPINLOCK(ring_lock, LOCK_RANK_DOMAIN, IRQ_ANY);
static struct vigil_death ring[DEATHS_KEPT]; /* R, the rest whoever took it */
static uint64_t newest_seq;                  /* R: numbers given so far     */
static death_detail_fn add_detail;           /* c */
static uint64_t next_maddr[NR_CPUS]; /* p, 0: next death is not about memory */

static const char *const names[VIGIL_DEATH_MAX] = {
    [VIGIL_DEATH_NONE] = "no reason",
    [VIGIL_DEATH_GUEST_CRASH] = "the guest said it crashed",
    [VIGIL_DEATH_NO_TRAP_HANDLER] = "exception without a handler",
    [VIGIL_DEATH_BAD_STACK] = "its stack cannot be written",
    [VIGIL_DEATH_BAD_IRET] = "its iret frame cannot be read",
    [VIGIL_DEATH_NO_USER_TABLE] = "return to user mode without page tables",
    [VIGIL_DEATH_NO_FAILSAFE] = "bad selector without a failsafe callback",
    [VIGIL_DEATH_VMCE_UNHANDLED] = "memory error without a #MC handler",
    [VIGIL_DEATH_VMCE_OVERRUN] = "memory error while handling another",
    [VIGIL_DEATH_BAD_PAGETABLE] = "its page tables cannot be mended",
    [VIGIL_DEATH_MEMORY_ERROR] = "memory error in a page Vigil keeps for it",
    [VIGIL_DEATH_GRANT_ABUSE] = "a granted frame vanished under a mapping",
    [VIGIL_DEATH_TRIPLE_FAULT] = "fault while delivering a fault",
    [VIGIL_DEATH_BAD_CONTEXT] = "vcpu state that cannot be loaded",
    [VIGIL_DEATH_WATCHDOG] = "its watchdog fired",
    [VIGIL_DEATH_ASYNC_HYPERCALL] = "corrupted hypercall state",
    [VIGIL_DEATH_BAD_IDLE] = "its last vcpu went down",
};

void death_plug(death_detail_fn fn)
{
    add_detail = fn;
}

const char *death_name(uint32_t code)
{
    return code < VIGIL_DEATH_MAX && names[code] != NULL ? names[code]
                                                         : "unknown reason";
}

void death_set_maddr(uint64_t maddr)
{
    next_maddr[this_cpu_id()] = maddr;
}

uint64_t death_count(void)
{
    return READ_ONCE(newest_seq);
}

static void fill_regs(struct vigil_death *rec, const struct cpu_regs *r)
{
    rec->rax = r->rax;
    rec->rbx = r->rbx;
    rec->rcx = r->rcx;
    rec->rdx = r->rdx;
    rec->rsi = r->rsi;
    rec->rdi = r->rdi;
    rec->rbp = r->rbp;
    rec->rsp = r->rsp;
    rec->r8 = r->r8;
    rec->r9 = r->r9;
    rec->r10 = r->r10;
    rec->r11 = r->r11;
    rec->r12 = r->r12;
    rec->r13 = r->r13;
    rec->r14 = r->r14;
    rec->r15 = r->r15;
    rec->rip = r->rip;
    rec->rflags = r->rflags;
    rec->cs = r->cs;
    rec->ss = r->ss;
    rec->vector = r->entry_vector;
    rec->error_code = r->error_code;
}

void death_record(struct domain *d, struct vcpu *v, uint32_t code,
                  const char *text)
{
    struct vigil_death *rec;
    uint64_t seq;

    spin_lock(&ring_lock);
    seq = ++newest_seq;
    rec = &ring[(seq - 1) % DEATHS_KEPT];
    memset(rec, 0, sizeof(*rec));
    spin_unlock(&ring_lock);
    rec->time_ns = clock_wall_base_ns() + clock_now_ns();
    rec->code = code;
    rec->domid = d->domid;
    rec->maddr = next_maddr[this_cpu_id()];
    next_maddr[this_cpu_id()] = 0;
    memcpy(rec->uuid, d->handle, sizeof(rec->uuid));
    strlcpy(rec->text, text, sizeof(rec->text));
    if (v != NULL) {
        rec->vcpu = (uint16_t)v->vcpu_id;
        fill_regs(rec, vcpu_regs(v));
        if (add_detail != NULL) {
            add_detail(v, rec);
        }
    }
    spin_lock(&ring_lock);
    rec->seq = seq;
    spin_unlock(&ring_lock);
    /* What an ordinary guest did to itself is no error of ours. */
    printk(d->is_privileged ? LOG_ERROR : LOG_WARNING,
           "domain: d%uv%u died: %s: %s", d->domid, v != NULL ? v->vcpu_id : 0,
           death_name(code), text);
}

int domain_death_next(uint64_t after_seq, struct vigil_death *ret_death,
                      uint64_t *ret_lost)
{
    uint64_t oldest, want = after_seq + 1;
    int rc = -ENOENT;

    spin_lock(&ring_lock);
    oldest = newest_seq > DEATHS_KEPT ? newest_seq - DEATHS_KEPT + 1 : 1;
    if (after_seq < newest_seq) {
        const struct vigil_death *rec;

        *ret_lost = want < oldest ? oldest - want : 0;
        want = MAX(want, oldest);
        rec = &ring[(want - 1) % DEATHS_KEPT];
        /* Still being written: it comes before those after it. */
        if (rec->seq == want) {
            *ret_death = *rec;
            rc = 0;
        }
    }
    spin_unlock(&ring_lock);
    return rc;
}
