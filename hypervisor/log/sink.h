/* SPDX-License-Identifier: MIT */
/*
 * log/sink.h - where the log becomes visible: serial line, screen.
 *
 * A sink is a socket: dev/ registers it, log/ feeds it.  The ring is drained
 * in order by whoever gets the sink lock by trylock; a writer that does not
 * get it leaves its line to the one who has it.  Hypervisor lines begin with
 * "(XEN) ", as people and scripts expect on this ABI.
 *
 * A serial line is slow.  Once the machine has timers, what the sinks are to
 * write waits in a byte ring and is written a little at a time: log_defer(),
 * log_pump().  A full ring makes the writer wait for its sinks; a line of level
 * ERROR or worse, log_flush() and a dying machine write all that waits.
 *
 * A dying machine switches to emergency mode: locks are ignored, sinks use
 * their polled path, and a sink that faults is not used again.
 */
#ifndef VIGIL_LOG_SINK_H
#define VIGIL_LOG_SINK_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/atomic.h"
#include "log/printk.h"

struct log_sink {
    const char *name;
    bool crlf; /* put a carriage return before each line feed            */
    /* Write all of @text; may use interrupts or locks of the device.    */
    void (*write)(const char *text, size_t len);
    /* The same, polled and bounded in time, without locks; may be NULL. */
    void (*emergency_write)(const char *text, size_t len);
    /* How much write() takes now without waiting; NULL: any amount.     */
    size_t (*room)(void);
    /* Once, when the machine dies, before the first of its last words;
     * like emergency_write(); may be NULL.                              */
    void (*dying)(void);
    /* How long its reader needs before the machine is left; NULL: not.  */
    unsigned int (*linger_ms)(void);
    struct log_sink *next; /* log/ only                                  */
};

/**
 * log_sink_register() - add a sink and show it the log kept so far
 * @sink: static storage, owned by the log from now on
 *
 * Context: boot.
 * Return:  nothing.
 */
void log_sink_register(struct log_sink *sink);

/**
 * log_sink_unregister() - take a sink out of use
 * @sink: registered before; anything else is ignored
 *
 * Context: normal.
 * Return:  nothing.
 */
void log_sink_unregister(struct log_sink *sink);

/**
 * log_drain() - bring the sinks up to date with the ring
 *
 * Called by printk(), and on the way out of the hypervisor when WORK_LOG is
 * set.  Returns at once if another CPU, or the code this one interrupted, is
 * draining; after a bounded number of cells when others go on writing, which
 * log_pump() sees to.
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void log_drain(void);

/**
 * log_sink_write() - send bytes to all sinks, past the ring
 * @text: bytes, as they are
 * @len:  number of bytes
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void log_sink_write(const char *text, size_t len);

/**
 * log_defer() - from now on output waits for log_pump()
 * @wake: called when something begins to wait: log_pump() is due soon
 *
 * Context: boot, once; @wake in any but NMI/#MC.
 * Return:  nothing.
 */
void log_defer(void (*wake)(void));

/**
 * log_pump() - write what the sinks take without waiting, a bounded amount
 *
 * Context: softirq.
 * Return:  true: call again soon
 */
bool log_pump(void) MUST_CHECK;

/**
 * log_flush() - bring the sinks up to date, all of it, waiting for them
 *
 * Context: any but NMI/#MC; before the machine is left.
 * Return:  nothing.
 */
void log_flush(void);

/**
 * log_hold() - keep other CPUs out of the sinks
 *
 * Who is stopped while this holds has not left a sink in the middle.
 * Context: any but NMI/#MC, interrupts off; print nothing until log_release().
 * Return:  nothing.
 */
void log_hold(void);

/**
 * log_release() - the end of log_hold()
 *
 * Context: the CPU that called it.
 * Return:  nothing.
 */
void log_release(void);

/**
 * log_sink_skip() - cells of the ring that need not be shown
 * @first: sequence number of the first
 * @cells: how many, all of them of one message, all quiet
 *
 * Saves the next drain from reading them; it would find the same.
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void log_sink_skip(uint64_t first, uint64_t cells);

/**
 * log_emergency() - enter emergency mode, for good
 *
 * From now on printk(), log_drain() and log_sink_write() take no lock, and
 * may be called in any context.
 *
 * Context: dying.
 * Return:  nothing.
 */
void log_emergency(void);

/**
 * log_linger_ms() - how long the readers need before a dying machine is left
 *
 * Context: dying.
 * Return:  milliseconds; 0: at once
 */
unsigned int log_linger_ms(void);

/* How far the sinks are.  Written by log/sink.c alone, under its lock. */
struct log_progress {
    uint64_t drained;    /* next sequence number to show                 */
    uint64_t showing;    /* the one that is on its way; 0                */
    uint32_t put, shown; /* bytes that were to wait, and of them written */
};
extern struct log_progress log_progress;

/**
 * log_is_shown() - is all that was written with every sink?
 *
 * Context: any; for who waits, bounded, before it takes the machine away from
 *          the CPU that writes.
 * Return:  true: nothing is under way
 */
static inline bool log_is_shown(void)
{
    return READ_ONCE(log_progress.drained) == log_ring_next(log_ring_now()) &&
           READ_ONCE(log_progress.showing) == 0 &&
           READ_ONCE(log_progress.put) == READ_ONCE(log_progress.shown);
}

/**
 * log_sink_lost() - cells that never reached the console
 *
 * Context: any.
 * Return:  count since boot
 */
uint64_t log_sink_lost(void);

/**
 * log_is_emergency() - is the machine dying?
 *
 * Context: any.
 * Return:  true after log_emergency()
 */
bool log_is_emergency(void);

#endif
