/* SPDX-License-Identifier: MIT */
/*
 * log/ring.h - the record ring: written in any context, never waits.
 *
 * The ring is an array of self-describing cells (<vigil/log.h>) that lives in
 * the black box.  Protocol of a writer:
 *
 *   1  draw n consecutive sequence numbers by one atomic add (the only
 *      shared word; no lock)
 *   2  per cell: seq = 0, so that readers see an unfinished cell; not if a
 *      writer of a later lap has been there
 *   3  text and fields
 *   4  seq = number, with release order; the same
 *
 * The checksum covers the finished cell.  Two writers meet in one cell only
 * if one of them sleeps for a whole lap of the ring; then the checksum of the
 * mixture is wrong and readers count the cell as lost instead of believing
 * it.  A writer that dies half-way leaves one unfinished cell and blocks
 * nobody.
 *
 * A reader asks for a sequence number and gets a whole cell or the reason why
 * there is none.  It owns its position; any number of readers may exist.
 *
 * INV-LOG-1: reserve and commit take bounded steps, no lock, any context.
 * INV-LOG-2: a reader sees whole records or a gap it can count.
 */
#ifndef VIGIL_LOG_RING_H
#define VIGIL_LOG_RING_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "log/record.h"

/*
 * Legend: c constant after init; a atomic, any context
 */
struct log_ring {
    struct vigil_log_cell *cells; /* c */
    uint64_t count;               /* c: number of cells, > 0           */
    uint64_t boot_id;             /* c                                 */
    uint64_t next;                /* a: next sequence number, from 1   */
};

/* What a message says about itself. */
struct log_tag {
    enum log_level level;
    enum log_context context;
    uint8_t flags; /* VIGIL_LOG_F_GUEST; MORE is set by the ring         */
    uint16_t cpu;
    uint64_t tsc;
};

enum log_read {
    LOG_READ_OK,      /* the cell was copied                             */
    LOG_READ_EMPTY,   /* not drawn yet: the reader has caught up         */
    LOG_READ_PENDING, /* drawn, not finished (its writer is interrupted) */
    LOG_READ_LOST,    /* overwritten or damaged: count it, go on         */
};

/**
 * log_ring_init() - make an empty ring in a piece of memory
 * @ring:    to be filled in
 * @mem:     64-byte aligned memory, owned by the ring from now on
 * @bytes:   its size; at least one cell
 * @boot_id: number of this boot, written into each cell
 *
 * Context: boot; before any writer.
 * Return:  nothing.
 */
void log_ring_init(struct log_ring *ring, void *mem, size_t bytes,
                   uint64_t boot_id);

/**
 * log_ring_adopt() - continue an old ring's log in a new, empty ring
 * @to:   empty ring
 * @from: ring with the log so far
 *
 * Copies the newest cells that fit and continues the numbering.
 *
 * Context: boot, interrupts off, no other CPU running.
 * Return:  nothing.
 */
void log_ring_adopt(struct log_ring *to, const struct log_ring *from);

/**
 * log_ring_write() - put one message into the ring
 * @ring: the ring
 * @tag:  level, context, CPU, time
 * @text: message; need not end in NUL
 * @len:  its bytes; more than the ring can hold in half its cells is cut
 *
 * Context: any, NMI and #MC included; bounded steps, no lock (INV-LOG-1).
 * Return:  sequence number of its first cell
 */
uint64_t log_ring_write(struct log_ring *ring, const struct log_tag *tag,
                        const char *text, size_t len);

/**
 * log_ring_read() - copy one cell out of the ring
 * @ring:     the ring
 * @seq:      sequence number wanted, from 1
 * @ret_cell: the cell; set only with LOG_READ_OK, then verified and sane
 *
 * Context: any; never waits.
 * Return:  see enum log_read
 */
enum log_read log_ring_read(const struct log_ring *ring, uint64_t seq,
                            struct vigil_log_cell *ret_cell) MUST_CHECK;

/**
 * log_ring_next() - the sequence number the next message will get
 * @ring: the ring
 *
 * Context: any.
 * Return:  sequence number, from 1
 */
uint64_t log_ring_next(const struct log_ring *ring);

/**
 * log_ring_oldest() - the lowest sequence number that can still be there
 * @ring: the ring
 *
 * Context: any.
 * Return:  sequence number, from 1; equals log_ring_next() if empty
 */
uint64_t log_ring_oldest(const struct log_ring *ring);

#endif
