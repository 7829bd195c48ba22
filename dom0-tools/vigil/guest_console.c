/* SPDX-License-Identifier: MIT */
/*
 * vigil/guest_console.c - vigil console.
 *
 * xenconsoled owns a pseudo terminal for each guest; its name is in
 * xenstore, where only the control domain may write it.  Output is passed on
 * byte for byte, that of --replay too: a terminal session needs its control
 * sequences.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "lib/consolelog.h"
#include "lib/guestnote.h"
#include "lib/knownfile.h"
#include "vigil/commands.h"

#define REPLAY_KIB_MAX 16384
#define TTY_WAIT_TRIES 100 /* of TTY_WAIT_NS: 10 s for xenconsoled */
#define TTY_WAIT_NS    100000000L
#define POLL_MS        500
#define CHUNK          4096
#define ESCAPE_KEY     0x1d /* ^] */

enum session_end {
    SESSION_GOES_ON,
    SESSION_LEFT,  /* the user typed ^], or the input ended          */
    SESSION_ENDED, /* the guest has ended and nothing more can come  */
    SESSION_TIMED_OUT,
    SESSION_STOPPED, /* SIGINT or SIGTERM                               */
    SESSION_BROKEN,  /* our own output failed                           */
};

static int open_terminal(struct xen *xen, const struct guest *guest,
                         struct fault *fault)
{
    const struct timespec pause = {.tv_nsec = TTY_WAIT_NS};
    struct termios raw;
    char *name = NULL;
    int fd;

    for (int i = 0; i < TTY_WAIT_TRIES && !command_stop; i++) {
        name = store_guest_text(xen, guest->domid, "console/tty");
        if (name && name[0]) {
            break;
        }
        free(name);
        name = NULL;
        nanosleep(&pause, NULL);
    }
    if (!name && command_stop) {
        return fault_set(fault, exit_code_of_signal(command_stop),
                         "no longer waiting for the console of guest %s",
                         guest->name);
    }
    if (!name) {
        return fault_set(fault, EXIT_TIMED_OUT,
                         "guest %s has no console terminal (console/tty in "
                         "xenstore is empty); does xenconsoled run?",
                         guest->name);
    }
    if (strncmp(name, "/dev/pts/", 9)) {
        fault_set(fault, EXIT_REFUSED,
                  "console/tty of guest %s is %s, which is no pseudo "
                  "terminal",
                  guest->name, name);
        free(name);
        return -1;
    }
    fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        fault_errno(fault, errno, "cannot open %s, the console of guest %s",
                    name, guest->name);
        free(name);
        return -1;
    }
    free(name);
    /* The line discipline must not echo the guest's output back to it. */
    if (tcgetattr(fd, &raw) == 0) {
        cfmakeraw(&raw);
        tcsetattr(fd, TCSANOW, &raw);
    }
    return fd;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t done = write(fd, data, len);

        if (done < 0 && errno == EINTR && !command_stop) {
            continue;
        }
        if (done <= 0) {
            return -1;
        }
        data += done;
        len -= (size_t)done;
    }
    return 0;
}

/* Has the guest come to an end, so that its console will stay silent? */
static int guest_ended(struct xen *xen, const struct guest *guest)
{
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(xen->xch, guest->domid, 1, &info) != 1 ||
        info.domain != guest->domid ||
        memcmp(info.handle, guest->info.handle, sizeof(info.handle))) {
        return 1;
    }
    return (info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)) != 0;
}

static enum session_end copy_output(int console)
{
    char data[CHUNK / 8];
    ssize_t got = read(console, data, sizeof(data));

    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return SESSION_GOES_ON;
    }
    if (got <= 0) {
        return SESSION_ENDED; /* EIO: xenconsoled has closed its side */
    }
    return write_all(STDOUT_FILENO, data, (size_t)got) ? SESSION_BROKEN
                                                       : SESSION_GOES_ON;
}

/* Bytes on their way to a guest, which reads them when it likes, or never. */
struct input {
    int fd; /* -1: at its end */
    int interactive;
    char waiting[CHUNK / 2];
    size_t len;
};

/* Read on while there is room; a person must be heard even when there is none:
 * ^] leaves a guest that does not listen. */
static int wants_input(const struct input *input)
{
    return input->fd >= 0 &&
           (input->interactive || input->len < sizeof(input->waiting));
}

static enum session_end copy_input(struct input *input)
{
    size_t room = sizeof(input->waiting) - input->len;
    char data[CHUNK / 8];
    size_t take =
        input->interactive || room > sizeof(data) ? sizeof(data) : room;
    ssize_t got = read(input->fd, data, take);
    char *leave = NULL;

    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return SESSION_GOES_ON;
    }
    if (got <= 0) {
        input->fd = -1;
        /* A file or pipe is at its end: go on listening. */
        return input->interactive ? SESSION_LEFT : SESSION_GOES_ON;
    }
    if (input->interactive) {
        leave = memchr(data, ESCAPE_KEY, (size_t)got);
    }
    take = (size_t)(leave ? leave - data : got);
    take = take < room ? take : room; /* what is typed too much is dropped */
    memcpy(input->waiting + input->len, data, take);
    input->len += take;
    return leave ? SESSION_LEFT : SESSION_GOES_ON;
}

/* Pass on what the terminal takes now; never wait for the guest. */
static enum session_end pass_input(int console, struct input *input)
{
    ssize_t done;

    if (input->len == 0) {
        return SESSION_GOES_ON;
    }
    done = write(console, input->waiting, input->len);
    if (done < 0) {
        return errno == EAGAIN || errno == EINTR ? SESSION_GOES_ON
                                                 : SESSION_ENDED;
    }
    input->len -= (size_t)done;
    memmove(input->waiting, input->waiting + done, input->len);
    return SESSION_GOES_ON;
}

/* One look at both directions: neither may starve the other. */
static enum session_end exchange(int console, struct input *input,
                                 int *ret_quiet)
{
    struct pollfd fds[2] = {
        {.fd = console, .events = (short)(POLLIN | (input->len ? POLLOUT : 0))},
        {.fd = wants_input(input) ? input->fd : -1, .events = POLLIN},
    };
    enum session_end end = SESSION_GOES_ON;
    enum session_end typed = SESSION_GOES_ON;
    int ready = poll(fds, 2, POLL_MS);

    *ret_quiet = ready == 0;
    if (ready <= 0) {
        return SESSION_GOES_ON;
    }
    if (fds[1].revents) {
        typed = copy_input(input);
    }
    end = pass_input(console, input);
    if (typed == SESSION_GOES_ON && end == SESSION_GOES_ON &&
        fds[0].revents & ~POLLOUT) {
        end = copy_output(console);
    }
    return typed == SESSION_GOES_ON ? end : typed;
}

static long ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum session_end session(struct xen *xen, const struct guest *guest,
                                int console, int interactive, long seconds)
{
    long until = ms_now() + seconds * 1000;
    struct input input = {.fd = STDIN_FILENO, .interactive = interactive};
    enum session_end end = SESSION_GOES_ON;

    while (end == SESSION_GOES_ON) {
        int quiet;

        end = exchange(console, &input, &quiet);
        if (command_stop) {
            return SESSION_STOPPED;
        }
        if (seconds && ms_now() >= until && end == SESSION_GOES_ON) {
            return SESSION_TIMED_OUT;
        }
        if (quiet && guest_ended(xen, guest)) {
            end = SESSION_ENDED; /* silent for a while, and over */
        }
    }
    return end;
}

int console_attach(struct xen *xen, const struct guest *guest, long seconds,
                   int (*ready)(struct xen *xen, uint32_t domid,
                                struct fault *fault),
                   struct fault *fault)
{
    int interactive = isatty(STDIN_FILENO);
    struct termios before;
    enum session_end end;
    int console = open_terminal(xen, guest, fault);

    if (console < 0) {
        return -1;
    }
    if (ready && ready(xen, guest->domid, fault)) {
        close(console);
        return -1;
    }
    if (interactive && tcgetattr(STDIN_FILENO, &before) == 0) {
        struct termios raw = before;

        cfmakeraw(&raw);
        raw.c_oflag |= before.c_oflag & OPOST;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        end = session(xen, guest, console, 1, seconds);
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    } else {
        end = session(xen, guest, console, 0, seconds);
    }
    close(console);
    switch (end) {
    case SESSION_TIMED_OUT:
        return fault_set(fault, EXIT_TIMED_OUT,
                         "left the console of guest %s after %ld s; it is "
                         "still there",
                         guest->name, seconds);
    case SESSION_STOPPED:
        return fault_set(fault, exit_code_of_signal(command_stop),
                         "left the console of guest %s", guest->name);
    case SESSION_BROKEN:
        return fault_set(fault, EXIT_STORAGE,
                         "output of guest %s cannot be written", guest->name);
    case SESSION_GOES_ON:
    case SESSION_LEFT:
    case SESSION_ENDED:
        break;
    }
    return 0;
}

/* Where the guest's words begin in its log, as vigil create or vigild saw. */
static int64_t words_begin(const struct guest *guest)
{
    int64_t start = guestnote_console_start(guest->uuid, guest->domid);

    return start == CONSOLE_START_UNKNOWN
               ? remembered_console_start(guest->uuid, guest->domid)
               : start;
}

/*
 * Print the last @kib KiB of a guest's output: from the log, or where none is
 * kept from the page it prints into, which holds the last 2 KiB.
 */
static int replay(struct xen *xen, const struct guest *guest, long kib,
                  struct fault *fault)
{
    size_t max = (size_t)kib * 1024;
    size_t len = 0;
    char *text = console_log_read(guest->name, words_begin(guest), max, &len);
    int ret;

    if (!text) {
        char *ring = store_guest_text(xen, guest->domid, "console/ring-ref");

        text = ring ? console_page_of(xen, guest->domid, guest->uuid,
                                      strtoul(ring, NULL, 10), &len)
                    : NULL;
        free(ring);
    }
    if (!text) {
        return fault_set(fault, EXIT_NOT_FOUND,
                         "guest %s has no console log and no console page",
                         guest->name);
    }
    ret = write_all(STDOUT_FILENO, text + (len > max ? len - max : 0),
                    len > max ? max : len);
    free(text);
    return ret ? fault_set(fault, EXIT_STORAGE,
                           "output of guest %s cannot be written", guest->name)
               : 0;
}

/* --replay KIB; 0: not asked for. */
static int parse_replay(const struct invocation *call, long *ret_kib,
                        struct fault *fault)
{
    const char *text = opts_given(call, 0, "replay");
    char *end;

    *ret_kib = 0;
    if (!text) {
        return 0;
    }
    *ret_kib = strtol(text, &end, 10);
    if (end == text || *end || *ret_kib < 1 || *ret_kib > REPLAY_KIB_MAX) {
        return fault_set(fault, EXIT_USAGE,
                         "--replay %s is not a number of KiB from 1 to %d",
                         text, REPLAY_KIB_MAX);
    }
    return 0;
}

int run_console(const struct invocation *call)
{
    const struct guest *guest;
    struct guest_list list;
    struct fault fault;
    int code = EXIT_DONE;
    struct xen xen;
    long seconds;
    long kib;

    if (opts_seconds(call, "timeout", 0, &seconds, &fault) ||
        parse_replay(call, &kib, &fault) ||
        command_guest(call, &xen, &list, &guest, &fault)) {
        return say_fault(&fault);
    }
    if (guest->domid == 0) {
        fault_set(&fault, EXIT_REFUSED,
                  "Domain-0 has no console of this kind: it is the one you "
                  "are typing in");
        code = say_fault(&fault);
    } else if (kib ? replay(&xen, guest, kib, &fault)
                   : console_attach(&xen, guest, seconds, NULL, &fault)) {
        code = say_fault(&fault);
    }
    guests_free(&list);
    xen_close(&xen);
    return code;
}
