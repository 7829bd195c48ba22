/* SPDX-License-Identifier: MIT */
/*
 * processes.c - two processes taking turns; fork, exec, wait.
 */
#include "bench-user/sample.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char *no_environment[] = {NULL};

/* Wait for a child.  Return: whether it ended as it should. */
static bool reaped(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && status == 0;
}

/* The partner: send back each byte until there is none. */
static void echo(int from, int to)
{
    char byte;

    while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1) {
    }
    _exit(0);
}

static void pingpong(void)
{
    unsigned int left = sample_count(SAMPLE_MANY);
    int there[2], back[2];
    char byte = 1;
    pid_t child;

    if (pipe(there) != 0 || pipe(back) != 0 || (child = fork()) < 0) {
        sample_absent();
        return;
    }
    if (child == 0) {
        close(there[1]);
        echo(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    while (left--) {
        uint64_t t0 = tsc(), t1;

        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) {
            break;
        }
        t1 = tsc();
        sample_add(t1 - t0);
    }
    close(there[1]);
    close(back[0]);
    if (reaped(child)) {
        sample_end();
    } else {
        sample_absent();
    }
}

/* Each yield runs the other one until its own yield. */
static void yield_two(void)
{
    unsigned int left = sample_count(SAMPLE_MANY);
    volatile bool *done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child;

    if (done == MAP_FAILED || (child = fork()) < 0) {
        sample_absent();
        return;
    }
    if (child == 0) {
        while (!*done) {
            sched_yield();
        }
        _exit(0);
    }
    while (left--) {
        uint64_t t0 = tsc(), t1;

        sched_yield();
        t1 = tsc();
        sample_add(t1 - t0);
    }
    *done = true;
    if (reaped(child)) {
        sample_end();
    } else {
        sample_absent();
    }
    munmap((void *)(uintptr_t)done, sizeof(*done));
}

static pid_t start_fork(const char *self)
{
    (void)self;
    return fork();
}

static pid_t start_fork_exec(const char *self)
{
    pid_t child = fork();

    if (child == 0) {
        execle(self, self, "--exit", (char *)NULL, no_environment);
        _exit(1);
    }
    return child;
}

/* The child never returns from here: the frame is its parent's, too. */
static pid_t start_vfork_exec(const char *self)
{
    pid_t child = vfork();

    if (child == 0) {
        execle(self, self, "--exit", (char *)NULL, no_environment);
        _exit(1);
    }
    return child;
}

/* A child's whole life, as a program that waits for it sees it. */
#define LIFE(name, start)                                                      \
    do {                                                                       \
        if (sample_begin(name)) {                                              \
            unsigned int left_ = sample_count(SAMPLE_SOME);                    \
            bool worked_ = true;                                               \
                                                                               \
            while (left_-- && worked_) {                                       \
                uint64_t t0_ = tsc(), t1_;                                     \
                pid_t child_ = start(self);                                    \
                                                                               \
                if (child_ == 0) {                                             \
                    _exit(0);                                                  \
                }                                                              \
                worked_ = child_ > 0 && reaped(child_);                        \
                t1_ = tsc();                                                   \
                sample_add(t1_ - t0_);                                         \
            }                                                                  \
            if (worked_) {                                                     \
                sample_end();                                                  \
            } else {                                                           \
                sample_absent();                                               \
            }                                                                  \
        }                                                                      \
    } while (0)

void bench_processes(const char *self)
{
    signal(SIGPIPE, SIG_IGN);
    if (sample_begin("pipe_pingpong")) {
        pingpong();
    }
    if (sample_begin("sched_yield_2proc")) {
        yield_two();
    }
    LIFE("fork_exit_wait", start_fork);
    LIFE("vfork_exec", start_vfork_exec);
    LIFE("fork_exec", start_fork_exec);
}
