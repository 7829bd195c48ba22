/* SPDX-License-Identifier: MIT */
/*
 * bench/emulate.c - privileged instructions, FPU and debug registers, and the
 * hypercalls that set one register of the vcpu.
 */
#include "bench.h"

#define MSR_EFER           0xc0000080U
#define MSR_FS_BASE        0xc0000100U
#define MSR_KERNEL_GS_BASE 0xc0000102U
#define MSR_APIC_BASE      0x1bU

#define XEN_LEAF 0x40000000U

/* One instruction without result. */
#define INSN(text) __asm__ volatile(text : : : "rax", "rdx", "memory", "cc")

#define READ_SYSREG(name)                                                      \
    __asm__ volatile("mov %%" name ", %0" : "=r"(value) : : "memory")
#define WRITE_CR0(v) __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory")

/* The sequence XEN_EMULATE_PREFIX and cpuid. */
static void forced_cpuid(uint32_t leaf)
{
    uint32_t a = leaf, b, c = 0, d;

    __asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2"
                     : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

/*
 * The least a handler of #NM can do: back to the instruction.  TS is clear
 * already, which is the hypervisor's promise.
 */
extern const char nm_entry[];
__asm__(".pushsection .text, \"ax\"\n"
        ".balign 16\n"
        "nm_entry:\n\t"
        "pop %rcx\n\t"
        "pop %r11\n\t"
        "push $0\n\t"
        "push %rcx\n\t"
        "push %r11\n\t"
        "push %rax\n\t"
        "mov $23, %eax\n\t" /* __HYPERVISOR_iret */
        "syscall\n\t"
        "ud2\n"
        ".popsection");
_Static_assert(__HYPERVISOR_iret == 23, "the number nm_entry has");

static long taskswitch(unsigned int set)
{
    return hypercall2(__HYPERVISOR_fpu_taskswitch, set, 0);
}

static struct trap_info nm_gate[2];

/* The #NM handler above, or the stub's own again. */
static long set_nm_handler(uint64_t address)
{
    nm_gate[0] = (struct trap_info){.vector = TRAP_NM,
                                    .flags = 4, /* masks events */
                                    .cs = FLAT_KERNEL_CS,
                                    .address = address};
    return hc_set_trap_table(nm_gate);
}

static void ports(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};
    long rc = hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl,
                         (unsigned long)&iopl);

    if (rc != 0) {
        bench_absent("physdev_set_iopl", rc);
        return;
    }
    BENCH("physdev_set_iopl", BENCH_MANY, ,
          hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl,
                     (unsigned long)&iopl));
    BENCH("emul_out_port80", BENCH_MANY, , INSN("outb %%al, $0x80"));
    BENCH("emul_in_port80", BENCH_MANY, , INSN("inb $0x80, %%al"));
    BENCH("emul_in_dx_port61", BENCH_MANY, ,
          INSN("mov $0x61, %%edx\n\tinb %%dx, %%al"));
}

static void msrs(void)
{
    uint64_t fs = rdmsr(MSR_FS_BASE), gs = rdmsr(MSR_KERNEL_GS_BASE);

    BENCH("emul_rdmsr_efer", BENCH_MANY, , rdmsr(MSR_EFER));
    BENCH("emul_rdmsr_fs_base", BENCH_MANY, , rdmsr(MSR_FS_BASE));
    BENCH("emul_wrmsr_fs_base", BENCH_MANY, , wrmsr(MSR_FS_BASE, fs));
    BENCH("emul_wrmsr_gs_base_kernel", BENCH_MANY, ,
          wrmsr(MSR_KERNEL_GS_BASE, gs));
    BENCH("emul_rdmsr_apic_base", BENCH_MANY, , rdmsr(MSR_APIC_BASE));
}

static void cpuid(void)
{
    BENCH("emul_cpuid_fep_leaf0", BENCH_MANY, , forced_cpuid(0));
    BENCH("emul_cpuid_fep_leaf1", BENCH_MANY, , forced_cpuid(1));
    BENCH("emul_cpuid_fep_xen_leaf", BENCH_MANY, , forced_cpuid(XEN_LEAF));
}

static void system_registers(void)
{
    uint64_t value, cr0;

    READ_SYSREG("cr0");
    cr0 = value;
    BENCH("emul_mov_cr0_read", BENCH_MANY, , READ_SYSREG("cr0"));
    BENCH("emul_mov_cr3_read", BENCH_MANY, , READ_SYSREG("cr3"));
    BENCH("emul_mov_cr4_read", BENCH_MANY, , READ_SYSREG("cr4"));
    BENCH("emul_mov_cr2_read", BENCH_MANY, , READ_SYSREG("cr2"));
    BENCH("emul_mov_cr0_write", BENCH_MANY, , WRITE_CR0(cr0));
    BENCH("emul_clts", BENCH_MANY, , INSN("clts"));
    BENCH("emul_mov_dr0_read", BENCH_MANY, , READ_SYSREG("dr0"));
    BENCH("emul_wbinvd", BENCH_MANY, , INSN("wbinvd"));
}

static void fpu(void)
{
    BENCH("fpu_taskswitch_set", BENCH_MANY, , taskswitch(1));
    BENCH("fpu_taskswitch_clear", BENCH_MANY, , taskswitch(0));
    if (set_nm_handler((uint64_t)nm_entry) == 0) {
        BENCH("nm_fpu_bounce", BENCH_MANY, taskswitch(1), INSN("fnop"));
    }
    taskswitch(0);
    set_nm_handler(trap_entry_points[TRAP_NM]);
}

static void vcpu_registers(void)
{
    static const uint64_t at = 0x700000000UL; /* a breakpoint, not enabled */
    unsigned long stack = (unsigned long)__builtin_frame_address(0);

    BENCH("set_segment_base_fs", BENCH_MANY, ,
          hc_set_segment_base(SEGBASE_FS, 0x1000));
    BENCH("set_segment_base_gs_user", BENCH_MANY, ,
          hc_set_segment_base(SEGBASE_GS_USER, 0x1000));
    BENCH("set_segment_base_gs_user_sel", BENCH_MANY, ,
          hc_set_segment_base(SEGBASE_GS_USER_SEL, 0));
    BENCH("stack_switch", BENCH_MANY, , hc_stack_switch(FLAT_KERNEL_SS, stack));
    BENCH("set_debugreg", BENCH_MANY, ,
          hypercall2(__HYPERVISOR_set_debugreg, 0, at));
    BENCH("get_debugreg", BENCH_MANY, ,
          hypercall2(__HYPERVISOR_get_debugreg, 0, 0));
    BENCH("vm_assist", BENCH_MANY, ,
          hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                     VMASST_TYPE_writable_pagetables));
}

static void run(void)
{
    ports();
    msrs();
    cpuid();
    system_registers();
    vcpu_registers();
    fpu();
    BENCH("set_trap_table_1", BENCH_MANY, , hc_set_trap_table(nm_gate));
}

const struct bench_area bench_emulate = {"emulate", run};
