/* SPDX-License-Identifier: MIT */
/*
 * log/printk.h - the front end of the log.
 *
 *   printk(), pr_err() ...  normal and interrupt context.  The message goes
 *                           into the ring, then the ring is drained to the
 *                           sinks (console) if nobody else is doing that.
 *   log_nmi()               NMI, #MC, and any place that cannot know.  The
 *                           message goes into the ring only; WORK_LOG is set
 *                           so that the way out calls log_drain().
 *   log_about()             about something a guest caused: guest_loglvl=
 *                           applies, and a rate limit of that guest's own.
 *
 * printk() in NMI or #MC context behaves like log_nmi(), so a shared helper
 * may use it; but it is not NMI_SAFE code, and the lint will say so.
 *
 * Every message is kept in the ring, whatever the thresholds say; they decide
 * only what the console shows.  Not so what guests cause: beyond a guest's share
 * of lines it is left out of both, counted, and the guest's next line is preceded
 * by one that says how many.  What guest_loglvl= says is always shown has no
 * limit.  A trailing newline is allowed and ignored.
 */
#ifndef VIGIL_LOG_PRINTK_H
#define VIGIL_LOG_PRINTK_H

#include "lib/bucket.h"
#include "lib/compiler.h"
#include "lib/types.h"
#include "log/record.h"
#include "log/ring.h"

/**
 * printk() - log one line
 * @level: how severe
 * @fmt:   printf format (lib/format.h)
 *
 * Context: any but NMI/#MC; any lock may be held, interrupts on or off.
 * Return:  nothing.
 */
void printk(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/**
 * log_nmi() - log one line from NMI or #MC context, ring only
 * @level: how severe
 * @fmt:   printf format
 *
 * Context: any; bounded, no lock.
 * Return:  nothing.
 */
void log_nmi(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/**
 * log_seen() - log one line about what happened before, ring only
 * @then: log_stamp() of that time; its level counts
 * @fmt:  printf format
 *
 * Context: any; bounded, no lock.
 * Return:  nothing.
 */
void log_seen(const struct log_tag *then, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* Lines a guest may have, and what it had beyond them. */
struct log_share {
    struct bucket bucket; /* busy; all zero: full                        */
    uint64_t left_out;    /* a: lines, since that was last said          */
};

/*
 * A guest as the log knows it: part of its struct domain, so that a guest has
 * only its own lines to lose, and one that has its domid later begins anew.
 */
struct log_guest {
    uint16_t domid;         /* c */
    uint8_t busy;           /* a: somebody is at the buckets             */
    struct log_share shown; /* of what the console shows                 */
    struct log_share kept;  /* of what the ring alone gets               */
};

/**
 * log_guest_init() - a guest that has caused no line yet
 * @guest: to be filled in
 * @domid: its number
 *
 * Context: any.
 * Return:  nothing.
 */
void log_guest_init(struct log_guest *guest, uint16_t domid);

/**
 * log_guest_end() - the guest is gone: say what has been left out, if anything
 * @guest: from log_guest_init()
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void log_guest_end(struct log_guest *guest);

/**
 * log_about() - log one line about something a guest did
 * @level: how severe; LOG_WARNING at most
 * @guest: the guest
 * @vcpu:  its vcpu, or -1 if none in particular
 * @fmt:   printf format
 *
 * Prefixed "dN" or "dNvM"; shown by guest_loglvl=, limited in rate.
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void log_about(enum log_level level, struct log_guest *guest, int vcpu,
               const char *fmt, ...) PRINTF_LIKE(4, 5);

/**
 * log_guest_line() - log one line of text written by an ordinary guest
 * @guest: the guest
 * @text:  its text, not terminated; unprintable bytes are replaced
 * @len:   bytes; cut to LOG_TEXT_MAX
 *
 * Shown as "(dN) text" under the limits of log_about(LOG_INFO).
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void log_guest_line(struct log_guest *guest, const char *text, size_t len);

/**
 * log_console_write() - the control domain writes to the machine's console
 * @text: bytes, not terminated; copied from the guest by the caller
 * @len:  number of bytes
 *
 * Goes to the sinks at once and as it is; each whole line is also kept in the
 * ring, so that a crash record shows the control domain's last words.
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void log_console_write(const char *text, size_t len);

/**
 * log_ring_now() - the ring in use, for readers
 *
 * Context: any.
 * Return:  the early ring until log_attach(), then the one in the black box
 */
struct log_ring *log_ring_now(void);

/**
 * log_stamp() - the tag of a message written here and now
 * @level: how severe
 * @flags: VIGIL_LOG_F_*
 *
 * Context: any.
 * Return:  the tag
 */
struct log_tag log_stamp(enum log_level level, uint8_t flags);

/**
 * log_attach() - move the log into its permanent place, the black box
 * @mem:     64-byte aligned memory, mapped for good
 * @bytes:   its size
 * @boot_id: number of this boot
 *
 * Everything logged so far is carried over.
 *
 * Context: boot, one CPU running.
 * Return:  nothing.
 */
void log_attach(void *mem, size_t bytes, uint64_t boot_id);

/**
 * log_set_clock() - tell the log the TSC's frequency, for rate limits
 * @tsc_khz: cycles per millisecond; 0: unknown, no rate limit
 *
 * Context: boot.
 * Return:  nothing.
 */
void log_set_clock(uint64_t tsc_khz);

/**
 * log_set_levels() - apply loglvl= or guest_loglvl=
 * @about_guests: false: loglvl=, true: guest_loglvl=
 * @value:        "<level>[/<rate-limited level>]", each one of none, error,
 *                warning, info, debug, all; Xen's option
 *
 * Messages up to the first level are always shown, those up to the second
 * within the rate limit.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL: not understood, nothing changed
 */
int log_set_levels(bool about_guests, const char *value) MUST_CHECK;

/**
 * log_get_levels() - what log_set_levels() would be told to set it so
 * @about_guests: as there
 * @buf:          destination, NUL-terminated afterwards
 * @size:         its size; 32 are enough
 *
 * Context: any.
 * Return:  nothing.
 */
void log_get_levels(bool about_guests, char *buf, size_t size);

/**
 * log_step_levels() - show one level more, or less; all of it, without a limit
 * @about_guests: as for log_set_levels()
 * @more:         false: less
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void log_step_levels(bool about_guests, bool more);

struct log_stats {
    uint64_t cells;   /* cells written since boot                        */
    uint64_t lost;    /* cells the console never saw: overwritten, torn  */
    uint64_t limited; /* lines left out by the guests' rate limits       */
};

/**
 * log_get_stats() - counters of the log
 * @ret_stats: filled in
 *
 * Context: any.
 * Return:  nothing.
 */
void log_get_stats(struct log_stats *ret_stats);

#define pr_err(...)    printk(LOG_ERROR, __VA_ARGS__)
#define pr_warn(...)   printk(LOG_WARNING, __VA_ARGS__)
#define pr_notice(...) printk(LOG_NOTICE, __VA_ARGS__)
#define pr_info(...)   printk(LOG_INFO, __VA_ARGS__)
#define pr_debug(...)  printk(LOG_DEBUG, __VA_ARGS__)

#endif
