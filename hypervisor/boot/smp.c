/* SPDX-License-Identifier: MIT */
/*
 * boot/smp.c - start and stop the processors besides the first.
 *
 * One at a time: INIT, then STARTUP (SDM 3A 9.4.4), and wait until it is
 * there.  Its block lies at CPU_BLOCKS_VA, its guard pages are never mapped.
 * A CPU that is stopped keeps its memory for the next time.
 */
#include "boot/smp.h"

#include "boot/selfcheck.h"
#include "cpu/clock.h"
#include "cpu/desc.h"
#include "cpu/features.h"
#include "cpu/ipi.h"
#include "cpu/lapic.h"
#include "cpu/percpu.h"
#include "cpu/smp.h"
#include "cpu/spec_ctrl.h"
#include "cpu/timer.h"
#include "cpu/tlb.h"
#include "cpu/tsc_sync.h"
#include "crash/stop.h"
#include "dev/acpi_madt.h"
#include "dev/irq.h"
#include "domain/sched.h"
#include "entry/idle.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "log/printk.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"
#include "mm/pti.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"
#include "domain/virq.h"
#include "pv/descriptor.h"
#include "ras/mce.h"
#include "ras/nmi.h"
#include "ras/poll.h"
#include "ras/watchdog.h"
#include "x86/atomic.h"
#include "x86/cr.h"
#include "x86/irqflags.h"

extern const uint8_t ap_trampoline[], ap_trampoline_end[], ap_long_mode[],
    ap_boot_gdt[], ap_field_gdt_base[], ap_field_far[], ap_field_cr3[],
    ap_field_rsp[], ap_field_entry[];
extern void ap_start(void);

#define LOW_END     0x9f000UL /* what is above may be the BIOS's own        */
#define INIT_WAIT_NS 1000000ULL
#define SIPI_WAIT_NS 200000ULL
/* It comes in well under a millisecond, unless the emulator's host is busy. */
#define COME_WAIT_NS 10000000000ULL

/* Maps the first 2 MiB where they are; the rest is the hypervisor's. */
static pte_t start_l4[PT_ENTRIES] ALIGNED(PAGE_SIZE);
static pte_t start_l3[PT_ENTRIES] ALIGNED(PAGE_SIZE);
static pte_t start_l2[PT_ENTRIES] ALIGNED(PAGE_SIZE);

static unsigned int max_cpus = 1;

/* Of the CPU that is being started; one at a time (cpu/smp.c). */
static struct {
    cpu_t cpu;
    void *timer_slots;
    const char *refused; /* a: it came, and cannot be used: why           */
} starting;

static cpumask_t others_online(void)
{
    return smp_online() & ~CPUMASK_OF(this_cpu_id());
}

static bool init_one(cpu_t cpu)
{
    if (cpu == lapic_bootstrap_cpu()) {
        return false; /* it would begin in the firmware */
    }
    lapic_send_init(smp_cpu(cpu)->apic_id);
    return true;
}

static const struct crash_stop_ops stop_ops = {others_online, lapic_nmi_others,
                                               init_one};

/* ---- the CPU that is started ------------------------------------------- */

void ap_main(void)
{
    cpu_t cpu = starting.cpu;
    const char *why;

    write_cr3(ptr_to_maddr(hv_l4));
    percpu_init(cpu);
    desc_cpu_init();
    why = features_differ();
    if (why != NULL) {
        __atomic_store_n(&starting.refused, why, __ATOMIC_RELEASE);
        for (;;) {
            halt();
        }
    }
    features_cpu_init();
    spec_cpu_init();
    lapic_init();
    timer_cpu_init(starting.timer_slots);
    ras_cpu_init();
    selfcheck_cpu();
    ras_poll_cpu_init();
    watchdog_cpu_init();
    /* INIT dropped what came in last: somebody may wait for an answer. */
    smp_answer();
    smp_set_online(cpu, true);
    sched_cpu_up(cpu);
    irq_cpu_up(cpu, lapic_id());
}

/* ---- the CPU that starts it ---------------------------------------------- */

static void wait_ns(uint64_t ns)
{
    uint64_t end = clock_now_ns() + ns;

    while (clock_now_ns() < end) {
        smp_answer();
        cpu_relax();
    }
}

/* A page below 1 MiB that is RAM and nobody's device. */
static maddr_t low_page(void)
{
    struct memmap_region r;
    maddr_t found = 0;

    for (unsigned int i = 0; memmap_region(i, &r) && r.start < LOW_END; i++) {
        maddr_t end = MIN(r.end, LOW_END);

        if ((r.type == MEMMAP_RAM || r.type == MEMMAP_KEPT) &&
            end - r.start >= PAGE_SIZE && end > PAGE_SIZE) {
            found = end - PAGE_SIZE;
        }
    }
    return found;
}

static void put(uint8_t *page, const uint8_t *field, uint64_t value,
                size_t bytes)
{
    memcpy(page + (field - ap_trampoline), &value, bytes);
}

static void write_trampoline(uint8_t *page, maddr_t at, uint64_t stack_top)
{
    memcpy(page, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
    put(page, ap_field_gdt_base, at + (uint64_t)(ap_boot_gdt - ap_trampoline),
        4);
    put(page, ap_field_far, at + (uint64_t)(ap_long_mode - ap_trampoline), 4);
    put(page, ap_field_cr3, ptr_to_maddr(start_l4), 4);
    put(page, ap_field_rsp, stack_top, 8);
    put(page, ap_field_entry, (uint64_t)&ap_start, 8);
}

static void write_start_tables(void)
{
    start_l2[0] = PTE_P | PTE_W | PTE_PS;
    start_l3[0] = ptr_to_maddr(start_l2) | PTE_P | PTE_W;
    for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        start_l4[i] = hv_l4[i];
    }
    start_l4[0] = ptr_to_maddr(start_l3) | PTE_P | PTE_W;
}

static void *give_slots(cpu_t cpu)
{
    static void *slots[NR_CPUS];

    if (slots[cpu] == NULL) {
        struct frame *f =
            page_alloc(order_of_count(TIMER_SLOTS_BYTES / PAGE_SIZE), 0,
                       PA_ANY_BITS);

        if (f != NULL) {
            slots[cpu] = mfn_to_ptr(frame_mfn(f));
            memset(slots[cpu], 0, TIMER_SLOTS_BYTES);
        }
    }
    return slots[cpu];
}

/* Return: 0; -EIO: nothing happened, or it cannot be used */
static int send_for(cpu_t cpu, maddr_t page)
{
    uint32_t apic_id = smp_cpu(cpu)->apic_id;
    uint64_t end = clock_now_ns() + COME_WAIT_NS;

    lapic_send_init(apic_id);
    wait_ns(INIT_WAIT_NS);
    for (unsigned int i = 0; i < 2 && !smp_is_online(cpu); i++) {
        lapic_send_startup(apic_id, (uint8_t)(page >> PAGE_SHIFT));
        wait_ns(SIPI_WAIT_NS);
    }
    while (!smp_is_online(cpu)) {
        const char *why = __atomic_load_n(&starting.refused, __ATOMIC_ACQUIRE);

        if (why != NULL) {
            pr_err("cpu: CPU %u (APIC id %u) is left out: it lacks %s, which "
                   "CPU 0 has", cpu, apic_id, why);
            lapic_send_init(apic_id);
            return -EIO;
        }
        if (clock_now_ns() > end) {
            pr_err("cpu: CPU %u (APIC id %u) does not start", cpu, apic_id);
            lapic_send_init(apic_id);
            return -EIO;
        }
        smp_answer();
        cpu_relax();
    }
    return 0;
}

static int cpu_up(cpu_t cpu)
{
    static uint8_t kept[PAGE_SIZE];
    maddr_t at = low_page();
    uint8_t *page;
    uint64_t block;
    int rc = hvmap_cpu_block(cpu, &block);

    starting.cpu = cpu;
    starting.refused = NULL;
    starting.timer_slots = give_slots(cpu);
    if (rc == 0) {
        rc = pti_cpu_init(cpu, block);
    }
    if (rc != 0 || starting.timer_slots == NULL) {
        pr_err("cpu: no memory to start CPU %u", cpu);
        return -ENOMEM;
    }
    if (at == 0) {
        pr_err("cpu: no RAM below 1 MiB to start CPU %u in", cpu);
        return -EIO;
    }
    write_start_tables();
    /* The page may be somebody's: it is only borrowed. */
    page = maddr_to_ptr(at);
    memcpy(kept, page, PAGE_SIZE);
    write_trampoline(page, at,
                     block + CPU_BLOCK_BYTES - CPU_STRUCT_BYTES);
    rc = send_for(cpu, at);
    memcpy(page, kept, PAGE_SIZE);
    if (rc == 0) {
        (void)tsc_sync(cpu);
        virq_raise_global(VIRQ_PCPU_STATE);
    }
    return rc;
}

/* ---- the NMI line --------------------------------------------------------- */

static void take_nmi_line(void *arg)
{
    lapic_take_nmi_line(*(const bool *)arg);
}

/* For a moment two have it, and what comes then is told twice; never by none. */
static void move_nmi_line(cpu_t to)
{
    cpu_t from = nmi_line_cpu();
    bool take = true, leave = false;

    if (to != from) {
        nmi_set_line_cpu(to);
        smp_call(CPUMASK_OF(to), take_nmi_line, &take);
        smp_call(CPUMASK_OF(from), take_nmi_line, &leave);
    }
}

/* ---- stopping ------------------------------------------------------------- */

static void ask_to_park(void *arg)
{
    (void)arg;
    this_cpu()->parking = true;
}

/*
 * Nothing of a guest is here any more.  Whoever saw this CPU in a set before it
 * left may still ask it for something, and waits: it answers, and halts again.
 */
static void park(void)
{
    cpu_t cpu = this_cpu_id();

    tlb_leave();
    watchdog_cpu_down();
    ras_poll_cpu_down(); /* other timers go to another CPU */
    lapic_timer_arm(TIMER_NEVER);
    smp_set_online(cpu, false);
    for (;;) {
        irq_disable();
        smp_answer();
        spec_idle();
        idle_halt();
    }
}

static int cpu_down(cpu_t cpu)
{
    int rc = sched_cpu_down(cpu);

    if (rc == -EAGAIN) {
        return -ERESTART; /* the next time it may be empty */
    }
    if (rc == 0) {
        rc = irq_cpu_down(cpu);
    }
    if (rc != 0) {
        sched_cpu_up(cpu);
        return rc;
    }
    if (cpu == nmi_line_cpu()) {
        move_nmi_line(0);
    }
    smp_call(CPUMASK_OF(cpu), ask_to_park, NULL);
    while (smp_is_online(cpu)) {
        smp_answer();
        cpu_relax();
    }
    timer_take_from(cpu);
    pr_info("cpu: CPU %u is offline", cpu);
    virq_raise_global(VIRQ_PCPU_STATE);
    return 0;
}

static const struct smp_ops ops = {cpu_up, cpu_down, park};

void smp_init(unsigned int max)
{
    const struct acpi_madt *madt = acpi_madt();
    struct smp_cpu first = {.apic_id = lapic_id()};

    max_cpus = max;
    for (unsigned int i = 0; madt != NULL && i < madt->cpu_count; i++) {
        if (madt->cpu[i].apic_id == first.apic_id) {
            first.acpi_id = madt->cpu[i].acpi_uid;
        }
    }
    (void)smp_add_cpu(&first);
    smp_set_online(0, true);
    for (unsigned int i = 0; madt != NULL && i < madt->cpu_count; i++) {
        struct smp_cpu cpu = {.apic_id = madt->cpu[i].apic_id,
                              .acpi_id = madt->cpu[i].acpi_uid};

        if (cpu.apic_id == first.apic_id || !madt->cpu[i].is_enabled) {
            continue;
        }
        /* xAPIC reaches 8-bit ids only, and 255 is everybody. */
        if ((cpu.apic_id >= 255 && !lapic_is_x2()) || smp_add_cpu(&cpu) < 0) {
            pr_warn("cpu: APIC id %u cannot be used", cpu.apic_id);
        }
    }
    smp_plug(&ops);
    crash_stop_register(&stop_ops);
    tlb_init(ptr_to_maddr(hv_l4), pv_own_descriptors);
}

void smp_start_all(cpu_t nmi_cpu)
{
    for (cpu_t cpu = 1; cpu < smp_cpu_count() && cpu < max_cpus; cpu++) {
        if (smp_cpu_up(cpu) != 0) {
            pr_warn("boot: going on without CPU %u", cpu);
        }
    }
    if (smp_is_online(nmi_cpu)) {
        move_nmi_line(nmi_cpu);
    } else {
        pr_warn("boot: nmi_cpu=%u is not online: CPU 0 has the NMI line",
                nmi_cpu);
    }
    pr_info("cpu: %u of %u processors online%s", smp_online_count(),
            smp_cpu_count(), lapic_is_x2() ? ", x2APIC" : "");
}
