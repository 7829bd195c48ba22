/* SPDX-License-Identifier: MIT */
/*
 * stranger/frames.c - memory that is not ours: by page-table entries of every
 * kind, and by each hypercall that takes a frame's number.
 */
#include "stranger.h"

#define TRIED     400U    /* of the machine's frames */
#define L4_UNUSED 5U      /* of our own half of the addresses */
#define L4_XEN    256U    /* the hypervisor's from here on, 16 of them */
#define MORE      0x4000U /* pages: more than anybody gives us */
#define BYTES_4G  (1UL << 32)

static char window[PAGE_SIZE] __page_aligned;
static uint64_t spare[512] __page_aligned;

/* Of our grant table, as the builder has left it. */
static xen_pfn_t table[8];
static uint32_t tables;

/* One of Dom0's that it uses, known by its number in the M2P table. */
static unsigned long others;

static void find_table(void)
{
    struct gnttab_query_size query = {.dom = DOMID_SELF};
    struct gnttab_setup_table setup = {.dom = DOMID_SELF};

    (void)hc_grant_table_op(GNTTABOP_query_size, &query, 1);
    CHECK(query.nr_frames <= ARRAY_SIZE(table), "our grant table has %u frames",
          query.nr_frames);
    tables = query.nr_frames <= ARRAY_SIZE(table) ? query.nr_frames : 0;
    setup.nr_frames = tables;
    set_xen_guest_handle(setup.frame_list, table);
    CHECK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) == 0 &&
              setup.status == GNTST_okay,
          "where our grant table is");
}

static bool is_memory_of_ours(unsigned long mfn)
{
    const unsigned long *p2m = (const unsigned long *)start_info->mfn_list;
    unsigned long pfn = machine_to_phys_mapping[mfn];

    return mfn == start_info->shared_info >> PAGE_SHIFT ||
           (pfn < start_info->nr_pages && p2m[pfn] == mfn);
}

static bool is_ours(unsigned long mfn)
{
    for (uint32_t i = 0; i < tables; i++) {
        if (mfn == table[i]) {
            return true;
        }
    }
    return is_memory_of_ours(mfn);
}

static long map_other(uint64_t pte, domid_t domid)
{
    return hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                      (unsigned long)window, pte, UVMF_INVLPG, domid, 0);
}

static long update(uint64_t ptr, uint64_t val, uint64_t foreign)
{
    struct mmu_update req = {.ptr = ptr, .val = val};

    return hypercall5(__HYPERVISOR_mmu_update, (unsigned long)&req, 1, 0,
                      foreign, 0);
}

/* RAM: somebody else's, nobody's or the hypervisor's. */
static void check_ram_frame(unsigned long mfn)
{
    static const uint64_t flags[] = {PTE_FLAGS_DATA, PTE_FLAGS_RO};
    uint64_t entry = mm_pte_maddr(window, 1);

    for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
        uint64_t pte = (uint64_t)mfn << PAGE_SHIFT | flags[i];
        long rc = mm_map(window, pte, flags[i]);

        /* The hypervisor's own have no owner: no right to them. */
        CHECK(rc == -XEN_EINVAL || rc == -XEN_EPERM, "map frame %lx: %ld", mfn,
              rc);
        rc = update(entry, pte, DOMID_SELF);
        CHECK(rc == -XEN_EINVAL || rc == -XEN_EPERM,
              "mmu_update to frame %lx: %ld", mfn, rc);
        rc = map_other(pte, DOMID_IO);
        CHECK(rc == -XEN_EINVAL || rc == -XEN_EPERM,
              "map frame %lx as a device's: %ld", mfn, rc);
    }
}

static void check_ram(void)
{
    unsigned long top =
        (unsigned long)hc_memory_op(XENMEM_maximum_ram_page, NULL);
    unsigned int tried = 0;

    /* A step that is odd hits every place of a larger block. */
    for (unsigned long mfn = 0; mfn <= top; mfn += (top / TRIED) | 1) {
        if (is_ours(mfn) || mfn == given.frame) {
            continue;
        }
        check_ram_frame(mfn);
        tried++;
        if (machine_to_phys_mapping[mfn] < BYTES_4G >> PAGE_SHIFT &&
            mfn > 0x1000) {
            others = mfn;
        }
    }
    CHECK(tried > TRIED / 2, "only %u frames tried", tried);
    CHECK(others != 0, "no frame of Dom0 found");
}

static void check_device_frame(unsigned long mfn)
{
    uint64_t pte = (uint64_t)mfn << PAGE_SHIFT;
    uint64_t entry = mm_pte_maddr(window, 1);

    CHECK(mm_map(window, pte, PTE_FLAGS_DATA) == -XEN_EPERM &&
              mm_map(window, pte, PTE_FLAGS_RO) == -XEN_EPERM &&
              update(entry, pte | PTE_FLAGS_DATA, DOMID_SELF) == -XEN_EPERM &&
              update(entry, pte | PTE_FLAGS_RO, DOMID_IO) == -XEN_EPERM &&
              map_other(pte | PTE_FLAGS_DATA, DOMID_IO) == -XEN_EPERM &&
              map_other(pte | PTE_FLAGS_RO, DOMID_IO) == -XEN_EPERM,
          "device frame %lx: %ld", mfn, mm_map(window, pte, PTE_FLAGS_RO));
}

/* Local APIC, IO-APIC, HPET and the frames beside it, PCI, far away. */
static void check_devices(void)
{
    static const unsigned long frames[] = {
        0xfee00, 0xfee01, 0xfec00, 0xfecff, HPET_FRAME, HPET_FRAME + 1,
        0xb0000, 0xfe000, 0xfebf0, 0xfebff, 0xfffff,    0x8000000,
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
        if (frames[i] != given.frame) {
            check_device_frame(frames[i]);
        }
    }
    for (unsigned long mfn = 0xfe000; mfn < 0xff000; mfn += 61) {
        if (mfn != given.frame) {
            check_device_frame(mfn);
        }
    }
}

/* As another domain, or with its tables. */
static void check_foreign(domid_t domid)
{
    uint64_t pte = mm_maddr(spare) | PTE_FLAGS_RO;
    struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = others};
    static const unsigned int cmds[] = {
        MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE,
        MMUEXT_CLEAR_PAGE,   MMUEXT_COPY_PAGE,    MMUEXT_NEW_BASEPTR,
        MMUEXT_TLB_FLUSH_ALL};

    expect("mmu_update with frames of another",
           update(mm_pte_maddr(window, 1), pte, domid), -XEN_EPERM);
    expect("mmu_update with tables of another",
           update(mm_pte_maddr(window, 1), pte,
                  ((uint64_t)domid + 1) << 16 | DOMID_SELF),
           -XEN_EPERM);
    expect("update_va_mapping_otherdomain", map_other(pte, domid), -XEN_EPERM);
    for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
        long rc;

        op.cmd = cmds[i];
        rc = hypercall5(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0, domid,
                        0);
        CHECK(rc == -XEN_EPERM, "mmuext_op %u of d%u: %ld", cmds[i], domid, rc);
    }
}

/* Its number in our own name. */
static void check_mmuext(void)
{
    static const unsigned int cmds[] = {
        MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
        MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE,  MMUEXT_CLEAR_PAGE,
        MMUEXT_COPY_PAGE,    MMUEXT_NEW_BASEPTR,  MMUEXT_NEW_USER_BASEPTR};
    struct mmuext_op op = {.cmd = MMUEXT_COPY_PAGE, .arg1.mfn = mm_mfn(spare)};

    for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
        long rc = mm_mmuext(cmds[i], others);

        CHECK(rc == -XEN_EINVAL, "mmuext_op %u on another's frame: %ld",
              cmds[i], rc);
    }
    op.arg2.src_mfn = others;
    expect("copy another's page", hc_mmuext_op(&op, 1, NULL), -XEN_EINVAL);
    op.arg2.src_mfn = HPET_FRAME;
    expect("copy a device's page", hc_mmuext_op(&op, 1, NULL), -XEN_EINVAL);
    /* Only who has device memory has a use for it. */
    expect("flush the caches", mm_mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0),
           given.frame || given.ports ? 0 : -XEN_EACCES);
}

/* Tables that would lead to it; those of the hypervisor's half. */
static void check_tables(void)
{
    uint64_t l4 = mm_maddr((const void *)start_info->pt_base);
    uint64_t pte = (uint64_t)others << PAGE_SHIFT | PTE_FLAGS_TABLE;

    expect("a table of another's",
           update(l4 + L4_UNUSED * 8UL, pte, DOMID_SELF), -XEN_EINVAL);
    for (unsigned int i = 0; i < 16; i++) {
        long rc = update(l4 + (L4_XEN + i) * 8UL, pte, DOMID_SELF);

        CHECK(rc == -XEN_EPERM || rc == -XEN_EINVAL,
              "entry %u of the top table: %ld", L4_XEN + i, rc);
    }
    /* As if the frame were a table: we may not write there. */
    expect("write another's table",
           update((uint64_t)others << PAGE_SHIFT, 0, DOMID_SELF), -XEN_EINVAL);
    expect("the number of another's frame",
           update((uint64_t)others << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 1,
                  DOMID_SELF),
           -XEN_EINVAL);
}

/* Every other way to name a frame. */
static void check_registered(void)
{
    unsigned long frame = others;
    struct vcpu_register_vcpu_info info = {.mfn = others};
    struct evtchn_init_control fifo = {.control_gfn = others};
    struct physdev_pirq_eoi_gmfn eoi = {.gmfn = others};
    xen_pfn_t list = others;
    struct xen_memory_reservation less = {.nr_extents = 1, .domid = DOMID_SELF};
    struct xen_memory_exchange exchange = {
        .in = {.nr_extents = 1, .domid = DOMID_SELF},
        .out = {.nr_extents = 1, .domid = DOMID_SELF},
    };

    expect("set_gdt",
           hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, 512),
           -XEN_EINVAL);
    expect("update_descriptor",
           hypercall2(__HYPERVISOR_update_descriptor, frame << PAGE_SHIFT, 0),
           -XEN_EINVAL);
    expect("register_vcpu_info",
           hc_vcpu_op(VCPUOP_register_vcpu_info, 0, &info), -XEN_EINVAL);
    expect("init_control", hc_evtchn_op(EVTCHNOP_init_control, &fifo),
           -XEN_EINVAL);
    expect("pirq_eoi_gmfn",
           hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2,
                      (unsigned long)&eoi),
           -XEN_EINVAL);
    set_xen_guest_handle(less.extent_start, &list);
    expect("give another's frame back",
           hc_memory_op(XENMEM_decrease_reservation, &less), 0);
    set_xen_guest_handle(exchange.in.extent_start, &list);
    set_xen_guest_handle(exchange.out.extent_start, &list);
    expect("exchange another's frame", hc_memory_op(XENMEM_exchange, &exchange),
           -XEN_EINVAL);
    CHECK(exchange.nr_exchanged == 0, "another's frame was exchanged");
}

/* Last: what we get here is ours, and we have no list of it. */
static void check_limit(void)
{
    struct xen_memory_reservation more = {.nr_extents = MORE,
                                          .domid = DOMID_SELF};
    struct xen_memory_domain self = {.domid = DOMID_SELF};
    long max = hc_memory_op(XENMEM_maximum_reservation, &self);

    CHECK(hc_memory_op(XENMEM_increase_reservation, &more) < (long)MORE &&
              hc_memory_op(XENMEM_current_reservation, &self) <= max,
          "more memory than we may have");
}

void stranger_frames(void)
{
    CHECK(mm_protect(window, 0) == 0, "unmap the window");
    find_table();
    check_ram();
    check_devices();
    check_foreign(SOMEBODY);
    check_foreign(NOBODY);
    check_foreign(DOMID_XEN);
    check_mmuext();
    check_tables();
    check_registered();
    CHECK(mm_pte(window, 1) == 0, "the window's entry is %lx",
          mm_pte(window, 1));
    check_limit();
}
