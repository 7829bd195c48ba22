/* SPDX-License-Identifier: MIT */
/* lib/hosted/limits.h - the compiler's own, which looks for this one, has all. */
