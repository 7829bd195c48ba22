/* SPDX-License-Identifier: MIT */
#include "tests/unit/domain/grant_machine.h"

#include <pthread.h>
#include <sys/mman.h>

#include "lib/errno.h"
#include "x86/atomic.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "domain/frame_use.h"

struct domain dom_a, dom_b, dom_c;
int readers[PAGES], writers[PAGES];
unsigned int hv_pages, hv_shared, hv_left;
bool a_is_known;
const void *used_page;
int table_frame;
void (*on_hold)(uint64_t n);

uint64_t max_frame = PAGES;

static pthread_mutex_t page_lock = PTHREAD_MUTEX_INITIALIZER;
static bool page_is_taken[PAGES]; /* page_lock */

/* ---- what the code under test calls ------------------------------------ */

void *heap_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

void heap_free(void *p)
{
    free(p);
}

void *hv_page_alloc(void)
{
    void *found = NULL;

    pthread_mutex_lock(&page_lock);
    for (unsigned int i = FIRST_HV; hv_left != 0 && i < PAGES; i++) {
        if (!page_is_taken[i]) {
            page_is_taken[i] = true;
            hv_pages++;
            hv_left--;
            found = mfn_to_ptr(mfn(i));
            memset(found, 0, PAGE_SIZE);
            break;
        }
    }
    pthread_mutex_unlock(&page_lock);
    return found;
}

void hv_page_free(void *p)
{
    uint64_t n = mfn_x(ptr_to_mfn(p));

    pthread_mutex_lock(&page_lock);
    if (n < FIRST_HV || n >= PAGES || !page_is_taken[n]) {
        abort();
    }
    page_is_taken[n] = false;
    hv_pages--;
    hv_left++;
    pthread_mutex_unlock(&page_lock);
}

void account_share_hv_page(struct domain *d, void *p)
{
    (void)d;
    (void)p;
    (void)atomic_add(&hv_shared, 1U);
}

void account_unshare_hv_page(void *p)
{
    if (atomic_sub(&hv_shared, 1U) == 0) {
        abort();
    }
    hv_page_free(p);
}

bool account_hv_page_is_used(const void *p)
{
    return p == used_page;
}

static domid_t owner_of(uint64_t n)
{
    return n < FRAMES_OF       ? dom_a.domid
           : n < 2 * FRAMES_OF ? dom_b.domid
                               : dom_c.domid;
}

int frame_use_hold(mfn_t m, domid_t owner, bool writable)
{
    uint64_t n = mfn_x(m);

    if (n >= FIRST_HV || owner != owner_of(n)) {
        return -EINVAL;
    }
    if (writable && (int)n == table_frame) {
        return -EBUSY;
    }
    (void)atomic_add(writable ? &writers[n] : &readers[n], 1);
    if (on_hold != NULL) {
        on_hold(n);
    }
    return 0;
}

void frame_use_release(mfn_t m, bool writable)
{
    int *count = writable ? &writers[mfn_x(m)] : &readers[mfn_x(m)];

    if (atomic_sub(count, 1) <= 0) {
        abort();
    }
}

struct domain *domain_get(domid_t domid)
{
    struct domain *d = domid == dom_a.domid && a_is_known ? &dom_a
                       : domid == dom_b.domid             ? &dom_b
                       : domid == dom_c.domid             ? &dom_c
                                                          : NULL;

    if (d != NULL) {
        (void)atomic_add(&d->refs, 1U);
    }
    return d;
}

void domain_put(struct domain *d)
{
    if (atomic_sub(&d->refs, 1U) <= 1) {
        abort();
    }
}

/* ---- set-up -------------------------------------------------------------- */

static void memory_at(void *want, size_t bytes)
{
    assert_ptr_equal(mmap(want, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                          0),
                     want);
}

int grant_group_setup(void **state)
{
    (void)state;
    memory_at((void *)DIRECTMAP_VA, PAGES * PAGE_SIZE);
    memory_at(frame_table, PAGES * sizeof(struct frame));
    return 0;
}

static void domain_make(struct domain *d, domid_t domid, int32_t frames,
                        int32_t record_pages)
{
    memset(d, 0, sizeof(*d));
    d->domid = domid;
    d->refs = 1;
    d->state = DOMAIN_RUNNING;
    assert_int_equal(grant_domain_init(d, frames, record_pages, 2), 0);
}

int grant_setup(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(mfn_to_ptr(mfn(0)), 0, PAGES * PAGE_SIZE);
    memset(page_is_taken, 0, sizeof(page_is_taken));
    hv_pages = hv_shared = 0;
    hv_left = PAGES - FIRST_HV;
    for (unsigned int i = 0; i < PAGES; i++) {
        frame_table[i].owner = i < FIRST_HV ? owner_of(i) : DOMID_XEN;
    }
    a_is_known = true;
    used_page = NULL;
    table_frame = -1;
    on_hold = NULL;
    domain_make(&dom_a, 1, 4, -1);
    domain_make(&dom_b, 2, -1, 1);
    domain_make(&dom_c, 3, -1, -1);
    assert_int_equal(hv_pages, 0); /* on demand */
    assert_int_equal(grant_table_grow(&dom_a, 1), 0);
    return 0;
}

int grant_teardown(void **state)
{
    struct domain *const all[] = {&dom_a, &dom_b, &dom_c};

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(grant_domain_destroy(all[i], NULL), 0);
    }
    for (unsigned int i = 0; i < PAGES; i++) {
        assert_int_equal(readers[i] + writers[i], 0);
    }
    for (unsigned int i = 0; i < 3; i++) {
        unsigned int budget = PAGES;

        assert_int_equal(all[i]->refs, 1);
        assert_int_equal(all[i]->grants->pinned, 0);
        assert_true(grant_domain_free(all[i], &budget));
    }
    assert_int_equal(hv_shared, 0);
    assert_int_equal(hv_pages, 0);
    return 0;
}

grant_entry_v1_t *entry(grant_ref_t ref)
{
    grant_entry_v1_t *frame = dom_a.grants->shared[ref / 512];

    return &frame[ref % 512];
}

grant_entry_v2_t *entry2(struct domain *d, grant_ref_t ref)
{
    grant_entry_v2_t *frame = d->grants->shared[ref / 256];

    return &frame[ref % 256];
}

grant_status_t *status2(struct domain *d, grant_ref_t ref)
{
    return &d->grants->status[ref / 2048][ref % 2048];
}

void grant(grant_ref_t ref, uint16_t flags, uint32_t frame)
{
    entry(ref)->domid = dom_b.domid;
    entry(ref)->frame = frame;
    entry(ref)->flags = GTF_permit_access | flags;
}

void full2(struct domain *d, grant_ref_t ref, domid_t to, uint16_t flags,
           uint64_t frame)
{
    entry2(d, ref)->full_page.frame = frame;
    entry2(d, ref)->hdr.domid = to;
    entry2(d, ref)->hdr.flags = GTF_permit_access | flags;
}

void part2(struct domain *d, grant_ref_t ref, domid_t to, uint16_t flags,
           uint64_t frame, uint16_t start, uint16_t length)
{
    full2(d, ref, to, flags | GTF_sub_page, frame);
    entry2(d, ref)->sub_page.page_off = start;
    entry2(d, ref)->sub_page.length = length;
}

void via2(struct domain *d, grant_ref_t ref, domid_t to, domid_t origin,
          grant_ref_t origin_ref)
{
    entry2(d, ref)->transitive.trans_domid = origin;
    entry2(d, ref)->transitive.gref = origin_ref;
    entry2(d, ref)->hdr.domid = to;
    entry2(d, ref)->hdr.flags = GTF_transitive;
}

void to_version_2(struct domain *d)
{
    assert_int_equal(grant_table_grow(d, 1), 0);
    assert_int_equal(grant_set_version(d, 2), 0);
}

uint8_t *byte(unsigned int frame, unsigned int offset)
{
    return (uint8_t *)mfn_to_ptr(mfn(frame)) + offset;
}
