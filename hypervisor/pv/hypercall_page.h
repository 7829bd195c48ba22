/* SPDX-License-Identifier: MIT */
/*
 * pv/hypercall_page.h - the page of call stubs older kernels ask for.
 */
#ifndef VIGIL_PV_HYPERCALL_PAGE_H
#define VIGIL_PV_HYPERCALL_PAGE_H

/**
 * hypercall_page_fill() - write the stubs of all hypercalls
 * @page: 4 KiB, writable, owned by the guest that will call it
 *
 * Stub n is at byte 32 * n.
 * Context: any.
 */
void hypercall_page_fill(void *page);

#endif
