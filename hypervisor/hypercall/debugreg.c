/* SPDX-License-Identifier: MIT */
/*
 * hypercall/debugreg.c - HYPERVISOR_set_debugreg(reg, value),
 * HYPERVISOR_get_debugreg(reg).
 *
 * set:  0; -EINVAL no such register, dr6 or dr7 beyond 32 bits; -EPERM address
 *       in the hypervisor's hole, I/O breakpoint without CR4.DE, DR7.GD;
 *       -ENODEV dr4 or dr5 with CR4.DE
 * get:  the value; -EINVAL or -ENODEV as above
 */
#include "pv/debugreg.h"
#include "hypercall/call.h"

int64_t do_set_debugreg(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                        uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    return debugreg_set(current, (unsigned int)a1, a2);
}

int64_t do_get_debugreg(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                        uint64_t a5)
{
    uint64_t value;
    int rc = debugreg_get(current, (unsigned int)a1, &value);

    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    return rc != 0 ? rc : (int64_t)value;
}
