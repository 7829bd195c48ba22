/* SPDX-License-Identifier: MIT */
/*
 * pv/grant_pte.h - page-table entries installed for grant mappings.
 *
 * The rule: an entry always holds its own reference of the frame it maps, and
 * the type WRITABLE if it is writable, whoever installed it.  What the grant
 * itself holds (pagetype_get_ref()) is separate and is dropped by the unmap
 * operation.  So a guest that overwrites such an entry by an ordinary update
 * only drops the entry's share; its later unmap finds the entry gone
 * (-ENOENT) and fails, and the grant stays mapped until the guest ends or
 * unmaps it where it is again (Xen's rule).  It cannot make such an entry by
 * an ordinary update, because the frame is not its own.
 */
#ifndef VIGIL_PV_GRANT_PTE_H
#define VIGIL_PV_GRANT_PTE_H

#include "x86/page.h"
#include "domain/vcpu.h"

/**
 * grant_pte_install() - map a granted frame where the mapper asked
 * @v:            current vcpu of the mapping domain
 * @host_addr:    virtual address; or, with @contains_pte, machine address of
 *                the L1 entry
 * @contains_pte: GNTMAP_contains_pte
 * @owner:        domid that owns the frame
 * @new_pte:      the entry: frame and flags (P, U, A, D, W, guest bits 9-11)
 *
 * Whatever the entry held before is dropped.
 * Context: hypercall.
 * Return:  0; -EINVAL no such L1 entry, or not @owner's frame; -EBUSY frame is
 *          in use as a page table
 */
int grant_pte_install(struct vcpu *v, uint64_t host_addr, bool contains_pte,
                      domid_t owner, pte_t new_pte) MUST_CHECK;

/**
 * grant_pte_remove() - take the mapping away again: the entry becomes 0
 * @v:            current vcpu of the mapping domain
 * @host_addr:    as it was installed
 * @contains_pte: as it was installed
 * @m:            frame the entry must map
 *
 * No flush: the caller calls tlb_pay() (domain/tlb_owed.h) once at the end of its
 * batch, before it returns to the guest or lets the granter have the frame.
 * Context: hypercall.
 * Return:  0; -ENOENT the entry does not map @m (any more); -EINVAL no such
 *          L1 entry
 */
int grant_pte_remove(struct vcpu *v, uint64_t host_addr, bool contains_pte,
                     mfn_t m) MUST_CHECK;

/**
 * grant_pte_replace() - GNTTABOP_unmap_and_replace: move another entry there
 * @v:         current vcpu of the mapping domain
 * @host_addr: virtual address that maps @m
 * @m:         frame the entry must map
 * @new_addr:  virtual address whose entry moves to @host_addr; 0: none
 *
 * Context: hypercall.
 * Return:  as grant_pte_remove()
 */
int grant_pte_replace(struct vcpu *v, uint64_t host_addr, mfn_t m,
                      uint64_t new_addr) MUST_CHECK;

#endif
