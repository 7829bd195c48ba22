/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/dev/acpi_machine.c - see its header.
 */
#include "tests/unit/dev/acpi_machine.h"

#include "cpu/features.h"
#include "mm/hvmap.h"
#include "dev/numa_memory.h"
#include "tests/fake/fake_hw.h"

#define PIECES_MAX 4096

static struct {
    maddr_t start;
    size_t bytes;
    uint8_t *p;
} piece[PIECES_MAX];
static unsigned int pieces;

bool machine_is_full;
const struct memmap_region *machine_map;
const struct reboot_ops *machine_reboot_ops;
struct cpu_features cpu_features = {.phys_bits = 40};

static uint32_t in_hook(uint16_t port, unsigned int bytes)
{
    (void)port;
    (void)bytes;
    return ~0U;
}

static void out_hook(uint16_t port, unsigned int bytes, uint32_t v)
{
    (void)port;
    (void)bytes;
    (void)v;
}

void machine_hardware(void)
{
    fake_hw_reset();
    fake_in_hook = in_hook;
    fake_out_hook = out_hook;
}

void put16(void *p, uint16_t v)
{
    memcpy(p, &v, sizeof(v));
}

void put32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

void put64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
}

void fix_sum(uint8_t *p, size_t bytes, size_t at)
{
    uint8_t sum = 0;

    p[at] = 0;
    for (size_t i = 0; i < bytes; i++) {
        sum = (uint8_t)(sum + p[i]);
    }
    p[at] = (uint8_t)-sum;
}

void *table(const char *signature, uint32_t bytes)
{
    uint8_t *p = calloc(1, bytes);

    memcpy(p, signature, 4);
    put32(p + 4, bytes);
    return p;
}

void *fixture_load(const char *name, size_t *ret_bytes)
{
    char path[512];
    FILE *f;
    long bytes;
    void *p;

    snprintf(path, sizeof(path), "%s/%s.aml", ACPI_FIXTURES, name);
    f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("%s is not there", path);
    }
    fseek(f, 0, SEEK_END);
    bytes = ftell(f);
    rewind(f);
    p = malloc((size_t)bytes);
    assert_int_equal(fread(p, 1, (size_t)bytes, f), bytes);
    fclose(f);
    if (ret_bytes != NULL) {
        *ret_bytes = (size_t)bytes;
    }
    return p;
}

void machine_reset(void)
{
    while (pieces > 0) {
        free(piece[--pieces].p);
    }
    machine_is_full = false;
    machine_map = NULL;
    machine_reboot_ops = NULL;
}

void machine_put(maddr_t a, const void *p, size_t bytes)
{
    assert_true(pieces < PIECES_MAX);
    piece[pieces].start = a;
    piece[pieces].bytes = bytes;
    piece[pieces].p = malloc(bytes);
    memcpy(piece[pieces++].p, p, bytes);
}

/* ---- what the code under test calls ---------------------------------------- */

void *iomap(maddr_t a, size_t bytes)
{
    uint8_t *p;

    for (unsigned int i = 0; i < pieces; i++) {
        /* Some of it there: reading past its end is for ASan to find. */
        if (a >= piece[i].start && a < piece[i].start + piece[i].bytes) {
            if (a + bytes <= piece[i].start + piece[i].bytes) {
                return piece[i].p + (a - piece[i].start);
            }
            break;
        }
    }
    if (machine_is_full) {
        return NULL;
    }
    p = malloc(bytes);
    memset(p, 0xff, bytes);
    for (size_t at = 0; at < bytes; at++) {
        for (unsigned int i = 0; i < pieces; i++) {
            if (a + at >= piece[i].start &&
                a + at < piece[i].start + piece[i].bytes) {
                p[at] = piece[i].p[a + at - piece[i].start];
            }
        }
    }
    assert_true(pieces < PIECES_MAX);
    /* Never found again: it has no address. */
    piece[pieces].start = 0;
    piece[pieces].bytes = 0;
    piece[pieces++].p = p;
    return p;
}

bool memmap_region(unsigned int idx, struct memmap_region *ret_region)
{
    for (unsigned int i = 0; machine_map != NULL && machine_map[i].end != 0;
         i++) {
        if (i == idx) {
            *ret_region = machine_map[i];
            return true;
        }
    }
    return false;
}

/* test_numa_memory.c has a machine with frames. */
void numa_memory_init(void)
{
}

void reboot_register(const struct reboot_ops *ops)
{
    machine_reboot_ops = ops;
}
