/* SPDX-License-Identifier: MIT */
/*
 * hello - a PV kernel boots, sees a sane machine, speaks and ends.
 *
 * Claim: the builder and the hypervisor keep the boot contract of a 64-bit PV
 * guest.  Plan:
 *   1. start_info: magic, page counts, pt_base, P2M list, flags.
 *   2. The P2M and M2P tables agree for the pages we stand on.
 *   3. xen_version says 4.17, capabilities offer xen-3.0-x86_64, the features
 *      Linux needs are there and those it must not see are absent.
 *   4. The console takes more than its ring holds (back-pressure).
 *   5. Time passes.
 * With `hold` on the command line it stays, blocked, after its verdict, with
 * `beat=N` it also says so every N seconds, with `busy` it stays and sleeps never;
 * with `reboot` it asks for that; otherwise it powers off.  `slim`: before its
 * verdict it gives back all memory it does not use.
 */
#include "stub.h"

const char stub_name[] = "hello";

static bool text_has(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (; *text; text++) {
        if (!strncmp(text, word, len)) {
            return true;
        }
    }
    return false;
}

static void check_start_info(void)
{
    const struct start_info *si = start_info;

    print("hello: %s, %lu pages, flags %x, command line \"%s\"\n", si->magic,
          si->nr_pages, si->flags, (const char *)si->cmd_line);
    CHECK(!strncmp(si->magic, "xen-3.0-x86_64", 14), "magic is \"%s\"",
          si->magic);
    CHECK(si->nr_pages >= 1024, "only %lu pages", si->nr_pages);
    CHECK(!((unsigned long)si & ~PAGE_MASK), "start_info at %lx",
          (unsigned long)si);
    CHECK(si->pt_base && !(si->pt_base & ~PAGE_MASK), "pt_base %lx",
          si->pt_base);
    CHECK(si->nr_pt_frames >= 4, "%lu page-table frames", si->nr_pt_frames);
    CHECK(si->shared_info && !(si->shared_info & ~PAGE_MASK),
          "shared_info at machine address %lx", si->shared_info);
    CHECK(si->mfn_list == 0x8000000000UL, "P2M at %lx, note says 8000000000",
          si->mfn_list);
    CHECK(si->first_p2m_pfn && si->nr_p2m_frames, "P2M frames %lu at %lx",
          si->nr_p2m_frames, si->first_p2m_pfn);
    if (stub_is_dom0()) {
        CHECK(si->flags & SIF_PRIVILEGED, "Dom0 without SIF_PRIVILEGED");
        CHECK(!si->store_evtchn, "Dom0 has store channel %u", si->store_evtchn);
    } else {
        CHECK(!(si->flags & SIF_PRIVILEGED), "domU has SIF_PRIVILEGED");
        CHECK(si->store_mfn && si->store_evtchn, "no store ring or channel");
        CHECK(si->console.domU.mfn && si->console.domU.evtchn,
              "no console ring or channel");
    }
}

static void check_tables(void)
{
    const unsigned long *p2m = (const unsigned long *)start_info->mfn_list;
    unsigned long pfn, bad = 0;

    for (pfn = 0; pfn < start_info->nr_pages; pfn++) {
        if (machine_to_phys_mapping[p2m[pfn]] != pfn) {
            bad++;
        }
    }
    /* The frame under shared_info_page is ours still, only not mapped. */
    CHECK(!bad, "%lu of %lu P2M entries disagree with the M2P", bad, pfn);
    CHECK((mm_pte((const void *)start_info->pt_base, 1) & (PTE_P | PTE_RW)) ==
              PTE_P,
          "the L4 is mapped with %lx: not read-only",
          mm_pte((const void *)start_info->pt_base, 1));
    CHECK(mm_pte(stub_name, 1) >> PAGE_SHIFT << PAGE_SHIFT, "walk failed");
}

static void check_version(void)
{
    static char text[1024];
    struct xen_feature_info features = {.submap_idx = 0};
    long version = hc_xen_version(XENVER_version, NULL);

    CHECK(version == 0x40011, "xen_version is %lx, not 4.17", version);
    CHECK(hc_xen_version(XENVER_extraversion, text) == 0, "extraversion");
    print("hello: version %ld.%ld%s\n", version >> 16, version & 0xffff, text);
    CHECK(hc_xen_version(XENVER_capabilities, text) == 0, "capabilities");
    CHECK(text_has(text, "xen-3.0-x86_64"), "capabilities \"%s\"", text);
    CHECK(hc_xen_version(XENVER_pagesize, NULL) == 4096, "page size");

    CHECK(hc_xen_version(XENVER_get_features, &features) == 0, "features");
    print("hello: features %08x\n", features.submap);
    CHECK(features.submap & (1U << XENFEAT_mmu_pt_update_preserve_ad),
          "no mmu_pt_update_preserve_ad");
    CHECK(features.submap & (1U << XENFEAT_gnttab_map_avail_bits),
          "no gnttab_map_avail_bits");
    CHECK(!(features.submap & ((1U << XENFEAT_writable_page_tables) |
                               (1U << XENFEAT_auto_translated_physmap) |
                               (1U << XENFEAT_supervisor_mode_kernel))),
          "features %x no PV guest can live with", features.submap);
    CHECK(!(features.submap & (1U << XENFEAT_dom0)) == !stub_is_dom0(),
          "feature dom0 and start_info disagree");
    features.submap_idx = 1;
    CHECK(hc_xen_version(XENVER_get_features, &features) == -XEN_EINVAL,
          "submap 1 exists");
}

static void check_console(void)
{
    unsigned int line;

    if (stub_is_dom0()) {
        CHECK(hc_console_write("", 0) == 0, "an empty write fails");
        return;
    }
    /* Three kilobytes through a ring of two. */
    for (line = 0; line < 48; line++) {
        print("hello: line %02u of 48, sixty-four bytes wide, to fill ring\n",
              line);
    }
}

static void check_time(void)
{
    uint64_t start = time_now_ns(), end;

    time_sleep_ns(20 * NS_PER_MS);
    end = time_now_ns();
    CHECK(end > start, "time went from %lu to %lu", start, end);
    CHECK(end - start < 20 * NS_PER_SEC, "20 ms took %lu ns", end - start);
}

/* What lies before our code and behind the page tables we were built with. */
static void give_back(void)
{
    extern const char _start[];
    unsigned long first = mm_pfn(_start);
    unsigned long last =
        mm_pfn((const void *)start_info->pt_base) + start_info->nr_pt_frames;
    unsigned long count = 0;

    for (unsigned long pfn = 0; pfn < start_info->nr_pages; pfn++) {
        const void *va = (const void *)(VIRT_BASE + (pfn << PAGE_SHIFT));
        xen_pfn_t frame = mm_mfn(va);
        struct xen_memory_reservation out = {.nr_extents = 1,
                                             .domid = DOMID_SELF};

        if (pfn == first) {
            pfn = last; /* and the stack of the start */
            continue;
        }
        set_xen_guest_handle(out.extent_start, &frame);
        /* Of those at the end some are mapped nowhere. */
        if (!CHECK(mm_pte(va, 1) == 0 || mm_protect(va, 0) == 0,
                   "unmap page %lx", pfn) ||
            !CHECK(hc_memory_op(XENMEM_decrease_reservation, &out) == 1,
                   "give back page %lx", pfn)) {
            return;
        }
        count++;
    }
    print("hello: %lu pages given back\n", count);
}

static void beat(unsigned long seconds)
{
    for (unsigned int n = 1;; n++) {
        time_sleep_ns(seconds * NS_PER_SEC);
        print("hello: beat %u\n", n);
    }
}

void stub_main(void)
{
    unsigned long seconds = cmdline_number("beat", 0);

    check_start_info();
    check_tables();
    check_version();
    check_console();
    check_time();
    if (cmdline_has("slim")) {
        give_back();
    }
    report(VERDICT_SUCCESS, "booted as %s with %lu pages",
           stub_is_dom0() ? "dom0" : "domU", start_info->nr_pages);
    if (cmdline_has("reboot")) {
        report_last_line();
        stub_shutdown(SHUTDOWN_reboot);
    }
    if (cmdline_has("busy")) {
        report_last_line();
        for (;;) {
            asm volatile("pause");
        }
    }
    if (seconds) {
        report_last_line();
        beat(seconds);
    }
    if (!cmdline_has("hold")) {
        return;
    }
    report_last_line();
    for (;;) {
        /* All ports are masked: nothing but a destroy ends this. */
        hc_sched_op(SCHEDOP_block, NULL);
    }
}
