/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/child.h - a story in a process of its own, for what cannot be undone.
 */
#ifndef VIGIL_TESTS_CHILD_H
#define VIGIL_TESTS_CHILD_H

/**
 * in_child() - run it in a child, which ends when it returns or says _exit(0)
 * @story: its checks are the test's: one that fails is a failure here
 *
 * Context: test.
 * Return:  nothing.
 */
void in_child(void (*story)(void));

#endif
