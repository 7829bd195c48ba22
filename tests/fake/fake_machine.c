/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_machine.c - machine memory for tests.
 */
#define _GNU_SOURCE
#include "fake_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpu/clock.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"

static int memory = -1;

static void map_at(uint64_t va, uint64_t offset, uint64_t bytes, int flag)
{
    void *p = mmap((void *)va, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | flag,
                   memory, (off_t)offset);

    if (p != (void *)va) {
        perror("fake_machine: mmap");
        abort();
    }
}

void fake_machine_init(uint64_t bytes)
{
    memory = memfd_create("machine", 0);
    if (memory < 0 || ftruncate(memory, (off_t)bytes) != 0) {
        perror("fake_machine");
        abort();
    }
    map_at(DIRECTMAP_VA, 0, bytes, MAP_FIXED_NOREPLACE);
}

void fake_machine_fill(uint64_t start, uint64_t bytes, int byte)
{
    memset((void *)(DIRECTMAP_VA + start), byte, bytes);
}

/* A test of mm/hvmap.c has the real ones. */
#ifndef FAKE_MACHINE_NO_HVMAP
int hvmap_map(uint64_t va, mfn_t m, uint64_t flags)
{
    (void)flags;
    map_at(va, mfn_to_maddr(m), PAGE_SIZE, MAP_FIXED);
    return 0;
}

int hvmap_map_2m(uint64_t va, mfn_t m, uint64_t flags)
{
    (void)flags;
    map_at(va, mfn_to_maddr(m), 1UL << L2_SHIFT, MAP_FIXED);
    return 0;
}
#endif

uint64_t fake_machine_ns, fake_machine_step_ns;

uint64_t clock_now_ns(void)
{
    fake_machine_ns += fake_machine_step_ns;
    return fake_machine_ns;
}
