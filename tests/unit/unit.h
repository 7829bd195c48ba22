/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/unit.h - what every test program includes first: cmocka and the
 * headers it wants to have seen, in the order it wants them.
 */
#ifndef VIGIL_TESTS_UNIT_H
#define VIGIL_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef VIGIL_COVERAGE
#include <unistd.h>
/* A child of a test has taken branches, too. */
void __gcov_dump(void);
#define _exit(code) (__gcov_dump(), (_exit)(code))
#endif

#define UNIT_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
