/* SPDX-License-Identifier: MIT */
/*
 * boot/harvest.c - two zones side by side, used in turn.
 *
 * A boot writes into the zone that does not hold the newest record nobody has
 * collected, so nothing needs to be copied before the allocator stands, and a
 * record survives even a boot that dies before Dom0 could read it.
 *
 * Place: a quarter, the middle or three quarters of the largest piece of RAM
 * below 4 GiB, away from what firmware and boot loaders use at both ends.  All
 * three depend on the firmware's memory map alone, so every boot looks where
 * the last one wrote, wherever the loader has put its modules this time; ours
 * goes to the first of them that no module lies on.
 */
#include "boot/harvest.h"

#include "boot/version.h"
#include "crash/blackbox.h"
#include "crash/context.h"
#include "crash/harvest.h"
#include "lib/bits.h"
#include "log/printk.h"
#include "mm/directmap.h"
#include "mm/memmap.h"
#include "x86/percpu.h"
#include "x86/tsc.h"

#define ZONES 2
#define PLACES 3
#define LIMIT_4G (1ULL << 32)
#define RECORDS_SHOWN 8

static const char *const kind_name[] = {
    [VIGIL_BOX_KIND_HYPERVISOR] = "hypervisor panic",
    [VIGIL_BOX_KIND_DOM0] = "Dom0 crash",
    [VIGIL_BOX_KIND_RESET] = "reset without a panic",
    [VIGIL_BOX_KIND_CLEAN] = "orderly shutdown",
};

/* Fills in the candidates, the middle first; false: too little memory. */
static bool find_places(maddr_t ret_start[PLACES])
{
    struct e820entry e;
    maddr_t start = 0;
    uint64_t best = 0;
    unsigned int i;

    for (i = 0; memmap_machine_e820(i, &e); i++) {
        maddr_t end = MIN(e.addr + e.size, LIMIT_4G);

        if (e.type == MEMMAP_RAM && end > e.addr && end - e.addr > best) {
            best = end - e.addr;
            start = e.addr;
        }
    }
    ret_start[0] = ALIGN_DOWN(start + best / 2, (maddr_t)VIGIL_BOX_BYTES);
    ret_start[1] = ALIGN_DOWN(start + best / 4, (maddr_t)VIGIL_BOX_BYTES);
    ret_start[2] = ALIGN_DOWN(start + best / 4 * 3, (maddr_t)VIGIL_BOX_BYTES);
    return best >= 16 * VIGIL_BOX_BYTES;
}

/* Does nothing else lie there? */
static bool place_is_free(maddr_t start)
{
    struct memmap_region r;
    unsigned int i;

    for (i = 0; memmap_region(i, &r); i++) {
        if (r.type == MEMMAP_RAM && r.start <= start &&
            r.end >= start + ZONES * VIGIL_BOX_BYTES) {
            return true;
        }
    }
    return false;
}

/* A zone found elsewhere than where ours lies must not be handed out. */
static void keep(const void *zone)
{
    maddr_t a = ptr_to_maddr(zone);

    if (memmap_type_at(a) == MEMMAP_RAM) {
        memmap_hide(a, VIGIL_BOX_BYTES);
    }
}

static void forget(const void *copy, size_t bytes)
{
    blackbox_mark_taken((void *)(uint64_t)copy, bytes);
}

static bool is_news(enum box_verdict v)
{
    return v == BOX_CLEAN || v == BOX_RESET || v == BOX_TORN ||
           v == BOX_SEALED_OK || v == BOX_SEALED_BAD;
}

struct find {
    uint64_t generation; /* newest of all zones                     */
    uint64_t news;       /* newest generation that nobody collected */
    void *zone;          /* where that is, or NULL                  */
};

static void look_at(void *zone, struct find *f)
{
    enum box_verdict v = blackbox_check(zone, VIGIL_BOX_BYTES);
    uint64_t g = blackbox_generation_of(zone, VIGIL_BOX_BYTES);

    f->generation = MAX(f->generation, g);
    if (v == BOX_MANGLED) {
        pr_warn("boot: a black box of an earlier boot is mangled, or of another "
                "version");
    }
    if (is_news(v) && (f->zone == NULL || g > f->news)) {
        f->news = g;
        f->zone = zone;
    }
}

/* Who left no record may have been in the middle of an NMI or a #MC. */
static void announce_contexts(const struct vigil_box_header *h)
{
    char words[VIGIL_CTX_TEXT_BYTES];

    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        uint32_t context = blackbox_context_of(h, cpu);

        if (context != 0) {
            pr_notice("boot: CPU %u was in %s then", cpu,
                      context_words(context, words, sizeof(words)));
        }
    }
}

/* Nor has anybody told of the machine checks that Dom0 had not collected. */
static void announce_records(const struct vigil_box_header *h)
{
    const struct vigil_mce_record *r;
    unsigned int n = 0;
    uint64_t seq = 0;

    while ((r = blackbox_mce_next(h, seq)) != NULL) {
        seq = r->seq;
        if (n++ < RECORDS_SHOWN) {
            pr_warn("boot: not collected then: machine check %lu, CPU %u, "
                    "MCG_STATUS 0x%lx, rip 0x%lx, %u banks: bank %u status "
                    "0x%lx addr 0x%lx",
                    r->seq, r->cpu, r->mcg_status, r->rip, r->banks,
                    r->bank[0].bank, r->bank[0].status, r->bank[0].addr);
        }
    }
    if (n > RECORDS_SHOWN) {
        pr_warn("boot: and %u more of them", n - RECORDS_SHOWN);
    }
}

static void announce(const struct vigil_box_header *h)
{
    const char *kind = h->kind < ARRAY_SIZE(kind_name) ? kind_name[h->kind]
                                                       : NULL;

    pr_notice("boot: the previous boot left a black box: %s: %s",
              kind != NULL ? kind : "unfinished", h->reason);
    if (h->state == VIGIL_BOX_RUNNING) {
        announce_contexts(h);
        announce_records(h);
    }
}

void harvest_boxes(void)
{
    maddr_t place[PLACES];
    struct find f = {0};
    void *ours = NULL;
    unsigned int i, n;

    if (!find_places(place)) {
        pr_err("boot: no room for the black box: a crash will leave no record");
        return;
    }
    for (i = 0; i < PLACES; i++) {
        for (n = 0; n < ZONES; n++) {
            look_at(maddr_to_ptr(place[i] + n * VIGIL_BOX_BYTES), &f);
        }
    }
    for (i = 0; i < PLACES && ours == NULL; i++) {
        if (place_is_free(place[i])) {
            memmap_hide(place[i], ZONES * VIGIL_BOX_BYTES);
            ours = maddr_to_ptr(place[i]);
        }
    }
    if (f.zone != NULL) {
        announce(f.zone);
        if (ours == f.zone) {
            ours = (char *)ours + VIGIL_BOX_BYTES;
        }
        keep(f.zone);
        harvest_set(f.zone, VIGIL_BOX_BYTES, forget);
    }
    if (ours == NULL ||
        blackbox_init(ours, VIGIL_BOX_BYTES, rdtsc() | 1, f.generation + 1,
                      version_text()) != 0) {
        pr_err("boot: the black box cannot be laid out");
    }
}
