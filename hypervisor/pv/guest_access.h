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

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * guest_range_ok() - may these guest addresses be touched at all?
 * @va:    start
 * @bytes: length
 *
 * Context: any.
 * Return:  true when no byte lies in the hypervisor's hole or wraps
 */
bool guest_range_ok(uint64_t va, uint64_t bytes);

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
