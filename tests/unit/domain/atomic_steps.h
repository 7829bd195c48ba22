/* SPDX-License-Identifier: MIT */
/*
 * Included before everything else in each file of test_evtchn_steps, and of the tests
 * of crash/dump: locked operations, with something to happen before each, as another
 * CPU would do it.
 */
#ifndef VIGIL_TESTS_ATOMIC_STEPS_H
#define VIGIL_TESTS_ATOMIC_STEPS_H

#include "x86/atomic.h"

/* The test's. */
void atomic_step(void);

#undef atomic_or
#undef atomic_and
#undef atomic_xchg
#undef atomic_cas
#define atomic_or(p, v)                                                        \
    (atomic_step(), __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST))
#define atomic_and(p, v)                                                       \
    (atomic_step(), __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST))
#define atomic_xchg(p, v)                                                      \
    (atomic_step(), __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))
#define atomic_cas(p, old, new)                                                \
    ({                                                                         \
        __typeof__(*(p)) cas_old_ = (old);                                     \
        atomic_step();                                                         \
        __atomic_compare_exchange_n((p), &cas_old_, (new), false,              \
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
    })

#endif
