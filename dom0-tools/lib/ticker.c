/* SPDX-License-Identifier: MIT */
/* lib/ticker.c - how far a guest's memory is that is made or destroyed. */
#include "lib/ticker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/fault.h"

#define FIRST_MS      500
#define STEP_MS       200
#define PAGE_BYTES    4096
#define DOMAINS_AHEAD 64U

/* The pages of the guest; none while there is no such domain. */
static uint64_t pages_now(const struct ticker *ticker)
{
    static xc_domaininfo_t info[DOMAINS_AHEAD]; /* of this thread alone */
    char uuid[UUID_CHARS + 1];
    uint32_t next = 1;
    int got;

    do {
        got = xc_domain_getinfolist(ticker->xch, next, DOMAINS_AHEAD, info);
        for (int i = 0; i < got; i++) {
            uuid_text(uuid, info[i].handle);
            if (strcasecmp(uuid, ticker->uuid) == 0) {
                return info[i].tot_pages;
            }
            next = info[i].domain + 1U;
        }
    } while (got == (int)DOMAINS_AHEAD);
    return 0;
}

/* Wait so long, or until told to end; 1 then. */
static int wait_ms(struct ticker *ticker, long ms)
{
    struct timespec until;
    int stop;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stop &&
           pthread_cond_timedwait(&ticker->wake, &ticker->lock, &until) == 0) {
    }
    stop = ticker->stop;
    pthread_mutex_unlock(&ticker->lock);
    return stop;
}

static void *tick(void *context)
{
    struct ticker *ticker = context;
    long ms = FIRST_MS;

    while (!wait_ms(ticker, ms)) {
        uint64_t now = pages_now(ticker);

        now = now > ticker->pages ? ticker->pages : now;
        progress_show(&ticker->progress,
                      ticker->way == TICKER_GROWS ? now : ticker->pages - now,
                      ticker->pages);
        ms = STEP_MS;
    }
    return NULL;
}

void ticker_begin(struct ticker *ticker, enum progress_mode mode,
                  const char *what, const char *uuid, uint64_t pages,
                  enum ticker_way way)
{
    pthread_condattr_t clock;
    sigset_t before;
    sigset_t all;
    int err;

    memset(ticker, 0, sizeof(*ticker));
    if (mode == PROGRESS_NONE || pages == 0) {
        return;
    }
    ticker->xch = xc_interface_open(NULL, NULL, 0);
    if (!ticker->xch) {
        return;
    }
    progress_begin(&ticker->progress, mode, what, PAGE_BYTES);
    ticker->way = way;
    ticker->pages = pages;
    snprintf(ticker->uuid, sizeof(ticker->uuid), "%s", uuid);
    pthread_mutex_init(&ticker->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&ticker->wake, &clock);
    pthread_condattr_destroy(&clock);
    /* Signals are for those who wait for libxl. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&ticker->thread, NULL, tick, ticker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err) {
        xc_interface_close(ticker->xch);
        ticker->xch = NULL;
    }
}

void ticker_end(struct ticker *ticker)
{
    if (!ticker->xch) {
        return;
    }
    pthread_mutex_lock(&ticker->lock);
    ticker->stop = 1;
    pthread_cond_signal(&ticker->wake);
    pthread_mutex_unlock(&ticker->lock);
    pthread_join(ticker->thread, NULL);
    pthread_cond_destroy(&ticker->wake);
    pthread_mutex_destroy(&ticker->lock);
    progress_end(&ticker->progress);
    xc_interface_close(ticker->xch);
    ticker->xch = NULL;
}
