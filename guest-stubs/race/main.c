/* SPDX-License-Identifier: MIT */
/*
 * race - several vCPUs fight over the same page tables, pins and ports.
 *
 * Claim: whatever they do to each other, nobody hangs, and when all of it is
 * taken down nothing is left in use: each table becomes writable again, each
 * data page can be a table, and the lowest port is the one it was.
 * Plan: every vCPU does random updates of the same few entries (mmu_update and
 * update_va_mapping), links and unlinks L1 tables, pins and unpins them, makes
 * them writable and read-only, and opens, sends on and closes ports.  What the
 * hypervisor refuses is refused; answers are not looked at.
 *
 * `n=N`: rounds of each vCPU.  One vCPU alone: SKIP.
 */
#include "stub.h"

const char stub_name[] = "race";

#define TEST_VA   0x10000000000UL
#define CPUS_MAX  8U
#define TABLES    4U
#define PAGES     4U
#define ENTRIES   4U /* of each table, so that they meet */
#define STACK     8192U
#define PATIENCE  (60 * NS_PER_SEC)

static uint64_t l1[TABLES][512] __page_aligned;
static uint64_t l2[512] __page_aligned;
static uint64_t l3[512] __page_aligned;
static uint64_t data[PAGES][512] __page_aligned;

static char stacks[CPUS_MAX][STACK] __page_aligned;
static struct vcpu_guest_context context;
static unsigned long rounds;
static unsigned int finished; /* atomic: vCPUs that have ended */
static unsigned int tickets;  /* atomic: numbers they draw      */
static unsigned long changed; /* atomic: operations that worked */

static uint64_t entry_for(const void *page, uint64_t flags)
{
    return mm_maddr(page) | flags;
}

static uint32_t rnd(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 8) % below;
}

static uint64_t some_entry(uint32_t *seed)
{
    const void *page = rnd(seed, 8) == 0 ? l1[rnd(seed, TABLES)]
                                         : data[rnd(seed, PAGES)];

    switch (rnd(seed, 4)) {
    case 0:
        return 0;
    case 1:
        return entry_for(page, PTE_FLAGS_RO);
    default:
        return entry_for(page, PTE_FLAGS_DATA);
    }
}

/* A port to ourselves: opened, sent on, closed. */
static long use_port(void)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF,
                                         .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};
    struct evtchn_send send;
    struct evtchn_close close;
    long rc = hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc);

    if (rc != 0) {
        return rc;
    }
    bind.remote_port = alloc.port;
    rc = hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind);
    if (rc == 0) {
        send.port = bind.local_port;
        rc = hc_evtchn_op(EVTCHNOP_send, &send);
        close.port = bind.local_port;
        (void)hc_evtchn_op(EVTCHNOP_close, &close);
    }
    close.port = alloc.port;
    (void)hc_evtchn_op(EVTCHNOP_close, &close);
    return rc;
}

static long one_step(uint32_t *seed)
{
    unsigned int t = rnd(seed, TABLES), i = rnd(seed, ENTRIES);
    const void *va =
        (const void *)(TEST_VA + (t * 512UL + i) * PAGE_SIZE);

    switch (rnd(seed, 12)) {
    case 0:
    case 1:
    case 2:
        return mm_write_pte(mm_maddr(&l1[t][i]), some_entry(seed));
    case 3:
    case 4:
        return hc_update_va_mapping(va, some_entry(seed), UVMF_INVLPG);
    case 5:
        return mm_write_pte(mm_maddr(&l2[t]),
                            rnd(seed, 2) ? entry_for(l1[t], PTE_FLAGS_TABLE)
                                         : 0);
    case 6:
        return mm_mmuext(MMUEXT_PIN_L1_TABLE, mm_mfn(l1[t]));
    case 7:
        return mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(l1[t]));
    case 8:
        return mm_mmuext(rnd(seed, 2) ? MMUEXT_PIN_L2_TABLE
                                      : MMUEXT_UNPIN_TABLE,
                         mm_mfn(l2));
    case 9:
        return mm_protect(l1[t], rnd(seed, 2) ? PTE_FLAGS_DATA : PTE_FLAGS_RO);
    case 10:
        return mm_write_pte(mm_maddr(&l3[0]),
                            rnd(seed, 4) ? entry_for(l2, PTE_FLAGS_TABLE) : 0);
    default:
        return use_port();
    }
}

static void fight(uint32_t seed)
{
    unsigned long worked = 0;

    for (unsigned long i = 0; i < rounds; i++) {
        worked += one_step(&seed) == 0;
    }
    __atomic_fetch_add(&changed, worked, __ATOMIC_SEQ_CST);
}

/* Another vCPU's whole life. */
static void other_main(void)
{
    unsigned int me = __atomic_add_fetch(&tickets, 1, __ATOMIC_SEQ_CST);

    fight(me * 7919U);
    __atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        (void)hc_vcpu_op(VCPUOP_down, me, NULL);
    }
}

/* @cpu draws the ticket of its number: they are started one by one. */
static bool start(unsigned int cpu)
{
    uint64_t since = time_now_ns();

    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel;
    context.user_regs.rip = (unsigned long)other_main;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.user_regs.rsp = (unsigned long)stacks[cpu] + STACK - 8;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.kernel_sp = context.user_regs.rsp;
    context.ctrlreg[3] = (unsigned long)mm_mfn((void *)start_info->pt_base)
                         << PAGE_SHIFT;
    if (!CHECK(hc_vcpu_op(VCPUOP_initialise, cpu, &context) == 0,
               "initialise vCPU %u", cpu) ||
        !CHECK(hc_vcpu_op(VCPUOP_up, cpu, NULL) == 0, "start vCPU %u", cpu)) {
        return false;
    }
    while (__atomic_load_n(&tickets, __ATOMIC_SEQ_CST) < cpu) {
        if (!CHECK(time_now_ns() - since < PATIENCE, "vCPU %u does not run",
                   cpu)) {
            return false;
        }
        time_sleep_ns(NS_PER_MS);
    }
    return true;
}

static evtchn_port_t lowest_port(void)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF,
                                         .remote_dom = DOMID_SELF};
    struct evtchn_close close;

    CHECK(hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc) == 0, "no port");
    close.port = alloc.port;
    (void)hc_evtchn_op(EVTCHNOP_close, &close);
    return alloc.port;
}

static bool build(void)
{
    for (unsigned int t = 0; t < TABLES; t++) {
        CHECK(mm_protect(l1[t], PTE_FLAGS_RO) == 0, "make L1 %u read-only", t);
    }
    CHECK(mm_protect(l2, PTE_FLAGS_RO) == 0 &&
              mm_protect(l3, PTE_FLAGS_RO) == 0,
          "make the tables read-only");
    return CHECK(mm_write_pte(mm_pte_maddr((const void *)TEST_VA, 4),
                              entry_for(l3, PTE_FLAGS_TABLE)) == 0,
                 "link the L3");
}

static void take_down(void)
{
    CHECK(mm_write_pte(mm_pte_maddr((const void *)TEST_VA, 4), 0) == 0,
          "unlink the L3");
    (void)mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(l2));
    for (unsigned int t = 0; t < TABLES; t++) {
        (void)mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(l1[t]));
    }
    CHECK(mm_mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0) == 0, "flush");
    CHECK(mm_protect(l3, PTE_FLAGS_DATA) == 0, "the L3 is still in use");
    CHECK(mm_protect(l2, PTE_FLAGS_DATA) == 0, "the L2 is still in use");
    for (unsigned int t = 0; t < TABLES; t++) {
        CHECK(mm_protect(l1[t], PTE_FLAGS_DATA) == 0, "L1 %u is still in use",
              t);
        l1[t][0] = 1;
    }
    l2[0] = l3[0] = 1;
    for (unsigned int p = 0; p < PAGES; p++) {
        memset(data[p], 0, PAGE_SIZE);
        CHECK(mm_protect(data[p], PTE_FLAGS_RO) == 0 &&
                  mm_mmuext(MMUEXT_PIN_L1_TABLE, mm_mfn(data[p])) == 0,
              "page %u is still writable somewhere", p);
        CHECK(mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(data[p])) == 0 &&
                  mm_protect(data[p], PTE_FLAGS_DATA) == 0,
              "page %u back", p);
    }
}

void stub_main(void)
{
    evtchn_port_t port = lowest_port();
    unsigned int cpus = 1;
    uint64_t since;

    rounds = cmdline_number("n", 3000);
    while (cpus < CPUS_MAX && hc_vcpu_op(VCPUOP_is_up, cpus, NULL) == 0) {
        cpus++;
    }
    if (cpus == 1) {
        report(VERDICT_SKIP, "there is one vCPU");
        return;
    }
    if (!build()) {
        return;
    }
    for (unsigned int cpu = 1; cpu < cpus; cpu++) {
        if (!start(cpu)) {
            return;
        }
    }
    fight(1);
    since = time_now_ns();
    while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < cpus - 1) {
        if (!CHECK(time_now_ns() - since < PATIENCE, "%u of %u vCPUs hang",
                   cpus - 1 - finished, cpus - 1)) {
            return;
        }
        time_sleep_ns(10 * NS_PER_MS);
    }
    take_down();
    CHECK(lowest_port() == port, "port %u is still in use", port);
    CHECK(changed > rounds, "only %lu operations worked", changed);
    report(VERDICT_SUCCESS, "%u vCPUs, %lu changes, nothing left in use", cpus,
           changed);
}
