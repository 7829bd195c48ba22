/* SPDX-License-Identifier: MIT */
/*
 * hypercall/debug_keys.c - xl debug-keys: one letter, one report.
 *
 * The letters are Xen's.  Reports go to the console, so `xl dmesg` shows them.
 */
#include "hypercall/debug_keys.h"

#include "lib/compiler.h"
#include "lib/format.h"
#include "lib/panic.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "crash/blackbox.h"
#include "crash/reboot.h"
#include "mm/page_alloc.h"
#include "dev/irq.h"
#include "cpu/tlb.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/pirq.h"
#include "domain/vcpu.h"
#include "domain/sched.h"
#include "hypercall/debug_keys_impl.h"
#include "pv/pv.h"

/* Call @fn for each domain, in order of domid. */
static void each_domain(void (*fn)(struct domain *d))
{
    struct domain *d = domain_next(0);

    while (d != NULL) {
        domid_t domid = d->domid;

        fn(d);
        domain_put(d);
        d = domain_next((domid_t)(domid + 1));
    }
}

static void print_registers(struct vcpu *v)
{
    const struct cpu_regs *r = vcpu_regs(v);

    printk(LOG_NOTICE, "d%uv%u: rip %04x:%016lx rflags %016lx rsp %016lx",
           v->domain->domid, v->vcpu_id, r->cs, r->rip, r->rflags, r->rsp);
    printk(LOG_NOTICE, "  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax,
           r->rbx, r->rcx, r->rdx);
    printk(LOG_NOTICE, "  rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi,
           r->rdi, r->rbp, r->r8);
    printk(LOG_NOTICE, "  r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9,
           r->r10, r->r11, r->r12);
    printk(LOG_NOTICE, "  r13 %016lx r14 %016lx r15 %016lx cr2 %016lx", r->r13,
           r->r14, r->r15, v->vcpu_info->arch.cr2);
}

static void print_vcpu_state(struct domain *d, const struct vcpu *v)
{
    printk(LOG_NOTICE,
           "  v%u: %s hold %#x runstate %d upcall pending %u masked %u nmi %u "
           "mce %u",
           v->vcpu_id, v->is_running ? "running" : "stopped", v->hold,
           v->runstate.state,
           d->shared_info != NULL ? v->vcpu_info->evtchn_upcall_pending : 0,
           d->shared_info != NULL ? v->vcpu_info->evtchn_upcall_mask : 0,
           v->nmi_pending, v->mce_pending);
}

static void print_domain(struct domain *d)
{
    unsigned int i;

    printk(LOG_NOTICE,
           "d%u: state %d refs %u pages %u of %u claimed %u vcpus %u "
           "shutdown code %u death %u",
           d->domid, (int)d->state, d->refs, d->tot_pages, d->max_pages,
           d->outstanding_pages, d->max_vcpus, d->shutdown_code, d->death_code);
    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            print_vcpu_state(d, d->vcpu[i]);
        }
    }
}

static void print_domain_registers(struct domain *d)
{
    unsigned int i;

    for (i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL && d->shared_info != NULL) {
            print_registers(d->vcpu[i]);
        }
    }
}

static void print_runnable(struct domain *d)
{
    unsigned int i;

    for (i = 0; i < d->max_vcpus; i++) {
        const struct vcpu *v = d->vcpu[i];

        if (v != NULL && (v->is_running || v->sched_state == SCHED_QUEUED)) {
            printk(LOG_NOTICE, "  d%uv%u %s on CPU %u, affinity %lx soft %lx",
                   d->domid, i, v->is_running ? "running" : "queued",
                   v->processor, v->hard_affinity, v->soft_affinity);
        }
    }
}

static void key_domains(void)
{
    const struct tlb_counters *t = &tlb_counters;

    each_domain(print_domain);
    printk(LOG_NOTICE,
           "TLB: %lu shootdowns, %lu interrupts, %lu CPUs spared, %lu slow",
           (unsigned long)t->shootdowns, (unsigned long)t->ipis,
           (unsigned long)t->spared, (unsigned long)t->slow);
}

static void key_registers(void)
{
    each_domain(print_domain_registers);
}

static void key_dom0_registers(void)
{
    print_domain_registers(dom0);
}

static void key_queues(void)
{
    struct sched_queue_state q;

    printk(LOG_NOTICE, "run queues at system time %lu ns:", clock_now_ns());
    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        if (!sched_cpu_is_used(cpu)) {
            continue;
        }
        sched_queue_state(cpu, &q);
        if (q.is_idle) {
            printk(LOG_NOTICE, "CPU %u: idle, %lu ns in all, clock %lu", cpu,
                   sched_idle_ns(cpu), q.clock_ns);
        } else {
            printk(LOG_NOTICE,
                   "CPU %u: d%uv%u runs, %u wait, %u of them may move, "
                   "clock %lu, slice ends at %ld",
                   cpu, q.domid, q.vcpu_id, q.ready, q.movable, q.clock_ns,
                   (long)q.slice_end_ns);
        }
    }
    each_domain(print_runnable);
}

static void print_tsc(struct domain *d)
{
    printk(LOG_NOTICE,
           "d%u: TSC mode %u, %s, incarnation %u, time offset %ld s", d->domid,
           d->tsc_mode, d->vtsc.is_on ? "emulated" : "the processor's",
           d->tsc_incarnation, (long)d->time_offset_s);
}

static void key_tsc(void)
{
    each_domain(print_tsc);
}

static void key_memory(void)
{
    struct page_alloc_stats mem;

    page_alloc_stats(&mem);
    printk(LOG_NOTICE, "memory: %lu frames, %lu free, of these %lu dirty",
           mem.total_frames, mem.free_frames, mem.dirty_frames);
}

static void print_irqs(bool msi)
{
    unsigned int irq;
    struct irq_info info;

    for (irq = 0; irq < NR_IRQS; irq++) {
        if (irq_info_get(irq, &info) != 0 || info.is_msi != msi ||
            (info.vector == 0 && !info.has_handler)) {
            continue;
        }
        printk(LOG_NOTICE,
               "irq %u: vector %#x to CPU %u, %s%s%s, %lu times, %u pauses, %s, "
               "pirq %d of d0",
               irq, info.vector, info.cpu, info.is_level ? "level" : "edge",
               info.is_active_low ? " low" : " high",
               info.is_masked ? " masked" : "", info.count, info.pauses,
               info.name != NULL ? info.name : "no handler",
               pirq_of_irq(dom0, irq));
    }
}

static void key_irqs(void)
{
    print_irqs(false);
}

static void key_msis(void)
{
    print_irqs(true);
}

static void key_events(void)
{
    each_domain(evtchn_dump);
}

static void key_grants(void)
{
    each_domain(grant_dump);
}

static void key_crash(void)
{
    panic("debug key C: crash asked for");
}

static void key_restart(void)
{
    pr_notice("debug key R: restarting");
    blackbox_clean("debug key R restarted the machine");
    machine_restart();
}

static void key_help(void);

static const struct debug_key {
    char key;
    bool is_report; /* part of '*' */
    void (*fn)(void);
    const char *what;
} debug_key_table[] = {
    {'+', false, debug_key_more, "show one log level more on the console"},
    {'-', false, debug_key_less, "show one log level less"},
    {'0', true, key_dom0_registers, "registers of the control domain"},
    {'B', true, debug_key_cpus, "where each processor is, with its stack"},
    {'C', false, key_crash, "crash the hypervisor, leaving a record"},
    {'G', false, debug_key_whose, "whose levels + and - change: ours, guests'"},
    {'M', true, key_msis, "message-signalled interrupts"},
    {'N', false, lapic_self_nmi, "send this CPU an NMI"},
    {'R', false, key_restart, "restart the machine"},
    {'a', true, debug_key_timers, "timers"},
    {'d', true, key_registers, "registers of all vcpus"},
    {'e', true, key_events, "event channels"},
    {'g', true, key_grants, "grants in use"},
    {'h', false, key_help, "this list"},
    {'i', true, key_irqs, "interrupt pins"},
    {'m', true, key_memory, "memory"},
    {'n', true, debug_key_nmi, "counters of NMIs and machine checks"},
    {'q', true, key_domains, "domains and vcpus"},
    {'r', true, key_queues, "run queues"},
    {'s', true, key_tsc, "clock of each domain"},
    {'t', true, debug_key_clocks, "clocks of the machine"},
    {'u', true, debug_key_nodes, "nodes of memory and processors"},
    {'w', false, debug_key_ring, "the console ring, on the console"},
    {'z', true, debug_key_ioapics, "IO-APICs"},
};

static void key_help(void)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(debug_key_table); i++) {
        printk(LOG_NOTICE, "key '%c': %s", debug_key_table[i].key,
               debug_key_table[i].what);
    }
    printk(LOG_NOTICE, "key '*': all reports");
}

void debug_key(char key)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(debug_key_table); i++) {
        const struct debug_key *k = &debug_key_table[i];

        if (key == k->key || (key == '*' && k->is_report)) {
            printk(LOG_NOTICE, "debug key '%c': %s", k->key, k->what);
            k->fn();
        }
    }
}
