/* SPDX-License-Identifier: MIT */
#include "tests/unit/pv/privop_machine.h"

#include <errno.h>

#include "cpu/features.h"
#include "dev/pci_guard.h"
#include "dev/rtc.h"
#include "dev/uart16550.h"
#include "domain/rights.h"
#include "pv/bounce.h"
#include "pv/fpu.h"
#include "pv/guest_access.h"
#include "pv/guest_cpuid.h"
#include "pv/mmuext.h"
#include "pv/switch.h"

struct cpu_features cpu_features;
uint64_t hv_cr4;

struct domain dom;
struct pv_vcpu pv;
struct trap_info traps[PV_TRAPS];
static struct range port_space[64];
struct vcpu vcpu;
struct cpu_regs *regs;
vcpu_info_t info;

struct code_pages code_pages __attribute__((aligned(4096)));
uint8_t buffer[BUFFER_BYTES], bitmap[BITMAP_BYTES];
bool next_page_missing;
int trap = -1;
uint64_t fault_addr, pci_value;
uint32_t pci_cf8;
uint8_t cmos[128];
uint16_t last_port;
uint32_t last_out, in_value;
unsigned int outs;

static struct pv_domain pvd;
static bool buffer_missing;
static bool borrowed; /* kernel tables while user mode runs */

/* ---- what the code under test calls ---- */

static void *guest_memory(uint64_t va, size_t bytes)
{
    if (va >= CODE && va + bytes <= CODE + sizeof(code)) {
        return next_page_missing && va + bytes > CODE + 8 ? NULL
                                                          : code + (va - CODE);
    }
    if (va >= BUFFER && va + bytes <= BUFFER + sizeof(buffer)) {
        return buffer_missing ? NULL : buffer + (va - BUFFER);
    }
    /* The I/O bitmap is mapped for the guest's kernel only. */
    if (va >= BITMAP && va + bytes <= BITMAP + sizeof(bitmap)) {
        return pv.guest_kernel || borrowed ? bitmap + (va - BITMAP) : NULL;
    }
    return NULL;
}

bool rights_look(const struct domain *d, const struct rangeset *set,
                 uint64_t first, uint64_t last)
{
    (void)d;
    return rangeset_contains(set, first, last);
}

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    const void *p = guest_memory(va, bytes);

    if (p == NULL) {
        return -EFAULT;
    }
    memcpy(dst, p, bytes);
    return 0;
}

int copy_to_guest(uint64_t va, const void *src, size_t bytes)
{
    void *p = guest_memory(va, bytes);

    if (p == NULL) {
        return -EFAULT;
    }
    memcpy(p, src, bytes);
    return 0;
}

bool pv_borrow_kernel_tables(struct vcpu *who)
{
    assert_false(borrowed);
    borrowed = !who->pv->guest_kernel;
    return borrowed;
}

void pv_return_tables(struct vcpu *who, bool was_borrowed)
{
    assert_ptr_equal(who, &vcpu);
    assert_int_equal(borrowed, was_borrowed);
    borrowed = false;
}

void pv_bounce_trap(struct vcpu *who, unsigned int vector, uint32_t error_code)
{
    (void)error_code;
    assert_ptr_equal(who, &vcpu);
    trap = (int)vector;
}

void pv_bounce_page_fault(struct vcpu *who, uint64_t addr, uint32_t error_code)
{
    (void)error_code;
    assert_ptr_equal(who, &vcpu);
    trap = EXC_PF;
    fault_addr = addr;
}

void vcpu_kick(struct vcpu *who)
{
    (void)who;
    abort();
}

void guest_cpuid(struct vcpu *who, uint32_t leaf, uint32_t subleaf,
                 struct cpuid_regs *ret_regs)
{
    (void)who;
    *ret_regs = (struct cpuid_regs){leaf + 1, subleaf + 2, 3, 4};
}

struct spec_choice spec_choice;
unsigned int feature_too;

void spec_load(uint32_t value)
{
    wrmsr(MSR_SPEC_CTRL, value);
}

bool guest_cpuid_has(const struct domain *who, unsigned int feature)
{
    (void)who;
    return feature == 5 * 32 || feature == 32 + 26 ||
           (feature != 0 && feature == feature_too);
}

unsigned int cpu_policy_msrs(enum cpu_policy_kind kind,
                             const struct domain *who, xen_msr_entry_t *out,
                             unsigned int max)
{
    (void)kind;
    (void)who;
    assert_int_equal(max, CPU_POLICY_MSRS_MAX);
    memset(out, 0, max * sizeof(*out));
    return max;
}

void pv_fpu_set_ts(struct vcpu *who, bool ts)
{
    who->pv->ts_set = ts;
}

int pv_fpu_set_xcr0(struct vcpu *who, uint64_t value)
{
    if (value & ~7UL) {
        return -EINVAL;
    }
    who->pv->xcr0 = value;
    return 0;
}

int pv_set_base_stop(struct vcpu *who, mfn_t l4, bool (*should_stop)(void))
{
    if (should_stop()) {
        return -ERESTART;
    }
    if (mfn_x(l4) == 0x999) {
        return -EINVAL;
    }
    who->pv->guest_table = l4;
    return 0;
}

uint32_t pci_guest_port_read(uint32_t cf8, unsigned int offset, unsigned int bytes)
{
    (void)bytes;
    pci_cf8 = cf8;
    return (uint32_t)(pci_value >> (8 * offset));
}

void pci_guest_port_write(uint32_t cf8, unsigned int offset, unsigned int bytes,
                    uint32_t value)
{
    (void)bytes;
    pci_cf8 = cf8;
    pci_value = (uint64_t)value << (8 * offset);
}

uint8_t rtc_read(uint8_t index)
{
    return cmos[index];
}

void rtc_write(uint8_t index, uint8_t value)
{
    cmos[index] = value;
}

uint16_t uart_port_base(void)
{
    return 0x3f8;
}

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    (void)bytes;
    last_port = port;
    return in_value++;
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t value)
{
    (void)bytes;
    last_port = port;
    last_out = value;
    outs++;
}

/* ---- set-up ---- */

int privop_set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_in_hook = port_in;
    fake_out_hook = port_out;
    memset(&dom, 0, sizeof(dom));
    memset(&pvd, 0, sizeof(pvd));
    memset(&pv, 0, sizeof(pv));
    memset(&vcpu, 0, sizeof(vcpu));
    memset(&info, 0, sizeof(info));
    memset(code, 0x90, sizeof(code));
    memset(bitmap, 0xff, sizeof(bitmap));
    dom.pv = &pvd;
    dom.is_privileged = true;
    rangeset_init(&dom.io_ports, port_space, ARRAY_SIZE(port_space));
    rangeset_init(&dom.io_mem, NULL, 0);
    assert_int_equal(rangeset_add(&dom.io_ports, 0, 0xffff), 0);
    vcpu.domain = &dom;
    vcpu.pv = &pv;
    vcpu.vcpu_info = &info;
    pv.guest_kernel = true;
    pv.iopl = 1;
    pv.traps = traps;
    traps[EXC_GP].address = 0xffffffff81000000UL;
    this_cpu()->current_vcpu = &vcpu;
    regs = guest_regs();
    *regs = (struct cpu_regs){
        .rip = CODE, .cs = SEL_GUEST_CS64, .rflags = RFLAGS_IF | RFLAGS_RF};
    cpu_features = (struct cpu_features){
        .vendor = CPU_INTEL, .rdtscp = true, .xsave = true};
    hv_cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_SMEP | CR4_OSFXSR;
    fake_cr[0] = CR0_PE | CR0_PG | CR0_WP;
    fake_cr[4] = hv_cr4;
    trap = -1;
    next_page_missing = buffer_missing = false;
    in_value = 0x55;
    outs = 0;
    return 0;
}

bool run(const char *text, size_t len)
{
    regs->rip = CODE;
    memset(code, 0x90, sizeof(code));
    memcpy(code, text, len);
    if (!pv_emulate_gp(&vcpu, regs)) {
        assert_int_equal(regs->rip, CODE);
        return false;
    }
    if (trap == -1) {
        assert_int_equal(regs->rip, CODE + len);
        assert_false(regs->rflags & RFLAGS_RF);
    }
    return true;
}
