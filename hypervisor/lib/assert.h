/* SPDX-License-Identifier: MIT */
/*
 * lib/assert.h - conditions that only our own mistakes can break.
 * Nothing a guest, loader, table, register or old memory says may reach them.
 */
#ifndef VIGIL_LIB_ASSERT_H
#define VIGIL_LIB_ASSERT_H

#include "lib/panic.h"

#define STATIC_ASSERT(cond, msg) _Static_assert(cond, msg)

#define BUG_ON(cond)                                                           \
    do {                                                                       \
        if (unlikely(cond)) {                                                  \
            assert_failed(#cond, __FILE__, __LINE__);                          \
        }                                                                      \
    } while (0)

#ifdef VIGIL_DEBUG
#define ASSERT(cond) BUG_ON(!(cond))
#else
#define ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
