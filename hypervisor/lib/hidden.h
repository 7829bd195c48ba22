/* SPDX-License-Identifier: MIT */
/*
 * lib/hidden.h - included before everything: external data is in the same
 * image, so the compiler may address it relative to rip, without a GOT.
 */
#pragma GCC visibility push(hidden)
