/* SPDX-License-Identifier: MIT */
/*
 * hypercall/mca_op.c - HYPERVISOR_mca(op), control domain only.
 *
 *   fetch         oldest record of a class, or acknowledge one
 *   notifydomain  -EINVAL, as always on this ABI
 *   physcpuinfo   how many processors; what they are
 *   msrinject, mceinject, inject_v2   play a machine check (ras/inject.h)
 *
 * Return:  0; -EFAULT; -EACCES interface version; -EINVAL bad request;
 *          -ENOSYS no such command
 */
#include "lib/string.h"
#include "lib/xen_abi.h"
#include "x86/msr_index.h"
#include "cpu/features.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "mm/frame.h"
#include "ras/bank.h"
#include "ras/inject.h"
#include "response/telemetry.h"
#include "hypercall/call.h"
#include "hypercall/xenctl_bitmap.h"


/* mc_vendor as its one reader, Linux, numbers them. */
#define LINUX_VENDOR_INTEL   0U
#define LINUX_VENDOR_AMD     2U
#define LINUX_VENDOR_UNKNOWN 0xffU

static int64_t fetch_record(struct xen_mc_fetch *f, bool urgent)
{
    struct mc_info info;

    if (handle_is_null(f->data)) {
        return -EINVAL;
    }
    f->fetch_id = 0;
    if (telemetry_fetch(urgent, &info, &f->fetch_id) != 0) {
        f->flags = XEN_MC_NODATA;
        return 0;
    }
    f->flags = XEN_MC_OK;
    /* It stays queued: nothing is lost by a bad pointer. */
    if (copy_elem_to_guest(f->data, 0, &info) != 0) {
        f->flags = XEN_MC_FETCHFAILED;
        f->fetch_id = 0;
    }
    return 0;
}

static int64_t op_fetch(struct xen_mc_fetch *f)
{
    uint32_t class = f->flags & (XEN_MC_NONURGENT | XEN_MC_URGENT);
    bool urgent = class == XEN_MC_URGENT;

    if (class != XEN_MC_NONURGENT && class != XEN_MC_URGENT) {
        return -EINVAL;
    }
    if ((f->flags & XEN_MC_ACK) == 0) {
        return fetch_record(f, urgent);
    }
    /* One that was overwritten since is gone either way: no error. */
    f->flags = telemetry_acknowledge(urgent, f->fetch_id) == 0
                   ? XEN_MC_OK
                   : XEN_MC_NOMATCH;
    return 0;
}

static uint32_t vendor_number(void)
{
    switch (cpu_features.vendor) {
    case CPU_INTEL:
        return LINUX_VENDOR_INTEL;
    case CPU_AMD:
        return LINUX_VENDOR_AMD;
    case CPU_OTHER:
        break;
    }
    return LINUX_VENDOR_UNKNOWN;
}

static void read_brand(char *brand)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid_regs r;

        if (cpu_features.max_ext_leaf < 0x80000004U) {
            return;
        }
        r = cpuid(0x80000002U + i);
        memcpy(brand + i * sizeof(r), &r, sizeof(r));
    }
}

static void describe_cpu(struct mcinfo_logical_cpu *c, cpu_t cpu)
{
    const struct cpu_features *f = &cpu_features;

    memset(c, 0, sizeof(*c));
    c->mc_cpunr = cpu;
    c->mc_coreid = (uint16_t)cpu;
    c->mc_apicid = smp_cpu(cpu)->apic_id;
    c->mc_ncores = 1;
    c->mc_ncores_active = 1;
    c->mc_nthreads = 1;
    c->mc_cpuid_level = (int32_t)f->max_leaf;
    c->mc_family = f->family;
    c->mc_vendor = vendor_number();
    c->mc_model = f->model;
    c->mc_step = f->stepping;
    strlcpy(c->mc_vendorid, f->vendor_id, sizeof(c->mc_vendorid));
    read_brand(c->mc_brandid);
    c->mc_cpu_caps[MC_CAPS_STD_EDX] = f->l1_edx;
    c->mc_cpu_caps[MC_CAPS_AMD_EDX] = f->e1_edx;
    c->mc_cpu_caps[MC_CAPS_STD_ECX] = f->l1_ecx;
    c->mc_cpu_caps[MC_CAPS_AMD_ECX] = f->e1_ecx;
    c->mc_cache_alignment = 64;
    c->mc_nmsrvals = 1;
    c->mc_msrvalues[0].reg = MSR_MCG_CAP;
    c->mc_msrvalues[0].value = bank_mcg_cap();
}

static int64_t op_physcpuinfo(struct xen_mc_physcpuinfo *p)
{
    struct mcinfo_logical_cpu c;
    uint32_t room = p->ncpus;
    int64_t rc = 0;

    p->ncpus = smp_online_count();
    if (handle_is_null(p->info)) {
        return 0;
    }
    if (room == 0) {
        return -EINVAL;
    }
    p->ncpus = 0;
    for (cpu_t cpu = 0; cpu < smp_cpu_count() && p->ncpus < room && rc == 0;
         cpu++) {
        if (smp_is_online(cpu)) {
            describe_cpu(&c, cpu);
            rc = copy_elem_to_guest(p->info, p->ncpus++, &c);
        }
    }
    return rc;
}

/* Raise it there: on this CPU at once, on another in an interrupt. */
static int64_t inject_on(cpumask_t cpus, void (*raise)(void *unused))
{
    if ((cpus & smp_online()) == 0) {
        return -EINVAL;
    }
    if (cpus == this_cpu()->cpu_mask) {
        raise(NULL);
    } else {
        smp_call(cpus & smp_online(), raise, NULL);
    }
    return 0;
}

static void raise_check(void *unused)
{
    (void)unused;
    inject_check();
}

/* Looking takes locks, so other CPUs do it on their own way out. */
static int64_t inject_poll_on(cpumask_t cpus)
{
    cpumask_t left = cpus & smp_online();

    if (left == 0) {
        return -EINVAL;
    }
    if ((left & this_cpu()->cpu_mask) != 0) {
        inject_poll();
        left &= ~this_cpu()->cpu_mask;
    }
    for (; left != 0; left &= left - 1) {
        softirq_raise_on(bit_lowest(left), SOFTIRQ_RAS);
    }
    return 0;
}

/* An address in a domain's terms: for PV, those are machine addresses. */
static bool address_is_of(domid_t domid, uint64_t addr)
{
    mfn_t m = maddr_to_mfn(addr);

    return mfn_valid(m) && frame_of(m)->owner == domid;
}

static bool is_addr_register(uint64_t msr)
{
    return msr >= MSR_MC0_ADDR && msr < MSR_MCx_ADDR(MCA_BANKS_MAX) &&
           (msr & 3) == (MSR_MC0_ADDR & 3);
}

static int64_t check_msrs(const struct xen_mc_msrinject *m)
{
    if (!smp_is_online(m->mcinj_cpunr) || m->mcinj_count == 0 ||
        m->mcinj_count > MC_MSRINJ_MAXMSRS) {
        return -EINVAL;
    }
    /* Real registers of Intel's take nothing but 0. */
    if (cpu_features.vendor == CPU_INTEL &&
        (m->mcinj_flags & MC_MSRINJ_F_INTERPOSE) == 0) {
        return -EINVAL;
    }
    if ((m->mcinj_flags & MC_MSRINJ_F_GPADDR) == 0) {
        return 0;
    }
    for (unsigned int i = 0; i < m->mcinj_count; i++) {
        if (is_addr_register(m->mcinj_msr[i].reg) &&
            !address_is_of(m->mcinj_domid, m->mcinj_msr[i].value)) {
            return -EINVAL;
        }
    }
    return 0;
}

static int64_t op_msrinject(const struct xen_mc_msrinject *m)
{
    int64_t rc = check_msrs(m);

    for (unsigned int i = 0; rc == 0 && i < m->mcinj_count; i++) {
        if (m->mcinj_msr[i].reg > UINT32_MAX) {
            return -EINVAL;
        }
        rc = inject_stage((uint32_t)m->mcinj_msr[i].reg,
                          m->mcinj_msr[i].value);
    }
    return rc;
}

static int64_t op_mceinject(const struct xen_mc_mceinject *m)
{
    return smp_is_online(m->mceinj_cpunr)
               ? inject_on(CPUMASK_OF(m->mceinj_cpunr), raise_check)
               : -EINVAL;
}

static int64_t op_inject_v2(const struct xen_mc_inject_v2 *m)
{
    uint64_t cpus[1];
    int rc;

    if ((m->flags & XEN_MC_INJECT_CPU_BROADCAST) != 0) {
        cpus[0] = smp_online();
    } else {
        rc = xenctl_bitmap_in(&m->cpumap, cpus, 64);
        if (rc != 0) {
            return rc;
        }
    }
    switch (m->flags & XEN_MC_INJECT_TYPE_MASK) {
    case XEN_MC_INJECT_TYPE_MCE:
        return inject_on(cpus[0], raise_check);
    case XEN_MC_INJECT_TYPE_CMCI:
        return inject_poll_on(cpus[0]);
    case XEN_MC_INJECT_TYPE_LMCE:
        if (!cpu_features.lmce) {
            return -EINVAL;
        }
        return inject_on(cpus[0], raise_check);
    default:
        return -EINVAL;
    }
}

static int64_t dispatch(struct xen_mc *op)
{
    switch (op->cmd) {
    case XEN_MC_fetch:
        return op_fetch(&op->u.mc_fetch);
    case XEN_MC_notifydomain:
        return -EINVAL;
    case XEN_MC_physcpuinfo:
        return op_physcpuinfo(&op->u.mc_physcpuinfo);
    case XEN_MC_msrinject:
        return op_msrinject(&op->u.mc_msrinject);
    case XEN_MC_mceinject:
        return op_mceinject(&op->u.mc_mceinject);
    case XEN_MC_inject_v2:
        return op_inject_v2(&op->u.mc_inject_v2);
    default:
        return -ENOSYS;
    }
}

int64_t do_mca(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct xen_mc op;
    int64_t rc;

    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    if (copy_from_guest(&op, a1, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.interface_version != XEN_MCA_INTERFACE_VERSION) {
        return -EACCES;
    }
    rc = dispatch(&op);
    if (rc == 0 && copy_to_guest(a1, &op, sizeof(op)) != 0) {
        return -EFAULT;
    }
    return rc;
}
