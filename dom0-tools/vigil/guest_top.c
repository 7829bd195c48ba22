/* SPDX-License-Identifier: MIT */
/*
 * vigil/guest_top.c - vigil top.
 *
 * On a terminal one screen, redrawn; q leaves.  With -b, or not on a terminal,
 * one table or one JSON object for each look.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "lib/escape.h"
#include "lib/table.h"
#include "lib/usage.h"
#include "vigil/commands.h"

#define DEFAULT_DELAY 3 /* seconds, as xentop */
#define KIB_PER_PAGE  4

/* Draw over the last screen: home, and after each line what was behind it. */
#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H"
#define LINE_REST    "\033[K"
#define SCREEN_REST  "\033[J"

struct top {
    struct xen xen;
    struct usage_sample before, now;
    uint64_t total_kib, free_kib;
    uint32_t cpus;
};

static void number(char *dst, size_t cap, uint64_t value)
{
    snprintf(dst, cap, "%llu", (unsigned long long)value);
}

static uint64_t memory_kib(const struct guest *guest)
{
    return guest->info.tot_pages * KIB_PER_PAGE;
}

/* Growth a second of a counter; 0 for a guest that is new. */
static uint64_t rate(const struct top *top, const struct guest *guest,
                     uint64_t now, size_t offset)
{
    const struct usage_guest *then = usage_before(&top->before, guest);
    double seconds = (double)(top->now.time_ns - top->before.time_ns) / 1e9;
    uint64_t before;

    if (!then || seconds <= 0) {
        return 0;
    }
    memcpy(&before, (const char *)&then->io + offset, sizeof(before));
    return now > before ? (uint64_t)((double)(now - before) / seconds) : 0;
}

#define RATE(top, at, field)                                                   \
    rate(top, (at)->guest, (at)->io.field, offsetof(struct usage_io, field))

static void add_row(struct libscols_table *table, const struct top *top,
                    const struct usage_guest *at)
{
    const struct guest *guest = at->guest;
    double waited = usage_wait_percent(&top->before, &top->now, at);
    char cell[12][32];
    const char *cells[] = {guest->name, cell[0], cell[1], cell[2],
                           cell[3],     cell[4], cell[5], cell[6],
                           cell[7],     cell[8], cell[9], cell[10],
                           cell[11]};

    number(cell[0], sizeof(cell[0]), guest->domid);
    snprintf(cell[1], sizeof(cell[1]), "%s", guest_state_word(guest));
    snprintf(cell[2], sizeof(cell[2]), "%.1f",
             (double)guest->info.cpu_time / 1e9);
    snprintf(cell[3], sizeof(cell[3]), "%.1f",
             usage_percent(&top->before, &top->now, guest));
    snprintf(cell[4], sizeof(cell[4]), "%.1f", waited);
    if (waited < 0) {
        snprintf(cell[4], sizeof(cell[4]), "-");
    }
    number(cell[5], sizeof(cell[5]), memory_kib(guest) / 1024);
    snprintf(cell[6], sizeof(cell[6]), "%.1f",
             top->total_kib ? 100.0 * (double)memory_kib(guest) /
                                  (double)top->total_kib
                            : 0.0);
    number(cell[7], sizeof(cell[7]), guest->info.nr_online_vcpus);
    number(cell[8], sizeof(cell[8]), RATE(top, at, rx_bytes) / 1024);
    number(cell[9], sizeof(cell[9]), RATE(top, at, tx_bytes) / 1024);
    number(cell[10], sizeof(cell[10]), RATE(top, at, rd_bytes) / 1024);
    number(cell[11], sizeof(cell[11]), RATE(top, at, wr_bytes) / 1024);
    table_row(table, cells);
}

static int by_percent(const void *left, const void *right, void *context)
{
    const struct top *top = context;
    const struct usage_guest *a = left;
    const struct usage_guest *b = right;
    double more = usage_percent(&top->before, &top->now, b->guest) -
                  usage_percent(&top->before, &top->now, a->guest);

    if (more < 0 || more > 0) {
        return more > 0 ? 1 : -1;
    }
    return a->guest->domid < b->guest->domid ? -1 : 1;
}

static struct libscols_table *make_table(const struct top *top)
{
    static const char *const columns[] = {
        "NAME",      ">ID",   "STATE",  ">CPU(s)",  ">CPU%",    ">WAIT%",
        ">MEM(MiB)", ">MEM%", ">VCPUS", ">RXKB/s", ">TXKB/s", ">RDKB/s",
        ">WRKB/s",   NULL};
    struct libscols_table *table = table_new(columns);

    for (size_t i = 0; i < top->now.list.count; i++) {
        add_row(table, top, &top->now.guests[i]);
    }
    return table;
}

static char *headline(const struct top *top)
{
    size_t running = 0;
    size_t crashed = 0;
    char when[40];

    for (size_t i = 0; i < top->now.list.count; i++) {
        const char *word = guest_state_word(&top->now.list.guests[i]);

        running += strcmp(word, "running") == 0 || strcmp(word, "blocked") == 0;
        crashed += strcmp(word, "crashed") == 0;
    }
    moment_local(when, sizeof(when), moment_now());
    return xasprintf("%s  %zu domains, %zu alive, %zu crashed; %u CPUs; "
                     "memory %llu MiB, %llu free",
                     when, top->now.list.count, running, crashed, top->cpus,
                     (unsigned long long)(top->total_kib / 1024),
                     (unsigned long long)(top->free_kib / 1024));
}

static struct json_object *guest_json(const struct top *top,
                                      const struct usage_guest *at)
{
    const struct guest *guest = at->guest;
    struct json_object *object = json_object_new_object();

    json_add_text(object, "name", guest->name);
    json_add_number(object, "domid", guest->domid);
    json_add_text(object, "uuid", guest->uuid);
    json_add_text(object, "state", guest_state_word(guest));
    json_object_object_add(
        object, "cpu_seconds",
        json_object_new_double((double)guest->info.cpu_time / 1e9));
    json_object_object_add(object, "cpu_percent",
                           json_object_new_double(usage_percent(
                               &top->before, &top->now, guest)));
    if (at->instance) {
        json_add_number(object, "instance", at->instance);
        json_object_object_add(
            object, "wait_seconds",
            json_object_new_double((double)at->wait_ns / 1e9));
        json_object_object_add(object, "wait_percent",
                               json_object_new_double(usage_wait_percent(
                                   &top->before, &top->now, at)));
    }
    json_add_number(object, "memory_kib", memory_kib(guest));
    json_add_number(object, "max_memory_kib",
                    guest->info.max_pages * KIB_PER_PAGE);
    json_add_number(object, "vcpus", guest->info.nr_online_vcpus);
    json_add_number(object, "nets", at->io.nets);
    json_add_number(object, "net_rx_bytes", at->io.rx_bytes);
    json_add_number(object, "net_tx_bytes", at->io.tx_bytes);
    json_add_number(object, "net_rx_packets", at->io.rx_packets);
    json_add_number(object, "net_tx_packets", at->io.tx_packets);
    json_add_number(object, "disks", at->io.disks);
    json_add_number(object, "disk_rd_bytes", at->io.rd_bytes);
    json_add_number(object, "disk_wr_bytes", at->io.wr_bytes);
    json_add_number(object, "disk_rd_requests", at->io.rd_requests);
    json_add_number(object, "disk_wr_requests", at->io.wr_requests);
    return object;
}

static void print_json(const struct top *top)
{
    struct json_object *object = json_object_new_object();
    struct json_object *array = json_object_new_array();
    char stamp[40];

    moment_rfc3339(stamp, sizeof(stamp), moment_now());
    json_add_text(object, "schema", "vigil.top/1");
    json_add_text(object, "time", stamp);
    json_object_object_add(
        object, "seconds",
        json_object_new_double(
            (double)(top->now.time_ns - top->before.time_ns) / 1e9));
    json_add_number(object, "cpus", top->cpus);
    json_add_number(object, "total_memory_kib", top->total_kib);
    json_add_number(object, "free_memory_kib", top->free_kib);
    for (size_t i = 0; i < top->now.list.count; i++) {
        json_object_array_add(array, guest_json(top, &top->now.guests[i]));
    }
    json_object_object_add(object, "guests", array);
    json_print(object);
}

static void print_batch(const struct top *top)
{
    char *line = headline(top);

    printf("%s\n", line);
    free(line);
    table_print(make_table(top));
}

/* Whole lines, as many and as wide as there is room for. */
static void print_screen(const struct top *top)
{
    struct winsize size = {.ws_row = 0};
    char *text = table_text(make_table(top));
    char *line = headline(top);
    size_t rows;
    size_t columns;

    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    rows = size.ws_row > 3 ? size.ws_row : 24;
    columns = size.ws_col > 20 ? size.ws_col : 80;
    printf(SCREEN_HOME "%.*s" LINE_REST "\r\n", (int)columns, line);
    free(line);
    line = text;
    for (size_t row = 2; row < rows && line && *line; row++) {
        char *end = strchr(line, '\n');

        if (end) {
            *end = '\0';
        }
        printf("%.*s" LINE_REST "\r\n", (int)columns, line);
        line = end ? end + 1 : NULL;
    }
    printf("q: leave" LINE_REST SCREEN_REST);
    fflush(stdout);
    free(text);
}

/* Take a look; what was the last one becomes the one before. */
static int look(struct top *top, struct fault *fault)
{
    xc_physinfo_t machine = {.nr_cpus = 0};
    struct usage_sample now;

    if (usage_read(&top->xen, &now, fault)) {
        return -1;
    }
    if (xc_physinfo(top->xen.xch, &machine)) {
        usage_free(&now);
        return fault_errno(fault, errno,
                           "the hypervisor does not describe the machine");
    }
    top->cpus = machine.nr_cpus;
    top->total_kib = machine.total_pages * KIB_PER_PAGE;
    top->free_kib = machine.free_pages * KIB_PER_PAGE;
    usage_free(&top->before);
    top->before = top->now;
    top->now = now;
    return 0;
}

/* 1: somebody typed q, or a signal came. */
static int wait_or_quit(long ms, int listens)
{
    struct pollfd keys = {.fd = listens ? STDIN_FILENO : -1, .events = POLLIN};
    char key;

    if (poll(&keys, 1, (int)ms) > 0 && read(STDIN_FILENO, &key, 1) == 1 &&
        (key == 'q' || key == 'Q' || key == 0x03)) {
        return 1;
    }
    return command_stop != 0;
}

static int run_batch(struct top *top, long looks, long ms, int json,
                     struct fault *fault)
{
    for (long i = 0; looks == 0 || i < looks; i++) {
        if (wait_or_quit(ms, 0)) {
            return fault_set(fault, exit_code_of_signal(command_stop),
                             "left after %ld looks", i);
        }
        if (look(top, fault)) {
            return -1;
        }
        if (json) {
            print_json(top);
        } else {
            print_batch(top);
        }
        if (ferror(stdout)) {
            return fault_set(fault, EXIT_STORAGE, "output cannot be written");
        }
    }
    return 0;
}

static int run_screen(struct top *top, long looks, long ms, struct fault *fault)
{
    struct termios before;
    struct termios raw;
    int ret = 0;

    if (tcgetattr(STDIN_FILENO, &before)) {
        return fault_errno(fault, errno, "the terminal does not answer");
    }
    raw = before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    printf(SCREEN_ENTER);
    for (long i = 0; looks == 0 || i < looks; i++) {
        /* The first screen shows what there was to begin with: no rates. */
        ret = i ? look(top, fault) : 0;
        if (ret) {
            break;
        }
        qsort_r(top->now.guests, top->now.list.count, sizeof(*top->now.guests),
                by_percent, top);
        print_screen(top);
        if (wait_or_quit(ms, 1)) {
            break;
        }
    }
    printf(SCREEN_LEAVE);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return ret;
}

/* "-d 0.5": seconds, with a fraction, as milliseconds. */
static int parse_delay(const struct invocation *call, long *ret_ms,
                       struct fault *fault)
{
    const char *text = opts_given(call, 'd', NULL);
    double seconds = DEFAULT_DELAY;
    char *end;

    if (text) {
        seconds = strtod(text, &end);
        if (end == text || *end || !(seconds >= 0.1 && seconds <= 3600)) {
            return fault_set(fault, EXIT_USAGE,
                             "-d %s is not a number of seconds from 0.1 to "
                             "3600",
                             text);
        }
    }
    *ret_ms = (long)(seconds * 1000);
    return 0;
}

static int parse_looks(const struct invocation *call, long *ret_looks,
                       struct fault *fault)
{
    const char *text = opts_given(call, 'i', NULL);
    char *end;

    *ret_looks = 0;
    if (!text) {
        return 0;
    }
    *ret_looks = strtol(text, &end, 10);
    if (end == text || *end || *ret_looks < 1) {
        return fault_set(fault, EXIT_USAGE, "-i %s is not a number from 1 up",
                         text);
    }
    return 0;
}

int run_top(const struct invocation *call)
{
    struct top top = {.cpus = 0};
    int json = opts_given(call, 0, "json") != NULL;
    int batch = json || opts_given(call, 'b', NULL) != NULL ||
                !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO);
    struct fault fault;
    int code = EXIT_DONE;
    long looks = 0;
    long ms = 0;

    if (parse_delay(call, &ms, &fault) || parse_looks(call, &looks, &fault) ||
        command_open(call, &top.xen, 0, &fault)) {
        return say_fault(&fault);
    }
    /* The first look shows no rates yet: it is what the next is held against. */
    if (look(&top, &fault) ||
        (batch ? run_batch(&top, looks, ms, json, &fault)
               : run_screen(&top, looks, ms, &fault))) {
        code = say_fault(&fault);
    }
    usage_free(&top.before);
    usage_free(&top.now);
    xen_close(&top.xen);
    return code;
}
