/* SPDX-License-Identifier: MIT */
/*
 * cpu/desc.c - descriptor tables: one IDT and one page of descriptors for all
 * CPUs, which has a TSS and an LDT for each.  Doors (entry stubs) are assembled in
 * entry/; here they are only numbers in an IDT.
 *
 * DPL: only #BP and #OF may be raised by a guest's INT3 / INTO.  Any other
 * INT n from a guest faults with #GP(n * 8 + 2), and entry/trap.c looks at
 * the guest's own table.
 */
#include "cpu/desc.h"

#include "lib/string.h"
#include "x86/cr.h"
#include "x86/exc.h"
#include "x86/msr.h"
#include "x86/percpu.h"

/* entry/: doors and the size of their stubs. */
extern const uint8_t entry_stub_base[], entry_nmi[], entry_mc[], entry_df[],
    entry_db[], syscall_stub_base[], syscall32_stub_base[];
extern uint64_t syscall_stack_top[NR_CPUS];

#define ENTRY_STUB_BYTES 16
#define SYSCALL_STUB_BYTES 32

#define DESC_CODE64_DPL0 0x00af9b000000ffffULL
#define DESC_DATA_DPL0 0x00cf93000000ffffULL
#define DESC_CODE32_DPL3 0x00cffb000000ffffULL
#define DESC_DATA_DPL3 0x00cff3000000ffffULL
#define DESC_CODE64_DPL3 0x00affb000000ffffULL

/*
 * Whole pages, with nothing else in them: an isolated guest's tables have them
 * (mm/pti.h).
 */
struct gate idt[256] ALIGNED(4096);
uint64_t gdt_page[512] ALIGNED(4096) SECTION(".data.page_aligned");
struct tss_slot tss_slots[NR_CPUS] ALIGNED(4096);

_Static_assert(sizeof(idt) % PAGE_SIZE == 0 &&
                   sizeof(tss_slots) % PAGE_SIZE == 0,
               "whole pages");

static unsigned int slot_of(unsigned int selector)
{
    return selector / 8 - GDT_FIRST_RESERVED_ENTRY;
}

static void set_system_desc(unsigned int selector, uint64_t base,
                            uint32_t limit, unsigned int type)
{
    unsigned int i = slot_of(selector);

    gdt_page[i] = (limit & 0xffff) | (base & 0xffffff) << 16 |
                  (uint64_t)(0x80 | type) << 40 |
                  (uint64_t)((limit >> 16) & 0xf) << 48 |
                  (base >> 24 & 0xff) << 56;
    gdt_page[i + 1] = base >> 32;
}

struct gate desc_gate(const void *door, unsigned int ist)
{
    uint64_t a = (uint64_t)door;

    return (struct gate){
        .offset_lo = (uint16_t)a,
        .selector = SEL_HV_CS,
        .ist = (uint8_t)ist,
        .type = GATE_INTERRUPT,
        .offset_mid = (uint16_t)(a >> 16),
        .offset_hi = (uint32_t)(a >> 32),
    };
}

static void set_gate(unsigned int vector, const void *door, unsigned int ist,
                     bool guest_may_raise)
{
    idt[vector] = desc_gate(door, ist);
    if (guest_may_raise) {
        idt[vector].type |= GATE_DPL3;
    }
}

uint64_t *desc_gdt_page(void)
{
    return gdt_page;
}

uint64_t desc_own_gdt_base(void)
{
    return (uint64_t)gdt_page - GDT_FIRST_RESERVED_PAGE * PAGE_SIZE;
}

void desc_load_gdt(uint64_t base)
{
    struct table_register r = {
        .limit = (GDT_FIRST_RESERVED_PAGE + 1) * PAGE_SIZE - 1,
        .base = base,
    };

    lgdt(&r);
}

void desc_set_ldt(uint64_t base, unsigned int ents)
{
    if (ents == 0) {
        lldt(0);
        return;
    }
    set_system_desc(SEL_LDT(this_cpu_id()), base, ents * 8 - 1, 0x2);
    lldt(SEL_LDT(this_cpu_id()));
}

static void init_tss(cpu_t cpu, uint64_t block)
{
    struct tss *t = &tss_slots[cpu].tss;

    t->rsp0 = block + CPU_BLOCK_BYTES - CPU_STRUCT_BYTES;
    t->ist[IST_DF - 1] = block + CPU_TOP_DF;
    t->ist[IST_NMI - 1] = block + CPU_STACK_NMI_A + PAGE_SIZE;
    t->ist[IST_MC - 1] = block + CPU_STACK_MC_A + PAGE_SIZE;
    t->ist[IST_DB - 1] = block + CPU_TOP_DB;
    t->iomap_offset = sizeof(*t); /* no port is open to CPL 3 */
    this_cpu()->tss = t;
    set_system_desc(SEL_TSS(cpu), (uint64_t)t, sizeof(*t) - 1, 0x9);
}

static void init_syscall(cpu_t cpu, uint64_t block)
{
    syscall_stack_top[cpu] = block + CPU_BLOCK_BYTES - CPU_STRUCT_BYTES;
    wrmsr(MSR_STAR, (uint64_t)SEL_GUEST_CS32 << 48 | (uint64_t)SEL_HV_CS << 32);
    wrmsr(MSR_LSTAR, (uint64_t)(syscall_stub_base + cpu * SYSCALL_STUB_BYTES));
    wrmsr(MSR_CSTAR,
          (uint64_t)(syscall32_stub_base + cpu * SYSCALL_STUB_BYTES));
    wrmsr(MSR_SYSCALL_MASK, RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT |
                                RFLAGS_AC | RFLAGS_IOPL | RFLAGS_RF);
    /* No guest SYSENTER: a null code selector makes it fault (#GP). */
    if (wrmsr_safe(MSR_SYSENTER_CS, 0) != 0) {
        return;
    }
}

void desc_init(void)
{
    unsigned int i;

    gdt_page[slot_of(SEL_HV_CS)] = DESC_CODE64_DPL0;
    gdt_page[slot_of(SEL_HV_DS)] = DESC_DATA_DPL0;
    gdt_page[slot_of(SEL_GUEST_CS32)] = DESC_CODE32_DPL3;
    gdt_page[slot_of(SEL_GUEST_DS)] = DESC_DATA_DPL3;
    gdt_page[slot_of(SEL_GUEST_CS64)] = DESC_CODE64_DPL3;
    for (i = 0; i < 256; i++) {
        set_gate(i, entry_stub_base + i * ENTRY_STUB_BYTES, 0,
                 i == EXC_BP || i == EXC_OF);
    }
    set_gate(EXC_DB, entry_db, IST_DB, false);
    set_gate(EXC_NMI, entry_nmi, IST_NMI, false);
    set_gate(EXC_DF, entry_df, IST_DF, false);
    set_gate(EXC_MC, entry_mc, IST_MC, false);
}

void desc_cpu_init(void)
{
    struct table_register idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint64_t block = cpu_block_of(read_rsp());
    cpu_t cpu = this_cpu_id();

    init_tss(cpu, block);
    desc_load_gdt(desc_own_gdt_base());
    cpu_reload_segments(SEL_HV_CS, 0);
    ltr(SEL_TSS(cpu));
    lldt(0);
    lidt(&idtr);
    init_syscall(cpu, block);
}
