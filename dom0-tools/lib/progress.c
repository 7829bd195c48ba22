/* SPDX-License-Identifier: MIT */
/* lib/progress.c - how far a long verb is, on standard error. */
#include "lib/progress.h"

#include <string.h>
#include <time.h>

#define BAR_CHARS    20U
#define BAR_MS       100U
#define PLAIN_MS     15000U
#define PLAIN_POINTS 10U
#define MIB          (1024U * 1024U)

int progress_mode_parse(const char *text, int is_tty,
                        enum progress_mode *ret_mode)
{
    if (!text || strcmp(text, "auto") == 0) {
        *ret_mode = is_tty ? PROGRESS_BAR : PROGRESS_PLAIN;
    } else if (strcmp(text, "bar") == 0) {
        *ret_mode = PROGRESS_BAR;
    } else if (strcmp(text, "plain") == 0) {
        *ret_mode = PROGRESS_PLAIN;
    } else if (strcmp(text, "none") == 0) {
        *ret_mode = PROGRESS_NONE;
    } else {
        return -1;
    }
    return 0;
}

static uint64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

void progress_begin(struct progress *progress, enum progress_mode mode,
                    const char *what, uint64_t unit_bytes)
{
    memset(progress, 0, sizeof(*progress));
    progress->mode = mode;
    progress->out = stderr;
    progress->what = what;
    progress->unit_bytes = unit_bytes;
    progress->shown_ms = milliseconds();
}

int progress_due(const struct progress *progress, unsigned int percent,
                 uint64_t now_ms)
{
    uint64_t since = now_ms - progress->shown_ms;

    switch (progress->mode) {
    case PROGRESS_NONE:
        return 0;
    case PROGRESS_BAR:
        return since >= BAR_MS || (percent == 100 && progress->shown_at != 100);
    case PROGRESS_PLAIN:
        return percent / PLAIN_POINTS != progress->shown_at / PLAIN_POINTS ||
               since >= PLAIN_MS;
    }
    return 0;
}

static void draw_bar(struct progress *progress, unsigned int percent)
{
    unsigned int full = percent * BAR_CHARS / 100U;

    fprintf(progress->out, "\r%s [", progress->what);
    for (unsigned int i = 0; i < BAR_CHARS; i++) {
        fputc(i < full ? '#' : '.', progress->out);
    }
    fprintf(progress->out, "] %3u%%", percent);
    progress->drawn = 1;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
    unsigned int percent;
    uint64_t now;

    if (progress->mode == PROGRESS_NONE || total == 0) {
        return;
    }
    percent = done >= total ? 100U : (unsigned int)(done * 100U / total);
    now = milliseconds();
    if (!progress_due(progress, percent, now)) {
        return;
    }
    if (progress->mode == PROGRESS_BAR) {
        draw_bar(progress, percent);
    } else {
        fprintf(progress->out, "%s: %3u%%", progress->what, percent);
    }
    if (progress->unit_bytes) {
        fprintf(progress->out, " %llu/%llu MiB",
                (unsigned long long)(done * progress->unit_bytes / MIB),
                (unsigned long long)(total * progress->unit_bytes / MIB));
    } else {
        fprintf(progress->out, " %llu/%llu s", (unsigned long long)done,
                (unsigned long long)total);
    }
    fputs(progress->mode == PROGRESS_BAR ? "\033[K" : "\n", progress->out);
    fflush(progress->out);
    progress->shown_ms = now;
    progress->shown_at = percent;
}

void progress_end(struct progress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", progress->out);
        fflush(progress->out);
        progress->drawn = 0;
    }
    progress->mode = PROGRESS_NONE;
}
