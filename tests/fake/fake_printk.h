/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_printk.h - what the fake log front end has seen.
 */
#ifndef VIGIL_FAKE_PRINTK_H
#define VIGIL_FAKE_PRINTK_H

#include <stdbool.h>

extern char fake_printk_last[]; /* the newest line, formatted       */
extern unsigned int fake_printk_count;

void fake_printk_forget(void);
/* Did a line since then have these words in it? */
bool fake_printk_said(const char *words);
/* Of fake_hw.c; the fake log does without in tests that have no CPUs. */
unsigned int fake_cpu_number(void) __attribute__((weak));

#endif
