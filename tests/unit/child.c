/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/child.c - a story in a process of its own.
 */
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/child.h"

void in_child(void (*story)(void))
{
    static bool is_child;
    pid_t child;
    int status;

    /* A check that fails in a child goes on to the next story, in the child. */
    if (is_child) {
        _exit(1);
    }
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        is_child = true;
        alarm(60);
        story();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}
