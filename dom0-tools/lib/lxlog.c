/* SPDX-License-Identifier: MIT */
/* lib/lxlog.c - what libxl and libxenctrl say, and how far they are. */
#include "lib/lxlog.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/fault.h"

/* Behind "NAME.c:", "123:" and "function:", where all three are there. */
const char *lx_log_essence(const char *text)
{
    const char *at = strstr(text, ".c:");
    const char *digits;

    if (!at || strcspn(text, " ") < (size_t)(at - text)) {
        return text;
    }
    digits = at + 3;
    at = digits + strspn(digits, "0123456789");
    if (at == digits || *at != ':') {
        return text;
    }
    at++;
    while (isalnum((unsigned char)*at) || *at == '_') {
        at++;
    }
    return *at == ':' ? at + 1 + strspn(at + 1, " ") : text;
}

__attribute__((format(printf, 5, 0))) static void
take_message(xentoollog_logger *logger, xentoollog_level level, int err,
             const char *context, const char *format, va_list args)
{
    struct lx_log *log = (struct lx_log *)(void *)logger;
    char text[LX_LOG_BYTES * 2];

    if (!log->verbose && (level < XTL_ERROR || log->first[0])) {
        return;
    }
    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = '\0';
    if (log->verbose) {
        say("%s: %s%s%s", context ? context : "xen", text, err >= 0 ? ": " : "",
            err >= 0 ? strerror(err) : "");
    }
    if (level >= XTL_ERROR && !log->first[0]) {
        snprintf(log->first, sizeof(log->first), "%.240s%s%.60s",
                 lx_log_essence(text), err >= 0 ? ": " : "",
                 err >= 0 ? strerror(err) : "");
    }
}

static void take_progress(xentoollog_logger *logger, const char *context,
                          const char *doing, int percent, unsigned long done,
                          unsigned long total)
{
    struct lx_log *log = (struct lx_log *)(void *)logger;

    (void)context;
    (void)doing;
    (void)percent;
    progress_show(&log->progress, done, total);
}

static void keep(xentoollog_logger *logger)
{
    (void)logger; /* part of something larger */
}

void lx_log_init(struct lx_log *log, int verbose)
{
    memset(log, 0, sizeof(*log));
    log->logger.vmessage = take_message;
    log->logger.progress = take_progress;
    log->logger.destroy = keep;
    log->verbose = verbose;
}
