/* SPDX-License-Identifier: MIT */
/*
 * boot/harvest.c - two zones side by side, used in turn.
 *
 * A boot writes into the zone that does not hold the newest record nobody has
 * collected, so nothing needs to be copied before the allocator stands, and a
 * record survives even a boot that dies before Dom0 could read it.  Place: in
 * the middle of the largest piece of RAM below 4 GiB, away from what firmware
 * and boot loaders use at both ends; a function of the memory map alone, so
 * every boot finds it again.
 */
#include "boot/harvest.h"

#include "boot/version.h"
#include "crash/blackbox.h"
#include "crash/harvest.h"
#include "lib/bits.h"
#include "log/printk.h"
#include "mm/directmap.h"
#include "mm/memmap.h"
#include "x86/tsc.h"

#define ZONES 2
#define LIMIT_4G (1ULL << 32)

static const char *const kind_name[] = {
    [VIGIL_BOX_KIND_HYPERVISOR] = "hypervisor panic",
    [VIGIL_BOX_KIND_DOM0] = "Dom0 crash",
    [VIGIL_BOX_KIND_RESET] = "reset without a panic",
    [VIGIL_BOX_KIND_CLEAN] = "orderly shutdown",
};

static bool choose_place(maddr_t *ret_start)
{
    struct memmap_region r;
    uint64_t best = 0;
    unsigned int i;

    for (i = 0; memmap_region(i, &r); i++) {
        maddr_t end = MIN(r.end, LIMIT_4G);

        if (r.type == MEMMAP_RAM && end > r.start && end - r.start > best) {
            best = end - r.start;
            *ret_start =
                ALIGN_DOWN(r.start + best / 2, (maddr_t)VIGIL_BOX_BYTES);
        }
    }
    return best >= 16 * VIGIL_BOX_BYTES;
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

void harvest_boxes(void)
{
    maddr_t place;
    uint64_t generation = 0, newest = 0;
    unsigned int i, use = 0;
    void *zone[ZONES];
    int found = -1;

    if (!choose_place(&place)) {
        pr_err("boot: no room for the black box: a crash will leave no record");
        return;
    }
    memmap_hide(place, ZONES * VIGIL_BOX_BYTES);
    for (i = 0; i < ZONES; i++) {
        enum box_verdict v;
        uint64_t g;

        zone[i] = maddr_to_ptr(place + i * VIGIL_BOX_BYTES);
        v = blackbox_check(zone[i], VIGIL_BOX_BYTES);
        g = blackbox_generation_of(zone[i], VIGIL_BOX_BYTES);
        generation = MAX(generation, g);
        if (v == BOX_MANGLED) {
            pr_warn("boot: a black box of an earlier boot is mangled");
        }
        if (is_news(v) && g >= newest) {
            newest = g;
            found = (int)i;
        }
    }
    if (found >= 0) {
        const struct vigil_box_header *h = zone[found];
        uint32_t kind = h->kind < ARRAY_SIZE(kind_name) ? h->kind : 0;

        use = 1 - (unsigned int)found;
        pr_notice("boot: the previous boot left a black box: %s: %s",
                  kind_name[kind] != NULL ? kind_name[kind] : "unfinished",
                  h->reason);
        harvest_set(zone[found], VIGIL_BOX_BYTES, forget);
    }
    if (blackbox_init(zone[use], VIGIL_BOX_BYTES, rdtsc() | 1, generation + 1,
                      version_text()) != 0) {
        pr_err("boot: the black box cannot be laid out");
    }
}
