/* SPDX-License-Identifier: MIT */
/*
 * pv/fpu.c - extended state of a vcpu.
 *
 * v->pv->fpu_loaded: the processor holds the newest state, the area an older
 * one.  Saving and loading need CR0.TS clear, so the guest's TS is put into
 * the processor last and taken out first.
 */
#include "pv/fpu.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cr.h"
#include "cpu/features.h"
#include "cpu/fpu.h"
#include "mm/heap.h"
#include "pv/pv.h"

#define XSTATE_BV_AT FPU_LEGACY_BYTES
#define FPU_ALIGN    64UL /* what XSAVE wants */

/* What the record of XEN_DOMCTL_{get,set}vcpuextstate begins with. */
struct xstate_header {
    uint64_t xcr0;
    uint64_t xcr0_accum; /* components that may hold data */
};

_Static_assert(sizeof(struct xstate_header) == PV_XSTATE_HEADER_BYTES,
               "xstate header");

static void hardware_ts(bool ts)
{
    if (ts) {
        write_cr0(read_cr0() | CR0_TS);
    } else {
        clts();
    }
}

int pv_fpu_init(struct vcpu *v)
{
    struct pv_vcpu *pv = v->pv;

    if (pv->fpu == NULL) {
        pv->fpu_object = heap_alloc(fpu_area_bytes() + FPU_ALIGN - 1);
        if (pv->fpu_object == NULL) {
            return -ENOMEM;
        }
        pv->fpu = (void *)ALIGN_UP((uint64_t)pv->fpu_object, FPU_ALIGN);
    }
    fpu_area_reset(pv->fpu);
    pv->fpu_loaded = false;
    pv->fpu_valid = true;
    pv->xcr0 = cpu_features.xsave ? XCR0_X87 : 0;
    pv->ts_set = false;
    return 0;
}

void pv_fpu_free(struct vcpu *v)
{
    heap_free(v->pv->fpu_object);
    v->pv->fpu_object = NULL;
    v->pv->fpu = NULL;
    v->pv->fpu_valid = false;
    v->pv->fpu_loaded = false;
}

void pv_fpu_save(struct vcpu *v)
{
    if (!v->pv->fpu_loaded) {
        return;
    }
    clts();
    fpu_save(v->pv->fpu);
    v->pv->fpu_valid = true;
    v->pv->fpu_loaded = false;
}

void pv_fpu_load(struct vcpu *v)
{
    if (v->pv->fpu == NULL) {
        return;
    }
    clts();
    (void)fpu_restore(v->pv->fpu, v->pv->xcr0);
    v->pv->fpu_loaded = true;
    if (v->pv->ts_set) {
        hardware_ts(true);
    }
}

/* Make the area as new as the processor, which goes on unchanged. */
static void refresh_area(struct vcpu *v)
{
    if (!v->pv->fpu_loaded) {
        return;
    }
    clts();
    fpu_save(v->pv->fpu);
    fpu_set_xcr0(v->pv->xcr0);
    hardware_ts(v->pv->ts_set);
}

/* The area was changed: a loaded vcpu must go on with it. */
static void area_changed(struct vcpu *v)
{
    v->pv->fpu_valid = true;
    if (v->pv->fpu_loaded) {
        pv_fpu_load(v);
    }
}

void pv_fpu_set_ts(struct vcpu *v, bool ts)
{
    struct pv_vcpu *pv = v->pv;

    if (pv->ts_set == ts) {
        return; /* the processor has it already; a write would serialise */
    }
    pv->ts_set = ts;
    if (pv->fpu_loaded) {
        hardware_ts(ts);
    }
}

bool pv_handle_nm(struct vcpu *v)
{
    if (v->pv->ts_set) {
        pv_fpu_set_ts(v, false);
        return false;
    }
    /* Not the guest's doing: the processor's TS should have been clear. */
    if (!v->pv->fpu_loaded) {
        pv_fpu_load(v);
    } else {
        clts();
    }
    return true;
}

int pv_fpu_set_xcr0(struct vcpu *v, uint64_t value)
{
    if (!cpu_features.xsave || !fpu_xcr0_is_valid(value)) {
        return -EINVAL;
    }
    v->pv->xcr0 = value;
    if (v->pv->fpu_loaded) {
        fpu_set_xcr0(value);
    }
    return 0;
}

void pv_fpu_get_legacy(struct vcpu *v, void *out)
{
    refresh_area(v);
    memcpy(out, v->pv->fpu, FPU_LEGACY_BYTES);
}

void pv_fpu_set_legacy(struct vcpu *v, const void *in)
{
    uint64_t xstate_bv = XCR0_X87 | XCR0_SSE;
    char *area = v->pv->fpu;

    memset(area, 0, fpu_area_bytes());
    memcpy(area, in, FPU_LEGACY_BYTES);
    memcpy(area + XSTATE_BV_AT, &xstate_bv, sizeof(xstate_bv));
    area_changed(v);
}

size_t pv_xstate_bytes(void)
{
    return cpu_features.xsave ? PV_XSTATE_HEADER_BYTES + fpu_area_bytes() : 0;
}

int pv_xstate_get(struct vcpu *v, void *out)
{
    struct xstate_header header = {.xcr0 = v->pv->xcr0,
                                   .xcr0_accum = cpu_features.xcr0_mask};

    if (!cpu_features.xsave) {
        return -EOPNOTSUPP;
    }
    refresh_area(v);
    memcpy(out, &header, sizeof(header));
    memcpy((char *)out + sizeof(header), v->pv->fpu, fpu_area_bytes());
    return 0;
}

int pv_xstate_set(struct vcpu *v, const void *in, size_t bytes)
{
    struct xstate_header header;
    const char *area = (const char *)in + sizeof(header);
    uint64_t xsave_header[FPU_HEADER_BYTES / 8];

    if (!cpu_features.xsave) {
        return -EOPNOTSUPP;
    }
    if (bytes == sizeof(header)) {
        return 0; /* of a vcpu that has no such state: nothing to do */
    }
    if (bytes < sizeof(header) + FPU_MIN_BYTES || bytes > pv_xstate_bytes()) {
        return -EINVAL;
    }
    memcpy(&header, in, sizeof(header));
    memcpy(xsave_header, area + XSTATE_BV_AT, sizeof(xsave_header));
    if (!fpu_xcr0_is_valid(header.xcr0) ||
        !fpu_xcr0_is_valid(header.xcr0_accum) ||
        (header.xcr0 & ~header.xcr0_accum) != 0 ||
        (xsave_header[0] & ~header.xcr0_accum) != 0) {
        return -EINVAL;
    }
    /* XCOMP_BV and the reserved words: standard form only (SDM 1, 13.4.2). */
    for (size_t i = 1; i < ARRAY_SIZE(xsave_header); i++) {
        if (xsave_header[i] != 0) {
            return -EINVAL;
        }
    }
    memset(v->pv->fpu, 0, fpu_area_bytes());
    memcpy(v->pv->fpu, area, bytes - sizeof(header));
    v->pv->xcr0 = header.xcr0;
    area_changed(v);
    return 0;
}
