/* SPDX-License-Identifier: MIT */
/*
 * pv/ctrlreg.c - control registers as a PV guest sees them.
 */
#include "pv/ctrlreg.h"

#include "lib/errno.h"
#include "cpu/features.h"
#include "cpu/softirq.h"
#include "pv/fpu.h"
#include "pv/guest_cpuid.h"
#include "pv/mmuext.h"

void pv_cr4_set(struct vcpu *v, uint64_t value)
{
    uint64_t allowed = CR4_TSD | CR4_DE;

    if (guest_cpuid_has(v->domain, 5 * 32 + 0)) {
        allowed |= CR4_FSGSBASE;
    }
    if (guest_cpuid_has(v->domain, 1 * 32 + 26)) {
        allowed |= CR4_OSXSAVE;
    }
    v->pv->cr4 = value & allowed;
    pv_cr4_update(v);
}

uint64_t pv_cr4_read(const struct vcpu *v)
{
    return (v->pv->cr4 & PV_CR4_GUEST) | (hv_cr4 & PV_CR4_SHOWN);
}

uint64_t pv_cr4_hardware(const struct vcpu *v)
{
    uint64_t cr4 = hv_cr4 | (v->pv->cr4 & (CR4_TSD | CR4_DE)) |
                   (v->domain->vtsc.is_on ? CR4_TSD : 0);

    /*
     * A kernel that has not said it knows of wrgsbase must not have its user
     * mode change the base behind its back.
     */
    if ((v->pv->cr4 & CR4_FSGSBASE) == 0) {
        cr4 &= ~CR4_FSGSBASE;
    }
    return cr4;
}

void pv_cr4_update(struct vcpu *v)
{
    v->pv->cr4_loaded = pv_cr4_hardware(v);
}

void pv_cr4_load(const struct vcpu *v)
{
    uint64_t cr4 = v->pv->cr4_loaded;

    if (cr4 != read_cr4()) {
        write_cr4(cr4);
    }
}

bool pv_cr_read(struct vcpu *v, unsigned int reg, uint64_t *ret_value)
{
    switch (reg) {
    case 0:
        *ret_value = (read_cr0() & ~CR0_TS) | (v->pv->ts_set ? CR0_TS : 0);
        return true;
    case 2:
        *ret_value = v->vcpu_info->arch.cr2;
        return true;
    case 3:
        *ret_value = mfn_to_maddr(v->pv->guest_table);
        return true;
    case 4:
        *ret_value = pv_cr4_read(v);
        return true;
    default:
        return false;
    }
}

/* Checking the tables below a new base may take long. */
static bool should_stop(void)
{
    return softirq_pending();
}

int pv_cr_write(struct vcpu *v, unsigned int reg, uint64_t value)
{
    int rc;

    switch (reg) {
    case 0:
        if (((value ^ read_cr0()) & ~CR0_TS) != 0) {
            return -EINVAL;
        }
        pv_fpu_set_ts(v, (value & CR0_TS) != 0);
        return 0;
    case 2:
        v->vcpu_info->arch.cr2 = value;
        return 0;
    case 3:
        if ((value & ~PTE_ADDR) != 0) {
            return -EINVAL;
        }
        rc = pv_set_base_stop(v, maddr_to_mfn(value), should_stop);
        return rc == 0 || rc == -ERESTART ? rc : -EINVAL;
    case 4:
        pv_cr4_set(v, value);
        pv_cr4_load(v);
        return 0;
    default:
        return -EINVAL;
    }
}
