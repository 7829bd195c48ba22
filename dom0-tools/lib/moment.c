/* SPDX-License-Identifier: MIT */
/* lib/moment.c - points in time: UTC nanoseconds, their texts, and IDs. */
#include "lib/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lib/fault.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL

uint64_t moment_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void format(char *dst, size_t cap, const char *form, uint64_t time_ns,
                   int local)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    struct tm parts;

    memset(&parts, 0, sizeof(parts));
    if (local) {
        tzset(); /* localtime_r() alone need not look at TZ */
        localtime_r(&seconds, &parts);
    } else {
        gmtime_r(&seconds, &parts);
    }
    /* The forms are the constants below, never text from outside. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (strftime(dst, cap, form, &parts) == 0) {
        dst[0] = '\0';
    }
#pragma GCC diagnostic pop
}

void moment_rfc3339(char *dst, size_t cap, uint64_t time_ns)
{
    size_t len;

    format(dst, cap, "%Y-%m-%dT%H:%M:%S", time_ns, 0);
    len = strlen(dst);
    snprintf(dst + len, cap - len, ".%06uZ",
             (unsigned int)(time_ns % NS_PER_S / 1000));
}

void moment_compact(char *dst, size_t cap, uint64_t time_ns)
{
    format(dst, cap, "%Y%m%dT%H%M%SZ", time_ns, 0);
}

void moment_local(char *dst, size_t cap, uint64_t time_ns)
{
    format(dst, cap, "%a %Y-%m-%d %H:%M:%S", time_ns, 1);
}

/* "90s": a number and a unit, and nothing else. */
static int parse_ago(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    unsigned long number;
    char *end;

    if (!now_ns || text[0] < '0' || text[0] > '9') {
        return -1;
    }
    number = strtoul(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (end[0] == units[i].unit && end[1] == '\0' &&
            number <= now_ns / NS_PER_S / units[i].seconds) {
            *ret_ns = now_ns - number * units[i].seconds * NS_PER_S;
            return 0;
        }
    }
    return -1;
}

/* ".104511" after the seconds; what follows it. */
static const char *parse_fraction(const char *at, uint64_t *ret_ns)
{
    uint64_t unit = NS_PER_S / 10;

    *ret_ns = 0;
    if (*at != '.') {
        return at;
    }
    for (at++; *at >= '0' && *at <= '9'; at++) {
        *ret_ns += (uint64_t)(*at - '0') * unit;
        unit /= 10;
    }
    return at;
}

int moment_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
    static const char *const local[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
                                        "%Y-%m-%d"};
    uint64_t fraction = 0;
    struct tm parts;
    const char *end;
    time_t seconds = -1;

    if (parse_ago(text, now_ns, ret_ns) == 0) {
        return 0;
    }
    memset(&parts, 0, sizeof(parts));
    end = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (end) {
        end = parse_fraction(end, &fraction);
        if (strcmp(end, "Z")) {
            return -1;
        }
        seconds = timegm(&parts);
    }
    for (size_t i = 0; i < 3 && !end; i++) {
        memset(&parts, 0, sizeof(parts));
        parts.tm_isdst = -1;
        end = strptime(text, local[i], &parts);
        if (end && *end) {
            end = NULL;
        }
        seconds = end ? mktime(&parts) : -1;
    }
    /* Beyond 2500 nanoseconds would not fit. */
    if (seconds < 0 || seconds > 16725225600L) {
        return -1;
    }
    *ret_ns = (uint64_t)seconds * NS_PER_S + fraction;
    return 0;
}

void ulid_make(char dst[ULID_CHARS + 1], uint64_t time_ns,
               const uint8_t random[10])
{
    /* Crockford's base 32: no I, L, O, U, so it can be read aloud. */
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t ms = time_ns / NS_PER_MS;
    unsigned int bits = 0;
    unsigned int held = 0;
    size_t at = 10;

    for (size_t i = 0; i < 10; i++) {
        dst[i] = digits[(ms >> (45 - 5 * i)) & 31];
    }
    for (size_t i = 0; i < 10; i++) {
        held = held << 8 | random[i];
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            dst[at++] = digits[held >> bits & 31];
        }
        held &= 0xffU;
    }
    dst[ULID_CHARS] = '\0';
}

void uuid_text(char dst[UUID_CHARS + 1], const uint8_t uuid[16])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            dst[at++] = '-';
        }
        dst[at++] = digits[uuid[i] >> 4];
        dst[at++] = digits[uuid[i] & 15];
    }
    dst[at] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int uuid_parse(const char *text, uint8_t ret_uuid[16])
{
    uint8_t uuid[16];

    for (size_t i = 0; i < 16; i++) {
        int high;
        int low;

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (*text++ != '-') {
                return -1;
            }
        }
        high = hex_value(text[0]);
        low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0) {
            return -1;
        }
        uuid[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (*text != '\0') {
        return -1;
    }
    memcpy(ret_uuid, uuid, sizeof(uuid));
    return 0;
}

void random_bytes(void *dst, size_t bytes)
{
    /* Up to 256 bytes come at once once the kernel's pool is ready. */
    if (getrandom(dst, bytes, 0) != (ssize_t)bytes) {
        say("the kernel gives no random bytes");
        exit(EXIT_FAILED);
    }
}

void uuid_random(uint8_t ret_uuid[16])
{
    random_bytes(ret_uuid, 16);
    ret_uuid[6] = (uint8_t)((ret_uuid[6] & 0x0f) | 0x40);
    ret_uuid[8] = (uint8_t)((ret_uuid[8] & 0x3f) | 0x80);
}
