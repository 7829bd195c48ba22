/* SPDX-License-Identifier: MIT */
/*
 * hypercalls - the edges of the call table.
 *
 * Claim: a number nobody defined answers -ENOSYS and changes no register but
 * those the ABI gives away; a bad pointer answers -EFAULT; a multicall reports
 * each of its calls and cannot contain itself.  Nothing of this kills us.
 * Plan: every unused number; every call that reads or writes through a pointer
 * with three bad ones (unmapped, hypervisor's, not canonical).
 */
#include "stub.h"

const char stub_name[] = "hypercalls";

static char rw_page[PAGE_SIZE] __page_aligned;

static void check_numbers(void)
{
    static const unsigned int unused[] = {
        11, 43,  44,  45,  46,  47,   50,         51,         52,         53,
        54, 56,  57,  58,  59,  60,   61,         62,         63,         64,
        65, 127, 128, 255, 256, 4095, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    struct xen_vnuma_topology_info nodes = {.domid = DOMID_SELF};
    unsigned int i;
    long rc;

    for (i = 0; i < ARRAY_SIZE(unused); i++) {
        rc = hypercall3(unused[i], 1, 2, 3);

        CHECK(rc == -XEN_ENOSYS, "hypercall %x: %ld", unused[i], rc);
    }
    CHECK(hc_sched_op(99, NULL) == -XEN_ENOSYS, "sched_op 99");
    CHECK(hc_vcpu_op(99, 0, NULL) == -XEN_ENOSYS, "vcpu_op 99");
    CHECK(hc_xen_version(99, NULL) == -XEN_ENOSYS, "xen_version 99");
    CHECK(hc_memory_op(63, NULL) == -XEN_ENOSYS, "memory_op 63");
    /* Tools do not save a domain that answers anything else. */
    rc = hc_memory_op(XENMEM_get_vnumainfo, &nodes);
    CHECK(rc == -XEN_EOPNOTSUPP, "our own memory nodes: %ld", rc);
    nodes.pad = 1;
    rc = hc_memory_op(XENMEM_get_vnumainfo, &nodes);
    CHECK(rc == -XEN_EINVAL, "memory nodes, padding of ones: %ld", rc);
    /* A domU may be refused the whole call, as Xen's release builds do. */
    rc = hypercall3(__HYPERVISOR_console_io, 99, 0, 0);
    CHECK(rc == -XEN_ENOSYS || (rc == -XEN_EPERM && !stub_is_dom0()),
          "console_io 99: %ld", rc);
    CHECK(hypercall2(__HYPERVISOR_callback_op, 99, 0) == -XEN_ENOSYS,
          "callback_op 99");
    CHECK(hypercall2(__HYPERVISOR_vm_assist, 0, 63) == -XEN_EINVAL,
          "vm_assist 63");
    CHECK(hc_set_segment_base(99, 0) == -XEN_EINVAL, "set_segment_base 99");
}

static void check_pointer(const char *what, unsigned long bad)
{
    void *p = (void *)bad;
    struct sched_poll poll = {.nr_ports = 1, .timeout = 1};
    unsigned int done = 0;
    long rc;

#define EFAULT_FROM(name, call)                                                \
    do {                                                                       \
        rc = (call);                                                           \
        CHECK(rc == -XEN_EFAULT, "%s with a pointer that is %s: %ld", name,    \
              what, rc);                                                       \
    } while (0)

    EFAULT_FROM("set_trap_table", hc_set_trap_table(p));
    EFAULT_FROM("mmu_update", hc_mmu_update(p, 1, &done));
    EFAULT_FROM("mmuext_op", hc_mmuext_op(p, 1, &done));
    EFAULT_FROM("multicall", hc_multicall(p, 1));
    EFAULT_FROM("xen_version features", hc_xen_version(XENVER_get_features, p));
    EFAULT_FROM("xen_version capabilities",
                hc_xen_version(XENVER_capabilities, p));
    EFAULT_FROM("sched_op shutdown", hc_sched_op(SCHEDOP_shutdown, p));
    EFAULT_FROM("sched_op poll", hc_sched_op(SCHEDOP_poll, p));
    poll.ports.p = p;
    EFAULT_FROM("sched_op poll ports", hc_sched_op(SCHEDOP_poll, &poll));
    EFAULT_FROM("evtchn send", hc_evtchn_op(EVTCHNOP_send, p));
    EFAULT_FROM("evtchn status", hc_evtchn_op(EVTCHNOP_status, p));
    EFAULT_FROM("vcpu_op singleshot",
                hc_vcpu_op(VCPUOP_set_singleshot_timer, 0, p));
    EFAULT_FROM("memory_op", hc_memory_op(XENMEM_machphys_mapping, p));
    EFAULT_FROM("callback_op",
                hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register, bad));
    EFAULT_FROM("grant_table_op", hc_grant_table_op(GNTTABOP_query_size, p, 1));
    EFAULT_FROM("physdev_op",
                hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, bad));
    if (stub_is_dom0()) {
        EFAULT_FROM("console_io", hc_console_write(p, 16));
    }
#undef EFAULT_FROM
}

static void check_registers(void)
{
    uint64_t bad;

    __asm__ volatile("push %%rbp\n\t"
                     "mov $11, %%eax\n\tmov $0x0202, %%ebx\n\t"
                     "mov $0x0707, %%ebp\n\tmov $0x0909, %%r9d\n\t"
                     "mov $0x1212, %%r12d\n\tmov $0x1313, %%r13d\n\t"
                     "mov $0x1414, %%r14d\n\tmov $0x1515, %%r15d\n\t"
                     "syscall\n\t"
                     "add $38, %%rax\n\t" /* ENOSYS */
                     "xor $0x0202, %%rbx\n\txor $0x0707, %%rbp\n\t"
                     "xor $0x0909, %%r9\n\txor $0x1212, %%r12\n\t"
                     "xor $0x1313, %%r13\n\txor $0x1414, %%r14\n\t"
                     "xor $0x1515, %%r15\n\t"
                     "or %%rbx, %%rax\n\tor %%rbp, %%rax\n\t"
                     "or %%r9, %%rax\n\tor %%r12, %%rax\n\t"
                     "or %%r13, %%rax\n\tor %%r14, %%rax\n\t"
                     "or %%r15, %%rax\n\t"
                     "pop %%rbp"
                     : "=&a"(bad)
                     :
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
                       "r11", "r12", "r13", "r14", "r15", "cc", "memory");
    CHECK(!bad, "a hypercall changed a register it must keep: %lx", bad);
}

static void check_multicall(void)
{
    struct multicall_entry calls[4] = {
        {.op = __HYPERVISOR_xen_version, .args = {XENVER_version}},
        {.op = 11},
        {.op = __HYPERVISOR_multicall, .args = {0, 0}},
        {.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}},
    };
    long rc = hc_multicall(calls, 4);

    CHECK(rc == 0, "multicall: %ld", rc);
    CHECK((long)calls[0].result == 0x40011, "first result %lx",
          calls[0].result);
    CHECK((long)calls[1].result == -XEN_ENOSYS, "unused number: %ld",
          (long)calls[1].result);
    CHECK((long)calls[2].result < 0, "a multicall in a multicall: %ld",
          (long)calls[2].result);
    CHECK((long)calls[3].result == 4096, "the last result %ld",
          (long)calls[3].result);
    CHECK(hc_multicall(calls, 0) == 0, "an empty multicall");
}

/* Privileged calls: refused to a plain guest, alive to Dom0. */
static void check_privilege(void)
{
    long rc = hypercall2(__HYPERVISOR_sysctl, (unsigned long)rw_page, 0);

    CHECK(rc < 0, "sysctl with version 0: %ld", rc);
    rc = hypercall2(__HYPERVISOR_domctl, (unsigned long)rw_page, 0);
    CHECK(rc < 0, "domctl with version 0: %ld", rc);
    rc = hypercall2(__HYPERVISOR_platform_op, (unsigned long)rw_page, 0);
    CHECK(rc < 0, "platform_op with version 0: %ld", rc);
    CHECK(hc_vcpu_op(VCPUOP_is_up, 0, NULL) == 1, "vCPU 0 is not up");
    CHECK(hc_vcpu_op(VCPUOP_is_up, 8191, NULL) == -XEN_ENOENT,
          "vCPU 8191 is there");
}

void stub_main(void)
{
    check_numbers();
    check_registers();
    check_pointer("unmapped", 0x700000001000UL);
    check_pointer("the hypervisor's", 0xffff830000001000UL);
    check_pointer("not canonical", 0x0000900000000000UL);
    check_multicall();
    check_privilege();
    report(VERDICT_SUCCESS, "the call table has firm edges");
}
