/* SPDX-License-Identifier: MIT */
/*
 * dump_machine.c - the machine around crash/dump: APIC, clock, names, stacks.
 */
#include "tests/unit/crash/dump_machine.h"

#include "x86/percpu.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/smp.h"
#include "cpu/tenant.h"
#include "crash/backtrace.h"
#include "crash/dump.h"
#include "crash/notes.h"
#include "crash/symbols.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "tests/unit/domain/atomic_steps.h"

cpumask_t cpus_online;
struct cpu_block *cpu_blocks[NR_CPUS];

cpumask_t dead, sent;
uint64_t now_ns;
bool asks_again;
uint64_t stack = 0x77;
unsigned int frames;
struct cpu_regs in_hv = {
    .rip = 0x1234, .cs = 0xe008, .rbp = 0x5000, .rflags = 2};
static const struct cpu_regs in_guest = {.rip = 0x4321, .cs = 0xe033};

void (*in_walk)(void), (*in_words)(void), (*in_wait)(void), (*in_step)(void);
unsigned int steps;

static void happens(void (**what)(void))
{
    void (*it)(void) = *what;
    unsigned int me = fake_cpu;

    *what = NULL;
    if (it != NULL) {
        it();
    }
    fake_cpu = me;
}

void atomic_step(void)
{
    if (in_step != NULL && --steps == 0) {
        happens(&in_step);
    }
}

uint64_t clock_now_ns(void)
{
    happens(&in_wait);
    return now_ns += 1000;
}

size_t symbol_format(char *buf, size_t size, uint64_t addr)
{
    return (size_t)snprintf(buf, size, "fn%lx", (unsigned long)addr);
}

size_t symbol_format_return(char *buf, size_t size, uint64_t addr)
{
    size_t len = (size_t)snprintf(buf, size, "back%lx", (unsigned long)addr);

    happens(&in_words);
    return len;
}

unsigned int backtrace_walk_nmi(uint64_t rbp, uint64_t *ret_rips,
                                unsigned int max)
{
    assert_in_range(max, 8, 32);
    assert_int_equal(rbp, 0x5000);
    ret_rips[0] = stack;
    happens(&in_walk);
    for (unsigned int i = 1; i < frames; i++) {
        ret_rips[i] = stack + 0x11 * i;
    }
    return frames;
}

void crash_note(const char *fmt, ...)
{
    char line[200];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    printk(LOG_PANIC, "last: %s", line);
}

void last_words(void)
{
    unsigned int count = 0;

    fake_printk_forget();
    fake_printk_count = 0;
    for (const struct crash_note *n = __crash_notes_start;
         n < __crash_notes_end; n++) {
        n->write();
        count++;
    }
    assert_int_equal(count, 1);
}

void lapic_nmi(uint32_t apic_id)
{
    unsigned int me = fake_cpu;

    /* APIC ids are not CPU numbers. */
    assert_int_equal(apic_id % 2, 0);
    sent |= CPUMASK_OF(apic_id / 2);
    if ((dead >> (apic_id / 2) & 1) != 0) {
        return;
    }
    fake_cpu = apic_id / 2;
    assert_true(dump_is_on());
    this_cpu()->context =
        context_within(fake_cpu == 1 ? CTX_IRQ : 0, CTX_NMI, fake_cpu == 2);
    assert_true(dump_if_asked(fake_cpu == 2 ? &in_guest : &in_hv));
    assert_false(dump_if_asked(&in_hv)); /* once */
    if (asks_again) {
        assert_int_equal(dump_cpus(LOG_ERROR, &in_hv, LIMIT), DUMP_NOT_NOW);
    }
    fake_cpu = me;
}

void forget(void)
{
    fake_printk_forget();
    fake_printk_count = 0;
}

void nmi_of(unsigned int cpu)
{
    unsigned int me = fake_cpu;

    fake_cpu = cpu;
    this_cpu()->work = 0;
    assert_true(dump_if_asked(&in_hv));
    fake_cpu = me;
}

void add_cpus(unsigned int count)
{
    cpus_online = 0;
    for (unsigned int i = 0; i < count; i++) {
        fake_cpu_blocks[i].cpu_id = i;
        fake_cpu_blocks[i].apic_id = 2 * i;
        fake_cpu_blocks[i].work = 0;
        cpu_blocks[i] = &fake_cpu_blocks[i];
        cpus_online |= CPUMASK_OF(i);
    }
}

int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    add_cpus(CPUS);
    fake_cpu = 2;
    tenant_set(7, 3);
    fake_cpu = 0;
    dead = sent = 0;
    asks_again = false;
    in_walk = in_words = in_wait = in_step = NULL;
    in_hv.rip = 0x1234;
    stack = 0x77;
    frames = 2;
    forget();
    return 0;
}
