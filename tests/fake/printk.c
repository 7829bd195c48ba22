/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/printk.c - the log's front end for tests of other floors: counts
 * lines and keeps the last ones.  (Tests of log/ itself link the real one.)
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log/printk.h"
#include "log/sink.h"
#include "fake_printk.h"

char fake_printk_last[LOG_TEXT_MAX];
unsigned int fake_printk_count;

/* All lines since fake_printk_forget(); the oldest go when it is full. */
static char all[32768];
static size_t all_len;

void fake_printk_forget(void)
{
    all_len = 0;
    all[0] = '\0';
}

bool fake_printk_said(const char *words)
{
    return strstr(all, words) != NULL;
}

__attribute__((format(printf, 1, 0))) static void keep(const char *fmt,
                                                       va_list args)
{
    vsnprintf(fake_printk_last, sizeof(fake_printk_last), fmt, args);
    fake_printk_count++;
    if (all_len + sizeof(fake_printk_last) + 2 > sizeof(all)) {
        all_len = 0;
    }
    all_len += (size_t)snprintf(all + all_len, sizeof(all) - all_len, "%s\n",
                                fake_printk_last);
}

void printk(enum log_level level, const char *fmt, ...)
{
    va_list args;

    (void)level;
    va_start(args, fmt);
    keep(fmt, args);
    va_end(args);
}

void log_nmi(enum log_level level, const char *fmt, ...)
{
    va_list args;

    (void)level;
    va_start(args, fmt);
    keep(fmt, args);
    va_end(args);
}

void log_seen(const struct log_tag *then, const char *fmt, ...)
{
    va_list args;

    (void)then;
    va_start(args, fmt);
    keep(fmt, args);
    va_end(args);
}

struct log_tag log_stamp(enum log_level level, uint8_t flags)
{
    /* Tests without fake_hw.c have no CPUs. */
    uint16_t cpu = fake_cpu_number ? (uint16_t)fake_cpu_number() : 0;

    return (struct log_tag){.level = level, .flags = flags, .cpu = cpu};
}

void log_about(enum log_level level, struct log_guest *guest, int vcpu,
               const char *fmt, ...)
{
    va_list args;

    (void)level;
    (void)guest;
    (void)vcpu;
    va_start(args, fmt);
    keep(fmt, args);
    va_end(args);
}

void log_guest_init(struct log_guest *guest, uint16_t domid)
{
    guest->domid = domid;
}

void log_guest_end(struct log_guest *guest)
{
    (void)guest;
}

void log_drain(void)
{
}
