/* SPDX-License-Identifier: MIT */
/*
 * log/sink.c - drain the record ring to the console, and the last words.
 *
 * Who drains: whoever wrote and gets the lock by trylock.  Who does not get
 * it goes on; the holder looks again after releasing it, so a line written in
 * that moment is not left behind.  It shows so many cells at most: CPUs that
 * never stop writing must not keep another here.  The rest is log_pump()'s.
 *
 * What is drained goes to the sinks by way of a byte ring once log_defer() was
 * called, so that nobody waits for a serial line but who fills the ring.
 *
 * Unfinished cells: a drain stops at one, since its writer is alive and will
 * drain itself.  If the ring is far ahead the writer is dead or stuck, and
 * the cell is counted as lost.
 */
#include "log/sink.h"

#include "lib/string.h"
#include "sync/spinlock.h"
#include "log/conring.h"
#include "log/printk.h"

/* Cells written after an unfinished one before we stop waiting for it. */
#define PENDING_PATIENCE 64

#define PREFIX "(XEN) "

#define LATER_BYTES 32768U /* three seconds at 115200 baud */
#define LATER_MASK  (LATER_BYTES - 1)
/* Written at once when the ring is full, and by each log_pump(). */
#define FULL_BYTES  256U
#define PUMP_BYTES  512U
/* Cells shown by one writer at most, and by each log_pump(). */
#define DRAIN_CELLS 64U
#define PUMP_CELLS  16U
/* What goes to a sink in one call, carriage returns included. */
#define PIECE_BYTES 64U

static SPINLOCK(sink_lock, LOCK_RANK_SINK, IRQ_ANY);

/* Legend: L sink_lock (or dying); a atomic */
static struct log_sink *sinks; /* L                                      */
struct log_progress log_progress = {.drained = 1}; /* L to write           */
static bool in_message;          /* L: the last cell had F_MORE            */
static uint64_t lost_cells;      /* L                                      */
static bool emergency;           /* a: set once                            */
static struct log_sink *in_call; /* dying CPU: sink being written to       */
static bool told_dying;          /* dying CPU: the sinks know it           */
static char later[LATER_BYTES];  /* L: waits to be written                 */
static uint32_t later_got;       /* L: of what was put, taken out     */
static bool torn;                /* dying CPU: what was shown has no end */
static bool torn_later;          /* dying CPU: nor has what waits        */
static void (*later_wake)(void); /* c: NULL: nothing waits            */

bool log_is_emergency(void)
{
    return __atomic_load_n(&emergency, __ATOMIC_RELAXED);
}

uint64_t log_sink_lost(void)
{
    return __atomic_load_n(&lost_cells, __ATOMIC_RELAXED);
}

static bool sinks_trylock(void)
{
    /* The dying path owns the machine: the holder may never run again. */
    return log_is_emergency() || spin_trylock(&sink_lock);
}

static void sinks_unlock(bool locked)
{
    if (locked) {
        spin_unlock(&sink_lock);
    }
}

static void one_piece(struct log_sink *sink, const char *text, size_t len)
{
    if (len == 0) {
        return;
    }
    if (!log_is_emergency()) {
        sink->write(text, len);
    } else if (sink->emergency_write != NULL) {
        in_call = sink;
        sink->emergency_write(text, len);
        in_call = NULL;
    }
}

static void one_sink(struct log_sink *sink, const char *text, size_t len)
{
    char piece[PIECE_BYTES];
    size_t n = 0;

    if (!sink->crlf) {
        one_piece(sink, text, len);
        return;
    }
    for (; len > 0; len--) {
        if (n > PIECE_BYTES - 2) {
            one_piece(sink, piece, n);
            n = 0;
        }
        if (*text == '\n') {
            piece[n++] = '\r';
        }
        piece[n++] = *text++;
    }
    one_piece(sink, piece, n);
}

static void sinks_now(const char *text, size_t len)
{
    for (struct log_sink *s = sinks; s != NULL; s = s->next) {
        one_sink(s, text, len);
    }
}

/* Write the oldest bytes that wait, @max of them at most. */
static void later_write(uint32_t max)
{
    /* Once: who dies may move it meanwhile, and it must not pass `put`. */
    uint32_t got = READ_ONCE(later_got);
    uint32_t at = got & LATER_MASK;
    uint32_t n = MIN(MIN(log_progress.put - got, max), LATER_BYTES - at);

    /* Advance first: writing may fault while dying. */
    __atomic_store_n(&later_got, got + n, __ATOMIC_RELEASE);
    sinks_now(later + at, n);
    __atomic_store_n(&log_progress.shown, got + n, __ATOMIC_RELEASE);
}

static void later_flush(void)
{
    while (later_got != log_progress.put) {
        later_write(FULL_BYTES);
    }
}

static void later_add(const char *text, size_t len)
{
    bool was_empty = later_got == log_progress.put;

    while (len > 0) {
        uint32_t at = log_progress.put & LATER_MASK;
        uint32_t room = LATER_BYTES - (log_progress.put - later_got);
        size_t n = MIN(len, (size_t)MIN(room, LATER_BYTES - at));

        memcpy(later + at, text, n);
        /* After the bytes: a panic in between shows whole ones only. */
        __atomic_store_n(&log_progress.put, log_progress.put + (uint32_t)n,
                         __ATOMIC_RELEASE);
        text += n;
        len -= n;
        if (log_progress.put - later_got == LATER_BYTES) {
            later_write(FULL_BYTES);
        }
    }
    if (was_empty) {
        later_wake();
    }
}

/* What waited has been written; the last words begin. */
static void tell_dying(void)
{
    if (told_dying || !log_is_emergency()) {
        return;
    }
    told_dying = true;
    for (struct log_sink *s = sinks; s != NULL; s = s->next) {
        if (s->dying != NULL) {
            in_call = s;
            s->dying();
            in_call = NULL;
        }
    }
}

/* What comes next begins a line. */
static void end_torn(bool *is_torn)
{
    if (*is_torn) {
        *is_torn = false;
        sinks_now("\n", 1);
    }
}

static void all_sinks(const char *text, size_t len)
{
    if (later_wake != NULL && !log_is_emergency()) {
        later_add(text, len);
    } else {
        end_torn(&torn);
        later_flush();
        end_torn(&torn_later);
        tell_dying();
        sinks_now(text, len);
    }
}

/* Show hypervisor text on one sink, or (NULL) on all and the console ring. */
static void show(struct log_sink *only, const char *text, size_t len)
{
    if (only != NULL) {
        one_sink(only, text, len);
    } else {
        conring_put(text, len);
        all_sinks(text, len);
    }
}

/* One cell; @continued: the cell before it belongs to the same message. */
static void show_cell(struct log_sink *only, const struct vigil_log_cell *cell,
                      bool continued)
{
    const char *text = cell->text;
    size_t left = cell->len;

    if (cell->flags & VIGIL_LOG_F_QUIET) {
        return;
    }
    if (!continued && !(cell->flags & VIGIL_LOG_F_GUEST)) {
        show(only, PREFIX, sizeof(PREFIX) - 1);
    }
    while (left > 0) {
        const char *nl = memchr(text, '\n', left);
        size_t part = nl == NULL ? left : (size_t)(nl - text) + 1;

        show(only, text, part);
        text += part;
        left -= part;
        if (nl != NULL) {
            show(only, PREFIX, sizeof(PREFIX) - 1);
        }
    }
    if (!(cell->flags & VIGIL_LOG_F_MORE)) {
        show(only, "\n", 1);
    }
}

/* Up to the cell of number @end. */
static void drain_locked(uint64_t end)
{
    const struct log_ring *ring = log_ring_now();
    struct vigil_log_cell cell UNINITIALISED; /* read when LOG_READ_OK */

    while (log_progress.drained < end) {
        uint64_t seq = log_progress.drained;
        enum log_read got = log_ring_read(ring, seq, &cell);

        if (got == LOG_READ_EMPTY) {
            break;
        }
        if (got == LOG_READ_PENDING && !log_is_emergency() &&
            log_ring_next(ring) - seq < PENDING_PATIENCE) {
            break;
        }
        /* Advance first: showing this cell may fault while dying. */
        __atomic_store_n(&log_progress.drained, seq + 1, __ATOMIC_RELEASE);
        if (got == LOG_READ_OK) {
            bool continued = in_message;

            in_message = (cell.flags & VIGIL_LOG_F_MORE) != 0;
            __atomic_store_n(&log_progress.showing, seq, __ATOMIC_RELEASE);
            show_cell(NULL, &cell, continued);
            __atomic_store_n(&log_progress.showing, 0, __ATOMIC_RELEASE);
            if (cell.level <= LOG_ERROR) {
                later_flush(); /* these may be the last words */
            }
            continue;
        }
        if (seq < log_ring_oldest(ring)) {
            /* Overtaken: skip to what still exists in one step. */
            uint64_t to = log_ring_oldest(ring);

            lost_cells += to - seq - 1;
            __atomic_store_n(&log_progress.drained, to, __ATOMIC_RELEASE);
        }
        lost_cells++;
        if (in_message) {
            in_message = false;
            show(NULL, "\n", 1);
        }
    }
}

static bool is_behind(void)
{
    return __atomic_load_n(&log_progress.drained, __ATOMIC_ACQUIRE) !=
           log_ring_next(log_ring_now());
}

/* Where to stop who begins to drain now. */
static uint64_t drain_end(void)
{
    /* While the machine starts or dies nobody else comes. */
    return later_wake == NULL || log_is_emergency()
               ? UINT64_MAX
               : __atomic_load_n(&log_progress.drained, __ATOMIC_RELAXED) +
                     DRAIN_CELLS;
}

void log_drain(void)
{
    uint64_t end = drain_end(), before;

    do {
        bool locked = !log_is_emergency();

        if (!sinks_trylock()) {
            return;
        }
        before = __atomic_load_n(&log_progress.drained, __ATOMIC_ACQUIRE);
        if (before >= end) {
            sinks_unlock(locked);
            later_wake();
            return;
        }
        drain_locked(end);
        sinks_unlock(locked);
        /* Written while we held the lock and its writer went away: again. */
    } while (is_behind() && __atomic_load_n(&log_progress.drained,
                                            __ATOMIC_ACQUIRE) != before);
}

void log_sink_write(const char *text, size_t len)
{
    bool locked = !log_is_emergency();

    if (locked) {
        spin_lock(&sink_lock);
    }
    drain_locked(drain_end());
    all_sinks(text, len);
    sinks_unlock(locked);
    /* Written while we held the lock: its writer went away. */
    if (is_behind()) {
        log_drain();
    }
}

void log_defer(void (*wake)(void))
{
    later_wake = wake;
}

/* How many of the bytes that wait every sink takes now. */
static uint32_t fitting(uint32_t max)
{
    size_t room = max;
    uint32_t n = 0;

    for (const struct log_sink *s = sinks; s != NULL; s = s->next) {
        if (s->room != NULL) {
            room = MIN(room, s->room());
        }
    }
    while (n < log_progress.put - later_got) {
        /* A line feed may become two bytes. */
        size_t takes = later[(later_got + n) & LATER_MASK] == '\n' ? 2 : 1;

        if (takes > room) {
            break;
        }
        room -= takes;
        n++;
    }
    return n;
}

bool log_pump(void)
{
    uint32_t budget = PUMP_BYTES;
    uint64_t before;
    bool more;

    if (log_is_emergency() || !spin_trylock(&sink_lock)) {
        return true;
    }
    while (budget > 0 && later_got != log_progress.put) {
        uint32_t n = fitting(budget);

        if (n == 0) {
            break;
        }
        later_write(n);
        budget -= n;
    }
    before = log_progress.drained;
    if (log_progress.put - later_got < LATER_BYTES / 2) {
        drain_locked(before + PUMP_CELLS);
    }
    /* If it did not move: whoever wrote the next cell will finish that. */
    more = later_got != log_progress.put ||
           (log_progress.drained != before && is_behind());
    spin_unlock(&sink_lock);
    return more;
}

void log_flush(void)
{
    bool locked = !log_is_emergency();

    if (locked) {
        spin_lock(&sink_lock);
    }
    drain_locked(log_ring_next(log_ring_now()));
    later_flush();
    sinks_unlock(locked);
}

void log_hold(void)
{
    spin_lock(&sink_lock);
}

void log_release(void)
{
    spin_unlock(&sink_lock);
}

void log_sink_skip(uint64_t first, uint64_t cells)
{
    if (log_is_emergency() || !spin_trylock(&sink_lock)) {
        return;
    }
    if (log_progress.drained == first && !in_message) {
        __atomic_store_n(&log_progress.drained, first + cells,
                         __ATOMIC_RELEASE);
    }
    spin_unlock(&sink_lock);
}

void log_sink_register(struct log_sink *sink)
{
    const struct log_ring *ring = log_ring_now();
    bool locked = !log_is_emergency();
    struct vigil_log_cell cell;
    bool continued = false;

    if (locked) {
        spin_lock(&sink_lock);
    }
    for (uint64_t seq = log_ring_oldest(ring); seq < log_progress.drained;
         seq++) {
        if (log_ring_read(ring, seq, &cell) == LOG_READ_OK) {
            show_cell(sink, &cell, continued);
            continued = (cell.flags & VIGIL_LOG_F_MORE) != 0;
        }
    }
    sink->next = sinks;
    sinks = sink;
    sinks_unlock(locked);
    log_drain();
}

/* Unlink @sink if it is in the list. */
static void unlink_sink(const struct log_sink *sink)
{
    for (struct log_sink **at = &sinks; *at != NULL; at = &(*at)->next) {
        if (*at == sink) {
            *at = sink->next;
            return;
        }
    }
}

void log_sink_unregister(struct log_sink *sink)
{
    bool locked = !log_is_emergency();

    if (locked) {
        spin_lock(&sink_lock);
    }
    unlink_sink(sink);
    sinks_unlock(locked);
}

/*
 * Another CPU was stopped while it wrote: its line is said once more, whole.
 * Only once, for writing may be what fails.
 */
static void take_over(void)
{
    uint32_t from = log_progress.shown;

    if (log_progress.showing != 0 &&
        log_progress.drained == log_progress.showing + 1) {
        log_progress.drained = log_progress.showing;
        in_message = false;
        torn_later = true;
    }
    if (from == later_got) {
        return;
    }
    /* To where the line begins, as far as it is still there. */
    while (log_progress.shown - from < FULL_BYTES &&
           log_progress.put - from < LATER_BYTES &&
           later[(from - 1) & LATER_MASK] != '\n') {
        from--;
    }
    later_got = from;
    torn = true;
}

void log_emergency(void)
{
    /*
     * Called again while already dying: if a sink was being written to, it
     * is what failed.
     */
    if (in_call != NULL) {
        unlink_sink(in_call);
        in_call = NULL;
    }
    if (!__atomic_exchange_n(&emergency, true, __ATOMIC_SEQ_CST)) {
        take_over();
    }
}

unsigned int log_linger_ms(void)
{
    unsigned int ms = 0;

    for (const struct log_sink *s = sinks; s != NULL; s = s->next) {
        if (s->linger_ms != NULL) {
            ms = MAX(ms, s->linger_ms());
        }
    }
    return ms;
}
