/* SPDX-License-Identifier: MIT */
/* lib/hosted/assert.h - C11's name; assert() itself is not for libraries. */
#define static_assert _Static_assert
