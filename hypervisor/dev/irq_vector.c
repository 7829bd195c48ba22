/* SPDX-License-Identifier: MIT */
/*
 * dev/irq_vector.c - which vector an irq has, and which CPU it is sent to
 * (docs/adr/0019-vectors-and-affinity.md).
 *
 * Each CPU has its own table of vectors, but an irq keeps one number for life:
 * moving it means writing a destination, one aligned 32-bit word of the device
 * or the IO-APIC, so no message is ever torn and none has to be held up.  As
 * long as there is a number that no CPU uses, a new irq gets such a one, and
 * can go everywhere.
 *
 * A message may be on its way to the old CPU while the device is told of the
 * new one.  So the old CPU's entry stays: it is taken from the irq only when
 * somebody needs the number there and the move is a second old.
 *
 * The lock is irq_lock; irq_at() reads without.
 */
#include "lib/errno.h"
#include "cpu/clock.h"
#include "dev/ioapic.h"
#include "dev/irq_impl.h"
#include "log/printk.h"
#include "x86/percpu.h"

/* Linux and others use "int 0x80"; the gate is open to guests. */
#define VECTOR_LEGACY_SYSCALL 0x80

#define VECTORS       256U
#define VECTOR_UNUSED (-1)
#define STALE_NS      1000000000ULL

/* An irq that was moved stays for a while, whatever its vcpu does. */
#define MOVE_PAUSE_NS 10000000ULL

/* What the destination field of messages and pins can name. */
#define APIC_ID_MAX 254U

static int16_t vector_irq[NR_CPUS][VECTORS];
static uint64_t irq_cpus; /* bit for each CPU that takes device interrupts */
static uint32_t apic_ids[NR_CPUS];

static bool cpu_takes_irqs(cpu_t cpu)
{
    return cpu < NR_CPUS && (irq_cpus >> cpu & 1) != 0;
}

void irq_vectors_init(void)
{
    irq_cpus = 0;
    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        for (unsigned int v = 0; v < VECTORS; v++) {
            vector_irq[cpu][v] = VECTOR_UNUSED;
        }
    }
}

int irq_at(cpu_t cpu, unsigned int vector)
{
    return cpu < NR_CPUS && vector < VECTORS
               ? READ_ONCE(vector_irq[cpu][vector])
               : VECTOR_UNUSED;
}

uint32_t irq_apic(const struct irq_desc *desc)
{
    return apic_ids[desc->cpu];
}

/* ---- taking vectors -------------------------------------------------------- */

/* Left behind by an irq that has long been elsewhere? */
static bool is_stale(cpu_t cpu, int irq)
{
    return irq_descs[irq].cpu != cpu &&
           clock_now_ns() - irq_descs[irq].moved_ns > STALE_NS;
}

static bool is_free_on(cpu_t cpu, unsigned int vector)
{
    int irq = vector_irq[cpu][vector];

    return irq == VECTOR_UNUSED || is_stale(cpu, irq);
}

static bool is_free_everywhere(unsigned int vector)
{
    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        if (vector_irq[cpu][vector] != VECTOR_UNUSED) {
            return false;
        }
    }
    return true;
}

/* A run of @count from an aligned start; on any CPU, or just @cpu. */
static unsigned int find_run(unsigned int count, bool everywhere, cpu_t cpu)
{
    unsigned int v = (IRQ_VECTOR_FIRST + count - 1) & ~(count - 1);

    for (; v + count - 1 <= IRQ_VECTOR_LAST; v += count) {
        unsigned int i = 0;

        while (i < count && v + i != VECTOR_LEGACY_SYSCALL &&
               (everywhere ? is_free_everywhere(v + i)
                           : is_free_on(cpu, v + i))) {
            i++;
        }
        if (i == count) {
            return v;
        }
    }
    return 0;
}

static cpu_t first_cpu(void)
{
    return (cpu_t)__builtin_ctzll(irq_cpus);
}

int irq_vectors_take(unsigned int first, unsigned int count)
{
    cpu_t cpu = first_cpu();
    unsigned int v = find_run(count, true, cpu);

    for (cpu_t c = cpu; v == 0 && c < NR_CPUS; c++) {
        if (cpu_takes_irqs(c)) {
            cpu = c;
            v = find_run(count, false, c);
        }
    }
    if (v == 0) {
        return -ENOSPC;
    }
    for (unsigned int i = 0; i < count; i++) {
        irq_descs[first + i].vector = (uint8_t)(v + i);
        irq_descs[first + i].cpu = cpu;
        irq_descs[first + i].wanted = cpu;
        WRITE_ONCE(vector_irq[cpu][v + i], (int16_t)(first + i));
    }
    return 0;
}

void irq_vector_free(unsigned int irq)
{
    unsigned int v = irq_descs[irq].vector;

    for (cpu_t cpu = 0; v != 0 && cpu < NR_CPUS; cpu++) {
        if (vector_irq[cpu][v] == (int)irq) {
            WRITE_ONCE(vector_irq[cpu][v], VECTOR_UNUSED);
        }
    }
    irq_descs[irq].vector = 0;
}

/* ---- moving ------------------------------------------------------------------ */

/* The numbers of @count irqs are theirs on @cpu, too. */
static int places_take(unsigned int first, unsigned int count, cpu_t cpu)
{
    for (unsigned int i = 0; i < count; i++) {
        unsigned int v = irq_descs[first + i].vector;

        if (vector_irq[cpu][v] != (int)(first + i) && !is_free_on(cpu, v)) {
            return -ENOSPC;
        }
    }
    for (unsigned int i = 0; i < count; i++) {
        /* Before the device knows of it: the first one finds its meaning. */
        __atomic_store_n(&vector_irq[cpu][irq_descs[first + i].vector],
                         (int16_t)(first + i), __ATOMIC_RELEASE);
    }
    return 0;
}

int irq_move_locked(unsigned int irq, cpu_t cpu)
{
    struct irq_desc *desc = &irq_descs[irq];
    bool is_block = desc->is_msi && !desc->is_msix;
    unsigned int count = is_block ? desc->block : 1;
    uint64_t now = clock_now_ns();
    int rc;

    if (!cpu_takes_irqs(cpu)) {
        return -EINVAL;
    }
    if (desc->vector == 0 || (is_block && desc->entry != 0)) {
        return 0;
    }
    rc = places_take(irq, count, cpu);
    for (unsigned int i = 0; i < count; i++) {
        WRITE_ONCE(irq_descs[irq + i].moved_ns, now); /* or tried */
        irq_descs[irq + i].wanted = rc == 0 ? cpu : desc->cpu;
    }
    if (rc != 0) {
        return rc;
    }
    for (unsigned int i = 0; i < count; i++) {
        WRITE_ONCE(irq_descs[irq + i].cpu, cpu);
    }
    if (desc->is_msi) {
        msi_move(desc);
    } else {
        ioapic_set_target(irq, irq_apic(desc));
    }
    return 0;
}

void irq_follow(unsigned int irq, cpu_t cpu)
{
    struct irq_desc *desc;
    unsigned long flags;

    if (irq >= NR_IRQS) {
        return;
    }
    desc = &irq_descs[irq];
    if (READ_ONCE(desc->cpu) == cpu ||
        clock_now_ns() - READ_ONCE(desc->moved_ns) < MOVE_PAUSE_NS) {
        return;
    }
    flags = spin_lock_irqsave(&irq_lock);
    if (desc->exists && desc->fn != NULL && cpu_takes_irqs(cpu)) {
        if (desc->is_msi || !desc->is_level) {
            /* Full there: it stays, which is slower but not wrong. */
            (void)!irq_move_locked(irq, cpu);
        } else {
            desc->wanted = cpu; /* by irq_eoi(), while it is masked */
        }
    }
    spin_unlock_irqrestore(&irq_lock, flags);
}

/* ---- CPUs come and go -------------------------------------------------------- */

void irq_cpu_up(cpu_t cpu, uint32_t apic_id)
{
    unsigned long flags;

    if (cpu >= NR_CPUS || apic_id > APIC_ID_MAX) {
        return; /* it works, but device interrupts go to others */
    }
    flags = spin_lock_irqsave(&irq_lock);
    apic_ids[cpu] = apic_id;
    irq_cpus |= 1ULL << cpu;
    spin_unlock_irqrestore(&irq_lock, flags);
}

/* To the first CPU that has room for it. */
static int move_anywhere(unsigned int irq)
{
    int rc = -ENOSPC;

    for (cpu_t c = 0; c < NR_CPUS && rc != 0; c++) {
        if (cpu_takes_irqs(c)) {
            rc = irq_move_locked(irq, c);
        }
    }
    return rc;
}

int irq_cpu_down(cpu_t cpu)
{
    unsigned long flags;
    int rc = 0;

    if (!cpu_takes_irqs(cpu)) {
        return 0;
    }
    flags = spin_lock_irqsave(&irq_lock);
    irq_cpus &= ~(1ULL << cpu);
    if (irq_cpus == 0) {
        rc = -EBUSY;
    }
    for (unsigned int irq = 0; irq < NR_IRQS && rc == 0; irq++) {
        struct irq_desc *desc = &irq_descs[irq];

        if (desc->exists && desc->vector != 0 && desc->cpu == cpu) {
            rc = move_anywhere(irq);
        }
        if (desc->wanted == cpu) {
            desc->wanted = desc->cpu;
        }
    }
    if (rc != 0) {
        irq_cpus |= 1ULL << cpu;
    }
    spin_unlock_irqrestore(&irq_lock, flags);
    if (rc != 0) {
        pr_warn("dev: CPU %u cannot go: no other has room for the interrupts "
                "it takes",
                cpu);
    }
    return rc;
}
