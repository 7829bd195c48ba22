/* SPDX-License-Identifier: MIT */
/*
 * mm/pti.c - the tables isolated guests run on.
 */
#include "mm/pti.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/cr.h"
#include "x86/percpu.h"
#include "cpu/desc.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"
#include "mm/page_alloc.h"

#define TABLE_FLAGS (PTE_P | PTE_W | PTE_A | PTE_D)
#define LEAF_FLAGS  (PTE_P | PTE_A | PTE_D)
#define DATA_FLAGS  (PTE_W | PTE_NX)

/* entry/: with cpu/desc.h's, all that the doors touch but the CPU's block. */
extern const uint8_t __entry_text_start[], __entry_text_end[], syscall_page[];

/* The slot of our image and of the blocks. */
#define OWN_SLOT 261
_Static_assert((HV_IMAGE_VA >> L4_SHIFT & 511) == OWN_SLOT &&
                   (CPU_BLOCKS_VA >> L4_SHIFT & 511) == OWN_SLOT,
               "one L3 for both");

bool pti_on;

/* Each used by its own CPU once that runs. */
static struct {
    pte_t *l4;
    uint64_t source; /* the tables it is a copy of, as CR3               */
    uint64_t at;     /* value of l4_changes when it was made             */
} copy_of[NR_CPUS];

static uint64_t l4_changes = 1; /* a */

void pti_init(bool on)
{
    pti_on = on;
}

static pte_t *below(pte_t *e)
{
    if ((*e & PTE_P) == 0) {
        void *table = hv_page_alloc();

        if (table == NULL) {
            return NULL;
        }
        *e = pte_make(ptr_to_mfn(table), TABLE_FLAGS);
    }
    return mfn_to_ptr(pte_mfn(*e));
}

/* Map [@start, @end) of ours, as much as hv_l4 has of it, below @l4. */
static int show(pte_t *l4, uint64_t start, uint64_t end, uint64_t flags)
{
    for (uint64_t va = start & PAGE_MASK; va < end; va += PAGE_SIZE) {
        mfn_t m = hvmap_frame(va);
        pte_t *table = l4;

        if (mfn_is_invalid(m)) {
            continue; /* a guard */
        }
        for (unsigned int level = 4; level > 1; level--) {
            table = below(&table[pt_index(va, level)]);
            if (table == NULL) {
                return -ENOMEM;
            }
        }
        table[pt_index(va, 1)] = pte_make(m, flags | LEAF_FLAGS);
    }
    return 0;
}

static int show_ours(pte_t *l4, uint64_t block)
{
    const struct {
        uint64_t start, end, flags;
    } part[] = {
        {block, block + CPU_BLOCK_BYTES, DATA_FLAGS},
        {(uint64_t)__entry_text_start, (uint64_t)__entry_text_end, 0},
        {(uint64_t)idt, (uint64_t)idt + sizeof(idt), PTE_NX},
        /* The processor writes to both: accessed and busy. */
        {(uint64_t)gdt_page, (uint64_t)gdt_page + PAGE_SIZE, DATA_FLAGS},
        {(uint64_t)tss_slots, (uint64_t)tss_slots + sizeof(tss_slots),
         DATA_FLAGS},
        {(uint64_t)syscall_page, (uint64_t)syscall_page + PAGE_SIZE,
         DATA_FLAGS},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(part); i++) {
        int rc = show(l4, part[i].start, part[i].end, part[i].flags);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int pti_cpu_init(cpu_t cpu, uint64_t block)
{
    pte_t *l4 = copy_of[cpu].l4;

    if (!pti_on) {
        return 0;
    }
    if (l4 == NULL) {
        l4 = hv_page_alloc();
        /* What was made of it stays for the next attempt. */
        copy_of[cpu].l4 = l4;
    }
    if (l4 == NULL || show_ours(l4, block) != 0) {
        return -ENOMEM;
    }
    return 0;
}

void pti_follow(void)
{
    struct cpu_block *cb = this_cpu();
    cpu_t cpu = cb->cpu_id;
    uint64_t cr3 = read_cr3(),
             now = __atomic_load_n(&l4_changes, __ATOMIC_SEQ_CST);
    pte_t *to = copy_of[cpu].l4;
    const pte_t *from;

    cb->pti_full = cr3;
    cb->pti_guest = ptr_to_maddr(to); /* a CPU that starts has none */
    if (copy_of[cpu].source == cr3 && copy_of[cpu].at == now) {
        return;
    }
    from = maddr_to_ptr(cr3 & PTE_ADDR);
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        if (i < HV_L4_FIRST || i > HV_L4_LAST || i == PERDOMAIN_L4_SLOT ||
            i == pt_index(M2P_VA, 4)) {
            to[i] = READ_ONCE(from[i]);
        }
    }
    copy_of[cpu].source = cr3;
    copy_of[cpu].at = now;
}

void pti_l4_changed(void)
{
    if (pti_on) {
        __atomic_fetch_add(&l4_changes, 1, __ATOMIC_SEQ_CST);
    }
}

bool pti_was_behind(void)
{
    cpu_t cpu = this_cpu_id();

    return pti_on && copy_of[cpu].source != 0 &&
           copy_of[cpu].at != __atomic_load_n(&l4_changes, __ATOMIC_SEQ_CST);
}
