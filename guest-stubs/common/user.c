/* SPDX-License-Identifier: MIT */
/* common/user.c - page tables of a user half, and pages for it. */
#include "user.h"

uint64_t user_l4[512] __page_aligned;
static uint64_t user_l3[512] __page_aligned;
static uint64_t user_l2[512] __page_aligned;
static uint64_t user_l1[512] __page_aligned;
static char user_code[PAGE_SIZE] __page_aligned;
uint64_t user_data[USER_DATA_MAX][512] __page_aligned;
uint64_t user_trap_stack[512] __page_aligned;

bool user_build(const void *code, size_t len, unsigned int pages)
{
    long rc;

    memcpy(user_code, code, len);
    user_l1[0] = mm_maddr(user_code) | PTE_FLAGS_RO;
    for (unsigned int i = 0; i < pages; i++) {
        user_l1[1 + i] = mm_maddr(user_data[i]) | PTE_FLAGS_DATA;
    }
    rc = hc_stack_switch(FLAT_KERNEL_SS, (unsigned long)&user_trap_stack[512]);
    if (!CHECK(rc == 0, "stack_switch: %ld", rc)) {
        return false;
    }
    rc = mm_user_tables(user_l4, user_l3, user_l2, user_l1);
    return CHECK(rc == 0, "user page tables: %ld", rc);
}
