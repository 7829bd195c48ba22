/* SPDX-License-Identifier: MIT */
/*
 * crash/reboot.h - leave the machine: reset, power off, halt.
 *
 * Restart tries, each with a bounded wait: the ACPI reset register (if dev/
 * plugged it in), port 0xcf9, the keyboard controller, a triple fault.
 */
#ifndef VIGIL_CRASH_REBOOT_H
#define VIGIL_CRASH_REBOOT_H

#include "lib/compiler.h"
#include "lib/types.h"

/*
 * Socket: firmware's ways; NULL: there is none.  Each may return, after a
 * bounded wait, if it did not work.
 */
struct reboot_ops {
    void (*acpi_reset)(void);
    void (*acpi_poweroff)(void);
};

/**
 * reboot_register() - plug in the ACPI methods
 * @ops: static storage; members may be NULL
 *
 * Context: boot.
 * Return:  nothing.
 */
void reboot_register(const struct reboot_ops *ops);

/**
 * reboot_set_noreboot() - the noreboot option: halt after a crash
 * @noreboot: true: machine_leave() halts
 *
 * Context: boot.
 * Return:  nothing.
 */
void reboot_set_noreboot(bool noreboot);

/**
 * reboot_set_option() - the option reboot=
 * @value: words or their first letters, with commas: acpi, pci (port 0xcf9),
 *         Power (the same, with a power cycle), kbd, triple: begin with that
 *         one, then the others in their order; no: halt instead; warm, cold:
 *         taken and without effect, there is no BIOS test to leave out
 *
 * Context: boot.
 * Return:  0, -EINVAL
 */
int reboot_set_option(const char *value) MUST_CHECK;

/**
 * machine_restart() - reset the machine
 *
 * Context: any.
 * Return:  never.
 */
void machine_restart(void) NORETURN;

/**
 * machine_poweroff() - switch the machine off; halts if that is impossible
 *
 * Context: any.
 * Return:  never.
 */
void machine_poweroff(void) NORETURN;

/**
 * machine_halt() - stop this CPU for ever
 *
 * Context: any.
 * Return:  never.
 */
void machine_halt(void) NORETURN;

/**
 * machine_leave() - the end of a crash: restart, or halt with noreboot
 *
 * Context: dying.
 * Return:  never.
 */
void machine_leave(void) NORETURN;

#endif
