/* SPDX-License-Identifier: MIT */
/*
 * lib/progress.h - how far a long verb is, on standard error.
 *
 * On a terminal one line is drawn again and again, at most ten times a
 * second.  Elsewhere a line appears for each tenth, or after 15 seconds.
 * libxl tells how far it is when it saves; of memory that comes or goes
 * lib/ticker.h tells.
 */
#ifndef VIGIL_TOOLS_PROGRESS_H
#define VIGIL_TOOLS_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

enum progress_mode {
    PROGRESS_NONE,
    PROGRESS_PLAIN, /* a line from time to time */
    PROGRESS_BAR,   /* one line, drawn again    */
};

struct progress {
    enum progress_mode mode;
    FILE *out;
    const char *what;      /* e.g. "save web1"; kept by reference       */
    uint64_t unit_bytes;   /* what one step moves; 0: a step is a second */
    uint64_t shown_ms;     /* when something was shown last             */
    unsigned int shown_at; /* how far it was then, percent              */
    int drawn;             /* a bar stands on the terminal's last line  */
};

/**
 * progress_mode_parse() - the value of --progress
 * @text:     auto, bar, plain or none; NULL: auto
 * @is_tty:   1: standard error is a terminal
 * @ret_mode: set on success only
 *
 * Context: any; pure.
 * Return:  0, or -1 for another word
 */
int progress_mode_parse(const char *text, int is_tty,
                        enum progress_mode *ret_mode);

/**
 * progress_begin() - a long verb begins
 * @progress:   filled in
 * @mode:       how to show it
 * @what:       words for it, kept by reference
 * @unit_bytes: bytes that one step moves; 0: steps are seconds of a wait
 *
 * Context: any.
 */
void progress_begin(struct progress *progress, enum progress_mode mode,
                    const char *what, uint64_t unit_bytes);

/**
 * progress_due() - is it time to show something?
 * @progress: as begun
 * @percent:  how far it is
 * @now_ms:   any clock that only goes forward, milliseconds
 *
 * Context: any; pure.
 * Return:  1 yes, 0 no
 */
int progress_due(const struct progress *progress, unsigned int percent,
                 uint64_t now_ms);

/**
 * progress_show() - it is so far
 * @progress: as begun; one that was not begun shows nothing
 * @done:     steps done
 * @total:    steps in all; 0: not known, nothing is shown
 *
 * Context: any.
 */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);

/**
 * progress_end() - take the bar off the terminal
 * @progress: as begun, or zeroed
 *
 * Context: any, before other text is printed.
 */
void progress_end(struct progress *progress);

#endif
