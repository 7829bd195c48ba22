/* SPDX-License-Identifier: MIT */
/*
 * stranger/calls.c - hypercalls: those of the control domain, and the ones
 * that name another domain or something nobody gave us.
 */
#include "stranger.h"

#include <vigil/vigil_op.h>

#include <xen/arch-x86/xen-mca.h>
#include <xen/hypfs.h>
#include <xen/platform.h>

#define PHYSDEV_OPS 64U
#define VIGIL_OPS   64U
#define LINES       24U
#define PORTS       1024U /* of Dom0's, looked for one that is open to us */
#define BLANK       0x5aU

static struct xen_domctl domctl;
static struct xen_sysctl sysctl;
static struct xen_platform_op platform;
static struct xen_mc mca;
static char page[PAGE_SIZE] __page_aligned;

/* Both with arguments that the control domain would be answered with 0. */
static const struct {
    const char *name;
    unsigned long nr, a1;
    void *a2;
} control[] = {
    {"domctl", __HYPERVISOR_domctl, (unsigned long)&domctl, NULL},
    {"sysctl", __HYPERVISOR_sysctl, (unsigned long)&sysctl, NULL},
    {"platform_op", __HYPERVISOR_platform_op, (unsigned long)&platform, NULL},
    {"mca", __HYPERVISOR_mca, (unsigned long)&mca, NULL},
    {"hypfs_op", __HYPERVISOR_hypfs_op, XEN_HYPFS_OP_get_version, NULL},
    {"kexec_op", __HYPERVISOR_kexec_op, 0, page},
};

static void check_control(void)
{
    domctl.cmd = XEN_DOMCTL_getdomaininfo;
    domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    domctl.u.getdomaininfo.domain = 0x1234;
    sysctl.cmd = XEN_SYSCTL_physinfo;
    sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    platform.cmd = XENPF_get_cpu_version;
    platform.interface_version = XENPF_INTERFACE_VERSION;
    mca.cmd = XEN_MC_physcpuinfo;
    mca.interface_version = XEN_MCA_INTERFACE_VERSION;
    for (unsigned int i = 0; i < ARRAY_SIZE(control); i++) {
        struct multicall_entry call = {
            .op = control[i].nr,
            .args = {control[i].a1, (unsigned long)control[i].a2},
        };

        expect(control[i].name,
               hypercall2(control[i].nr, control[i].a1,
                          (unsigned long)control[i].a2),
               -XEN_EPERM);
        /* Before it looks at arguments, of which none would be of use. */
        expect(control[i].name, hypercall5(control[i].nr, 0, 0, 0, 0, 0),
               -XEN_EPERM);
        expect("multicall", hc_multicall(&call, 1), 0);
        expect(control[i].name, (long)call.result, -XEN_EPERM);
    }
    CHECK(domctl.u.getdomaininfo.domain == 0x1234 &&
              sysctl.u.physinfo.nr_cpus == 0,
          "a refused call wrote an answer");
    for (unsigned int op = 0; op < VIGIL_OPS; op++) {
        long rc = hypercall2(VIGIL_HYPERCALL, op, (unsigned long)page);
        long want = op == VIGIL_OP_version ? 0 : -XEN_EPERM;

        CHECK(rc == want, "vigil_op %u: %ld, not %ld", op, rc, want);
    }
}

/* Each way to give oneself something: all by domctl, all about ourselves. */
static void check_gifts(void)
{
    static const uint32_t cmds[] = {
        XEN_DOMCTL_ioport_permission, XEN_DOMCTL_iomem_permission,
        XEN_DOMCTL_irq_permission,    XEN_DOMCTL_memory_mapping,
        XEN_DOMCTL_max_mem,           XEN_DOMCTL_set_virq_handler,
        XEN_DOMCTL_setvcpuaffinity,   XEN_DOMCTL_unpausedomain,
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
        struct xen_domctl op = {
            .u.ioport_permission = {.first_port = 0x80,
                                    .nr_ports = 1,
                                    .allow_access = 1},
        };
        long rc = tiny_domctl(DOMID_SELF, &op, cmds[i]);

        CHECK(rc == -XEN_EPERM, "domctl %u on ourselves: %ld", cmds[i], rc);
    }
}

/* Numbers nobody answers: xsm, xenoprof, hvm, tmem, argo, dm. */
static void check_absent(void)
{
    static const unsigned long nrs[] = {27, 31, 34, 38, 39, 41};

    for (unsigned int i = 0; i < ARRAY_SIZE(nrs); i++) {
        long rc = hypercall5(nrs[i], 0, (unsigned long)page, 0, 0, 0);

        CHECK(rc == -XEN_ENOSYS, "hypercall %lu: %ld", nrs[i], rc);
    }
}

static bool is_our_physdev_op(unsigned int op)
{
    switch (op) {
    case PHYSDEVOP_set_iopl:
    case PHYSDEVOP_set_iobitmap:
    case PHYSDEVOP_eoi:
    case PHYSDEVOP_IRQ_UNMASK_NOTIFY:
    case PHYSDEVOP_pirq_eoi_gmfn_v1:
    case PHYSDEVOP_pirq_eoi_gmfn_v2:
    case PHYSDEVOP_irq_status_query:
    case PHYSDEVOP_map_pirq:
    case PHYSDEVOP_unmap_pirq:
    case PHYSDEVOP_get_free_pirq:
        return true;
    default:
        return false;
    }
}

static long physdev(unsigned int op, void *arg)
{
    return hypercall2(__HYPERVISOR_physdev_op, op, (unsigned long)arg);
}

static long map_pirq(domid_t domid, int type, int index, int pirq)
{
    struct physdev_map_pirq op = {
        .domid = domid, .type = type, .index = index, .pirq = pirq};

    return physdev(PHYSDEVOP_map_pirq, &op);
}

static void check_lines(void)
{
    static const int messages[] = {MAP_PIRQ_TYPE_MSI, MAP_PIRQ_TYPE_MSI_SEG,
                                   MAP_PIRQ_TYPE_MULTI_MSI};

    for (int gsi = 0; gsi < (int)LINES; gsi++) {
        struct evtchn_bind_pirq bind = {.pirq = (uint32_t)gsi};
        long rc;

        if (given.irq != 0 && gsi == (int)given.irq) {
            continue;
        }
        rc = map_pirq(DOMID_SELF, MAP_PIRQ_TYPE_GSI, gsi, gsi);
        CHECK(rc == -XEN_EPERM, "map line %d: %ld", gsi, rc);
        rc = map_pirq(DOMID_SELF, MAP_PIRQ_TYPE_GSI, gsi, -1);
        CHECK(rc == -XEN_EPERM, "map line %d to any: %ld", gsi, rc);
        rc = hc_evtchn_op(EVTCHNOP_bind_pirq, &bind);
        CHECK(rc == -XEN_EINVAL, "bind interrupt %d: %ld", gsi, rc);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(messages); i++) {
        expect("map a message", map_pirq(DOMID_SELF, messages[i], -1, -1),
               -XEN_EPERM);
    }
    expect("map a line for Dom0", map_pirq(SOMEBODY, MAP_PIRQ_TYPE_GSI, 3, -1),
           -XEN_EPERM);
    expect("map a line for nobody", map_pirq(NOBODY, MAP_PIRQ_TYPE_GSI, 3, -1),
           -XEN_EPERM);
}

static void check_physdev(void)
{
    struct physdev_unmap_pirq unmap = {.domid = SOMEBODY, .pirq = 4};

    for (unsigned int op = 0; op < PHYSDEV_OPS; op++) {
        if (!is_our_physdev_op(op)) {
            long rc = physdev(op, page);

            CHECK(rc == -XEN_EPERM, "physdev_op %u: %ld", op, rc);
        }
    }
    expect("unmap Dom0's interrupt", physdev(PHYSDEVOP_unmap_pirq, &unmap),
           -XEN_EPERM);
    unmap.domid = DOMID_SELF;
    expect("unmap what we have not", physdev(PHYSDEVOP_unmap_pirq, &unmap),
           -XEN_EINVAL);
    check_lines();
}

static void check_memory_op(domid_t domid)
{
    static const unsigned int numbers[] = {XENMEM_current_reservation,
                                           XENMEM_maximum_reservation,
                                           XENMEM_maximum_gpfn};
    static const unsigned int lists[] = {XENMEM_increase_reservation,
                                         XENMEM_decrease_reservation,
                                         XENMEM_populate_physmap};
    xen_pfn_t list = 0x100;
    struct xen_vnuma_topology_info vnuma = {.domid = domid};
    struct xen_memory_exchange exchange = {
        .in = {.nr_extents = 1, .domid = domid},
        .out = {.nr_extents = 1, .domid = domid},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++) {
        struct xen_memory_reservation r = {.nr_extents = 1, .domid = domid};
        long rc;

        set_xen_guest_handle(r.extent_start, &list);
        rc = hc_memory_op(lists[i], &r);
        CHECK(rc == -XEN_EPERM && list == 0x100, "memory_op %u of d%u: %ld",
              lists[i], domid, rc);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct xen_memory_domain q = {.domid = domid};
        long rc = hc_memory_op(numbers[i], &q);

        CHECK(rc == -XEN_EPERM, "memory_op %u of d%u: %ld", numbers[i], domid,
              rc);
    }
    set_xen_guest_handle(exchange.in.extent_start, &list);
    set_xen_guest_handle(exchange.out.extent_start, &list);
    expect("exchange", hc_memory_op(XENMEM_exchange, &exchange), -XEN_EPERM);
    expect("vnumainfo", hc_memory_op(XENMEM_get_vnumainfo, &vnuma), -XEN_EPERM);
}

static void check_memory_control(void)
{
    static const unsigned int cmds[] = {
        XENMEM_machphys_mfn_list, XENMEM_machine_memory_map,
        XENMEM_set_memory_map, XENMEM_claim_pages, XENMEM_acquire_resource};

    check_memory_op(SOMEBODY);
    check_memory_op(NOBODY);
    for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
        long rc;

        memset(page, 0, sizeof(page));
        rc = hc_memory_op(cmds[i], page);
        CHECK(rc == -XEN_EPERM, "memory_op %u: %ld", cmds[i], rc);
    }
}

static void check_channels(domid_t domid)
{
    struct evtchn_status status = {.dom = domid, .port = 1};
    struct evtchn_alloc_unbound alloc = {.dom = domid,
                                         .remote_dom = DOMID_SELF};
    struct evtchn_reset reset = {.dom = domid};

    expect("status of another's port", hc_evtchn_op(EVTCHNOP_status, &status),
           -XEN_EPERM);
    expect("a port of another's", hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc),
           -XEN_EPERM);
    expect("reset another's ports", hc_evtchn_op(EVTCHNOP_reset, &reset),
           -XEN_EPERM);
}

static void check_events(void)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = NOBODY,
                                           .remote_port = 1};

    check_channels(SOMEBODY);
    check_channels(NOBODY);
    expect("bind to nobody", hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind),
           -XEN_ESRCH);
    bind.remote_dom = SOMEBODY;
    for (evtchn_port_t port = 0; port < PORTS; port++) {
        long rc;

        bind.remote_port = port;
        rc = hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind);
        CHECK(rc == -XEN_EINVAL, "bind to Dom0's port %u: %ld", port, rc);
    }
    expect("send by a port that is not ours", hc_evtchn_send(PORTS - 1),
           -XEN_EINVAL);
}

static void check_sched(void)
{
    struct sched_remote_shutdown remote = {.reason = SHUTDOWN_crash};
    struct sched_pin_override pin = {.pcpu = 0};

    expect("shut Dom0 down", hc_sched_op(SCHEDOP_remote_shutdown, &remote),
           -XEN_EPERM);
    remote.domain_id = NOBODY;
    expect("shut nobody down", hc_sched_op(SCHEDOP_remote_shutdown, &remote),
           -XEN_EPERM);
    expect("pin_override", hc_sched_op(SCHEDOP_pin_override, &pin), -XEN_EPERM);
}

static void check_words(void)
{
    memset(page, BLANK, sizeof(page));
    expect("read the machine's console",
           hypercall3(__HYPERVISOR_console_io, CONSOLEIO_read, 16,
                      (unsigned long)page),
           -XEN_EPERM);
    CHECK(page[0] == BLANK, "a refused read wrote");
    expect("the build id", hc_xen_version(XENVER_build_id, NULL), -XEN_EPERM);
    expect("the command line", hc_xen_version(XENVER_commandline, page), 0);
    CHECK(memcmp(page, "<denied>", 9) == 0, "the command line: %s", page);
}

void stranger_calls(void)
{
    check_control();
    check_gifts();
    check_absent();
    check_physdev();
    check_memory_control();
    check_events();
    check_sched();
    check_words();
}
