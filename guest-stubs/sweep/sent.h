/* SPDX-License-Identifier: MIT */
/*
 * sent.h - a virtual NMI that one vcpu sends another, which moves meanwhile.
 */
#ifndef VIGIL_STUBS_SWEEP_SENT_H
#define VIGIL_STUBS_SWEEP_SENT_H

/**
 * sent_sweep() - from the move's first instruction to its last
 *
 * Says how many steps there were, and how many NMIs were taken where.  With `by=`
 * only each so many-th.
 *
 * Context: vcpu 0 on CPU 0, vcpu 1 on CPU 1.
 */
void sent_sweep(void);

#endif /* VIGIL_STUBS_SWEEP_SENT_H */
