/* SPDX-License-Identifier: MIT */
/*
 * calls.c - system calls without memory or processes, sleeping, computing.
 */
#include "bench-user/sample.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char buffer[4096];
static volatile uint32_t result;

/* Time `op`, an expression that is true when it worked. */
#define TIME(name, iterations, op)                                             \
    do {                                                                       \
        if (sample_begin(name)) {                                              \
            unsigned int left_ = sample_count(iterations);                     \
            bool worked_ = (op); /* once for the caches of the kernel */       \
                                                                               \
            while (left_-- && worked_) {                                       \
                uint64_t t0_ = tsc(), t1_;                                     \
                                                                               \
                worked_ = (op);                                                \
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

static bool open_close(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    return fd >= 0 && close(fd) == 0;
}

static void on_signal(int number)
{
    (void)number;
}

/* How many ticks too long a sleep takes, given the TSC's rate. */
static void sleep_overshoot(const char *name, long ns, double ticks_per_ns)
{
    struct timespec time = {.tv_nsec = ns};
    uint64_t asked = (uint64_t)((double)ns * ticks_per_ns);
    unsigned int left;

    if (!sample_begin(name)) {
        return;
    }
    for (left = sample_count(SAMPLE_SOME); left; left--) {
        uint64_t t0 = tsc(), t1;

        if (nanosleep(&time, NULL) != 0) {
            sample_absent();
            return;
        }
        t1 = tsc();
        sample_add(t1 - t0 > asked ? t1 - t0 - asked : 0);
    }
    sample_end();
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static double tsc_rate(void)
{
    struct timespec time = {.tv_nsec = 50000000};
    int64_t n0 = now(), n1;
    uint64_t t0 = tsc(), t1;

    nanosleep(&time, NULL);
    n1 = now();
    t1 = tsc();
    return n1 > n0 ? (double)(t1 - t0) / (double)(n1 - n0) : 1.0;
}

static uint32_t rotate(uint32_t word, unsigned int bits)
{
    return (word >> bits) | (word << (32 - bits));
}

/* 64 rounds of the kind SHA-256 has, over 64 bytes: integers and no memory. */
static void compress(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64], v[8];
    unsigned int i;

    for (i = 0; i < 16; i++) {
        memcpy(&w[i], block + 4 * i, 4);
    }
    for (; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + w[i - 7] +
               (rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)) +
               (rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10));
    }
    memcpy(v, state, sizeof(v));
    for (i = 0; i < 64; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                      ((e & v[5]) ^ (~e & v[6])) + w[i] + i * 0x9e3779b9U;
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                      ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

/* 256 KiB through compress(): long enough for several clock ticks. */
static bool compute(void)
{
    uint32_t state[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    unsigned int i;

    for (i = 0; i < 64 * sizeof(buffer); i += 64) {
        compress(state, (unsigned char *)buffer + i % sizeof(buffer));
    }
    result = state[0];
    return true;
}

void bench_calls(void)
{
    struct timespec time;
    struct stat status;
    int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    double rate;

    memset(buffer, 1, sizeof(buffer));
    signal(SIGUSR1, on_signal);
    TIME("getppid", SAMPLE_MANY, syscall(SYS_getppid) >= 0);
    TIME("clock_gettime", SAMPLE_MANY,
         clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    TIME("read_1b", SAMPLE_MANY, read(zero, buffer, 1) == 1);
    TIME("read_4k", SAMPLE_MANY,
         read(zero, buffer, sizeof(buffer)) == (ssize_t)sizeof(buffer));
    TIME("write_4k", SAMPLE_MANY,
         write(null, buffer, sizeof(buffer)) == (ssize_t)sizeof(buffer));
    TIME("open_close", SAMPLE_MANY, open_close());
    TIME("stat", SAMPLE_MANY, stat("/dev/null", &status) == 0);
    TIME("signal_self", SAMPLE_MANY, kill(getpid(), SIGUSR1) == 0);
    /* The least slack: what is late then is not meant to be. */
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    rate = tsc_rate();
    sleep_overshoot("sleep_50us", 50000, rate);
    sleep_overshoot("sleep_1ms", 1000000, rate);
    prctl(PR_SET_TIMERSLACK, 0UL, 0UL, 0UL, 0UL);
    TIME("compute", SAMPLE_FEW, compute());
    close(zero);
    close(null);
}
