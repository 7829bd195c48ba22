/* SPDX-License-Identifier: MIT */
/*
 * memory.c - page faults, mmap, mprotect, signals from faults.
 */
#include "bench-user/sample.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE  4096UL
#define PAGES 64UL

/* Anonymous memory in small pages; NULL: none. */
static volatile char *fresh(unsigned long pages)
{
    char *area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED) {
        return NULL;
    }
    madvise(area, pages * PAGE, MADV_NOHUGEPAGE);
    return area;
}

static int drop(volatile char *area, unsigned long pages)
{
    return munmap((void *)(uintptr_t)area, pages * PAGE);
}

/* Touch PAGES new pages several times, and give them back. */
static void faults(bool count_faults)
{
    unsigned int left = sample_count(SAMPLE_FEW);

    while (left--) {
        volatile char *area = fresh(PAGES);
        uint64_t t0, t1;
        unsigned long i;

        if (!area) {
            sample_absent();
            return;
        }
        for (i = 0; i < PAGES; i++) {
            t0 = tsc();
            area[i * PAGE] = 1;
            t1 = tsc();
            if (count_faults) {
                sample_add(t1 - t0);
            }
        }
        t0 = tsc();
        if (drop(area, PAGES) != 0) {
            sample_absent();
            return;
        }
        t1 = tsc();
        if (!count_faults) {
            sample_add_raw((t1 - t0) / PAGES);
        }
    }
    sample_end();
}

static void touch_one(void)
{
    unsigned int left = sample_count(SAMPLE_SOME);

    while (left--) {
        uint64_t t0 = tsc(), t1;
        char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (page == MAP_FAILED) {
            sample_absent();
            return;
        }
        *(volatile char *)page = 1;
        munmap(page, PAGE);
        t1 = tsc();
        sample_add(t1 - t0);
    }
    sample_end();
}

static void protect_pair(void)
{
    unsigned int left = sample_count(SAMPLE_MANY);
    volatile char *area = fresh(1);
    void *page = (void *)(uintptr_t)area;

    if (!area) {
        sample_absent();
        return;
    }
    area[0] = 1;
    while (left--) {
        uint64_t t0 = tsc(), t1;

        if (mprotect(page, PAGE, PROT_READ) != 0 ||
            mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0) {
            sample_absent();
            return;
        }
        t1 = tsc();
        area[0] = 1;
        sample_add(t1 - t0);
    }
    drop(area, 1);
    sample_end();
}

/* Handler: go on behind the store, which is three bytes long. */
static void skip_store(int number, siginfo_t *info, void *context)
{
    ucontext_t *state = context;

    (void)number;
    (void)info;
    state->uc_mcontext.gregs[REG_RIP] += 3;
}

static void segv_roundtrip(void)
{
    struct sigaction action, before;
    unsigned int left = sample_count(SAMPLE_MANY);
    volatile char *area = fresh(1);
    void *page = (void *)(uintptr_t)area;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = skip_store;
    action.sa_flags = SA_SIGINFO;
    if (!area || mprotect(page, PAGE, PROT_NONE) != 0 ||
        sigaction(SIGSEGV, &action, &before) != 0) {
        sample_absent();
        return;
    }
    while (left--) {
        uint64_t t0 = tsc(), t1;

        /* movb $1, (%rax): C6 00 01 */
        __asm__ volatile(".byte 0xc6, 0x00, 0x01" : : "a"(page) : "memory");
        t1 = tsc();
        sample_add(t1 - t0);
    }
    sigaction(SIGSEGV, &before, NULL);
    drop(area, 1);
    sample_end();
}

void bench_memory(void)
{
    if (sample_begin("page_fault_anon")) {
        faults(true);
    }
    if (sample_begin("munmap_per_page")) {
        faults(false);
    }
    if (sample_begin("mmap_touch_munmap")) {
        touch_one();
    }
    if (sample_begin("mprotect_pair")) {
        protect_pair();
    }
    if (sample_begin("segv_roundtrip")) {
        segv_roundtrip();
    }
}
