/* SPDX-License-Identifier: MIT */
/*
 * pv/switch.c - one vcpu's machine state in and out of this pcpu.
 *
 * GS: while a guest's kernel runs, GS_BASE holds the kernel base and
 * KERNEL_GS_BASE the user base; while its user mode runs they are swapped.
 * The hypervisor itself uses neither.
 */
#include "pv/switch.h"

#include "cpu/desc.h"
#include "cpu/features.h"
#include "cpu/spec_ctrl.h"
#include "cpu/tenant.h"
#include "cpu/tlb.h"
#include "x86/atomic.h"
#include "x86/barrier.h"
#include "lib/errno.h"
#include "mm/directmap.h"
#include "domain/vtimer.h"
#include "pv/ctrlreg.h"
#include "pv/debugreg.h"
#include "pv/descriptor.h"
#include "pv/fpu.h"
#include "pv/runstate.h"
#include "x86/cr.h"
#include "x86/msr.h"

void pv_save_segments(struct vcpu *v)
{
    struct pv_vcpu *p = v->pv;
    uint64_t active, other;

    if (v != current) {
        return;
    }
    p->ds = read_ds();
    p->es = read_es();
    p->fs = read_fs();
    p->gs = read_gs();
    p->fs_base = rdmsr(MSR_FS_BASE);
    active = rdmsr(MSR_GS_BASE);
    other = rdmsr(MSR_KERNEL_GS_BASE);
    p->gs_base_kernel = p->guest_kernel ? active : other;
    p->gs_base_user = p->guest_kernel ? other : active;
}

static void load_segments(struct vcpu *v)
{
    struct pv_vcpu *p = v->pv;

    /*
     * A selector whose descriptor has gone becomes null: what the guest's
     * failsafe callback would make of it.
     */
    (void)load_ds_safe(p->ds);
    (void)load_es_safe(p->es);
    (void)load_fs_safe(p->fs);
    (void)load_gs_safe(p->gs);
    /* Loading a selector loads a base with it: the bases come after. */
    wrmsr(MSR_FS_BASE, p->fs_base);
    wrmsr(MSR_GS_BASE, p->guest_kernel ? p->gs_base_kernel : p->gs_base_user);
    wrmsr(MSR_KERNEL_GS_BASE,
          p->guest_kernel ? p->gs_base_user : p->gs_base_kernel);
}

static mfn_t table_of(const struct vcpu *v)
{
    return v->pv->guest_kernel ? v->pv->guest_table : v->pv->guest_table_user;
}

void pv_load_cr3(struct vcpu *v)
{
    if (v == current) {
        pv_load_table(table_of(v));
    }
}

bool pv_borrow_kernel_tables(struct vcpu *v)
{
    if (v->pv->guest_kernel) {
        return false;
    }
    write_cr3(mfn_to_maddr(v->pv->guest_table));
    return true;
}

void pv_return_tables(struct vcpu *v, bool borrowed)
{
    if (borrowed) {
        pv_load_cr3(v);
    }
}

/*
 * Whose vcpu ran here last.  Not by domid: another CPU may have destroyed that
 * domain and given its number to this one.
 */
static uint64_t last_instance[NR_CPUS];

static void part_from_last(const struct domain *d)
{
    uint64_t *last = &last_instance[this_cpu_id()];

    if (*last != d->instance) {
        *last = d->instance;
        spec_switch();
    }
}

static void switch_out(struct vcpu *v)
{
    if (v->runstate_guest != 0 &&
        READ_ONCE(v->runstate.state) == RUNSTATE_runnable) {
        pv_runstate_publish_wait(v);
    }
    pv_save_segments(v);
    v->regs = *guest_regs();
    pv_debugreg_save(v);
    pv_fpu_save(v);
    /*
     * MB(switch:A) release; pairs with the acquire of who looks in
     * domain/sched*.c: another CPU may take it up from now on.
     */
    __atomic_store_n(&v->is_running, false, __ATOMIC_RELEASE);
}

/*
 * The tables @v is to run on, and its GDT.  Nothing is to be done where they
 * are loaded: on this CPU, by this vcpu, which ran nowhere else meanwhile and
 * owes no flush.
 */
static void enter_tables(struct vcpu *v)
{
    struct cpu_block *cb = this_cpu();
    uint64_t cr3 = mfn_to_maddr(table_of(v));
    bool stays = cb->last_vcpu == v && v->ran_on == cb->cpu_id &&
                 cb->space == &v->domain->tlb;

    cb->last_vcpu = v;
    v->ran_on = cb->cpu_id;
    /*
     * MB(switch:E): before tlb_stale is read; pairs with switch:D.  And
     * MB(switch:C): after the old one's was cleared; pairs with switch:B.
     */
    atomic_store(&v->is_running, true);
    if (stays && read_cr3() == cr3 && !READ_ONCE(cb->tlb_stale)) {
        pv_load_descriptors(v);
        return;
    }
    if (!pv_gdt_stays(v)) {
        /* The old GDT is mapped by the old page tables only. */
        pv_load_descriptors(NULL);
    }
    tlb_enter(&v->domain->tlb, cr3);
    pv_load_descriptors(v);
}

cpumask_t pv_flush_vcpu(const struct vcpu *v)
{
    cpu_t cpu = READ_ONCE(v->ran_on);

    if ((READ_ONCE(v->domain->tlb.cpus) & CPUMASK_OF(cpu)) != 0) {
        WRITE_ONCE(cpu_blocks[cpu]->tlb_stale, TLB_STALE);
    }
    /* MB(switch:D): after tlb_stale was set; pairs with switch:E. */
    smp_mb();
    return READ_ONCE(v->is_running) ? CPUMASK_OF(READ_ONCE(v->ran_on)) : 0;
}

void pv_switch_to(struct vcpu *next)
{
    struct vcpu *prev = current;

    if (prev != NULL) {
        switch_out(prev);
    }
    this_cpu()->current_vcpu = next;
    if (next == NULL) {
        this_cpu()->call_base = CALL_BASE_NONE;
        tenant_set(TENANT_NONE, 0);
        /*
         * MB(switch:C) is_running of the old one before after_switch is read;
         * pairs with switch:B.  With a new one, setting its is_running is it.
         */
        smp_mb();
        return;
    }
    part_from_last(next->domain);
    tenant_set(next->domain->domid, (uint16_t)next->vcpu_id);
    this_cpu()->call_base =
        next->pv->guest_kernel ? pv_call_base(next->domain) : CALL_BASE_NONE;
    enter_tables(next); /* it is_running from there on */
    *guest_regs() = next->regs;
    pv_cr4_load(next);
    if (unlikely(this_cpu()->spec_ctrl != next->pv->spec_ctrl)) {
        spec_load(next->pv->spec_ctrl);
    }
    if (cpu_features.rdtscp) {
        wrmsr(MSR_TSC_AUX, next->pv->tsc_aux);
    }
    load_segments(next);
    pv_debugreg_load(next);
    pv_fpu_load(next);
    vtimer_resume(next);
    pv_runstate_publish(next);
}
