/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/soft_int.h - the test is the exception handler.
 */
#ifndef VIGIL_FAKE_X86_SOFT_INT_H
#define VIGIL_FAKE_X86_SOFT_INT_H

/* Defined by the test that injects. */
void soft_machine_check(void);

#endif
