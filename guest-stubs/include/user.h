/* SPDX-License-Identifier: MIT */
/*
 * user.h - a user half of a stub's address space; for those that link
 * common/user.o.
 *
 *   USER_VA        a page of code, read-only
 *   USER_DATA_VA   pages of data; whoever wants a stack has the end of one
 */
#ifndef VIGIL_STUBS_USER_H
#define VIGIL_STUBS_USER_H

#include "stub.h"

#define USER_VA        0x400000UL
#define USER_DATA_VA   (USER_VA + PAGE_SIZE)
#define USER_STACK     (USER_DATA_VA + PAGE_SIZE)
#define USER_DATA_MAX  4

extern uint64_t user_l4[512];
extern uint64_t user_data[USER_DATA_MAX][512];
extern uint64_t user_trap_stack[512];

/**
 * user_build() - make the user half, and the stack that traps from it use
 * @code:  what is copied to USER_VA
 * @len:   its bytes, at most a page
 * @pages: of data that are mapped, 0 to USER_DATA_MAX
 *
 * Other entries of user_l4 may have been filled in before.
 * Context: once.
 * Return:  false: the hypervisor refused something, which has been reported
 */
bool user_build(const void *code, size_t len, unsigned int pages);

#endif
