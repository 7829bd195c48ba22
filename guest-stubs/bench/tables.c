/* SPDX-License-Identifier: MIT */
/*
 * bench/tables.c - whole page tables: base pointers, pins of trees.
 *
 * Part of the area `paging`.  A tree is one L4, L3 and L2 with any number of
 * L1 tables, all of whose entries map pages of ours writable, as those of a
 * process do.
 */
#include "bench.h"

#define L1_TABLES 64
#define L1_FRAMES 16 /* the pages the entries map, in turn */

static uint64_t l4[512] __page_aligned;
static uint64_t l3[512] __page_aligned;
static uint64_t l2[512] __page_aligned;
static uint64_t l1[L1_TABLES][512] __page_aligned;
static uint64_t data[L1_FRAMES][512] __page_aligned;

static bool pinned;

static long tables_protect(uint64_t flags)
{
    unsigned int i;
    long rc =
        mm_protect(l4, flags) | mm_protect(l3, flags) | mm_protect(l2, flags);

    for (i = 0; i < L1_TABLES; i++) {
        rc |= mm_protect(l1[i], flags);
    }
    return rc;
}

/* Fill the tables, which are writable now, for @tables L1s of @entries. */
static void build(unsigned int levels, unsigned int tables,
                  unsigned int entries)
{
    unsigned int i, j;

    memset(l4, 0, sizeof(l4));
    memset(l3, 0, sizeof(l3));
    memset(l2, 0, sizeof(l2));
    memset(l1, 0, sizeof(l1));
    if (levels > 1) {
        l4[0] = mm_maddr(l3) | PTE_FLAGS_TABLE;
        l3[0] = mm_maddr(l2) | PTE_FLAGS_TABLE;
    }
    for (i = 0; i < tables; i++) {
        l2[i] = mm_maddr(l1[i]) | PTE_FLAGS_TABLE;
        for (j = 0; j < entries; j++) {
            l1[i][j] = mm_maddr(data[j % L1_FRAMES]) | PTE_FLAGS_DATA;
        }
    }
}

static long pin(void)
{
    long rc = pinned ? 0 : mm_mmuext(MMUEXT_PIN_L4_TABLE, mm_mfn(l4));

    pinned = pinned || rc == 0;
    return rc;
}

static long unpin(void)
{
    long rc = pinned ? mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(l4)) : 0;

    pinned = false;
    return rc;
}

static void pin_and_unpin(const char *pin_name, const char *unpin_name,
                          unsigned int iterations)
{
    struct mmuext_op op = {.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = mm_mfn(l4)};
    long rc = 0;

    BENCH(pin_name, iterations, unpin(), {
        rc |= hc_mmuext_op(&op, 1, NULL);
        pinned = true;
    });
    unpin();
    op.cmd = MMUEXT_UNPIN_TABLE;
    if (unpin_name) {
        BENCH(unpin_name, iterations, pin(), {
            rc |= hc_mmuext_op(&op, 1, NULL);
            pinned = false;
        });
        unpin();
    }
    if (rc) {
        bench_absent(pin_name, rc);
    }
}

static void tree(const char *pin_name, const char *unpin_name,
                 unsigned int levels, unsigned int tables, unsigned int entries,
                 unsigned int iterations)
{
    build(levels, tables, entries);
    if (CHECK(tables_protect(PTE_FLAGS_RO) == 0, "%s: read-only", pin_name)) {
        pin_and_unpin(pin_name, unpin_name, iterations);
    }
    CHECK(tables_protect(PTE_FLAGS_DATA) == 0, "%s: writable", pin_name);
}

static long both(uint64_t kernel, uint64_t user)
{
    struct mmuext_op op[2] = {
        {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = kernel},
        {.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = user},
    };

    return hc_mmuext_op(op, 2, NULL);
}

/* A second L4 with all that is ours, as that of another process has. */
static void run_bases(void)
{
    const uint64_t *first = (const uint64_t *)start_info->pt_base;
    uint64_t mfn[2] = {mm_mfn(first), mm_mfn(l4)};
    struct mmuext_op op = {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = mfn[0]};
    unsigned int i;
    long rc;

    build(1, 0, 0);
    memcpy(l4, first, 256 * sizeof(*l4));
    memcpy(&l4[272], &first[272], (512 - 272) * sizeof(*l4));
    if (!CHECK(mm_protect(l4, PTE_FLAGS_RO) == 0, "L4: read-only")) {
        return;
    }
    pin_and_unpin("pin_l4_kernelshare", NULL, BENCH_MANY);
    rc = pin();
    if (rc) {
        bench_absent("new_baseptr_switch", rc);
        return;
    }
    BENCH("new_baseptr_same", BENCH_MANY, , rc |= hc_mmuext_op(&op, 1, NULL));
    i = 0;
    BENCH("new_baseptr_switch", BENCH_MANY, op.arg1.mfn = mfn[++i & 1],
          rc |= hc_mmuext_op(&op, 1, NULL));
    i = 0;
    rc |= both(mfn[0], mfn[0]);
    BENCH("new_baseptr_both_mm_switch", BENCH_MANY, i++,
          rc |= both(mfn[i & 1], mfn[i & 1]));
    rc |= both(mfn[0], 0);
    rc |= unpin();
    CHECK(rc == 0, "base pointers: %ld", rc);
    CHECK(mm_protect(l4, PTE_FLAGS_DATA) == 0, "L4: writable");
}

void bench_page_tables(void)
{
    run_bases();
    tree("pin_tree_l4only", "unpin_tree_l4only", 1, 0, 0, BENCH_MANY);
    tree("pin_tree_4lvl_empty", "unpin_tree_4lvl_empty", 4, 1, 0, BENCH_MANY);
    tree("pin_tree_1x1", "unpin_tree_1x1", 4, 1, 1, BENCH_MANY);
    tree("pin_tree_1x512", "unpin_tree_1x512", 4, 1, 512, BENCH_MANY);
    tree("pin_tree_8x512", "unpin_tree_8x512", 4, 8, 512, BENCH_MANY);
    tree("pin_tree_64x512", "unpin_tree_64x512", 4, L1_TABLES, 512,
         BENCH_MANY);
}
