/* SPDX-License-Identifier: MIT */
/*
 * crash/reboot.c - ways to leave the machine, the polite ones first.
 *
 * Each way that is tried is a line of the log, so that the last line names the
 * one that worked, or hung.
 *
 * The other CPUs are stopped by NMI: it reaches them with interrupts off too.
 * That may be anywhere, so what follows takes no lock but the sinks', which
 * this CPU holds meanwhile.
 */
#include "crash/reboot.h"

#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/crash_asm.h"
#include "x86/io.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "log/sink.h"
#include "cpu/clock.h"
#include "crash/blackbox.h"
#include "crash/panic.h"
#include "crash/stop.h"

#define PORT_DELAY   0x80 /* POST code port: a read takes about 1 us */
#define PORT_RESET   0xcf9
#define PORT_KBD_CMD 0x64

#define RESET_SYSTEM    0x02 /* 0xcf9: kind of reset: the whole system     */
#define RESET_CPU       0x04 /* 0xcf9: the 0 -> 1 edge resets              */
#define RESET_POWER     0x08 /* 0xcf9: with a power cycle                  */
#define KBD_INPUT_FULL  0x02 /* status: the controller has not read yet    */
#define KBD_PULSE_RESET 0xfe /* command: pulse the CPU's reset line        */

#define RESET_WAIT_US 50000
#define KBD_WAIT_US   10000

#define ITEM_BYTES 16

/* Real mode's vectors: offset and segment, 4 bytes each. */
#define IVT_NMI   (2 * 4)
#define IVT_SPARE (0x7f * 4) /* no BIOS and no system uses it: code here   */
#define IRET_CODE 0xcf

/* The BIOS's word 0x472: what else it has is a reset like power-on. */
#define BIOS_WARM 0x1234
#define BIOS_COLD 0

enum reboot_way {
    BY_ACPI,
    BY_PORT,
    BY_KEYBOARD,
    BY_TRIPLE,
    BY_COUNT
};

/* c: set at boot */
static const struct reboot_ops *reboot_ops;
static bool noreboot_asked;
static enum reboot_way first_way = BY_ACPI;
static bool never_reboot;
static uint8_t port_bits = RESET_SYSTEM;
static volatile uint16_t *bios_flag;
static uint16_t bios_kind = BIOS_COLD;

static void (*stop_watchdog)(void);

static uint32_t leaver; /* a: CPU + 1 of who leaves the machine, 0: nobody */

void reboot_register(const struct reboot_ops *ops)
{
    reboot_ops = ops;
}

void reboot_set_noreboot(bool noreboot)
{
    noreboot_asked = noreboot;
}

static int set_item(const char *item)
{
    static const struct {
        const char *word;
        enum reboot_way way;
    } words[] = {
        {"acpi", BY_ACPI},    {"pci", BY_PORT},      {"Power", BY_PORT},
        {"kbd", BY_KEYBOARD}, {"triple", BY_TRIPLE}, {"no", BY_COUNT},
        {"warm", BY_COUNT},   {"cold", BY_COUNT},
    };
    size_t len = strlen(item);

    for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
        const char *word = words[i].word;

        /* The whole word, or its first letter. */
        if (strcmp(item, word) != 0 && (len != 1 || item[0] != word[0])) {
            continue;
        }
        if (words[i].way != BY_COUNT) {
            first_way = words[i].way;
        }
        if (word[0] == 'P') {
            port_bits = RESET_SYSTEM | RESET_POWER;
        }
        if (word[0] == 'w' || word[0] == 'c') {
            bios_kind = word[0] == 'w' ? BIOS_WARM : BIOS_COLD;
        }
        never_reboot = never_reboot || word[0] == 'n';
        return 0;
    }
    return -EINVAL;
}

void reboot_set_bios_flag(volatile uint16_t *word)
{
    bios_flag = word;
}

void reboot_catch_nmi(uint8_t *ivt)
{
    const uint32_t far = IVT_SPARE; /* of segment 0 */
    uint32_t vector, spare;

    memcpy(&vector, ivt + IVT_NMI, sizeof(vector));
    memcpy(&spare, ivt + IVT_SPARE, sizeof(spare));
    if (vector == 0 && spare == 0) {
        ivt[IVT_SPARE] = IRET_CODE;
        memcpy(ivt + IVT_NMI, &far, sizeof(far));
    }
}

int reboot_set_option(const char *value)
{
    char item[ITEM_BYTES];
    int rc = -EINVAL;

    while (parse_next(&value, ',', item, sizeof(item))) {
        rc = set_item(item);
        if (rc != 0) {
            break;
        }
    }
    return rc;
}

void reboot_set_hardware_watchdog(void (*stop)(void))
{
    stop_watchdog = stop;
}

/* For good, on purpose. */
static NORETURN void stand(void)
{
    if (stop_watchdog != NULL) {
        stop_watchdog();
    }
    for (;;) {
        halt();
    }
}

static void wait_us(unsigned int us)
{
    for (; us > 0; us--) {
        (void)inb(PORT_DELAY);
    }
}

/* One leaves; who dies on another CPU needs this machine more. */
static void claim(void)
{
    uint32_t me = this_cpu_id() + 1;
    bool mine;

    if (crash_in_progress()) {
        mine = (this_cpu()->context & CTX_IN(CTX_CRASH)) != 0;
    } else {
        mine = atomic_cas(&leaver, 0U, me) || atomic_load(&leaver) == me;
    }
    if (!mine) {
        crash_stop_park(NULL);
    }
}

static void stop_others(void)
{
    unsigned int silent;

    log_hold();
    silent = crash_stop_others(clock_tsc_khz());
    log_release();
    if (silent != 0) {
        printk(LOG_WARNING, "%u CPUs did not stop", silent);
    }
}

/* While nobody is dying this is an orderly end: say so in the black box. */
void machine_close(const char *how)
{
    irq_disable();
    claim();
    if (!crash_in_progress()) {
        printk(LOG_NOTICE, "%s", how);
        blackbox_clean(how);
        log_flush();
        stop_others();
    }
}

void machine_halt(void)
{
    machine_close("machine halted");
    stand();
}

static void by_acpi(void)
{
    reboot_ops->acpi_reset();
}

static void by_port(void)
{
    outb(PORT_RESET, port_bits);
    wait_us(50);
    outb(PORT_RESET, port_bits | RESET_CPU);
}

static void by_keyboard(void)
{
    for (unsigned int us = 0; us < KBD_WAIT_US; us++) {
        if (!(inb(PORT_KBD_CMD) & KBD_INPUT_FULL)) {
            break;
        }
        wait_us(1);
    }
    outb(PORT_KBD_CMD, KBD_PULSE_RESET);
}

static void by_triple(void)
{
    triple_fault();
}

static void attempt(enum reboot_way way)
{
    static const struct {
        const char *name;
        void (*go)(void);
    } ways[BY_COUNT] = {
        [BY_ACPI] = {"the ACPI reset register", by_acpi},
        [BY_PORT] = {"port 0xcf9", by_port},
        [BY_KEYBOARD] = {"the keyboard controller", by_keyboard},
        [BY_TRIPLE] = {"a triple fault", by_triple},
    };

    if (way == BY_ACPI && (!reboot_ops || !reboot_ops->acpi_reset)) {
        return;
    }
    if (crash_in_progress()) {
        printk(LOG_PANIC, "Reset by %s.", ways[way].name);
    } else {
        printk(LOG_NOTICE, "reset by %s", ways[way].name);
        log_flush();
    }
    ways[way].go();
    wait_us(RESET_WAIT_US);
}

void machine_restart(void)
{
    machine_close("machine restarts");
    if (never_reboot) {
        printk(LOG_PANIC, "Halted: the option reboot=no was given.");
        stand();
    }
    if (bios_flag != NULL) {
        *bios_flag = bios_kind;
    }
    attempt(first_way);
    for (enum reboot_way way = BY_ACPI; way < BY_COUNT; way++) {
        if (way != first_way) {
            attempt(way);
        }
    }
    triple_fault();
}

void machine_poweroff(void)
{
    machine_close("machine powers off");
    if (reboot_ops && reboot_ops->acpi_poweroff) {
        reboot_ops->acpi_poweroff();
        wait_us(RESET_WAIT_US);
    }
    printk(LOG_ERROR, "power off did not work; halted");
    machine_halt();
}

void machine_leave(void)
{
    if (noreboot_asked) {
        printk(LOG_PANIC, "Halted: the option noreboot was given.");
        stand();
    }
    printk(LOG_PANIC, "Resetting the machine.");
    wait_us(log_linger_ms() * 1000);
    machine_restart();
}
