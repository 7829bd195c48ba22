/* SPDX-License-Identifier: MIT */
#include "fake_m2p.h"

#include "mm/m2p.h"

uint64_t fake_m2p[FAKE_M2P_FRAMES];

void m2p_set(mfn_t m, pfn_t p)
{
    fake_m2p[mfn_x(m)] = pfn_x(p);
}

void m2p_set_run(mfn_t m, pfn_t p, uint64_t count)
{
    bool known = pfn_x(p) != M2P_INVALID;

    for (uint64_t i = 0; i < count; i++) {
        m2p_set(mfn_add(m, i), known ? pfn(pfn_x(p) + i) : p);
    }
}
