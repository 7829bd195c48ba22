/* SPDX-License-Identifier: MIT */
/*
 * pv/build_dom0.h - build the control domain from the loader's modules.
 */
#ifndef VIGIL_PV_BUILD_DOM0_H
#define VIGIL_PV_BUILD_DOM0_H

#include "lib/compiler.h"
#include "lib/frames.h"
#include "dev/fbcon.h"

struct dom0_params {
    maddr_t kernel; /* module memory; goes to the page allocator           */
    uint64_t kernel_bytes; /* 0: the loader gave none                       */
    maddr_t initrd;
    uint64_t initrd_bytes; /* 0: none                                       */
    const char *cmdline;   /* not inside the modules; NULL: empty           */

    /* dom0_mem=, in pages, 0: not given */
    uint64_t nr_pages;  /* exactly so much                                  */
    uint64_t min_pages; /* at least                                         */
    uint64_t max_pages; /* at most, now and by ballooning                   */

    unsigned int max_vcpus; /* 0 counts as 1                              */
    const struct fbcon_mode *screen; /* what is on the screen             */
    bool is_efi;                     /* it was UEFI that set it up        */
};

/**
 * build_dom0() - create the control domain, ready to run
 * @p:       what the loader and the command line said
 * @ret_why: on failure: one clear phrase, valid until the next call
 *
 * Afterwards the domain `dom0` is RUNNING and its vcpu 0 has its registers
 * and page tables but is still held down: vcpu_release(dom0->vcpu[0],
 * VCPU_HOLD_DOWN) starts it.  Both modules' memory has been given to the page
 * allocator.  Failure is final; what was allocated is not given back.
 *
 * Context: boot, after page_alloc, heap, scheduler and device set-up;
 *          interrupts on or off.
 * Return:  0; -EINVAL kernel unusable; -ENOMEM; -ENOENT no kernel given
 */
int build_dom0(const struct dom0_params *p, const char **ret_why) MUST_CHECK;

#endif
