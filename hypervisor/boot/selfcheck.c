/* SPDX-License-Identifier: MIT */
/*
 * boot/selfcheck.c - try each protection of the hypervisor for real.
 *
 * What must fault is done by the instructions of x86/probe.h, each beside the
 * same thing where it is allowed: a probe that always faulted would prove
 * nothing.  UMIP concerns user mode only, so its bit in CR4 is all there is to
 * look at here; the stub `cpu` tries it.
 */
#include "boot/selfcheck.h"

#include "cpu/extable.h"
#include "cpu/features.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "log/printk.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"
#include "mm/page_alloc.h"
#include "x86/barrier.h"
#include "x86/cr.h"
#include "x86/irqflags.h"
#include "x86/page.h"
#include "x86/percpu.h"
#include "x86/probe.h"
#include "x86/smap.h"

#define OPCODE_RET 0xc3

/* Where guests could see a page, for a moment: the end of the M2P's range. */
#define OPEN_VA (M2P_VA_END - PAGE_SIZE)

enum breakage {
    BREAK_NOTHING,
    BREAK_NX,
    BREAK_WP,
    BREAK_TEXT,
    BREAK_ALIAS,
    BREAK_MAP,
    BREAK_SMEP,
    BREAK_SMAP,
    BREAK_UMIP,
    BREAK_GUARD,
};

static const char *const break_name[] = {
    [BREAK_NX] = "nx",       [BREAK_WP] = "wp",     [BREAK_TEXT] = "text",
    [BREAK_ALIAS] = "alias", [BREAK_MAP] = "map",   [BREAK_SMEP] = "smep",
    [BREAK_SMAP] = "smap",   [BREAK_UMIP] = "umip", [BREAK_GUARD] = "guard",
};

static enum breakage to_break; /* c */

static uint8_t data_code[] = {OPCODE_RET};
static const uint8_t constant_code[] = {OPCODE_RET};

static void *open_page; /* c: made by the first CPU, holds a RET */

/* What is called where code may run. */
static NOINLINE void do_nothing(void)
{
    barrier();
}

int selfcheck_set_option(const char *value)
{
    for (unsigned int i = 1; i < ARRAY_SIZE(break_name); i++) {
        if (strcmp(break_name[i], value) == 0) {
            to_break = (enum breakage)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* Panics with a sentence unless @holds. */
static void must(bool holds, const char *else_what)
{
    if (!holds) {
        panic("cpu %u: self-check: %s", this_cpu_id(), else_what);
    }
}

static bool runs(uint64_t va)
{
    struct extable_probe *probe = extable_probe();
    int rc;

    probe->rip = va;
    rc = probe_call(va, &probe->fixup);
    probe->rip = 0;
    return rc == 0;
}

static uint64_t va_of(const void *p)
{
    return (uint64_t)p;
}

static uint64_t alias_of(const void *p)
{
    return (uint64_t)maddr_to_ptr(ptr_to_maddr(p));
}

static void check_nx(void)
{
    must(runs(va_of(do_nothing)), "code cannot be called");
    must(!runs(va_of(data_code)), "NX does not work: data was executed");
    must(!runs(va_of(constant_code)),
         "NX does not work: a constant was executed");
    must(!runs(alias_of(do_nothing)),
         "NX does not work: the direct map was executed");
}

static void check_writes(void)
{
    must(probe_write(va_of(data_code)) == 0, "data cannot be written");
    must(probe_write(va_of(constant_code)) != 0,
         "write protection (CR0.WP) does not work: a constant was written");
    must(probe_write(alias_of(constant_code)) != 0,
         "a constant was written through the direct map");
    must(probe_write(va_of(do_nothing)) != 0, "code was written");
    must(probe_write(alias_of(do_nothing)) != 0,
         "code was written through the direct map");
}

static void check_mappings(void)
{
    uint64_t va = 0;
    const char *fault = hvmap_audit(&va);

    if (fault != NULL) {
        panic("cpu %u: self-check: the mapping of 0x%lx %s", this_cpu_id(),
              (unsigned long)va, fault);
    }
}

static void check_open_page(const struct cpu_features *f)
{
    bool was_read, was_run, was_read_when_allowed;

    if (hvmap_map(OPEN_VA, ptr_to_mfn(open_page), PTE_U) != 0) {
        panic("no memory for the self-check");
    }
    stac_if(f->smap);
    was_read_when_allowed = probe_read(OPEN_VA) == 0;
    clac_if(f->smap);
    was_read = probe_read(OPEN_VA) == 0;
    was_run = runs(OPEN_VA);
    hvmap_unmap(OPEN_VA);
    must(was_read_when_allowed, "a page open to guests cannot be read");
    must(was_read == !f->smap,
         f->smap ? "SMAP does not work: a page open to guests was read"
                 : "a page open to guests cannot be read");
    must(was_run == !f->smep,
         f->smep ? "SMEP does not work: a page open to guests was executed"
                 : "a page open to guests cannot be executed");
}

static void check_guards(void)
{
    uint64_t block = cpu_block_of(read_rsp());

    for (uint64_t off = 0; off < CPU_BLOCK_BYTES; off += PAGE_SIZE) {
        bool guard = cpu_block_is_guard(off);

        must((probe_write(block + off) != 0) == guard &&
                 (probe_write(block + off + PAGE_SIZE - 1) != 0) == guard,
             guard ? "the guard page of a stack is mapped"
                   : "a page of a stack is not mapped");
    }
}

/* Everything is mapped by 4 KiB pages where a test breaks it. */
static void map_or_panic(uint64_t va, const void *what, uint64_t flags)
{
    if (hvmap_map(va & PAGE_MASK, ptr_to_mfn(what), flags) != 0) {
        panic("no memory to break the self-check");
    }
}

static void break_it(void)
{
    switch (to_break) {
    case BREAK_NOTHING:
        return;
    case BREAK_NX:
        map_or_panic(va_of(data_code), data_code, PTE_W);
        break;
    case BREAK_WP:
        write_cr0(read_cr0() & ~CR0_WP);
        break;
    case BREAK_TEXT:
        map_or_panic(va_of(do_nothing), do_nothing, PTE_W);
        break;
    case BREAK_ALIAS:
        map_or_panic(alias_of(do_nothing), do_nothing, PTE_W | PTE_NX);
        break;
    case BREAK_MAP:
        map_or_panic(OPEN_VA - PAGE_SIZE, open_page, PTE_U | PTE_W | PTE_NX);
        break;
    case BREAK_SMEP:
        write_cr4(read_cr4() & ~CR4_SMEP);
        break;
    case BREAK_SMAP:
        write_cr4(read_cr4() & ~CR4_SMAP);
        break;
    case BREAK_UMIP:
        write_cr4(read_cr4() & ~CR4_UMIP);
        break;
    case BREAK_GUARD:
        map_or_panic(cpu_block_of(read_rsp()) + CPU_GUARD_LAST, open_page,
                     PTE_W | PTE_NX);
        break;
    }
    pr_warn("cpu %u: self-check: %s is broken now, as asked for",
            this_cpu_id(), break_name[to_break]);
}

static void make_open_page(void)
{
    open_page = hv_page_alloc();
    if (open_page == NULL) {
        panic("no memory for the self-check");
    }
    memset(open_page, OPCODE_RET, PAGE_SIZE);
}

static void append(char *text, size_t bytes, const char *more)
{
    size_t used = strlen(text);

    strlcpy(text + used, more, bytes - used);
}

static void report(const struct cpu_features *f)
{
    const struct {
        bool there;
        const char *name, *without;
    } option[] = {
        {f->smep, " SMEP", "execution of guest pages (SMEP)"},
        {f->smap, " SMAP", "access to guest pages (SMAP)"},
        {f->umip, " UMIP", "user programs that read tables' addresses (UMIP)"},
    };
    char has[32] = "", lacks[160] = "";

    for (unsigned int i = 0; i < ARRAY_SIZE(option); i++) {
        if (option[i].there) {
            append(has, sizeof(has), option[i].name);
            continue;
        }
        append(lacks, sizeof(lacks),
               lacks[0] == '\0' ? "; the processor does not stop " : ", ");
        append(lacks, sizeof(lacks), option[i].without);
    }
    pr_info("cpu %u: self-check: NX WP W^X%s guards ok%s", this_cpu_id(), has,
            lacks);
}

void selfcheck_cpu(void)
{
    const struct cpu_features *f = &cpu_features;

    must(!irqs_enabled(), "interrupts are on");
    if (open_page == NULL) {
        make_open_page();
        break_it();
    }
    check_nx();
    check_writes();
    if (this_cpu_id() == 0) {
        check_mappings();
    }
    check_open_page(f);
    must(!f->umip || (read_cr4() & CR4_UMIP) != 0, "UMIP is off");
    check_guards();
    must(to_break == BREAK_NOTHING, "what was broken was not noticed");
    report(f);
}
