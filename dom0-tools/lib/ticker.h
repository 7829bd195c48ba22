/* SPDX-License-Identifier: MIT */
/*
 * lib/ticker.h - how far the memory of a guest is that is made or destroyed.
 *
 * libxl works in our thread, and does not say how far it is with memory.  So a
 * thread of its own looks, from time to time, how many pages the domain has.
 * It speaks to the hypervisor only, by a handle of its own.  What ends within
 * half a second is never looked at.
 */
#ifndef VIGIL_TOOLS_TICKER_H
#define VIGIL_TOOLS_TICKER_H

#include <pthread.h>
#include <stdint.h>

#include <xenctrl.h>

#include "lib/moment.h"
#include "lib/progress.h"

enum ticker_way {
    TICKER_GROWS,   /* it is made: from no page to all      */
    TICKER_SHRINKS, /* it is destroyed: from all pages to none */
};

struct ticker {
    struct progress progress;
    enum ticker_way way;
    uint64_t pages; /* all of them                              */
    char uuid[UUID_CHARS + 1];
    xc_interface *xch; /* NULL: nothing is shown                   */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int stop; /* under the lock: the thread is to end     */
};

/**
 * ticker_begin() - show how far a guest's memory is, until ticker_end()
 * @ticker: filled in; released by ticker_end()
 * @mode:   how to show it
 * @what:   words for it, kept by reference
 * @uuid:   text of the guest's UUID; it need not exist yet
 * @pages:  4 KiB pages it will have, or has; 0: not known, nothing is shown
 * @way:    is it made or destroyed?
 *
 * Where it cannot look, nothing is shown.
 *
 * Context: any; nothing else may be printed to standard error meanwhile.
 */
void ticker_begin(struct ticker *ticker, enum progress_mode mode,
                  const char *what, const char *uuid, uint64_t pages,
                  enum ticker_way way);

/**
 * ticker_end() - show it no more, and take the bar off the terminal
 * @ticker: begun
 *
 * Context: any.
 */
void ticker_end(struct ticker *ticker);

#endif
