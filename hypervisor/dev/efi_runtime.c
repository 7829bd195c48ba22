/* SPDX-License-Identifier: MIT */
/*
 * dev/efi_runtime.c - calling the firmware: clock and variables.
 *
 * Source: UEFI 2.10, chapters 4.5 (table), 8 (services), 2.3.4 (how to call).
 */
#include "dev/efi_runtime.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cr.h"
#include "x86/efi_call.h"
#include "x86/irqflags.h"
#include "x86/page.h"
#include "x86/xsave.h"
#include "sync/spinlock.h"
#include "log/printk.h"
#include "cpu/extable.h"
#include "cpu/features.h"
#include "cpu/fpu.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/hvmap.h"
#include "mm/page_alloc.h"
#include "dev/efi.h"
#include "dev/rtc.h"

#define TABLE_SIGNATURE 0x56524553544e5552ULL /* "RUNTSERV" */
#define TABLE_HEAD      24U
#define LOW_HALF_END    (1UL << 47)
#define SIZE_2M         (1UL << L2_SHIFT)
/* More of one region is a mistake of the firmware, not memory it needs. */
#define REGION_MAX      (1UL << 32)
/* An address that no firmware has: see efi_runtime_fail(). */
#define NOWHERE         8

static const char *const service_name[EFI_SERVICES] = {
    [EFI_GET_TIME] = "GetTime",
    [EFI_SET_TIME] = "SetTime",
    [EFI_GET_WAKEUP_TIME] = "GetWakeupTime",
    [EFI_SET_WAKEUP_TIME] = "SetWakeupTime",
    [EFI_GET_VARIABLE] = "GetVariable",
    [EFI_GET_NEXT_VARIABLE_NAME] = "GetNextVariableName",
    [EFI_SET_VARIABLE] = "SetVariable",
    [EFI_GET_NEXT_HIGH_MONOTONIC_COUNT] = "GetNextHighMonotonicCount",
    [EFI_QUERY_VARIABLE_INFO] = "QueryVariableInfo",
};

static SPINLOCK(efi_lock, LOCK_RANK_EFI, IRQ_OFF);

/* Legend: c constant after boot; L efi_lock; a atomic */
uint64_t efi_call_stack;                            /* L */
static pte_t efi_l4[PT_ENTRIES] ALIGNED(PAGE_SIZE); /* c, the high half L */
static uint64_t function[EFI_SERVICES]; /* c: 0: absent              */
static uint32_t revision;               /* a: 0 once it has faulted  */
static void *guest_fpu, *clean_fpu;     /* L */
static bool is_forbidden;               /* c */

void efi_runtime_forbid(void)
{
    is_forbidden = true;
}

uint32_t efi_runtime_revision(void)
{
    return __atomic_load_n(&revision, __ATOMIC_RELAXED);
}

/* ---- start -------------------------------------------------------------- */

/* The table below entry @idx of @table, made if there is none. */
static INIT_TEXT pte_t *table_below(pte_t *table, unsigned int idx)
{
    if ((table[idx] & PTE_P) == 0) {
        void *page = hv_page_alloc();

        if (page == NULL) {
            return NULL;
        }
        table[idx] = pte_make(ptr_to_mfn(page), PTE_P | PTE_W | PTE_A | PTE_D);
    }
    return (table[idx] & PTE_PS) == 0 ? mfn_to_ptr(pte_mfn(table[idx])) : NULL;
}

/* Returns the bytes mapped, 0: no memory, or something is there already. */
static INIT_TEXT uint64_t map_piece(maddr_t a, uint64_t left, uint64_t flags)
{
    pte_t *table = efi_l4;

    for (unsigned int level = 4; level > 2 && table != NULL; level--) {
        table = table_below(table, pt_index(a, level));
    }
    if (table == NULL) {
        return 0;
    }
    if (IS_ALIGNED(a, SIZE_2M) && left >= SIZE_2M &&
        table[pt_index(a, 2)] == 0) {
        table[pt_index(a, 2)] = pte_make(maddr_to_mfn(a), flags | PTE_PS);
        return SIZE_2M;
    }
    table = table_below(table, pt_index(a, 2));
    if (table == NULL) {
        return 0;
    }
    table[pt_index(a, 1)] = pte_make(maddr_to_mfn(a), flags);
    return PAGE_SIZE;
}

static INIT_TEXT bool map_region(const struct efi_region *r)
{
    uint64_t flags = PTE_P | PTE_W | PTE_A | PTE_D;

    if (r->bytes > REGION_MAX || r->start + r->bytes > LOW_HALF_END) {
        return false;
    }
    /* The firmware's code has its data among it. */
    if (r->type != EFI_RUNTIME_CODE) {
        flags |= PTE_NX;
    }
    if ((r->attr & EFI_ATTR_WB) == 0) {
        flags |= PTE_PCD | PTE_PWT;
    }
    for (uint64_t at = 0; at < r->bytes;) {
        uint64_t mapped = map_piece(r->start + at, r->bytes - at, flags);

        if (mapped == 0) {
            return false;
        }
        at += mapped;
    }
    return true;
}

static INIT_TEXT bool map_all(void)
{
    struct efi_region r;

    for (unsigned int i = 0; efi_map_region(i, &r); i++) {
        if ((r.attr & EFI_ATTR_RUNTIME) != 0 && !map_region(&r)) {
            pr_warn("dev: EFI: the region %#lx+%#lx cannot be mapped", r.start,
                    r.bytes);
            return false;
        }
    }
    return true;
}

/* Is there code that runtime services may run? */
static INIT_TEXT bool is_code(maddr_t a)
{
    struct efi_region r;

    return efi_map_find(a, &r) && r.type == EFI_RUNTIME_CODE &&
           (r.attr & EFI_ATTR_RUNTIME) != 0;
}

static INIT_TEXT uint32_t read_table(maddr_t a)
{
    const size_t bytes = TABLE_HEAD + sizeof(function);
    const uint8_t *table = NULL;
    struct efi_region r;
    uint64_t signature;
    uint32_t rev;

    if (efi_map_find(a, &r) && r.start + r.bytes - a >= bytes) {
        table = iomap(a, bytes);
    }
    if (table == NULL) {
        return 0;
    }
    memcpy(&signature, table, sizeof(signature));
    memcpy(&rev, table + 8, sizeof(rev));
    if (signature != TABLE_SIGNATURE) {
        return 0;
    }
    memcpy(function, table + TABLE_HEAD, sizeof(function));
    for (unsigned int i = 0; i < EFI_SERVICES; i++) {
        if (!is_code(function[i])) {
            function[i] = 0;
        }
    }
    /* Since revision 2 only; what lies there in older tables is not ours. */
    if (rev >> 16 < 2) {
        function[EFI_QUERY_VARIABLE_INFO] = 0;
    }
    return rev;
}

INIT_TEXT void efi_runtime_init(void)
{
    const struct efi_system *s = efi_system();
    size_t bytes = MAX(fpu_area_bytes(), (size_t)PAGE_SIZE);
    uint32_t rev;

    if (s == NULL) {
        return;
    }
    if (is_forbidden) {
        pr_info("dev: EFI: no runtime services, as efi=no-rs asks");
        return;
    }
    rev = read_table(s->runtime);
    if (rev == 0 || !map_all()) {
        pr_warn("dev: EFI: runtime services are not usable");
        return;
    }
    guest_fpu = heap_alloc(bytes);
    clean_fpu = heap_alloc(bytes);
    if (guest_fpu == NULL || clean_fpu == NULL) {
        pr_warn("dev: EFI: no memory for runtime services");
        return;
    }
    revision = rev;
}

/* ---- calling ------------------------------------------------------------ */

/* What the firmware may use lies in the hypervisor's half of every L4, but for
 * this CPU's GDT: that is in the slot of the domain that runs. */
static void borrow_high_half(uint64_t cr3)
{
    const pte_t *l4 = maddr_to_ptr(cr3 & PTE_ADDR);

    for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        efi_l4[i] = l4[i];
    }
}

static void has_faulted(enum efi_service service, uint64_t rip)
{
    const char *name =
        service < EFI_SERVICES ? service_name[service] : "(provoked)";

    __atomic_store_n(&revision, 0, __ATOMIC_RELAXED);
    pr_err("dev: EFI: %s faulted in the firmware at %#lx; there are no runtime "
           "services from now on",
           name != NULL ? name : "a service", rip);
}

/* Interrupts off, the lock held. */
static uint64_t call_locked(uint64_t fn, const uint64_t args[5],
                            bool *ret_faulted)
{
    struct extable_probe *probe = extable_probe();
    uint64_t cr0 = read_cr0(), cr3 = read_cr3();
    uint64_t xcr0 = cpu_features.xsave ? xgetbv(0) : 0;
    uint64_t status;

    clts();
    fpu_save(guest_fpu);
    fpu_area_reset(clean_fpu);
    (void)fpu_restore(clean_fpu, xcr0);
    borrow_high_half(cr3);
    write_cr3(ptr_to_maddr(efi_l4));
    status = efi_call_asm(fn, args, &probe->firmware, ret_faulted);
    probe->firmware = 0;
    write_cr3(cr3);
    (void)fpu_restore(guest_fpu, xcr0);
    write_cr0(cr0);
    return status;
}

static uint64_t call(enum efi_service service, uint64_t fn,
                     const uint64_t args[5])
{
    /* The clock's services use the same ports as we, Dom0 and other CPUs. */
    bool is_clock = service <= EFI_SET_WAKEUP_TIME;
    unsigned long flags = spin_lock_irqsave(&efi_lock);
    bool faulted = false;
    uint64_t status = EFI_UNSUPPORTED;

    if (revision != 0) {
        if (is_clock) {
            rtc_lock();
        }
        status = call_locked(fn, args, &faulted);
        if (is_clock) {
            rtc_unlock();
        }
    }
    if (faulted) {
        has_faulted(service, extable_probe()->firmware_rip);
        status = EFI_DEVICE_ERROR;
    }
    spin_unlock_irqrestore(&efi_lock, flags);
    return status;
}

uint64_t efi_runtime_call(enum efi_service service, const uint64_t args[5])
{
    if (service >= EFI_SERVICES || function[service] == 0) {
        return EFI_UNSUPPORTED;
    }
    return call(service, function[service], args);
}

int efi_runtime_fail(void)
{
    static const uint64_t args[5];

    return call(EFI_SERVICES, NOWHERE, args) == EFI_DEVICE_ERROR ? 0
                                                                 : -EOPNOTSUPP;
}
