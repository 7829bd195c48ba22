/* SPDX-License-Identifier: MIT */
/*
 * lib/panic.h - the fire alarm: the one call any floor may make upwards.
 * Defined in crash/panic.c (tests/fake/fire_alarm.c on the host).
 */
#ifndef VIGIL_LIB_PANIC_H
#define VIGIL_LIB_PANIC_H

#include "lib/compiler.h"

/**
 * panic() - record why the hypervisor cannot go on, and reset the machine
 * @fmt: printf format of one line without newline
 *
 * Context: any, NMI and #MC included; with any lock held.
 * Return:  never.
 */
void panic(const char *fmt, ...) NORETURN PRINTF_LIKE(1, 2);

/**
 * assert_failed() - panic for a false ASSERT or BUG_ON
 * @what: text of the condition
 * @file: source file
 * @line: source line
 *
 * Context: any.
 * Return:  never.
 */
void assert_failed(const char *what, const char *file, int line) NORETURN;

#endif
