/* SPDX-License-Identifier: MIT */
/*
 * log/printk.c - format a message, decide who may see it, put it in the ring.
 *
 * Formatting is done on the stack of the caller: no shared buffer, so an NMI
 * in the middle of a message disturbs nothing.
 */
#include "log/printk.h"

#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "x86/percpu.h"
#include "x86/tsc.h"
#include "sync/spinlock.h"
#include "log/sink.h"

#define EARLY_CELLS 128

/*
 * Lines about a guest: so many at once, then one each half second.  More of
 * those that cost no console any time: a kernel's boot messages.
 */
#define SHOWN_BURST 10
#define KEPT_BURST  100
#define LIMIT_MS    500

static struct vigil_log_cell early_cells[EARLY_CELLS] ALIGNED(64);
static struct log_ring early_ring = {
    .cells = early_cells, .count = EARLY_CELLS, .boot_id = 0, .next = 1};
static struct log_ring box_ring;
static struct log_ring *ring = &early_ring; /* a: set once by log_attach() */

/* What the console shows: always up to, and with the rate limit up to. */
struct threshold {
    int always;
    int limited;
};

/* a: set by the command line, and by Dom0's tools later; each number by itself */
static struct threshold for_us = {LOG_INFO, LOG_INFO};
static struct threshold for_guests = {LOG_PANIC, LOG_NOTICE};

static uint64_t limit_cycles;  /* c: from line to line; 0: no clock, no limit */
static uint64_t limited_lines; /* a: of all guests                        */

NMI_SAFE struct log_ring *log_ring_now(void)
{
    return __atomic_load_n(&ring, __ATOMIC_ACQUIRE);
}

NMI_SAFE struct log_tag log_stamp(enum log_level level, uint8_t flags)
{
    uint32_t context = this_cpu()->context;
    struct log_tag tag = {.level = level,
                          .context = LOG_CTX_NORMAL,
                          .flags = flags,
                          .cpu = (uint16_t)this_cpu_id(),
                          .tsc = rdtsc()};

    if (context & CTX_IN(CTX_CRASH)) {
        tag.context = LOG_CTX_CRASH;
    } else if (context & CTX_IN(CTX_MC)) {
        tag.context = LOG_CTX_MC;
    } else if (context & CTX_IN(CTX_NMI)) {
        tag.context = LOG_CTX_NMI;
    } else if (context & CTX_IN(CTX_IRQ)) {
        tag.context = LOG_CTX_IRQ;
    }
    return tag;
}

/* Format into @buf and cut trailing newlines. */
NMI_SAFE PRINTF_LIKE(3, 0) static size_t
    format_line(char *buf, size_t size, const char *fmt, va_list args)
{
    size_t len = vscnprintf(buf, size, fmt, args);

    while (len > 0 && buf[len - 1] == '\n') {
        len--;
    }
    return len;
}

NMI_SAFE static uint8_t quiet_for_us(enum log_level level)
{
    return (int)level > for_us.limited ? VIGIL_LOG_F_QUIET : 0;
}

NMI_SAFE PRINTF_LIKE(2, 0) static void
    write_ours(struct log_tag tag, const char *fmt, va_list args)
{
    char text[LOG_TEXT_MAX];
    size_t len = format_line(text, sizeof(text), fmt, args);

    tag.flags |= quiet_for_us(tag.level);
    log_ring_write(log_ring_now(), &tag, text, len);
}

NMI_SAFE static void write_line(enum log_level level, uint8_t flags,
                                const char *text, size_t len)
{
    struct log_tag tag = log_stamp(level, flags);

    log_ring_write(log_ring_now(), &tag, text, len);
}

NMI_SAFE static void leave_for_later(void)
{
    __atomic_fetch_or(&this_cpu()->work, WORK_LOG, __ATOMIC_RELAXED);
}

/* Drain, unless we may be the one who was interrupted while draining. */
static void drain_or_leave(void)
{
    if ((this_cpu()->context & CTX_IN_NMI_OR_MC) && !log_is_emergency()) {
        leave_for_later();
    } else {
        log_drain();
    }
}

void printk(enum log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_ours(log_stamp(level, 0), fmt, args);
    va_end(args);
    drain_or_leave();
}

NMI_SAFE void log_nmi(enum log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_ours(log_stamp(level, 0), fmt, args);
    va_end(args);
    leave_for_later();
}

NMI_SAFE void log_seen(const struct log_tag *then, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_ours(*then, fmt, args);
    va_end(args);
    leave_for_later();
}

void log_guest_init(struct log_guest *guest, uint16_t domid)
{
    *guest = (struct log_guest){.domid = domid};
}

static bool share_take(struct log_guest *guest, struct log_share *share,
                       uint64_t burst)
{
    bool take = false;

    /*
     * Another vcpu of it, or what this one interrupted, has a line at this very
     * moment: that counts, and nobody waits.
     */
    if (!__atomic_exchange_n(&guest->busy, 1, __ATOMIC_ACQUIRE)) {
        if (unlikely(share->bucket.capacity == 0)) {
            bucket_init(&share->bucket, burst, limit_cycles, rdtsc());
        }
        take = bucket_take(&share->bucket, rdtsc());
        __atomic_store_n(&guest->busy, 0, __ATOMIC_RELEASE);
    }
    if (!take) {
        __atomic_fetch_add(&share->left_out, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&limited_lines, 1, __ATOMIC_RELAXED);
    }
    return take;
}

/* Say how many lines were left out since that was last said. */
static void share_tell(const struct log_guest *guest, struct log_share *share,
                       uint8_t flags)
{
    char text[64];
    uint64_t count;

    if (likely(READ_ONCE(share->left_out) == 0)) {
        return;
    }
    count = __atomic_exchange_n(&share->left_out, 0, __ATOMIC_RELAXED);
    if (count != 0) {
        write_line(LOG_NOTICE, flags, text,
                   scnprintf(text, sizeof(text),
                             "d%u too many lines: %lu left out", guest->domid,
                             (unsigned long)count));
    }
}

/*
 * May a guest have a line of this level now?  Beyond its share it does not get
 * into the ring either, where it would take the place of others' lines.
 */
static bool guest_may(struct log_guest *guest, enum log_level level,
                      uint8_t *ret_flags)
{
    bool shown = (int)level <= for_guests.limited;
    struct log_share *share = shown ? &guest->shown : &guest->kept;

    *ret_flags = shown ? 0 : VIGIL_LOG_F_QUIET;
    if ((int)level <= for_guests.always || limit_cycles == 0) {
        return true;
    }
    if (!share_take(guest, share, shown ? SHOWN_BURST : KEPT_BURST)) {
        return false;
    }
    share_tell(guest, share, *ret_flags);
    return true;
}

void log_guest_end(struct log_guest *guest)
{
    if (guest->shown.left_out == 0 && guest->kept.left_out == 0) {
        return;
    }
    share_tell(guest, &guest->shown, 0);
    share_tell(guest, &guest->kept, VIGIL_LOG_F_QUIET);
    drain_or_leave();
}

void log_about(enum log_level level, struct log_guest *guest, int vcpu,
               const char *fmt, ...)
{
    char text[LOG_TEXT_MAX];
    va_list args;
    uint8_t flags;
    size_t at;

    if (!guest_may(guest, level, &flags)) {
        return;
    }
    if (vcpu < 0) {
        at = scnprintf(text, sizeof(text), "d%u ", guest->domid);
    } else {
        at = scnprintf(text, sizeof(text), "d%uv%d ", guest->domid, vcpu);
    }
    va_start(args, fmt);
    at += format_line(text + at, sizeof(text) - at, fmt, args);
    va_end(args);
    write_line(level, flags, text, at);
    drain_or_leave();
}

/* Store printable text; a guest must not steer a terminal through our log. */
static size_t copy_printable(char *dst, size_t size, const char *src,
                             size_t len)
{
    size_t n = MIN(size, len);

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)src[i];

        dst[i] = c == '\t' || (c >= 0x20 && c != 0x7f) ? (char)c : '.';
    }
    return n;
}

void log_guest_line(struct log_guest *guest, const char *text, size_t len)
{
    char line[LOG_TEXT_MAX];
    uint8_t flags;
    size_t at;

    if (!guest_may(guest, LOG_INFO, &flags)) {
        return;
    }
    at = scnprintf(line, sizeof(line), "(d%u) ", guest->domid);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    at += copy_printable(line + at, sizeof(line) - at, text, len);
    write_line(LOG_INFO, VIGIL_LOG_F_GUEST | flags, line, at);
    drain_or_leave();
}

/* The control domain's unfinished line. */
static SPINLOCK(console_line_lock, LOCK_RANK_SINK, IRQ_ANY);
static char console_line[LOG_TEXT_MAX];
static size_t console_line_len;

static void console_line_end(void)
{
    /* Quiet: it has been shown already. */
    struct log_tag tag =
        log_stamp(LOG_INFO, VIGIL_LOG_F_GUEST | VIGIL_LOG_F_QUIET);
    uint64_t cells =
        (console_line_len + VIGIL_LOG_TEXT_BYTES - 1) / VIGIL_LOG_TEXT_BYTES;

    log_sink_skip(log_ring_write(log_ring_now(), &tag, console_line,
                                 console_line_len),
                  cells);
    console_line_len = 0;
}

#define ONES  0x0101010101010101UL
#define HIGHS 0x8080808080808080UL

/* Is each of the eight bytes one that copy_printable() leaves as it is? */
static bool all_printable(uint64_t w)
{
    uint64_t del = w ^ 0x7f * ONES;

    return ((((w - 0x20 * ONES) & ~w) | ((del - ONES) & ~del)) & HIGHS) == 0;
}

void log_console_write(const char *text, size_t len)
{
    bool locked = !log_is_emergency();

    log_sink_write(text, len);

    if (locked) {
        spin_lock(&console_line_lock);
    }
    while (len > 0) {
        uint64_t w;

        if (len >= sizeof(w) &&
            sizeof(console_line) - console_line_len >= sizeof(w)) {
            __builtin_memcpy(&w, text, sizeof(w));
            if (all_printable(w)) {
                __builtin_memcpy(console_line + console_line_len, &w,
                                 sizeof(w));
                console_line_len += sizeof(w);
                text += sizeof(w);
                len -= sizeof(w);
                if (console_line_len == sizeof(console_line)) {
                    console_line_end();
                }
                continue;
            }
        }
        if (*text != '\n' && *text != '\r') {
            console_line_len +=
                copy_printable(console_line + console_line_len, 1, text, 1);
        }
        if (console_line_len == sizeof(console_line) ||
            (*text == '\n' && console_line_len > 0)) {
            console_line_end();
        }
        text++;
        len--;
    }
    if (locked) {
        spin_unlock(&console_line_lock);
    }
}

void log_attach(void *mem, size_t bytes, uint64_t boot_id)
{
    log_ring_init(&box_ring, mem, bytes, boot_id);
    log_ring_adopt(&box_ring, &early_ring);
    __atomic_store_n(&ring, &box_ring, __ATOMIC_RELEASE);
}

void log_set_clock(uint64_t tsc_khz)
{
    limit_cycles = tsc_khz * LIMIT_MS;
}

static const struct level_name {
    const char *name;
    int level;
} level_names[] = {
    {"none", LOG_PANIC},     {"error", LOG_ERROR},
    {"warning", LOG_NOTICE}, /* Xen's plain messages are of this level */
    {"info", LOG_INFO},      {"debug", LOG_DEBUG},
    {"all", LOG_DEBUG},
};

/* Read one level word of @len bytes. */
static int parse_level(const char *word, size_t len, int *ret_level)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (strlen(level_names[i].name) == len &&
            memcmp(level_names[i].name, word, len) == 0) {
            *ret_level = level_names[i].level;
            return 0;
        }
    }
    return -EINVAL;
}

static void set_threshold(struct threshold *dst, const struct threshold *src)
{
    WRITE_ONCE(dst->always, src->always);
    WRITE_ONCE(dst->limited, src->limited);
}

int log_set_levels(bool about_guests, const char *value)
{
    const char *slash = strchr(value, '/');
    size_t first_len = slash ? (size_t)(slash - value) : strlen(value);
    struct threshold t;

    if (parse_level(value, first_len, &t.always) != 0) {
        return -EINVAL;
    }
    t.limited = t.always;
    if (slash && parse_level(slash + 1, strlen(slash + 1), &t.limited) != 0) {
        return -EINVAL;
    }
    if (t.limited < t.always) {
        t.limited = t.always;
    }
    if (about_guests) {
        set_threshold(&for_guests, &t);
    } else {
        set_threshold(&for_us, &t);
    }
    return 0;
}

static const char *level_name(int level)
{
    size_t i = 0;

    /* The last two names mean the same. */
    while (i + 2 < ARRAY_SIZE(level_names) && level_names[i].level < level) {
        i++;
    }
    return level_names[i].name;
}

void log_get_levels(bool about_guests, char *buf, size_t size)
{
    const struct threshold *t = about_guests ? &for_guests : &for_us;
    int always = READ_ONCE(t->always), limited = READ_ONCE(t->limited);

    if (always == limited) {
        (void)scnprintf(buf, size, "%s", level_name(always));
    } else {
        (void)scnprintf(buf, size, "%s/%s", level_name(always),
                        level_name(limited));
    }
}

void log_step_levels(bool about_guests, bool more)
{
    struct threshold *t = about_guests ? &for_guests : &for_us;
    int now = READ_ONCE(t->limited), next = now;

    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        int level = level_names[i].level;

        if (more ? level > now && (next == now || level < next)
                 : level < now && (next == now || level > next)) {
            next = level;
        }
    }
    set_threshold(t, &(struct threshold){next, next});
}

void log_get_stats(struct log_stats *ret_stats)
{
    ret_stats->cells = log_ring_next(log_ring_now()) - 1;
    ret_stats->lost = log_sink_lost();
    ret_stats->limited = __atomic_load_n(&limited_lines, __ATOMIC_RELAXED);
}
