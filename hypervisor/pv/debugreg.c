/* SPDX-License-Identifier: MIT */
/*
 * pv/debugreg.c - debug registers of a guest.
 *
 * DR7 (SDM 3B 17.2.4): bits 0-7 enable breakpoint n locally and globally,
 * bit 10 reads 1, bit 13 is general detect, bits 16+4n give its kind, bits
 * 18+4n its length.
 */
#include "pv/debugreg.h"

#include "lib/errno.h"
#include "x86/cr.h"
#include "x86/layout.h"
#include "x86/page.h"
#include "pv/pv.h"

#define DR7_ENABLES        0xffUL
#define DR7_MUST_BE_ZERO   0xd800UL /* 11, 12, 14, 15 */
#define DR7_GENERAL_DETECT 0x2000UL
#define DR7_KIND_IO        2U
#define DR6_MUST_BE_ZERO   0x1000UL

static unsigned int dr7_kind(uint64_t dr7, unsigned int n)
{
    return (unsigned int)(dr7 >> (16 + 4 * n)) & 3;
}

static unsigned int dr7_length(uint64_t dr7, unsigned int n)
{
    static const unsigned int bytes[4] = {1, 2, 8, 4};

    return bytes[(dr7 >> (18 + 4 * n)) & 3];
}

static uint64_t dr7_enables(unsigned int n)
{
    return 3UL << (2 * n);
}

static bool uses_de(const struct vcpu *v)
{
    return (v->pv->cr4 & CR4_DE) != 0;
}

static void load_hardware(const struct vcpu *v)
{
    write_dr0(v->pv->dr[0]);
    write_dr1(v->pv->dr[1]);
    write_dr2(v->pv->dr[2]);
    write_dr3(v->pv->dr[3]);
    write_dr6(v->pv->dr6);
    write_dr7(v->pv->dr7);
}

static bool is_armed(const struct vcpu *v)
{
    return (v->pv->dr7 & DR7_ENABLES) != 0;
}

static int set_address(struct vcpu *v, unsigned int reg, uint64_t value)
{
    if (!va_is_canonical(value) ||
        (value >= HV_HOLE_START && value < HV_HOLE_END)) {
        return -EPERM;
    }
    v->pv->dr[reg & 3] = value;
    if (v == current && is_armed(v)) {
        load_hardware(v);
    }
    return 0;
}

static int set_dr6(struct vcpu *v, uint64_t value)
{
    if (value != (uint32_t)value) {
        return -EINVAL;
    }
    v->pv->dr6 = (value & ~DR6_MUST_BE_ZERO) | DR6_DEFAULT;
    if (v == current && is_armed(v)) {
        write_dr6(v->pv->dr6);
    }
    return 0;
}

static int set_dr7(struct vcpu *v, uint64_t value)
{
    uint64_t io_enables = 0;
    bool was_armed = is_armed(v);

    if (value != (uint32_t)value) {
        return -EINVAL;
    }
    /* A fault on the next access to a debug register would be ours. */
    if (value & DR7_GENERAL_DETECT) {
        return -EPERM;
    }
    for (unsigned int n = 0; n < 4; n++) {
        if ((value & dr7_enables(n)) != 0 &&
            dr7_kind(value, n) == DR7_KIND_IO) {
            if (!uses_de(v)) {
                return -EPERM;
            }
            io_enables |= value & dr7_enables(n);
        }
    }
    value = (value & ~DR7_MUST_BE_ZERO) | DR7_DEFAULT;
    v->pv->dr7 = value & ~io_enables;
    v->pv->dr7_emul = io_enables;
    if (v == current && is_armed(v)) {
        load_hardware(v);
    } else if (v == current && was_armed) {
        write_dr7(DR7_DEFAULT);
    }
    return 0;
}

int debugreg_set(struct vcpu *v, unsigned int reg, uint64_t value)
{
    switch (reg) {
    case 0:
    case 1:
    case 2:
    case 3:
        return set_address(v, reg, value);
    case 4:
    case 5:
        if (uses_de(v)) {
            return -ENODEV;
        }
        return reg == 4 ? set_dr6(v, value) : set_dr7(v, value);
    case 6:
        return set_dr6(v, value);
    case 7:
        return set_dr7(v, value);
    default:
        return -EINVAL;
    }
}

int debugreg_get(const struct vcpu *v, unsigned int reg, uint64_t *ret_value)
{
    switch (reg) {
    case 0:
    case 1:
    case 2:
    case 3:
        *ret_value = v->pv->dr[reg & 3];
        return 0;
    case 4:
    case 5:
        if (uses_de(v)) {
            return -ENODEV;
        }
        return debugreg_get(v, reg + 2, ret_value);
    case 6:
        *ret_value = v->pv->dr6;
        return 0;
    case 7:
        *ret_value = v->pv->dr7 | v->pv->dr7_emul;
        return 0;
    default:
        return -EINVAL;
    }
}

void pv_debugreg_init(struct vcpu *v)
{
    for (unsigned int n = 0; n < 4; n++) {
        v->pv->dr[n] = 0;
    }
    v->pv->dr6 = DR6_DEFAULT;
    v->pv->dr7 = DR7_DEFAULT;
    v->pv->dr7_emul = 0;
}

void pv_debugreg_save(struct vcpu *v)
{
    if (is_armed(v)) {
        write_dr7(DR7_DEFAULT);
    }
}

void pv_debugreg_load(struct vcpu *v)
{
    if (is_armed(v)) {
        load_hardware(v);
    }
}

void debugreg_take_db(struct vcpu *v)
{
    uint64_t dr6 = read_dr6();

    write_dr6(DR6_DEFAULT);
    /*
     * DR6 is sticky: set bits are or'ed in.  Its reserved-one bits include
     * some that hardware clears to report (RTM, bit 16): those are and'ed.
     */
    v->pv->dr6 |= dr6 & ~DR6_DEFAULT;
    v->pv->dr6 &= dr6 | ~DR6_DEFAULT;
}

uint64_t debugreg_io_hits(const struct vcpu *v, uint16_t port,
                          unsigned int bytes)
{
    uint64_t hits = 0;

    if (v->pv->dr7_emul == 0 || !uses_de(v)) {
        return 0;
    }
    for (unsigned int n = 0; n < 4; n++) {
        uint64_t length = dr7_length(v->pv->dr7, n);
        uint64_t start = v->pv->dr[n] & ~(length - 1);

        if ((v->pv->dr7_emul & dr7_enables(n)) != 0 &&
            start < (uint64_t)port + bytes && port < start + length) {
            hits |= 1UL << n;
        }
    }
    return hits;
}
