/* SPDX-License-Identifier: MIT */
/*
 * lib/rangeset.c - sorted, merged ranges in an array.
 *
 * Every operation first finds the run of ranges it concerns, computes what
 * stands in its place, checks that this fits, and only then changes anything.
 */
#include "lib/rangeset.h"

#include "lib/errno.h"
#include "lib/string.h"

void rangeset_init(struct rangeset *set, struct range *space, unsigned int max)
{
    set->ranges = space;
    set->max = max;
    set->count = 0;
}

void rangeset_clear(struct rangeset *set)
{
    set->count = 0;
}

/* Index of the first range that ends at or after @n; count if none does. */
static unsigned int find_ending_from(const struct rangeset *set, uint64_t n)
{
    unsigned int lo = 0, hi = set->count;

    while (lo < hi) {
        unsigned int mid = lo + (hi - lo) / 2;

        if (set->ranges[mid].last < n) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* Put @with_count ranges in the place of those from @from up to @to. */
static int replace(struct rangeset *set, unsigned int from, unsigned int to,
                   const struct range *with, unsigned int with_count)
{
    unsigned int rest = set->count - to;

    if (set->count - (to - from) + with_count > set->max) {
        return -ENOMEM;
    }
    memmove(set->ranges + from + with_count, set->ranges + to,
            rest * sizeof(struct range));
    for (unsigned int i = 0; i < with_count; i++) {
        set->ranges[from + i] = with[i];
    }
    set->count = from + with_count + rest;
    return 0;
}

int rangeset_add(struct rangeset *set, uint64_t first, uint64_t last)
{
    struct range merged = {first, last};
    unsigned int from, to;

    if (last < first) {
        return -EINVAL;
    }
    /* A range ending right before @first touches it, and is merged too. */
    from = find_ending_from(set, first == 0 ? 0 : first - 1);
    for (to = from; to < set->count; to++) {
        const struct range *r = &set->ranges[to];

        if (last != UINT64_MAX && r->first > last + 1) {
            break;
        }
        merged.first = MIN(merged.first, r->first);
        merged.last = MAX(merged.last, r->last);
    }
    return replace(set, from, to, &merged, 1);
}

int rangeset_remove(struct rangeset *set, uint64_t first, uint64_t last)
{
    struct range kept[2];
    unsigned int kept_count = 0;
    unsigned int from, to;

    if (last < first) {
        return -EINVAL;
    }
    from = find_ending_from(set, first);
    for (to = from; to < set->count && set->ranges[to].first <= last; to++) {
        const struct range *r = &set->ranges[to];

        /* Only the outermost two can have anything left over. */
        if (r->first < first) {
            kept[kept_count++] = (struct range){r->first, first - 1};
        }
        if (r->last > last) {
            kept[kept_count++] = (struct range){last + 1, r->last};
        }
    }
    return replace(set, from, to, kept, kept_count);
}

bool rangeset_contains(const struct rangeset *set, uint64_t first,
                       uint64_t last)
{
    unsigned int i = find_ending_from(set, first);

    return last >= first && i < set->count && set->ranges[i].first <= first &&
           set->ranges[i].last >= last;
}

bool rangeset_overlaps(const struct rangeset *set, uint64_t first,
                       uint64_t last)
{
    unsigned int i = find_ending_from(set, first);

    return last >= first && i < set->count && set->ranges[i].first <= last;
}
