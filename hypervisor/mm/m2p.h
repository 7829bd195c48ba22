/* SPDX-License-Identifier: MIT */
/*
 * mm/m2p.h - the machine-to-phys table guests read at M2P_VA.
 */
#ifndef VIGIL_MM_M2P_H
#define VIGIL_MM_M2P_H

#include "lib/frames.h"

#define M2P_INVALID (~0ULL)

/**
 * m2p_init() - allocate and map the table for max_frame frames
 *
 * Mapped read-only for guests at M2P_VA; written through the direct map.
 * Context: boot, after page_alloc_init().
 */
void m2p_init(void);

/**
 * m2p_set() - record the guest frame number behind a machine frame
 * @m: machine frame, mfn_valid()
 * @p: guest pseudo-physical number, or pfn(M2P_INVALID)
 *
 * Context: any.
 */
void m2p_set(mfn_t m, pfn_t p);

/**
 * m2p_set_run() - m2p_set() for frames that follow each other
 * @m:     first machine frame
 * @p:     its guest number, or pfn(M2P_INVALID) for all
 * @count: frames, all mfn_valid()
 *
 * Context: any.
 */
void m2p_set_run(mfn_t m, pfn_t p, uint64_t count);

/**
 * m2p_get() - what m2p_set() stored
 * @m: machine frame, mfn_valid()
 *
 * Context: any.
 * Return:  guest frame number or pfn(M2P_INVALID)
 */
pfn_t m2p_get(mfn_t m);

/**
 * m2p_table_frame() - machine frame of the n-th 2 MiB piece of the table
 * @n: index from 0
 *
 * Context: any.
 * Return:  frame number, or INVALID_MFN past the end
 */
mfn_t m2p_table_frame(unsigned int n);

/**
 * m2p_is_table_frame() - is this frame part of the table?
 * @m: any frame number
 *
 * Of the frames of DOMID_XEN a control domain may map these, and those of the
 * log (pv/pt_validate.c), all read-only.
 * Their records carry FRAME_F_HV_SHARED.
 * Context: any.
 * Return:  true or false
 */
bool m2p_is_table_frame(mfn_t m);

#endif
