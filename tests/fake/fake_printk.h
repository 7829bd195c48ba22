/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_printk.h - what the fake log front end has seen.
 */
#ifndef VIGIL_FAKE_PRINTK_H
#define VIGIL_FAKE_PRINTK_H

extern char fake_printk_last[]; /* the newest line, formatted       */
extern unsigned int fake_printk_count;

#endif
