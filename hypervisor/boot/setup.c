/* SPDX-License-Identifier: MIT */
/*
 * boot/setup.c - start of day, in numbered steps.  The only place that knows
 * the order of everything.
 */
#include "boot/setup.h"

#include "boot/cmdline.h"
#include "boot/harvest.h"
#include "boot/loader.h"
#include "boot/selfcheck.h"
#include "boot/smp.h"
#include "boot/version.h"
#include "cpu/clock.h"
#include "cpu/desc.h"
#include "cpu/features.h"
#include "cpu/lapic.h"
#include "cpu/percpu.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "cpu/spec_ctrl.h"
#include "cpu/timer.h"
#include "crash/blackbox.h"
#include "crash/reboot.h"
#include "dev/acpi.h"
#include "dev/efi.h"
#include "dev/efi_runtime.h"
#include "dev/fbcon.h"
#include "dev/i8259.h"
#include "dev/irq.h"
#include "dev/platform_timer.h"
#include "dev/rtc.h"
#include "dev/uart16550.h"
#include "domain/frame_use.h"
#include "domain/sched.h"
#include "domain/virq.h"
#include "entry/trap.h"
#include "hypercall/vigil_op.h"
#include "hypercall/xen_version.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "log/printk.h"
#include "log/sink.h"
#include "mm/directmap.h"
#include "mm/frame.h"
#include "mm/hvmap.h"
#include "mm/m2p.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"
#include "mm/pti.h"
#include "mm/scrub.h"
#include "pv/pte_check.h"
#include "pv/build_dom0.h"
#include "pv/domain_pv.h"
#include "pv/guest_cpuid.h"
#include "pv/pagetype.h"
#include "ras/ghes.h"
#include "ras/mce.h"
#include "ras/poll.h"
#include "ras/watchdog.h"
#include "response/work.h"
#include "x86/irqflags.h"

extern const uint8_t __image_start[], __bss_end[];

/* Looking for input: all there is without an interrupt, else a safety net. */
#define CONSOLE_POLL_NS 20000000ULL
#define CONSOLE_NET_NS 4000000000ULL
#define LAPIC_PADDR 0xfee00000ULL

static struct timer console_timer;
static uint64_t console_poll_ns = CONSOLE_POLL_NS;

/* Input, and lines that NMI context left in the ring. */
static void console_softirq(void)
{
    log_drain();
    if (uart_rx_poll() != 0) {
        virq_raise_global(VIRQ_CONSOLE);
    }
    /* A line wired level-triggered waits for this; others do not mind. */
    irq_eoi(irq_isa_to_gsi(uart_irq_line()));
}

static void console_tick(void *arg)
{
    (void)arg;
    softirq_raise(SOFTIRQ_CONSOLE);
    timer_set(&console_timer, clock_now_ns() + console_poll_ns);
}

/* A FIFO of 16 bytes takes 1.4 ms at 115200 baud. */
#define CONSOLE_PUMP_NS 1000000ULL

static struct timer pump_timer;

static void pump_later(void)
{
    timer_set(&pump_timer, clock_now_ns() + CONSOLE_PUMP_NS);
}

static void pump_tick(void *arg)
{
    (void)arg;
    if (log_pump()) {
        pump_later();
    }
}

static void uart_interrupt(void *arg)
{
    (void)arg;
    softirq_raise(SOFTIRQ_CONSOLE);
}

/* domain/frame_use.h: frames held for grants and event-channel pages. */
static int hold_frame(mfn_t m, domid_t owner, bool writable)
{
    if (!mfn_valid(m)) {
        return -EINVAL;
    }
    return pagetype_get_ref(frame_of(m), owner, writable);
}

static void release_frame(mfn_t m, bool writable)
{
    pagetype_put_ref(frame_of(m), writable);
}

static const struct frame_use_ops frame_use = {hold_frame, release_frame};

static struct fbcon_mode screen INIT_DATA;

/* A screen in RAM would draw over somebody's memory. */
static INIT_TEXT bool screen_is_in_ram(const struct fbcon_mode *m)
{
    const struct loader_info *li = &loader_info;
    maddr_t end = m->start + (uint64_t)m->pitch * m->height;
    unsigned int i;

    for (i = 0; i < li->ranges; i++) {
        const struct loader_range *r = &li->range[i];

        if (r->type == MEMMAP_RAM && r->start < end &&
            r->start + r->bytes > m->start) {
            return true;
        }
    }
    return false;
}

static INIT_TEXT void init_screen(void)
{
    const struct loader_info *li = &loader_info;

    screen = li->screen;
    /* A UEFI machine may have no VGA at these ports. */
    if (screen.kind == FBCON_NONE &&
        (li->efi_systab != 0 || !fbcon_probe_text(&screen))) {
        screen.kind = FBCON_NONE;
    } else if (!fbcon_mode_ok(&screen) || screen_is_in_ram(&screen)) {
        pr_warn("boot: the screen that the loader describes cannot be one");
        screen.kind = FBCON_NONE;
    } else if (boot_options.screen) {
        fbcon_init(&screen);
    }
}

/* UEFI's own map is the truth after the boot services have ended. */
static INIT_TEXT void add_ranges(void)
{
    const struct loader_info *li = &loader_info;
    struct efi_region r;
    unsigned int i;

    if (li->efi_map_bytes != 0) {
        if (efi_map_load(li->efi_map, li->efi_map_bytes, li->efi_desc_bytes) ==
            0) {
            for (i = 0; efi_map_region(i, &r); i++) {
                memmap_add(r.start, r.bytes, efi_map_e820(&r));
            }
            return;
        }
        pr_warn("boot: EFI's memory map is not usable, the loader's is used");
    }
    for (i = 0; i < li->ranges; i++) {
        memmap_add(li->range[i].start, li->range[i].bytes, li->range[i].type);
    }
}

static INIT_TEXT void init_memmap(void)
{
    const struct loader_info *li = &loader_info;
    unsigned int i;

    add_ranges();
    memmap_finish();
    memmap_reserve(HV_LOAD_PADDR,
                   (uint64_t)__bss_end - HV_IMAGE_VA - HV_LOAD_PADDR);
    for (i = 0; i < li->modules; i++) {
        memmap_reserve(li->module[i].start, li->module[i].bytes);
    }
}

static INIT_TEXT void init_memory(void)
{
    pti_init(spec_choice.pti_dom0 || spec_choice.pti_domu);
    hvmap_init();
    fbcon_map();
    frame_table_init(memmap_top_frame());
    page_alloc_init();
    m2p_init();
    pte_l1tf_init(spec_choice.l1d_bits, cpu_features.phys_bits,
                  (uint64_t)memmap_top_frame() << PAGE_SHIFT,
                  spec_choice.l1tf_dom0, spec_choice.l1tf_domu);
    hvmap_guard_block((uint64_t)bsp_block);
    if (pti_cpu_init(0, (uint64_t)bsp_block) != 0) {
        panic("no memory for the tables of isolated guests");
    }
}

static INIT_TEXT void init_time(void)
{
    uint64_t khz = platform_timer_init();

    if (khz == 0) {
        panic("no timer counts: cannot measure the TSC");
    }
    clock_init(khz, rtc_read_utc_ns());
    log_set_clock(khz);
    blackbox_set_clock(khz, clock_wall_base_ns());
    timer_cpu_init(NULL);
    lapic_calibrate();
}

/* With UEFI only the loader knows the root pointer: there is no BIOS area. */
static INIT_TEXT const void *loader_rsdp(void)
{
    const struct loader_info *li = &loader_info;

    return li->rsdp_bytes != 0 || li->efi_systab != 0 ? li->rsdp : NULL;
}

static INIT_TEXT void init_interrupts(void)
{
    const struct loader_info *li = &loader_info;

    i8259_init();
    if (hvmap_map(FIXMAP_LAPIC_VA, maddr_to_mfn(LAPIC_PADDR),
                  PTE_W | PTE_NX | PTE_PCD | PTE_PWT) != 0) {
        panic("no memory to map the local APIC");
    }
    lapic_init();
    if (li->efi_systab != 0) {
        efi_init(li->efi_systab);
        efi_runtime_init();
    }
    if (acpi_init(loader_rsdp(), li->rsdp_bytes) != 0) {
        pr_warn("boot: no ACPI tables: no IO-APIC, no power off");
    }
    smp_init(boot_options.maxcpus);
    irq_init();
}

/* Frame 0 is never given to anyone (mm/page_alloc.c). */
#define BIOS_RESET_FLAG 0x472

static INIT_TEXT void init_reset(void)
{
    struct memmap_region r;

    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        if (r.start != 0 || (r.type != MEMMAP_RAM && r.type != MEMMAP_KEPT)) {
            continue;
        }
        reboot_catch_nmi(maddr_to_ptr(0));
        if (loader_info.efi_systab == 0) {
            reboot_set_bios_flag(maddr_to_ptr(BIOS_RESET_FLAG));
        }
    }
}

static INIT_TEXT void init_console_input(void)
{
    unsigned int line = uart_irq_line();

    softirq_plug(SOFTIRQ_CONSOLE, console_softirq);
    timer_init(&console_timer, console_tick, NULL);
    timer_set(&console_timer, clock_now_ns() + CONSOLE_POLL_NS);
    timer_init(&pump_timer, pump_tick, NULL);
    if (!boot_options.sync_console) {
        log_defer(pump_later);
    }
    if (line != 0 &&
        irq_bind(irq_isa_to_gsi(line), uart_interrupt, NULL, "console") == 0) {
        uart_rx_irq_enable();
        console_poll_ns = CONSOLE_NET_NS;
    }
}

/* dom0_mem= as pages; 0 where it says nothing. */
static INIT_TEXT void memory_params(struct dom0_params *p)
{
    const struct boot_options *o = &boot_options;
    int64_t all = (int64_t)(memmap_ram_frames() << PAGE_SHIFT);

    if (o->has_dom0_mem) {
        int64_t want = o->dom0_mem_bytes;

        want = want < 0 ? all + want : want;
        p->nr_pages = want > 0 ? (uint64_t)want >> PAGE_SHIFT : 1;
    }
    if (o->dom0_min_bytes != 0) {
        int64_t min = o->dom0_min_bytes;

        min = min < 0 ? all + min : min;
        p->min_pages = min > 0 ? (uint64_t)min >> PAGE_SHIFT : 0;
    }
    if (o->dom0_max_bytes != INT64_MAX) {
        int64_t max = o->dom0_max_bytes;

        max = max < 0 ? all + max : max;
        p->max_pages = max > 0 ? (uint64_t)max >> PAGE_SHIFT : 1;
    }
}

/* Vcpu n to CPU n; those that are left over may run anywhere. */
static INIT_TEXT void pin_dom0(void)
{
    for (unsigned int i = 0; i < dom0->max_vcpus; i++) {
        if (dom0->vcpu[i] != NULL && smp_is_online(i) &&
            sched_set_affinity(dom0->vcpu[i], CPUMASK_OF(i), ~0UL) != 0) {
            pr_warn("boot: Dom0's vcpu %u cannot be pinned", i);
        }
    }
}

/* As many as CPUs, within dom0_max_vcpus=. */
static INIT_TEXT unsigned int dom0_vcpus(void)
{
    unsigned int n = smp_online_count();

    if (boot_options.dom0_max_vcpus != 0) {
        n = MIN(n, boot_options.dom0_max_vcpus);
    }
    return MAX(n, boot_options.dom0_min_vcpus);
}

static INIT_TEXT void start_dom0(void)
{
    const struct loader_info *li = &loader_info;
    struct dom0_params p = {.max_vcpus = dom0_vcpus(),
                            .screen = &screen,
                            .is_efi = loader_info.efi_systab != 0};
    const char *why = "unknown reason";

    if (li->modules > 0) {
        p.kernel = li->module[0].start;
        p.kernel_bytes = li->module[0].bytes;
        p.cmdline = cmdline_strip(li->module[0].cmdline);
    }
    if (li->modules > 1) {
        p.initrd = li->module[1].start;
        p.initrd_bytes = li->module[1].bytes;
    }
    memory_params(&p);
    scrub_use_vectors(true);
    if (build_dom0(&p, &why) != 0) {
        panic("Vigil cannot start Dom0: %s", why);
    }
    scrub_use_vectors(false);
    if (boot_options.dom0_vcpus_pin) {
        pin_dom0();
    }
}

static INIT_TEXT void print_banner(void)
{
    const struct cpu_features *f = &cpu_features;

    pr_info("%s, loaded by %s", version_text(),
            loader_info.name[0] != '\0' ? loader_info.name : "multiboot");
    pr_info("boot: options: %s", cmdline_text());
    pr_info("cpu: %s family %u model %u%s%s%s", f->vendor_id, f->family,
            f->model, f->smep ? " SMEP" : "", f->smap ? " SMAP" : "",
            f->umip ? " UMIP" : "");
}

void boot_main(uint32_t magic, uint32_t info)
{
    struct page_alloc_stats stats;

    /* 1. This CPU: its block, its tables; exceptions have handlers now. */
    percpu_init(0);
    desc_init();
    desc_cpu_init();
    /* 2. What the loader says; a console as soon as com1= is read. */
    if (loader_read(magic, info) != 0) {
        if (uart_init(1, "115200,8n1") != 0) {
            halt();
        }
        panic("the boot loader's information is not multiboot (eax 0x%x)",
              magic);
    }
    cmdline_parse(loader_info.cmdline);
    init_screen();
    xen_version_set_cmdline(cmdline_text());
    vigil_op_allow_provoke(boot_options.provoke);
    /* 3. The processor; machine checks can be taken from here on. */
    features_init();
    features_cpu_init();
    entry_has_smap = cpu_features.smap;
    print_banner();
    spec_init(); /* before init_memory() makes text read-only */
    /* 4. Memory; the old black box before anyone allocates. */
    init_memmap();
    harvest_boxes();
    init_memory();
    init_reset();
    selfcheck_cpu();
    /* 5. Devices and time. */
    init_interrupts();
    init_time();
    ras_init();
    ghes_init();
    /* 6. Domains. */
    guest_cpuid_init();
    sched_init(smp_cpu_count());
    virq_init();
    frame_use_plug(&frame_use);
    pv_init();
    response_init();
    fbcon_watch();
    init_console_input();
    ras_poll_init();
    ras_poll_cpu_init();
    platform_timer_watch();
    watchdog_init();
    /* 7. The other processors, Dom0. */
    irq_enable();
    smp_start_all(boot_options.nmi_cpu);
    start_dom0();
    page_alloc_stats(&stats);
    pr_info("mm: %lu KiB of RAM, %lu KiB free, %lu KiB kept by Vigil",
            (unsigned long)(stats.total_frames << 2),
            (unsigned long)(stats.free_frames << 2),
            (unsigned long)((stats.total_frames - stats.free_frames -
                             dom0->tot_pages)
                            << 2));
    pr_info("boot: Dom0 starts");
    if (!boot_options.screen_kept) {
        log_flush();
        fbcon_hand_over();
    }
    watchdog_boot_ends();
    irq_disable();
    hvmap_drop_init();
    vcpu_release(dom0->vcpu[0], VCPU_HOLD_DOWN);
}
