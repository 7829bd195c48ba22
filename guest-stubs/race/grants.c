/* SPDX-License-Identifier: MIT */
/*
 * race/grants.c - pages granted to ourselves, and taken back.
 *
 * Entries FIRST and up are honest: entry n grants page n.  Whoever has it
 * mapped writes to it; when the granter has taken it back, nobody does.  Those
 * from WILD on say anything.
 */
#include "../bench/tiny.h"

#include "race.h"

#define FIRST 8U
#define PAGES 4U
#define WILD  12U
#define REFS  8U /* of both kinds */

/* A frame number of more than there is. */
#define NO_RAM (1U << 30)

static union {
    struct grant_entry_v1 v1[PAGE_SIZE / sizeof(struct grant_entry_v1)];
    union grant_entry_v2 v2[PAGE_SIZE / sizeof(union grant_entry_v2)];
    uint32_t words[PAGE_SIZE / sizeof(uint32_t)];
    char page[PAGE_SIZE];
} table __page_aligned;
static union {
    grant_status_t marks[PAGE_SIZE / sizeof(grant_status_t)];
    char page[PAGE_SIZE];
} status __page_aligned;
static uint64_t pages[PAGES][512] __page_aligned;
static uint64_t spoilt[512] __page_aligned;
static uint64_t windows[VCPUS_MAX][512] __page_aligned;
static uint64_t copies[VCPUS_MAX][512] __page_aligned;

/* vcpu 0's */
static unsigned int version;
static bool calm; /* read by all */
static uint64_t given, taken, changes, late, marked;
/* everybody's */
static uint64_t maps, unmaps, thefts, doubles, stuck, odd, copied, lives, lost;

/* One mapping that its owner and a thief take down at once. */
static struct {
    uint32_t handle; /* + 1; 0: none; TAKEN: a thief is at it */
    uint32_t stolen; /* what the thief was told, + 1          */
} __attribute__((aligned(64))) loot[VCPUS_MAX];
#define TAKEN       0xffffffffU
#define RETRIES     1000U
/*
 * Looks out for a thief.  A time, for an emulator with one thread gives all
 * others their turn at each pause.
 */
#define PATIENCE_NS 20000U

/* ---- the others -------------------------------------------------------------- */

static int unmap(unsigned int owner, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = {
        .host_addr = (uint64_t)windows[owner],
        .handle = handle,
    };

    return hc_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1) ? -1 : op.status;
}

static void steal(unsigned int id)
{
    unsigned int from = id + 1 < vcpus ? id + 1 : 1;
    uint32_t handle = __atomic_load_n(&loot[from].handle, __ATOMIC_SEQ_CST);

    if (handle == 0 || handle == TAKEN ||
        !__atomic_compare_exchange_n(&loot[from].handle, &handle, TAKEN, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        return;
    }
    __atomic_store_n(&loot[from].stolen,
                     unmap(from, handle - 1) == GNTST_okay ? 2 : 1,
                     __ATOMIC_SEQ_CST);
}

/* Take the window down, which somebody else may be doing: one does. */
static void unmap_shared(unsigned int id, grant_handle_t handle,
                         uint64_t patience_ns)
{
    uint64_t since = time_now_ns();
    unsigned int done;

    __atomic_store_n(&loot[id].handle, handle + 1, __ATOMIC_SEQ_CST);
    while (time_now_ns() - since < patience_ns &&
           __atomic_load_n(&loot[id].handle, __ATOMIC_SEQ_CST) != TAKEN) {
        __asm__ volatile("pause");
    }
    done = unmap(id, handle) == GNTST_okay;
    if (__atomic_exchange_n(&loot[id].handle, 0, __ATOMIC_SEQ_CST) == TAKEN) {
        uint32_t stolen;

        do {
            stolen = __atomic_exchange_n(&loot[id].stolen, 0, __ATOMIC_SEQ_CST);
        } while (!stolen);
        done += stolen - 1;
        if (stolen == 2) {
            count(&thefts);
        }
    }
    /*
     * A thief who came too late, elsewhere, may have had it in hand for a
     * moment: the number is in use again.
     */
    for (unsigned int i = 0; i < RETRIES && done == 0; i++) {
        done = unmap(id, handle) == GNTST_okay;
    }
    count(done == 1 ? &unmaps : &doubles);
}

static void map(unsigned int id, uint64_t *seed)
{
    bool readonly = draw(seed, 2);
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)windows[id],
        .flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0),
        .ref = FIRST + (grant_ref_t)draw(seed, REFS),
        .dom = DOMID_SELF,
    };

    if (hc_grant_table_op(GNTTABOP_map_grant_ref, &op, 1)) {
        count(&odd);
        return;
    }
    if (op.status != GNTST_okay) {
        /* It is not, or no longer, granted. */
        if (op.status != GNTST_general_error && op.status != GNTST_eagain &&
            op.status != GNTST_bad_page) {
            count(&odd);
        }
        return;
    }
    count(&maps);
    if (op.ref < WILD) {
        if (!readonly) {
            WRITE_ONCE(windows[id][1 + id], READ_ONCE(windows[id][0]));
        } else if (READ_ONCE(windows[id][511]) != op.ref) {
            count(&odd);
        }
    }
    unmap_shared(id, op.handle, draw(seed, 4) ? 0 : PATIENCE_NS);
}

static void copy(unsigned int id, uint64_t *seed)
{
    bool in = draw(seed, 2);
    struct gnttab_copy_ptr granted = {
        .u.ref = FIRST + (grant_ref_t)draw(seed, REFS),
        .domid = DOMID_SELF,
        .offset = 8 * (VCPUS_MAX + 1),
    };
    struct gnttab_copy_ptr own = {
        .u.gmfn = mm_mfn(copies[id]),
        .domid = DOMID_SELF,
    };
    struct gnttab_copy op = {
        .source = in ? granted : own,
        .dest = in ? own : granted,
        .len = 8,
        .flags = in ? GNTCOPY_source_gref : GNTCOPY_dest_gref,
    };

    if (hc_grant_table_op(GNTTABOP_copy, &op, 1)) {
        count(&odd);
    } else if (op.status == GNTST_okay) {
        count(&copied);
    }
}

/* A domain that is destroyed while Dom0 maps what it granted. */
static void live_and_die(unsigned int id)
{
    static union {
        struct grant_entry_v1 v1[PAGE_SIZE / sizeof(struct grant_entry_v1)];
        char page[PAGE_SIZE];
    } theirs __page_aligned; /* one vcpu does this */
    struct gnttab_setup_table setup = {.nr_frames = 1};
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)windows[id],
        .flags = GNTMAP_host_map,
        .ref = FIRST,
    };
    struct tiny t = {0};
    xen_pfn_t page = 0, frame = 0;
    unsigned int tries = 0;

    if (tiny_create(&t)) {
        return;
    }
    setup.dom = op.dom = t.domid;
    set_xen_guest_handle(setup.frame_list, &frame);
    if (tiny_max_mem(&t, 1) || tiny_populate(&t, &page, 1, 0) != 1 ||
        hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) || setup.status ||
        hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                   (unsigned long)&theirs, frame << PAGE_SHIFT | PTE_FLAGS_DATA,
                   UVMF_NONE, t.domid, 0)) {
        count(&odd);
    } else {
        theirs.v1[FIRST].frame = (uint32_t)page;
        theirs.v1[FIRST].domid = 0;
        WRITE_ONCE(theirs.v1[FIRST].flags, GTF_permit_access);
        mm_protect(&theirs, 0);
    }
    if (hc_grant_table_op(GNTTABOP_map_grant_ref, &op, 1) || op.status) {
        op.status = GNTST_general_error;
    } else {
        WRITE_ONCE(windows[id][0], t.domid);
    }
    while (tiny_destroy(&t) == -XEN_EAGAIN) {
    }
    if (op.status == GNTST_okay) {
        if (READ_ONCE(windows[id][0]) != t.domid) {
            count(&lost);
        }
        while (unmap(id, op.handle) != GNTST_okay && tries < RETRIES) {
            tries++;
        }
        if (tries == RETRIES) {
            count(&stuck);
        }
        count(&lives);
    }
}

static void turn(unsigned int id, uint64_t *seed)
{
    if (id == 1 && draw(seed, 8) == 0) {
        live_and_die(id);
        return;
    }
    steal(id);
    copy(id, seed);
    if (!READ_ONCE(calm)) {
        map(id, seed);
    }
}

/* ---- the granter ------------------------------------------------------------- */

static uint32_t *word_of(grant_ref_t ref)
{
    return version == 1 ? &table.words[ref * 2] : &table.words[ref * 4];
}

static unsigned int marks_of(grant_ref_t ref)
{
    return (version == 1 ? READ_ONCE(table.v1[ref].flags)
                         : READ_ONCE(status.marks[ref])) &
           (GTF_reading | GTF_writing);
}

static void give(grant_ref_t ref, uint64_t *seed)
{
    uint32_t flags = GTF_permit_access;
    unsigned long frame = mm_mfn(pages[ref - FIRST]);

    if (version == 1) {
        table.v1[ref].frame = (uint32_t)frame;
    } else {
        table.v2[ref].full_page.frame = frame;
        if (draw(seed, 4) == 0) {
            flags |= GTF_sub_page;
            table.v2[ref].sub_page.page_off = 64;
            table.v2[ref].sub_page.length = 64;
        }
    }
    flags |= draw(seed, 3) == 0 ? GTF_readonly : 0;
    __atomic_store_n(word_of(ref), flags, __ATOMIC_SEQ_CST); /* to d0 */
    given++;
}

/* False: it is in use, or was not granted. */
static bool take_back(grant_ref_t ref)
{
    uint32_t was = READ_ONCE(*word_of(ref));
    uint64_t *page = pages[ref - FIRST];

    if (was == 0 || (version == 1 && (was & (GTF_reading | GTF_writing)))) {
        return false;
    }
    if (version == 1) {
        if (!__atomic_compare_exchange_n(word_of(ref), &was, 0, false,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            return false;
        }
    } else {
        __atomic_store_n(word_of(ref), 0, __ATOMIC_SEQ_CST);
        if (marks_of(ref)) {
            return false;
        }
    }
    /* Ours alone: nobody may write to it now. */
    taken++;
    page[0] = taken;
    for (unsigned int i = 1; i <= VCPUS_MAX + 1; i++) {
        WRITE_ONCE(page[i], ~0UL);
    }
    hc_xen_version(XENVER_version, NULL);
    for (unsigned int i = 1; i <= VCPUS_MAX + 1; i++) {
        late += READ_ONCE(page[i]) != ~0UL;
    }
    /*
     * In version 2 one that comes too late marks, looks again, and takes the
     * mark back.
     */
    for (unsigned int i = 0; version == 2 && i < RETRIES && marks_of(ref);
         i++) {
        hc_sched_op(SCHEDOP_yield, NULL);
    }
    marked += marks_of(ref) != 0;
    return true;
}

static long set_version(uint32_t wanted)
{
    struct gnttab_set_version op = {.version = wanted};

    return hc_grant_table_op(GNTTABOP_set_version, &op, 1);
}

static bool show_status(void)
{
    uint64_t frame = 0;
    struct gnttab_get_status_frames op = {.dom = DOMID_SELF, .nr_frames = 1};

    set_xen_guest_handle(op.frame_list, &frame);
    return hc_grant_table_op(GNTTABOP_get_status_frames, &op, 1) == 0 &&
           op.status == GNTST_okay &&
           mm_map(&status, frame << PAGE_SHIFT, PTE_FLAGS_DATA) == 0;
}

/* To the other version, if nothing is in use; else nothing has happened. */
static long change_version(void)
{
    long rc;

    if (version == 2) {
        mm_protect(&status, 0);
    }
    rc = set_version(3 - version);
    if (rc == 0) {
        version = 3 - version;
        changes++;
    }
    if (version == 2 && !show_status()) {
        report(VERDICT_FAILURE, "no status frame");
    }
    return rc;
}

/*
 * Anything at all in the entries from WILD on, and their status.  Of numbers
 * of frames, only ours to spoil or far beyond all.
 */
static void scribble(uint64_t *seed)
{
    unsigned int ref = WILD + (unsigned int)draw(seed, PAGES);
    uint32_t *w = &table.words[ref * (version == 1 ? 2 : 4)];
    uint32_t frame =
        draw(seed, 2) ? (uint32_t)*seed | NO_RAM : (uint32_t)mm_mfn(spoilt);

    if (version == 1) {
        WRITE_ONCE(w[1], frame);
    } else {
        WRITE_ONCE(w[1], (uint32_t)*seed);
        WRITE_ONCE(w[2], frame);
        WRITE_ONCE(w[3], draw(seed, 2) ? 0 : (uint32_t)*seed);
        WRITE_ONCE(status.marks[ref], (grant_status_t)*seed);
    }
    WRITE_ONCE(w[0], (uint32_t)draw(seed, 512));
}

static void step(uint64_t *seed)
{
    grant_ref_t ref = FIRST + (grant_ref_t)draw(seed, PAGES);

    if (READ_ONCE(*word_of(ref)) == 0 && marks_of(ref) == 0) {
        give(ref, seed);
    } else {
        (void)take_back(ref);
    }
    scribble(seed);
    if (draw(seed, 4) == 0) {
        /* The emulator may have one processor for all. */
        time_sleep_ns(draw(seed, 50) * 1000);
    }
    if (draw(seed, 64) == 0) {
        for (ref = FIRST; ref < FIRST + REFS; ref++) {
            WRITE_ONCE(*word_of(ref), 0);
        }
        (void)change_version();
    } else if (draw(seed, 64) == 0) {
        /* Until it comes to pass: the others leave off mapping. */
        WRITE_ONCE(calm, true);
        for (unsigned int i = 0; i < RETRIES && change_version() != 0; i++) {
            time_sleep_ns(NS_PER_MS / 10);
        }
        WRITE_ONCE(calm, false);
    }
}

static bool begin(void)
{
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};
    xen_pfn_t frame = 0;

    for (unsigned int i = 0; i < PAGES; i++) {
        pages[i][511] = FIRST + i;
    }
    for (unsigned int i = 0; i < VCPUS_MAX; i++) {
        CHECK(mm_protect(windows[i], 0) == 0, "clear a window");
    }
    set_xen_guest_handle(setup.frame_list, &frame);
    version = 1;
    return CHECK(hc_grant_table_op(GNTTABOP_setup_table, &setup, 1) == 0 &&
                     setup.status == GNTST_okay &&
                     mm_map(&table, frame << PAGE_SHIFT, PTE_FLAGS_DATA) == 0,
                 "the grant table");
}

static bool enough(void)
{
    return maps >= 50 && copied >= 50 && lives >= 2 && taken >= 50 &&
           changes >= 4;
}

static void end(void)
{
    memset(&table, 0, sizeof(table));
    /* Nothing is in use if the version can be changed, twice. */
    CHECK(change_version() == 0 && change_version() == 0,
          "entries are in use for ever");
    if (version == 2) {
        CHECK(change_version() == 0, "entries are in use for ever");
    }
    print("race: %lu maps, %lu unmapped by thieves, %lu copies, %lu deaths; "
          "given %lu, taken %lu, %lu versions\n",
          maps, thefts, copied, lives, given, taken, changes);
    CHECK(maps == unmaps && doubles == 0,
          "%lu maps, %lu unmapped, %lu not once", maps, unmaps, doubles);
    CHECK(late == 0, "%lu writes to what had been taken back", late);
    CHECK(marked == 0, "%lu marks on what had been taken back", marked);
    CHECK(odd == 0 && stuck == 0, "%lu odd answers, %lu stuck", odd, stuck);
    CHECK(lost == 0, "%lu pages of the dead were lost", lost);
}

const struct race race_grants = {"grants", begin, turn, step, enough, end};
