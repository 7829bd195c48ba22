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
 *         the BIOS shall leave out its test of the memory, or not (cold)
 *
 * Context: boot.
 * Return:  0, -EINVAL
 */
int reboot_set_option(const char *value) MUST_CHECK;

/**
 * reboot_set_bios_flag() - where the BIOS looks for what kind of reset it was
 * @word: the word of its data area; NULL: the firmware is no BIOS
 *
 * Context: boot.
 * Return:  nothing.
 */
void reboot_set_bios_flag(volatile uint16_t *word);

/**
 * reboot_catch_nmi() - let an NMI that outlives a reset do no harm
 * @ivt: real mode's table of vectors, at machine address 0
 *
 * A reset takes some time on its way through a machine: the processor may have
 * been reset when the pin of the watchdog's NMIs still moves, and is routed (QEMU
 * 7.2 does that).  It takes the NMI before the firmware's first instruction, by
 * real mode's vector 2.  A BIOS has left its own there.  With UEFI nobody has, and
 * the processor runs through zeros: what is empty gets an IRET.
 *
 * Context: boot.
 * Return:  nothing.
 */
void reboot_catch_nmi(uint8_t *ivt);

/**
 * reboot_set_hardware_watchdog() - how to keep hardware from resetting
 * @stop: called where the machine is to stand; takes no lock
 *
 * Context: boot.
 * Return:  nothing.
 */
void reboot_set_hardware_watchdog(void (*stop)(void));

/**
 * machine_close() - the machine is about to be left: no way back
 * @how: one line for the log and the black box
 *
 * Stops the other CPUs, in a second at most; interrupts are off afterwards.  If
 * another CPU is dying or leaves already, this one stops for it instead.  A
 * dying one has done all that.
 *
 * Context: any but NMI/#MC; dying.
 * Return:  nothing.
 */
void machine_close(const char *how);

/**
 * machine_restart() - reset the machine, after machine_close()
 *
 * Context: any but NMI/#MC; dying.
 * Return:  never.
 */
void machine_restart(void) NORETURN;

/**
 * machine_poweroff() - switch the machine off, after machine_close()
 *
 * Halts if that is impossible.
 *
 * Context: any but NMI/#MC.
 * Return:  never.
 */
void machine_poweroff(void) NORETURN;

/**
 * machine_halt() - stop all CPUs for ever
 *
 * Context: any but NMI/#MC.
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
