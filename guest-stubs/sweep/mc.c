/* SPDX-License-Identifier: MIT */
/*
 * mc.c - machine checks: who stops the machine, our handler, the records.
 */
#include "mc.h"

#include <xen/arch-x86/xen-mca.h>

#define PVPANIC_ID 0x00111b36U /* QEMU's pvpanic-pci */
#define DEVICES    32U
#define RECORDS_MAX 64U

volatile uint64_t mc_taken;

static uint64_t poison[PAGE_SIZE / 8] __page_aligned;
static uint32_t stop_maddr;

static uint32_t config_read(unsigned int device, unsigned int reg)
{
    uint32_t v = 0x80000000U | device << 11 | reg;

    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"((uint16_t)0xcf8));
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"((uint16_t)0xcfc));
    return v;
}

/* Frame at entry: rcx r11 rip cs rflags rsp ss.  MCG_STATUS 0: the next may come. */
extern const char mc_entry[];
__asm__(".text\n"
        ".balign 16\n"
        "mc_entry:\n"
        "push %rax\n"
        "push %rdx\n"
        "incq mc_taken(%rip)\n"
        "xor %eax, %eax\n"
        "xor %edx, %edx\n"
        "mov $0x405, %ecx\n" /* MC1_STATUS */
        "wrmsr\n"
        "mov $0x17a, %ecx\n" /* MCG_STATUS */
        "wrmsr\n"
        "pop %rdx\n"
        "pop %rax\n"
        "pop %rcx\n"
        "pop %r11\n" TRAP_IRET("0"));

const char *mc_init(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};
    unsigned int i;

    if (hypercall2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl,
                   (unsigned long)&iopl)) {
        return "no I/O ports";
    }
    for (i = 0; i < DEVICES && !stop_maddr; i++) {
        if (config_read(i, 0) == PVPANIC_ID) {
            stop_maddr = config_read(i, 0x10) & ~0xfU;
        }
    }
    if (!stop_maddr) {
        return "no pvpanic-pci";
    }
    if (trap_register_at(TRAP_MC, 0, mc_entry)) {
        return "no gate for machine checks";
    }
    print("sweep: errors at 0x%lx\n", mm_maddr(poison));
    /* It must be out before the machine stops for the first time. */
    time_sleep_ns(100 * NS_PER_MS);
    return NULL;
}

uint32_t mc_stop_maddr(void)
{
    return stop_maddr;
}

/* Whether it is of the page, and says so once. */
static bool is_ours(const struct mc_info *info)
{
    const char *at = (const char *)info->mi_data;
    unsigned int i, banks = 0;

    for (i = 0; i < info->mi_nentries; i++) {
        const struct mcinfo_common *c = (const void *)at;

        if (c->type == MC_TYPE_BANK) {
            const struct mcinfo_bank *b = (const void *)at;

            banks++;
            if (b->mc_addr >> PAGE_SHIFT != mm_mfn(poison)) {
                return false;
            }
        }
        at += c->size;
    }
    return banks == 1;
}

uint64_t mc_collect(void)
{
    static struct mc_info info;
    struct xen_mc mc = {.interface_version = XEN_MCA_INTERFACE_VERSION,
                        .cmd = XEN_MC_fetch};
    struct xen_mc_fetch *fetch = &mc.u.mc_fetch;
    uint64_t found = 0;

    for (;;) {
        fetch->flags = XEN_MC_URGENT;
        set_xen_guest_handle(fetch->data, &info);
        if (hypercall2(__HYPERVISOR_mca, (unsigned long)&mc, 0) ||
            fetch->flags != XEN_MC_OK) {
            return found;
        }
        if (!is_ours(&info) || ++found > RECORDS_MAX) {
            return ~0UL;
        }
        fetch->flags = XEN_MC_URGENT | XEN_MC_ACK;
        if (hypercall2(__HYPERVISOR_mca, (unsigned long)&mc, 0)) {
            return ~0UL;
        }
    }
}
