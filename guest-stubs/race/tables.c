/* SPDX-License-Identifier: MIT */
/*
 * race/tables.c - frames that are made page tables, pinned, linked, written to
 * and made writable again by several vcpus at once.
 */
#include "../bench/tiny.h"
#include "race.h"

#define PAGES 12U /* few, so that they meet */
#define SLOTS 4U  /* entries of each that are used */
/* A level 4 entry of its own: nothing is read through it. */
#define TEST_VA ((const void *)0x10000000000UL)

static uint64_t pages[PAGES][PAGE_SIZE / sizeof(uint64_t)] __page_aligned;

static uint64_t l4_entry;
static uint64_t done, refused, odd, pins, links, writes;

static bool answer(long rc)
{
    switch (rc) {
    case 0:
        count(&done);
        return true;
    case -XEN_EINVAL:
    case -XEN_EBUSY:
        count(&refused);
        return false;
    default:
        count(&odd);
        return false;
    }
}

static uint64_t draw_entry(uint64_t *seed)
{
    static const uint64_t flags[] = {PTE_FLAGS_RO, PTE_FLAGS_DATA};
    uint64_t frame = mm_maddr(pages[draw(seed, PAGES)]);

    return draw(seed, 3) == 0 ? 0 : frame | flags[draw(seed, 2)];
}

static unsigned int draw_pin(uint64_t *seed)
{
    static const unsigned int cmd[] = {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L1_TABLE,
                                       MMUEXT_PIN_L2_TABLE,
                                       MMUEXT_PIN_L3_TABLE};

    return cmd[draw(seed, 4)];
}

static void turn(unsigned int id, uint64_t *seed)
{
    const uint64_t *page = pages[draw(seed, PAGES)];

    (void)id;
    switch (draw(seed, 8)) {
    case 0:
        answer(mm_protect(page, PTE_FLAGS_DATA));
        break;
    case 1:
    case 2:
        answer(mm_protect(page, PTE_FLAGS_RO));
        break;
    case 3:
        if (answer(mm_mmuext(draw_pin(seed), mm_mfn(page)))) {
            count(&pins);
        }
        break;
    case 4:
        answer(mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(page)));
        break;
    case 5:
        if (answer(mm_write_pte(l4_entry, draw(seed, 2)
                                              ? mm_maddr(page) | PTE_FLAGS_TABLE
                                              : 0))) {
            count(&links);
        }
        break;
    default:
        if (answer(mm_write_pte(mm_maddr(&page[draw(seed, SLOTS)]),
                                draw_entry(seed)))) {
            count(&writes);
        }
        break;
    }
}

static void step(uint64_t *seed)
{
    turn(0, seed);
}

static bool begin(void)
{
    l4_entry = mm_pte_maddr(TEST_VA, 4);
    return CHECK(l4_entry != 0 && mm_pte(TEST_VA, 4) == 0, "an entry in use");
}

static bool enough(void)
{
    return pins >= 50 && links >= 50 && writes >= 500;
}

/* Nothing is held by anything, if every count was taken back. */
static void check_page(const uint64_t *page)
{
    CHECK(mm_protect(page, PTE_FLAGS_DATA) == 0, "it is still a table");
    CHECK(mm_protect(page, PTE_FLAGS_RO) == 0, "protect");
    CHECK(mm_mmuext(MMUEXT_PIN_L1_TABLE, mm_mfn(page)) == 0,
          "it is still written to");
    CHECK(mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(page)) == 0, "unpin");
}

/* Given back while it has a reference left, it would not be free. */
static bool give_back(const uint64_t *page)
{
    xen_pfn_t frame = mm_mfn(page);
    struct xen_memory_reservation res = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(res.extent_start, &frame);
    return mm_protect(page, 0) == 0 &&
           hc_memory_op(XENMEM_decrease_reservation, &res) == 1;
}

static void end(void)
{
    uint64_t before;

    print("race: %lu done, %lu refused; %lu pins, %lu links, %lu entries\n",
          done, refused, pins, links, writes);
    CHECK(odd == 0, "%lu odd answers", odd);
    CHECK(mm_write_pte(l4_entry, 0) == 0, "unlink");
    for (unsigned int i = 0; i < PAGES; i++) {
        (void)mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(pages[i]));
    }
    for (unsigned int i = 0; i < PAGES; i++) {
        for (unsigned int slot = 0; slot < SLOTS; slot++) {
            /* A plain page is written to if nothing is a table of it. */
            CHECK(mm_write_pte(mm_maddr(&pages[i][slot]), 0) == 0,
                  "entry %u of page %u", slot, i);
        }
    }
    for (unsigned int i = 0; i < PAGES; i++) {
        check_page(pages[i]);
    }
    before = tiny_free_pages();
    for (unsigned int i = 0; i < PAGES; i++) {
        CHECK(give_back(pages[i]), "give back page %u", i);
    }
    CHECK(tiny_free_pages() == before + PAGES, "%lu free pages, then %lu",
          before, tiny_free_pages());
}

const struct race race_tables = {"tables", begin, turn, step, enough, end};
