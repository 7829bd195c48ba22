/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_hw.c - the scripted machine.
 */
#include "fake_hw.h"
#include "fake_printk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x86/image.h"
#include "x86/percpu.h"

#define MSRS_MAX   256
#define LEAVES_MAX 64

uint64_t fake_tsc;
uint64_t fake_tsc_step;
__thread unsigned int fake_cpu;
uint64_t fake_rsp;
bool fake_irqs_on;
uint64_t fake_cr[16];
uint64_t fake_dr[8];
uint16_t fake_selector[4];
unsigned int fake_flushed_lines;
unsigned int fake_flushed_buffers;
unsigned int fake_tlb_flushes;
void (*fake_halt_hook)(void);
void (*fake_triple_fault_hook)(void);
uint64_t fake_stack_left_for;
void (*fake_barrier_hook)(void);
void (*fake_relax_hook)(void);
uint32_t (*fake_mmio_in_hook)(const volatile void *p);
void (*fake_mmio_out_hook)(volatile void *p, uint32_t v);
uint32_t (*fake_in_hook)(uint16_t port, unsigned int bytes);
void (*fake_out_hook)(uint16_t port, unsigned int bytes, uint32_t v);
uintptr_t fake_bad_start, fake_bad_end;

uint64_t fake_image_start, fake_image_text_end;
uint64_t fake_image_init_start, fake_image_init_text_end;
struct cpu_block fake_cpu_blocks[NR_CPUS];
struct cpu_regs fake_guest_regs[NR_CPUS];

unsigned int fake_cpu_number(void)
{
    return this_cpu_id();
}

static struct fake_msr {
    uint32_t index;
    uint64_t value;
    bool read_faults, write_faults, drops_writes;
    unsigned int writes;
} msrs[MSRS_MAX];
static unsigned int msr_count;

static struct fake_leaf {
    uint32_t leaf, subleaf;
    uint32_t abcd[4];
} leaves[LEAVES_MAX];
static unsigned int leaf_count;

void fake_unexpected(const char *what, uint64_t detail)
{
    fprintf(stderr, "unexpected %s 0x%llx\n", what, (unsigned long long)detail);
    abort();
}

void fake_hw_reset(void)
{
    fake_tsc = 0;
    fake_tsc_step = 1;
    fake_cpu = 0;
    fake_rsp = 0;
    fake_irqs_on = true;
    memset(fake_cr, 0, sizeof(fake_cr));
    memset(fake_dr, 0, sizeof(fake_dr));
    memset(fake_selector, 0, sizeof(fake_selector));
    fake_flushed_lines = 0;
    fake_flushed_buffers = 0;
    fake_tlb_flushes = 0;
    fake_halt_hook = NULL;
    fake_triple_fault_hook = NULL;
    fake_stack_left_for = 0;
    fake_barrier_hook = NULL;
    fake_relax_hook = NULL;
    fake_mmio_in_hook = NULL;
    fake_mmio_out_hook = NULL;
    fake_in_hook = NULL;
    fake_out_hook = NULL;
    fake_bad_start = fake_bad_end = 0;
    memset(fake_cpu_blocks, 0, sizeof(fake_cpu_blocks));
    memset(fake_guest_regs, 0, sizeof(fake_guest_regs));
    for (unsigned int i = 0; i < NR_CPUS; i++) {
        fake_cpu_blocks[i].cpu_id = i;
        fake_cpu_blocks[i].cpu_mask = CPUMASK_OF(i);
    }
    msr_count = 0;
    leaf_count = 0;
}

static struct fake_msr *find_msr(uint32_t index)
{
    for (unsigned int i = 0; i < msr_count; i++) {
        if (msrs[i].index == index) {
            return &msrs[i];
        }
    }
    return NULL;
}

static struct fake_msr *make_msr(uint32_t index)
{
    struct fake_msr *m = find_msr(index);

    if (m == NULL) {
        if (msr_count == MSRS_MAX) {
            fake_unexpected("number of MSRs", msr_count);
        }
        m = &msrs[msr_count++];
        memset(m, 0, sizeof(*m));
        m->index = index;
    }
    return m;
}

void fake_msr_set(uint32_t index, uint64_t value)
{
    make_msr(index)->value = value;
}

uint64_t fake_msr_get(uint32_t index)
{
    const struct fake_msr *m = find_msr(index);

    if (m == NULL) {
        fake_unexpected("look at MSR", index);
    }
    return m->value;
}

void fake_msr_fault(uint32_t index, bool read, bool write)
{
    struct fake_msr *m = make_msr(index);

    m->read_faults = read;
    m->write_faults = write;
}

void fake_msr_drop_writes(uint32_t index)
{
    make_msr(index)->drops_writes = true;
}

unsigned int fake_msr_writes(uint32_t index)
{
    const struct fake_msr *m = find_msr(index);

    return m == NULL ? 0 : m->writes;
}

bool fake_msr_read(uint32_t index, uint64_t *ret_value)
{
    const struct fake_msr *m = find_msr(index);

    if (m == NULL) {
        fake_unexpected("rdmsr", index);
    }
    *ret_value = m->read_faults ? 0 : m->value;
    return !m->read_faults;
}

bool fake_msr_write(uint32_t index, uint64_t value)
{
    struct fake_msr *m = find_msr(index);

    if (m == NULL) {
        fake_unexpected("wrmsr", index);
    }
    if (m->write_faults) {
        return false;
    }
    if (!m->drops_writes) {
        m->value = value;
    }
    m->writes++;
    return true;
}

void fake_cpuid_set(uint32_t leaf, uint32_t subleaf, uint32_t a, uint32_t b,
                    uint32_t c, uint32_t d)
{
    struct fake_leaf *l = NULL;

    for (unsigned int i = 0; i < leaf_count; i++) {
        if (leaves[i].leaf == leaf && leaves[i].subleaf == subleaf) {
            l = &leaves[i];
        }
    }
    if (l == NULL) {
        if (leaf_count == LEAVES_MAX) {
            fake_unexpected("number of CPUID leaves", leaf_count);
        }
        l = &leaves[leaf_count++];
    }
    *l = (struct fake_leaf){leaf, subleaf, {a, b, c, d}};
}

void fake_cpuid_read(uint32_t leaf, uint32_t subleaf, uint32_t ret_abcd[4])
{
    memset(ret_abcd, 0, 4 * sizeof(uint32_t));
    for (unsigned int i = 0; i < leaf_count; i++) {
        if (leaves[i].leaf == leaf && leaves[i].subleaf == subleaf) {
            memcpy(ret_abcd, leaves[i].abcd, sizeof(leaves[i].abcd));
        }
    }
}

uint32_t fake_in(uint16_t port, unsigned int bytes)
{
    if (fake_in_hook == NULL) {
        fake_unexpected("input from port", port);
    }
    return fake_in_hook(port, bytes);
}

void fake_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    if (fake_out_hook == NULL) {
        fake_unexpected("output to port", port);
    }
    fake_out_hook(port, bytes, v);
}

/* Bytes from @p that can be touched before the bad range begins. */
static size_t good_bytes(const void *p, size_t n)
{
    uintptr_t start = (uintptr_t)p;

    if (fake_bad_start == fake_bad_end || start >= fake_bad_end ||
        start + n <= fake_bad_start) {
        return n;
    }
    return start >= fake_bad_start ? 0 : fake_bad_start - start;
}

size_t fake_copy_may_fault(void *dst, const void *src, size_t n)
{
    size_t good = good_bytes(src, n);
    size_t room = good_bytes(dst, n);

    good = room < good ? room : good;
    memcpy(dst, src, good);
    return n - good;
}

size_t fake_zero_may_fault(void *dst, size_t n)
{
    size_t good = good_bytes(dst, n);

    memset(dst, 0, good);
    return n - good;
}
