/* SPDX-License-Identifier: MIT */
/*
 * domain/grant*.c on several CPUs, each a thread: domains that map and copy
 * against one that takes its grants back, changes the version, writes anything
 * anywhere, and dies.
 */
#include "tests/unit/domain/grant_machine.h"

#include <pthread.h>
#include <sched.h>

#include "x86/atomic.h"

#define FIRST_REF 8
#define REFS      6 /* of each domain; entry n grants its frame n */
#define USERS     3

#define TURNS     300
#define TURNS_MAX 5000000

static void must(bool it_is_so)
{
    if (!it_is_so) {
        abort(); /* cmocka's checks are for its own thread */
    }
}

static uint32_t rnd(uint32_t *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

static unsigned int stop;                /* a                            */
static unsigned int mapped, copied, via; /* a: successes                 */
static unsigned int changed;             /* a: versions                  */

/* ---- those who use grants of a ----------------------------------------------- */

static void map_once(struct domain *d, uint32_t *seed)
{
    uint32_t flags = GNTMAP_host_map | (rnd(seed) & 1 ? GNTMAP_readonly : 0);
    struct grant_map_state s, u;

    if (grant_map_begin(d, dom_a.domid, FIRST_REF + rnd(seed) % REFS, flags,
                        &s) != GNTST_okay) {
        return;
    }
    must(mfn_x(s.mfn) < FRAMES_OF);
    if (rnd(seed) % 4 == 0) {
        grant_map_abort(d, &s);
        return;
    }
    grant_map_commit(d, &s);
    (void)atomic_add(&mapped, 1U);
    if (rnd(seed) % 4 == 0) {
        (void)sched_yield();
    }
    if (rnd(seed) % 64 == 0) {
        return; /* kept until its death, if nobody else finds it */
    }
    if (grant_unmap_begin(d, s.handle, &u) == GNTST_okay) {
        grant_unmap_end(d, u.handle, GNTMAP_host_map);
    }
}

/* Another vcpu takes down what it finds. */
static void unmap_any(struct domain *d, uint32_t *seed)
{
    struct grant_map_state u;

    if (grant_unmap_begin(d, rnd(seed) % 256, &u) == GNTST_okay) {
        grant_unmap_end(d, u.handle, rnd(seed) % 4 ? GNTMAP_host_map : 0);
    }
}

static void copy_once(struct domain *d, uint32_t *seed)
{
    bool writes = rnd(seed) % 2 == 0;
    struct gnttab_copy_ptr grant_end = {
        .u.ref = FIRST_REF + rnd(seed) % REFS,
        .domid = dom_a.domid,
        .offset = 8,
    };
    struct gnttab_copy_ptr own = {
        .u.gmfn = (d == &dom_b ? 1 : 2) * FRAMES_OF,
        .domid = DOMID_SELF,
    };
    struct gnttab_copy op = {
        .source = writes ? own : grant_end,
        .dest = writes ? grant_end : own,
        .len = 8,
        .flags = writes ? GNTCOPY_dest_gref : GNTCOPY_source_gref,
    };

    if (grant_copy(d, &op) == GNTST_okay) {
        (void)atomic_add(&copied, 1U);
    }
}

static void *user(void *arg)
{
    unsigned int cpu = (unsigned int)(uintptr_t)arg;
    struct domain *d = cpu == 1 ? &dom_c : &dom_b;
    uint32_t seed = cpu;

    fake_cpu = cpu;
    while (atomic_load(&stop) == 0) {
        copy_once(d, &seed);
        map_once(d, &seed);
        unmap_any(d, &seed);
    }
    return NULL;
}

/* ---- the granter ----------------------------------------------------------- */

static unsigned int version; /* the granter's: what it asked for last */

static uint32_t *word_of(grant_ref_t ref)
{
    return version == 1 ? (uint32_t *)(void *)entry(ref)
                        : (uint32_t *)(void *)entry2(&dom_a, ref);
}

static uint16_t marks_of(grant_ref_t ref)
{
    uint16_t w = version == 1 ? READ_ONCE(entry(ref)->flags)
                              : READ_ONCE(*status2(&dom_a, ref));

    return w & (GTF_reading | GTF_writing);
}

/* Grant frame @ref in one way or another. */
static void give(grant_ref_t ref, uint32_t *seed)
{
    uint32_t flags = GTF_permit_access | (rnd(seed) & 1 ? GTF_readonly : 0);
    domid_t to = rnd(seed) % 2 ? dom_b.domid : dom_c.domid;

    if (version == 1) {
        WRITE_ONCE(entry(ref)->frame, ref);
    } else if (rnd(seed) % 3 == 0) {
        flags = (flags | GTF_permit_access | GTF_transitive) & ~GTF_readonly;
        WRITE_ONCE(entry2(&dom_a, ref)->transitive.trans_domid, dom_c.domid);
        WRITE_ONCE(entry2(&dom_a, ref)->transitive.gref, ref);
        (void)atomic_add(&via, 1U);
    } else {
        flags |= rnd(seed) & 1 ? GTF_sub_page : 0;
        WRITE_ONCE(entry2(&dom_a, ref)->sub_page.page_off, 8);
        WRITE_ONCE(entry2(&dom_a, ref)->sub_page.length, 8);
        WRITE_ONCE(entry2(&dom_a, ref)->full_page.frame, ref);
    }
    atomic_store(word_of(ref), flags | (uint32_t)to << 16);
}

/*
 * Take it back as Linux does: if no mark is to be seen after the entry was
 * cleared, nobody has the frame, or will.  Version 1 has marks beside the
 * flags, so that is a compare-and-swap.
 */
static bool take_back(grant_ref_t ref)
{
    if (version == 1) {
        uint32_t w = READ_ONCE(*word_of(ref));

        if ((w & (GTF_reading | GTF_writing)) != 0 ||
            !atomic_cas(word_of(ref), w, 0U)) {
            return false;
        }
    } else {
        atomic_store(word_of(ref), 0U);
        if (marks_of(ref) != 0) {
            return false;
        }
    }
    for (unsigned int i = 0; i < 2; i++) {
        must(atomic_load(&readers[ref]) == 0);
        must(atomic_load(&writers[ref]) == 0);
        must(marks_of(ref) == 0);
        (void)sched_yield();
    }
    return true;
}

static void change_version(unsigned int *changes)
{
    unsigned int wanted = 3 - version;

    if (grant_set_version(&dom_a, wanted) == 0) {
        version = wanted;
        (*changes)++;
        for (grant_ref_t ref = FIRST_REF; ref < FIRST_REF + REFS; ref++) {
            must(READ_ONCE(*word_of(ref)) == 0);
            must(marks_of(ref) == 0);
        }
    }
}

/* c grants a what a may pass on. */
static void origin_set_up(void)
{
    must(grant_table_grow(&dom_c, 1) == 0);
    for (grant_ref_t ref = FIRST_REF; ref < FIRST_REF + REFS; ref++) {
        grant_entry_v1_t *e = (grant_entry_v1_t *)dom_c.grants->shared[0] + ref;

        e->domid = dom_a.domid;
        e->frame = 2 * FRAMES_OF + ref;
        e->flags = GTF_permit_access;
    }
}

static pthread_t users[USERS];

static void users_start(void)
{
    stop = mapped = copied = via = changed = 0;
    version = 1;
    origin_set_up();
    for (uintptr_t i = 0; i < USERS; i++) {
        must(pthread_create(&users[i], NULL, user, (void *)(i + 1)) == 0);
    }
}

static void users_stop(void)
{
    atomic_store(&stop, 1);
    for (unsigned int i = 0; i < USERS; i++) {
        must(pthread_join(users[i], NULL) == 0);
    }
}

static void what_is_taken_back_is_free(void **state)
{
    unsigned int changes = 0, back = 0;
    uint32_t seed = 5;

    (void)state;
    users_start();
    /* Until enough has happened: how fast is the machine's affair. */
    for (unsigned int i = 0;
         i < TURNS_MAX &&
         (i < TURNS || changes < 3 || back < 150 || atomic_load(&mapped) < 50 ||
          atomic_load(&copied) < 50 || atomic_load(&via) < 20);
         i++) {
        grant_ref_t ref = FIRST_REF + rnd(&seed) % REFS;

        if (take_back(ref)) {
            back++;
            give(ref, &seed);
        }
        if (rnd(&seed) % 8 == 0) {
            (void)sched_yield();
        }
        if (i % 100 == 99) {
            /* What is still mapped goes only if others find it. */
            for (ref = FIRST_REF; ref < FIRST_REF + REFS; ref++) {
                (void)take_back(ref);
            }
            change_version(&changes);
        }
    }
    users_stop();
    assert_true(changes >= 3);
    assert_true(back >= 150);
    assert_true(mapped >= 50);
    assert_true(copied >= 50);
    assert_true(via >= 20);
}

/* ---- anything anywhere ------------------------------------------------------- */

static void *scribbler(void *arg)
{
    uint32_t seed = 77;

    fake_cpu = (unsigned int)(uintptr_t)arg;
    while (atomic_load(&stop) == 0) {
        grant_ref_t ref = FIRST_REF + rnd(&seed) % REFS;
        uint32_t *w = (uint32_t *)dom_a.grants->shared[0];
        uint32_t to = rnd(&seed) % 2 ? dom_b.domid : dom_c.domid;

        w[ref * 4 + rnd(&seed) % 4] = rnd(&seed) % 16;
        w[ref * 2 + rnd(&seed) % 2] = rnd(&seed) % 16;
        atomic_store(&w[ref * (rnd(&seed) % 2 ? 2 : 4)],
                     (rnd(&seed) & 0x11f) | to << 16);
        if (rnd(&seed) % 64 == 0) {
            (void)sched_yield();
        }
    }
    return NULL;
}

/* Two vcpus change the version at once; the sanitizer watches. */
static void *changer(void *arg)
{
    uint32_t seed = 78;

    fake_cpu = (unsigned int)(uintptr_t)arg;
    while (atomic_load(&stop) == 0) {
        if (grant_set_version(&dom_a, 1 + rnd(&seed) % 2) == 0) {
            (void)atomic_add(&changed, 1U);
        }
        (void)!grant_swap(&dom_a, FIRST_REF + rnd(&seed) % REFS,
                          FIRST_REF + rnd(&seed) % REFS);
        (void)sched_yield();
    }
    return NULL;
}

static void no_guest_confuses_the_counts(void **state)
{
    pthread_t other[3];

    (void)state;
    users_start();
    must(pthread_create(&other[0], NULL, scribbler, (void *)4UL) == 0);
    must(pthread_create(&other[1], NULL, changer, (void *)5UL) == 0);
    must(pthread_create(&other[2], NULL, changer, (void *)6UL) == 0);
    for (unsigned int i = 0, left = TURNS / 2; i < TURNS_MAX && left != 0;
         i++) {
        mfn_t m;

        (void)!grant_status_frame(&dom_a, 0, &m);
        (void)!grant_table_grow(&dom_a, 1 + i % 4);
        if (dom_a.state == DOMAIN_DYING) {
            left--; /* uses end, none begins */
        } else if (i >= TURNS / 2 && atomic_load(&changed) >= 4 &&
                   atomic_load(&copied) >= 10) {
            dom_a.state = DOMAIN_DYING;
        }
        (void)sched_yield();
    }
    users_stop();
    for (unsigned int i = 0; i < 3; i++) {
        must(pthread_join(other[i], NULL) == 0);
    }
    assert_int_equal(dom_a.state, DOMAIN_DYING);
    /* grant_teardown(): b and c die with what they map; nothing is left. */
}

#define T(f) cmocka_unit_test_setup_teardown(f, grant_setup, grant_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_taken_back_is_free),
        T(no_guest_confuses_the_counts),
    };

    return cmocka_run_group_tests(tests, grant_group_setup, NULL);
}
