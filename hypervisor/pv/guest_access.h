/* SPDX-License-Identifier: MIT */
/*
 * pv/guest_access.h - the only dereference of guest memory.
 *
 * Addresses are virtual, in the page tables the current vcpu runs on, and
 * must lie outside the hypervisor's hole.  A guest may change the bytes at
 * any time: copy once, check the copy (INV-HC-2).
 */
#ifndef VIGIL_PV_GUEST_ACCESS_H
#define VIGIL_PV_GUEST_ACCESS_H

#include "cpu/features.h"
#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/layout.h"
#include "x86/nospec.h"
#include "x86/smap.h"

#define LOW_HALF_END 0x0000800000000000UL

/**
 * guest_range_ok() - may these guest addresses be touched at all?
 * @va:    start
 * @bytes: length
 *
 * Non-canonical addresses lie between the halves and are refused too.
 * Context: any.
 * Return:  true when no byte lies in the hypervisor's hole or wraps
 */
static inline bool guest_range_ok(uint64_t va, uint64_t bytes)
{
    bytes += bytes == 0;
    return va - HV_HOLE_END <= 0 - HV_HOLE_END - bytes ||
           (va < LOW_HALF_END && bytes <= LOW_HALF_END - va);
}

/*
 * A few 8-byte words on a hot path, without a call: between guest_open(),
 * which must have said yes, and guest_close(), these touch words of the range.
 * @va is a variable: from guest_open() on it is safe from speculation, too.
 * A load that faults gives 0 and sets @bad, an unsigned int that was 0, to be
 * looked at after the last one; a store that faults goes to @fault, which must
 * close, too.
 */
#define guest_open(va, bytes)                                                  \
    (likely(guest_range_ok((va), (bytes))) &&                                  \
     ((va) = guest_va_nospec(va), stac_if(cpu_features.smap), true))
#define guest_reopen() stac_if(cpu_features.smap) /* the same range again */
#define guest_close() clac_if(cpu_features.smap)
#define guest_load(ret, va, bad) load_word(ret, (const uint64_t *)(va), bad)
#define guest_store_or(va, value, fault)                                       \
    store_word_or((uint64_t *)(va), (value), fault)

/**
 * copy_from_guest() - read guest memory
 * @dst:   our buffer
 * @va:    guest virtual address
 * @bytes: length
 *
 * Context: working for the current vcpu; not NMI/#MC.
 * Return:  0, or -EFAULT (part of @dst may have been written)
 */
int copy_from_guest(void *dst, uint64_t va, size_t bytes) MUST_CHECK;

/**
 * copy_to_guest() - write guest memory
 * @va:    guest virtual address
 * @src:   our buffer
 * @bytes: length
 *
 * Context: working for the current vcpu; not NMI/#MC.
 * Return:  0, or -EFAULT (part may have been written)
 */
int copy_to_guest(uint64_t va, const void *src, size_t bytes) MUST_CHECK;

/**
 * clear_guest() - zero guest memory
 * @va:    guest virtual address
 * @bytes: length
 *
 * Context: working for the current vcpu; not NMI/#MC.
 * Return:  0 or -EFAULT
 */
int clear_guest(uint64_t va, size_t bytes) MUST_CHECK;

/* A handle's address as a number, and the address of element @i. */
#define handle_va(h) ((uint64_t)(h).p)
#define handle_is_null(h) ((h).p == NULL)
#define handle_elem_va(h, i) ((uint64_t)((h).p + (i)))

/* Read or write element @i of a handle; 0 or -EFAULT. */
#define copy_elem_from_guest(dst, h, i)                                        \
    copy_from_guest((dst), handle_elem_va(h, i), sizeof(*(dst)))
#define copy_elem_to_guest(h, i, src)                                          \
    copy_to_guest(handle_elem_va(h, i), (src), sizeof(*(src)))

#endif
