/* SPDX-License-Identifier: MIT */
/*
 * hypercall/debug_keys_machine.c - debug keys about the machine: timers,
 * clocks, NMIs, nodes, IO-APICs; and about the log itself.
 */
#include "hypercall/debug_keys_impl.h"

#include "lib/bits.h"
#include "log/conring.h"
#include "log/printk.h"
#include "log/sink.h"
#include "x86/atomic.h"
#include "cpu/clock.h"
#include "cpu/smp.h"
#include "cpu/timer.h"
#include "crash/dump.h"
#include "crash/symbols.h"
#include "mm/heap.h"
#include "dev/ioapic.h"
#include "dev/numa.h"
#include "dev/numa_memory.h"
#include "ras/mce.h"
#include "ras/nmi.h"

#define TIMERS_SHOWN 8U
#define NAME_BYTES   64
#define RING_CHUNK   1024U

/* Registers of an IO-APIC. */
#define IOAPIC_VERSION 1U
#define IOAPIC_ENTRIES 0x10U

/* Do + and - change what is shown about guests?  a */
static bool adjusts_guests;

static void print_timers(cpu_t cpu, uint64_t now)
{
    struct timer_waiting list[TIMERS_SHOWN];
    unsigned int count = timer_list(cpu, list, TIMERS_SHOWN);
    char name[NAME_BYTES];

    printk(LOG_NOTICE, "CPU %u: %u timers%s", cpu, count,
           count > TIMERS_SHOWN ? ", of these:" : "");
    for (unsigned int i = 0; i < MIN(count, TIMERS_SHOWN); i++) {
        (void)symbol_format(name, sizeof(name), (uint64_t)list[i].fn);
        printk(LOG_NOTICE, "  in %ld us: %s",
               (long)(list[i].deadline_ns - now) / 1000, name);
    }
}

void debug_key_timers(void)
{
    uint64_t now = clock_now_ns();

    for (cpu_t cpu = 0; cpu < smp_cpu_count(); cpu++) {
        if (smp_is_online(cpu)) {
            print_timers(cpu, now);
        }
    }
}

void debug_key_cpus(void)
{
    if (dump_cpus(LOG_NOTICE, NULL, DUMP_PATIENT_NS) == DUMP_NOT_NOW) {
        printk(LOG_NOTICE, "somebody else has just asked them");
    }
}

void debug_key_clocks(void)
{
    uint64_t now = clock_now_ns();

    printk(LOG_NOTICE, "TSC of %lu kHz, was %lx at boot, is %lx",
           clock_tsc_khz(), clock_tsc_base(), clock_ns_to_tsc(now));
    printk(LOG_NOTICE, "system time %lu ns, wall clock %lu s since 1970", now,
           (clock_wall_base_ns() + now) / 1000000000);
}

void debug_key_nmi(void)
{
    const struct ras_counters *c = &ras_counters;

    printk(LOG_NOTICE,
           "NMIs: %lu, of these SERR %lu IOCHK %lu unknown %lu firmware %lu; only "
           "counted, in storms, %lu; Dom0 took %lu, %s waits",
           READ_ONCE(c->nmi_total), READ_ONCE(c->nmi_serr),
           READ_ONCE(c->nmi_iochk), READ_ONCE(c->nmi_unknown),
           READ_ONCE(c->nmi_firmware),
           READ_ONCE(c->nmi_left_out), READ_ONCE(c->nmi_reflected),
           nmi_waits_for_dom0() ? "one" : "none");
    printk(LOG_NOTICE,
           "machine checks: %lu, recovered %lu, corrected errors %lu, given to "
           "guests %lu",
           READ_ONCE(c->mce_total), READ_ONCE(c->mce_recovered),
           READ_ONCE(c->mce_corrected), READ_ONCE(c->vmce_delivered));
}

static void print_node(unsigned int node)
{
    uint64_t total, free_frames;
    unsigned int cpus = 0;

    for (cpu_t cpu = 0; cpu < smp_cpu_count(); cpu++) {
        cpus += numa_node_of_apic(smp_cpu(cpu)->apic_id) == node;
    }
    numa_memory(node, &total, &free_frames);
    printk(LOG_NOTICE, "node %u: %u processors, %lu frames, %lu free", node,
           cpus, total, free_frames);
    for (unsigned int i = 0; i < numa_node_count(); i++) {
        printk(LOG_NOTICE, "  distance to node %u: %u", i,
               numa_distance(node, i));
    }
}

void debug_key_nodes(void)
{
    struct numa_range r;

    for (unsigned int i = 0; i < numa_node_count(); i++) {
        print_node(i);
    }
    for (unsigned int i = 0; numa_range(i, &r); i++) {
        printk(LOG_NOTICE, "memory %lx to %lx: node %u", r.start, r.end - 1,
               r.node);
    }
}

static void print_ioapic(uint64_t base)
{
    uint32_t version, low, high;

    if (ioapic_read_register(base, IOAPIC_VERSION, &version) != 0) {
        return;
    }
    printk(LOG_NOTICE, "IO-APIC at %lx: version %#x, %u pins", base,
           version & 0xff, (version >> 16 & 0xff) + 1);
    for (uint32_t pin = 0; pin <= (version >> 16 & 0xff); pin++) {
        uint32_t reg = IOAPIC_ENTRIES + 2 * pin;

        if (ioapic_read_register(base, reg, &low) == 0 &&
            ioapic_read_register(base, reg + 1, &high) == 0) {
            printk(LOG_NOTICE, "  pin %u: %08x %08x, vector %#x%s", pin, high,
                   low, low & 0xff, (low >> 16 & 1) != 0 ? " masked" : "");
        }
    }
}

void debug_key_ioapics(void)
{
    uint64_t base;

    for (unsigned int i = 0; (base = ioapic_address(i)) != 0; i++) {
        print_ioapic(base);
    }
}

void debug_key_ring(void)
{
    char *chunk = heap_alloc(RING_CHUNK);
    bool incremental = false;
    uint32_t at = 0, done = 0;
    size_t n;

    if (chunk == NULL) {
        return;
    }
    /* What others add meanwhile may go on for ever. */
    while (done < CONRING_BYTES &&
           (n = conring_read(chunk, RING_CHUNK, incremental, at, &at)) != 0) {
        log_sink_write(chunk, n);
        done += (uint32_t)n;
        incremental = true;
    }
    heap_free(chunk);
}

static void step(bool more)
{
    bool guests = READ_ONCE(adjusts_guests);
    char levels[32];

    log_step_levels(guests, more);
    log_get_levels(guests, levels, sizeof(levels));
    printk(LOG_NOTICE, "%s messages are shown up to level '%s'",
           guests ? "guests'" : "our", levels);
}

void debug_key_more(void)
{
    step(true);
}

void debug_key_less(void)
{
    step(false);
}

void debug_key_whose(void)
{
    WRITE_ONCE(adjusts_guests, !adjusts_guests);
    printk(LOG_NOTICE, "+ and - change the levels of %s messages",
           adjusts_guests ? "guests'" : "our");
}
