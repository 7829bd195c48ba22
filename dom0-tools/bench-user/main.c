/* SPDX-License-Identifier: MIT */
/*
 * bench-user - what system calls, faults and processes cost a program.
 *
 *     bench-user [only=PREFIX,...] [n=N] [guests]
 *
 * Linked statically, so that it runs on native Linux, on Debian's Xen and on
 * Vigil from one initramfs, with nothing else in it that could disturb:
 *
 *     rdinit=/usr/bin/bench-user -- n=100
 *
 * on the kernel's command line makes it the init.  Then its first line is
 * "BENCH boot_to_init", the TSC at its first statement, and after its last,
 * "BENCH-USER done", the machine is switched off.  With `guests` it measures
 * lives of guests made by xl instead, which need Dom0's daemons.
 */
#include "bench-user/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

static char self[256];

static int run(const char *only, unsigned int limit, bool guests)
{
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len <= 0) {
        perror("bench-user: /proc/self/exe");
        return 1;
    }
    sample_setup(only, limit);
    if (guests) {
        bench_guests();
    } else {
        bench_calls();
        bench_memory();
        bench_processes(self);
    }
    puts("BENCH-USER done");
    fflush(stdout);
    return 0;
}

/* The first process must not end, and gets signals in ways of its own. */
static int run_as_init(uint64_t start, const char *only, unsigned int limit)
{
    pid_t child;
    int status = 0;

    printf("BENCH boot_to_init %lu %lu %lu 1\n", start, start, start);
    fflush(stdout);
    if (mount("proc", "/proc", "proc", 0, NULL) != 0 ||
        mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) != 0) {
        perror("bench-user: mount");
    }
    child = fork();
    if (child == 0) {
        _exit(run(only, limit, false));
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        printf("BENCH-USER failed: status %#x\n", (unsigned int)status);
    }
    fflush(stdout);
    sleep(1); /* the console's last words are on their way */
    reboot(RB_POWER_OFF);
    for (;;) {
        pause();
    }
}

int main(int argc, char *argv[])
{
    uint64_t start = tsc();
    const char *only = NULL;
    unsigned int limit = 0;
    bool guests = false;
    int i;

    if (argc == 2 && strcmp(argv[1], "--exit") == 0) {
        _exit(0);
    }
    for (i = 1; i < argc; i++) {
        if (strncmp(argv[i], "only=", 5) == 0) {
            only = argv[i] + 5;
        } else if (strncmp(argv[i], "n=", 2) == 0) {
            limit = (unsigned int)strtoul(argv[i] + 2, NULL, 10);
        } else if (strcmp(argv[i], "guests") == 0) {
            guests = true;
        } else if (getpid() != 1) {
            fprintf(stderr, "bench-user: '%s' is not only=..., n=N or guests\n",
                    argv[i]);
            return 2;
        }
    }
    return getpid() == 1 ? run_as_init(start, only, limit)
                         : run(only, limit, guests);
}
