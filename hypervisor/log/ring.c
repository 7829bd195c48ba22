/* SPDX-License-Identifier: MIT */
/*
 * log/ring.c - the record ring (protocol and invariants: ring.h).
 *
 * Why no lock: a writer may be interrupted by an NMI
 * whose handler writes too, on the same CPU, at any instruction.  The only
 * shared word is @next, moved by one atomic add; after that each writer owns
 * its cells.
 *
 * W1 to W6 and R1 to R7 are the steps of tests/model/log_ring.pml, which looks
 * at every interleaving of them; that they are these, and no others, the test
 * log/test_ring_steps shows.
 *
 * Interleavings that look dangerous:
 *  - Writer A draws 5, is interrupted by writer B who draws and finishes 6.
 *    A reader at 5 sees an unfinished cell (PENDING) and comes back later.
 *  - A draws 5 and sleeps for a whole lap; B draws 5 + count, the same cell.
 *    Whoever finishes last, the cell is either one writer's whole work, or a
 *    mixture whose checksum fails.  Believed is only the former, and only
 *    under the number it carries.
 */
#include "log/ring.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "x86/barrier.h"

#include <vigil/log_sum.h>

STATIC_ASSERT(sizeof(struct vigil_log_cell) == VIGIL_LOG_CELL_BYTES,
              "log cell size is ABI");

#define CELL_LINE_BYTES 64

static NMI_SAFE struct vigil_log_cell *cell_of(const struct log_ring *ring,
                                               uint64_t seq)
{
    return &ring->cells[(seq - 1) % ring->count];
}

void log_ring_init(struct log_ring *ring, void *mem, size_t bytes,
                   uint64_t boot_id)
{
    ring->cells = mem;
    ring->count = bytes / sizeof(struct vigil_log_cell);
    ring->boot_id = boot_id;
    memset(mem, 0, ring->count * sizeof(struct vigil_log_cell));
    __atomic_store_n(&ring->next, 1, __ATOMIC_RELEASE);
}

NMI_SAFE uint64_t log_ring_next(const struct log_ring *ring)
{
    return __atomic_load_n(&ring->next, __ATOMIC_ACQUIRE);
}

NMI_SAFE uint64_t log_ring_oldest(const struct log_ring *ring)
{
    uint64_t next = log_ring_next(ring);

    return next > ring->count ? next - ring->count : 1;
}

static NMI_SAFE __attribute__((flatten)) uint32_t
cell_sum(const struct vigil_log_cell *cell)
{
    return vigil_log_sum(cell);
}

/*
 * Publish a finished cell.  @cell is private to the caller.
 *
 * The slot's number only grows, but for the 0 of a cell being written: a
 * writer that was held up for a whole lap of the ring finds a newer number
 * and gives its cell up, or spoils the newer one, whose checksum then tells.
 * It never puts an old number over a newer one, for which a reader would wait
 * in vain.  Each turn of the loops means that another writer has got ahead.
 */
static NMI_SAFE void cell_publish(const struct log_ring *ring,
                                  const struct vigil_log_cell *cell)
{
    struct vigil_log_cell *slot = cell_of(ring, cell->seq);
    const size_t at = offsetof(struct vigil_log_cell, tsc);
    uint64_t now = __atomic_load_n(&slot->seq, __ATOMIC_RELAXED); /* W2 */

    do {
        if (now > cell->seq) {
            return;
        }
        /* W3 */
    } while (!__atomic_compare_exchange_n(&slot->seq, &now, 0, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    /* MB(log_ring:A) unfinished before contents; pairs with log_ring:D. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    /* W4 is the first byte of it, and */
    /* W5 the last. */
    memcpy((char *)slot + at, (const char *)cell + at,
           offsetof(struct vigil_log_cell, text) - at + cell->len);
    now = 0;
    /* W6 */
    /* MB(log_ring:B) contents before the number; pairs with log_ring:C. */
    while (!__atomic_compare_exchange_n(&slot->seq, &now, cell->seq, false,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
        if (now > cell->seq) {
            return;
        }
    }

    /* What may be the last words must not be lost in a cache at reset. */
    if (cell->level <= LOG_ERROR) {
        for (size_t i = 0; i < sizeof(*slot); i += CELL_LINE_BYTES) {
            cache_flush_line((const char *)slot + i);
        }
    }
}

NMI_SAFE uint64_t log_ring_write(struct log_ring *ring,
                                 const struct log_tag *tag, const char *text,
                                 size_t len)
{
    uint64_t max = ring->count > 1 ? ring->count / 2 : 1;
    uint64_t cells = len == 0 ? 1 : (len - 1) / VIGIL_LOG_TEXT_BYTES + 1;
    uint64_t first;

    if (cells > max) {
        cells = max;
        len = max * VIGIL_LOG_TEXT_BYTES;
    }
    first = __atomic_fetch_add(&ring->next, cells, __ATOMIC_ACQ_REL); /* W1 */

    for (uint64_t i = 0; i < cells; i++) {
        struct vigil_log_cell cell UNINITIALISED; /* as far as it is used */
        size_t part = MIN(len, (size_t)VIGIL_LOG_TEXT_BYTES);

        cell.seq = first + i;
        cell.tsc = tag->tsc;
        cell.boot_id = ring->boot_id;
        cell.cpu = tag->cpu;
        cell.len = (uint16_t)part;
        cell.level = (uint8_t)tag->level;
        cell.context = (uint8_t)tag->context;
        cell.flags = tag->flags & (uint8_t)~VIGIL_LOG_F_MORE;
        if (i + 1 < cells) {
            cell.flags |= VIGIL_LOG_F_MORE;
        }
        for (unsigned int b = 0; b < sizeof(cell.reserved); b++) {
            cell.reserved[b] = 0;
        }
        memcpy(cell.text, text, part);
        cell.sum = 0;
        cell.sum = cell_sum(&cell);
        cell_publish(ring, &cell);
        text += part;
        len -= part;
    }
    return first;
}

NMI_SAFE enum log_read log_ring_read(const struct log_ring *ring, uint64_t seq,
                                     struct vigil_log_cell *ret_cell)
{
    const struct vigil_log_cell *slot;
    struct vigil_log_cell copy UNINITIALISED;
    uint64_t found;
    uint32_t sum;

    if (seq >= log_ring_next(ring)) { /* R1 */
        return LOG_READ_EMPTY;
    }
    if (seq < log_ring_oldest(ring)) { /* R2 */
        return LOG_READ_LOST;
    }
    slot = cell_of(ring, seq);
    /* MB(log_ring:C) the number before contents; pairs with log_ring:B. */
    found = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE); /* R3 */
    if (found != seq) {
        return found > seq ? LOG_READ_LOST : LOG_READ_PENDING;
    }
    /* R4 is the number in it, R5 the first byte behind that, and */
    /* R6 the last. */
    memcpy(&copy, slot, sizeof(copy));
    /* R7 */
    /* MB(log_ring:D) contents before the second look; pairs log_ring:A. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&slot->seq, __ATOMIC_RELAXED) != seq ||
        copy.seq != seq || copy.len > VIGIL_LOG_TEXT_BYTES) {
        return LOG_READ_LOST;
    }
    sum = copy.sum;
    copy.sum = 0;
    if (sum != cell_sum(&copy)) {
        return LOG_READ_LOST;
    }
    copy.sum = sum;
    memcpy(ret_cell, &copy, sizeof(copy));
    return LOG_READ_OK;
}

void log_ring_adopt(struct log_ring *to, const struct log_ring *from)
{
    uint64_t next = log_ring_next(from);
    uint64_t seq = log_ring_oldest(from);
    struct vigil_log_cell cell;

    if (next - seq > to->count) {
        seq = next - to->count;
    }
    __atomic_store_n(&to->next, next, __ATOMIC_RELEASE);
    for (; seq < next; seq++) {
        if (log_ring_read(from, seq, &cell) == LOG_READ_OK) {
            cell.boot_id = to->boot_id;
            cell.sum = 0;
            cell.sum = cell_sum(&cell);
            cell_publish(to, &cell);
        }
    }
}
