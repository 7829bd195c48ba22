/* SPDX-License-Identifier: MIT */
/*
 * pv/traps.c - a vcpu's trap table: a page, once it registers a handler.
 */
#include "pv/pv.h"

#include "lib/errno.h"
#include "mm/heap.h"

const struct trap_info pv_no_traps[PV_TRAPS];

int pv_set_trap(struct pv_vcpu *p, const struct trap_info *t)
{
    if (p->own_traps == NULL) {
        if (t->address == 0) {
            return 0;
        }
        p->own_traps = heap_alloc(sizeof(pv_no_traps));
        if (p->own_traps == NULL) {
            return -ENOMEM;
        }
        p->traps = p->own_traps;
    }
    p->own_traps[t->vector] = *t;
    return 0;
}

void pv_clear_traps(struct pv_vcpu *p)
{
    heap_free(p->own_traps);
    p->own_traps = NULL;
    p->traps = pv_no_traps;
}
