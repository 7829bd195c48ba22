/* SPDX-License-Identifier: MIT */
/*
 * crash/reboot.c - ways to leave the machine, the polite ones first.
 */
#include "crash/reboot.h"

#include "x86/crash_asm.h"
#include "x86/io.h"
#include "x86/irqflags.h"
#include "log/printk.h"
#include "log/sink.h"
#include "crash/blackbox.h"
#include "crash/panic.h"

#define PORT_DELAY   0x80 /* POST code port: a read takes about 1 us */
#define PORT_RESET   0xcf9
#define PORT_KBD_CMD 0x64

#define RESET_SYSTEM    0x02 /* 0xcf9: kind of reset: the whole system     */
#define RESET_CPU       0x04 /* 0xcf9: the 0 -> 1 edge resets              */
#define KBD_INPUT_FULL  0x02 /* status: the controller has not read yet    */
#define KBD_PULSE_RESET 0xfe /* command: pulse the CPU's reset line        */

#define RESET_WAIT_US 50000
#define KBD_WAIT_US   10000

/* c: set at boot */
static const struct reboot_ops *reboot_ops;
static bool noreboot_asked;

void reboot_register(const struct reboot_ops *ops)
{
    reboot_ops = ops;
}

void reboot_set_noreboot(bool noreboot)
{
    noreboot_asked = noreboot;
}

static void wait_us(unsigned int us)
{
    for (; us > 0; us--) {
        (void)inb(PORT_DELAY);
    }
}

/* While nobody is dying this is an orderly end: say so in the black box. */
static void close_box(const char *how)
{
    irq_disable();
    if (!crash_in_progress()) {
        printk(LOG_NOTICE, "%s", how);
        blackbox_clean(how);
        log_flush();
    }
}

void machine_halt(void)
{
    close_box("machine halted");
    for (;;) {
        halt();
    }
}

void machine_restart(void)
{
    close_box("machine restarts");

    if (reboot_ops && reboot_ops->acpi_reset) {
        reboot_ops->acpi_reset();
        wait_us(RESET_WAIT_US);
    }

    outb(PORT_RESET, RESET_SYSTEM);
    wait_us(50);
    outb(PORT_RESET, RESET_SYSTEM | RESET_CPU);
    wait_us(RESET_WAIT_US);

    for (unsigned int us = 0; us < KBD_WAIT_US; us++) {
        if (!(inb(PORT_KBD_CMD) & KBD_INPUT_FULL)) {
            break;
        }
        wait_us(1);
    }
    outb(PORT_KBD_CMD, KBD_PULSE_RESET);
    wait_us(RESET_WAIT_US);

    triple_fault();
}

void machine_poweroff(void)
{
    close_box("machine powers off");
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
        for (;;) {
            halt();
        }
    }
    printk(LOG_PANIC, "Resetting the machine.");
    wait_us(log_linger_ms() * 1000);
    machine_restart();
}
