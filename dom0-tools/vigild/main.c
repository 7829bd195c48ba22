/* SPDX-License-Identifier: MIT */
/*
 * vigild/main.c - the collector: one record for every crash.
 *
 * It waits for xenstored's notice that a domain has ended (@releaseDomain).
 * The virtual interrupt behind that notice, VIRQ_DOM_EXC, can be bound only
 * once in a domain, and xenstored needs it; taking it here would blind every
 * other tool.  A pass every few seconds is the safety net.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <vigil/vigil_op.h>

#include "lib/opts.h"
#include "lib/place.h"
#include "vigild/collector.h"

#define DEFAULT_INTERVAL 3 /* seconds */
#define LOG_FILE         "vigild.log"

static volatile sig_atomic_t stop_signal;

static const struct option_spec options[] = {
    {'f', "foreground", NULL, "stay in the foreground, log to stderr"},
    {0, "once", NULL, "one pass in the foreground, then end"},
    {0, "interval", "SECONDS", "look at least this often (default 3)"},
    {0, "core-timeout", "SECONDS",
     "write no core longer than this (default 600)"},
    {0, "root", "DIR", "keep all files below DIR"},
    {'v', "verbose", NULL, "say what the libraries do"},
    {'h', "help", NULL, "this text"},
    {0, NULL, NULL, NULL},
};

static const struct command usage = {
    .name = "",
    .args = "[-f | --once] [--interval SECONDS] [--root DIR]",
    .help = "Records each crash of a guest, of Dom0 and of the hypervisor.",
    .options = options,
};

static void note_signal(int signal)
{
    stop_signal = signal;
}

/* Signals arrive only while the loop waits, so none can be missed. */
static void catch_signals(sigset_t *ret_waiting)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, ret_waiting);
    sigdelset(ret_waiting, SIGTERM);
    sigdelset(ret_waiting, SIGINT);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* restarted guests' creators: no zombies */
}

static void learn_host(struct collector *collector)
{
    struct vigil_op_version version = {.interface_version = 0};
    struct utsname names;
    char *text;
    size_t len;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    uname(&names);
    snprintf(collector->host, sizeof(collector->host), "%.63s", names.nodename);
    /* A file of /proc has no size, so read it here. */
    if (fd >= 0) {
        ssize_t got =
            read(fd, collector->boot_id, sizeof(collector->boot_id) - 1);

        collector->boot_id[got > 0 ? got : 0] = '\0';
        collector->boot_id[strcspn(collector->boot_id, "\n")] = '\0';
        close(fd);
    }
    if (vigil_call(&collector->xen, VIGIL_OP_version, &version,
                   sizeof(version)) == 0) {
        version.text[sizeof(version.text) - 1] = '\0';
        collector->is_vigil =
            version.interface_version == VIGIL_INTERFACE_VERSION;
        snprintf(collector->build, sizeof(collector->build), "%s",
                 version.text);
        if (!collector->is_vigil) {
            say("warning: this hypervisor speaks Vigil's interface %u, this "
                "program %u: only guests that stand crashed are recorded",
                version.interface_version, VIGIL_INTERFACE_VERSION);
        }
        return;
    }
    say("warning: this hypervisor is not Vigil: only guests that stand "
        "crashed are recorded, and nothing of the previous boot");
    if (infile_read(AT_FDCWD, "/sys/hypervisor/version/extra", 4096, &text,
                    &len) == 0) {
        snprintf(collector->build, sizeof(collector->build), "Xen 4.17%s",
                 text);
        collector->build[strcspn(collector->build, "\n")] = '\0';
        free(text);
    }
}

/*
 * Open the store anew for each pass: a file system may have been mounted over
 * it, or it may have been removed, since the last one.
 */
static int open_store(struct collector *collector, struct fault *fault)
{
    char *path = place(PLACE_CRASHES);
    int first = !collector->store_was_open;
    int salvaged;
    int ret;

    if (collector->store_is_open) {
        store_close(&collector->store);
        collector->store_is_open = 0;
    }
    ret = store_open(&collector->store, path, NULL, fault);
    free(path);
    if (ret) {
        return -1;
    }
    collector->store_is_open = 1;
    if (!first) {
        return 0;
    }
    salvaged = store_salvage(&collector->store, collector->boot_id, fault);
    if (salvaged < 0) {
        say_fault(fault); /* what is new is more important than leftovers */
    } else if (salvaged > 0) {
        say("%d records that an earlier run left unfinished were kept",
            salvaged);
    }
    if (deaths_resume(collector, fault)) {
        return -1;
    }
    collector->store_was_open = 1;
    return 0;
}

/* Connect to xenstore when it is there; names are missing until then. */
static void watch_domains(struct collector *collector)
{
    struct fault ignored;

    if (collector->watches_set || xen_need_store(&collector->xen, &ignored)) {
        return;
    }
    collector->watches_set =
        xs_watch(collector->xen.xs, "@releaseDomain", "ended") &&
        xs_watch(collector->xen.xs, "@introduceDomain", "begun");
}

/* Say what goes wrong once, not every few seconds. */
static void tell_trouble(struct collector *collector, const struct fault *fault)
{
    if (!collector->last_trouble_told) {
        say_fault(fault);
        say("trying again until it works; nothing is lost meanwhile");
    }
    collector->last_trouble_told = 1;
}

/* Evidence first: it needs the store, but no list of guests. */
static int collect(struct collector *collector, struct fault *fault)
{
    if (open_store(collector, fault)) {
        return -1;
    }
    if (collector->is_vigil && !collector->box_is_done &&
        box_collect(collector, fault)) {
        return -1;
    }
    return deaths_collect(collector, fault);
}

/* One look at everything; EXIT_DONE, or why it must be tried again. */
static int pass(struct collector *collector)
{
    struct fault fault;
    struct fault unseen;
    int blind;

    watch_domains(collector);
    guests_free(&collector->guests);
    blind = guests_read(&collector->xen, &collector->guests, &unseen);
    if (blind) {
        tell_trouble(collector, &unseen);
    } else {
        known_update(collector);
        life_tell_living(collector);
    }
    if (collect(collector, &fault)) {
        tell_trouble(collector, &fault);
        return (int)fault.code;
    }
    if (blind) {
        return (int)unseen.code;
    }
    if (collector->last_trouble_told) {
        say("recording works again");
        collector->last_trouble_told = 0;
    }
    /* Needs xenstore, where the names of what is destroyed must go too. */
    if (collector->xen.xs) {
        actions_apply(collector);
    }
    life_tell_gone(collector);
    known_prune(collector);
    remember_save(collector);
    return EXIT_DONE;
}

static void wait_for_news(struct collector *collector, long seconds,
                          const sigset_t *waiting)
{
    struct timespec until = {.tv_sec = seconds};
    struct pollfd news[1 + CORES_MAX] = {{
        .fd = collector->watches_set ? xs_fileno(collector->xen.xs) : -1,
        .events = POLLIN,
    }};
    size_t count = 1 + cores_poll(collector, news + 1);
    char **watch;

    if (ppoll(news, count, &until, waiting) <= 0 || !news[0].revents) {
        return;
    }
    /* Which domain it was does not matter: a pass looks at all. */
    while ((watch = xs_check_watch(collector->xen.xs)) != NULL) {
        free(watch);
    }
    if (errno != EAGAIN) {
        /* xenstored is gone; connect again when it is back. */
        xs_close(collector->xen.xs);
        collector->xen.xs = NULL;
        collector->watches_set = 0;
    }
}

/* Only one collector at a time: two would record everything twice. */
static int take_lock(struct fault *fault)
{
    char *dir = place(PLACE_RUN);
    char *path = xasprintf("%s/vigild.lock", dir);
    char pid[32];
    int fd = -1;
    int ret = -1;
    int len;

    if (outfile_make_dirs(dir, 0755, fault)) {
        goto out_free;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        fault_errno(fault, errno, "cannot open %s", path);
        goto out_free;
    }
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK) {
            fault_set(fault, EXIT_REFUSED,
                      "another vigild runs already (%s is locked)", path);
        } else {
            fault_errno(fault, errno, "cannot lock %s", path);
        }
        close(fd);
        goto out_free;
    }
    len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) || write(fd, pid, (size_t)len) != len) {
        say("warning: %s cannot be written", path);
    }
    ret = 0; /* the lock lives as long as the process: @fd stays open */
out_free:
    free(path);
    free(dir);
    return ret;
}

/* Go to the background; the parent ends when the first pass is done. */
static int go_background(void)
{
    int ends[2];
    char code = EXIT_FAILED;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC)) {
        say("no pipe: %s", strerror(errno));
        exit(EXIT_FAILED);
    }
    child = fork();
    if (child < 0) {
        say("no process: %s", strerror(errno));
        exit(EXIT_FAILED);
    }
    if (child > 0) {
        close(ends[1]);
        if (read(ends[0], &code, 1) != 1) {
            code = EXIT_FAILED;
        }
        exit(code);
    }
    close(ends[0]);
    setsid();
    return ends[1];
}

/* Let the waiting parent end with @code. */
static void tell_parent(int started, int code)
{
    char byte = (char)code;

    if (started >= 0) {
        if (write(started, &byte, 1) != 1) {
            say("warning: nobody waited for the start");
        }
        close(started);
    }
}

/* From now on messages go to the log file; if there is none, to stderr. */
static void leave_terminal(int started)
{
    char *dir = place(PLACE_LOGS);
    char *path = xasprintf("%s/" LOG_FILE, dir);
    struct fault ignored;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log;

    outfile_make_dirs(dir, 0750, &ignored);
    log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        close(null);
    }
    if (log >= 0) {
        dup2(log, STDERR_FILENO);
        close(log);
    }
    if (chdir("/")) {
        say("warning: cannot change to /");
    }
    tell_parent(started, EXIT_DONE);
    free(path);
    free(dir);
}

/* Started by systemd with Type=notify: say that the first pass is done. */
static void tell_systemd(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *name = getenv("NOTIFY_SOCKET");
    static const char ready[] = "READY=1";
    size_t len = name ? strlen(name) : 0;
    int fd;

    if (len < 2 || len >= sizeof(to.sun_path)) {
        return;
    }
    memcpy(to.sun_path, name, len);
    if (to.sun_path[0] == '@') {
        to.sun_path[0] = '\0'; /* an abstract name */
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        sendto(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL,
               (const struct sockaddr *)&to,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
        say("warning: systemd cannot be told: %s", strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

static int run(const struct invocation *call, int started)
{
    struct collector *collector = xmalloc(sizeof(*collector));
    struct fault fault;
    sigset_t waiting;
    struct pollfd cores[CORES_MAX];
    int code = EXIT_DONE;
    long core_seconds;
    long interval;

    catch_signals(&waiting);
    if (opts_seconds(call, "interval", DEFAULT_INTERVAL, &interval, &fault) ||
        opts_seconds(call, "core-timeout", CORE_SECONDS, &core_seconds,
                     &fault) ||
        take_lock(&fault) || xen_open(&collector->xen, call->verbose, &fault)) {
        code = say_fault(&fault);
        tell_parent(started, code);
        free(collector);
        return code;
    }
    collector->core_seconds = (unsigned long)core_seconds;
    learn_host(collector);
    remember_load(collector);
    code = pass(collector);
    if (started >= 0) {
        leave_terminal(started);
    } else {
        tell_systemd();
    }
    while (!stop_signal &&
           (!opts_given(call, 0, "once") || cores_poll(collector, cores))) {
        wait_for_news(collector, interval ? interval : 1, &waiting);
        if (!stop_signal) {
            code = pass(collector);
        }
    }
    cores_stop(collector);
    guests_free(&collector->guests);
    for (size_t i = 0; i < collector->known_count; i++) {
        free(collector->known[i].name);
    }
    free(collector->known);
    free(collector->memory);
    if (collector->store_is_open) {
        store_close(&collector->store);
    }
    xen_close(&collector->xen);
    free(collector);
    return stop_signal ? EXIT_DONE : code;
}

int main(int argc, char **argv)
{
    struct invocation call = {.verbose = 0};
    struct fault fault;
    int started = -1;

    say_program("vigild");
    if (opts_parse(options, argv + 1, argc - 1, &call, &fault)) {
        return say_fault(&fault);
    }
    if (opts_given(&call, 'h', NULL)) {
        command_usage(stdout, "vigild", &usage);
        return EXIT_DONE;
    }
    if (call.operand_count) {
        say("no word is expected here: %s", call.operands[0]);
        return EXIT_USAGE;
    }
    place_set_root(opts_given(&call, 0, "root"));
    call.verbose = opts_given(&call, 'v', NULL) != NULL;
    if (!opts_given(&call, 'f', NULL) && !opts_given(&call, 0, "once")) {
        started = go_background();
    }
    return run(&call, started);
}
