/* SPDX-License-Identifier: MIT */
/*
 * pv/context: a context taken from a vcpu and given to another one makes it the
 * same; contexts nobody could have, and walks that are interrupted, change
 * nothing that cannot be asked for again.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "cpu/fpu.h"
#include "domain/shared_info.h"
#include "domain/vclock.h"
#include "domain/vtimer.h"
#include "pv/context.h"
#include "pv/ctrlreg.h"
#include "pv/debugreg.h"
#include "pv/descriptor.h"
#include "pv/fpu.h"
#include "pv/guest_access.h"
#include "pv/mmuext.h"
#include "pv/switch.h"
#include "x86/cr.h"
#include "fake_hw.h"

#define KERNEL_L4 77
#define USER_L4   78

static shared_info_t shared;
static struct pv_domain pv_dom;
static struct domain dom = {.domid = 3, .max_vcpus = 1, .pv = &pv_dom,
                            .shared_info = &shared};
static struct pv_vcpu pv[2];
static struct vcpu vcpus[2];
static struct trap_info traps[2][PV_TRAPS];
static struct vcpu_guest_context ctx;
static char fpu[2][FPU_LEGACY_BYTES];
static unsigned int stops, wall_updates, time_updates, periodic;
static int gdt_rc;

/* ---- what the code under test calls ---- */

static unsigned int index_of(const struct vcpu *v)
{
    return (unsigned int)(v - vcpus);
}

static bool stop_now(void)
{
    return stops != 0 && stops-- != 0;
}

int pv_set_base_stop(struct vcpu *v, mfn_t l4, bool (*should_stop)(void))
{
    if (mfn_x(l4) != KERNEL_L4) {
        return -EINVAL;
    }
    if (should_stop()) {
        return -ERESTART;
    }
    v->pv->guest_table = l4;
    return 0;
}

int pv_set_user_base_stop(struct vcpu *v, mfn_t l4, bool (*should_stop)(void))
{
    if (mfn_x(l4) != 0 && mfn_x(l4) != USER_L4) {
        return -EINVAL;
    }
    if (should_stop()) {
        return -ERESTART;
    }
    v->pv->guest_table_user = mfn_x(l4) == 0 ? INVALID_MFN : l4;
    return 0;
}

int pv_set_gdt(struct vcpu *v, const mfn_t *frames, unsigned int ents)
{
    if (gdt_rc != 0) {
        return gdt_rc;
    }
    for (unsigned int i = 0; i < (ents + 511) / 512; i++) {
        v->pv->gdt_frames[i] = frames[i];
    }
    v->pv->gdt_ents = ents;
    return 0;
}

int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int ents)
{
    assert_true(ents != 0 || base == 0);
    v->pv->ldt_base = base;
    v->pv->ldt_ents = ents;
    return 0;
}

int pv_set_trap(struct pv_vcpu *p, const struct trap_info *t)
{
    traps[p - pv][t->vector] = *t;
    return 0;
}

void pv_cr4_set(struct vcpu *v, uint64_t value)
{
    assert_ptr_equal(v->domain, &dom);
    v->pv->cr4 = value & (CR4_TSD | CR4_DE);
}

void pv_save_segments(struct vcpu *v)
{
    (void)v;
}

void pv_fpu_set_legacy(struct vcpu *v, const void *in)
{
    memcpy(fpu[index_of(v)], in, FPU_LEGACY_BYTES);
}

void pv_fpu_get_legacy(struct vcpu *v, void *out)
{
    memcpy(out, fpu[index_of(v)], FPU_LEGACY_BYTES);
}

void vclock_update_vcpu(struct vcpu *v)
{
    (void)v;
    time_updates++;
}

void vclock_update_wall(struct domain *d)
{
    assert_true(spin_is_locked(&d->lock));
    wall_updates++;
}

void vtimer_set_periodic(struct vcpu *v, uint64_t period_ns)
{
    (void)v;
    assert_int_equal(period_ns, 10000000);
    periodic++;
}

/* ---- the cases ---- */

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(pv, 0, sizeof(pv));
    memset(vcpus, 0, sizeof(vcpus));
    memset(traps, 0, sizeof(traps));
    memset(fpu, 0, sizeof(fpu));
    memset(&shared, 0, sizeof(shared));
    memset(&pv_dom, 0, sizeof(pv_dom));
    spin_lock_init(&dom.lock, "domain", LOCK_RANK_DOMAIN, IRQ_ANY);
    dom.vm_assist = 0;
    for (unsigned int i = 0; i < 2; i++) {
        vcpus[i].domain = &dom;
        vcpus[i].pv = &pv[i];
        vcpus[i].vcpu_info = &shared.vcpu_info[i];
        pv[i].traps = traps[i];
        pv[i].guest_table = INVALID_MFN;
        pv[i].guest_table_user = INVALID_MFN;
        pv_debugreg_init(&vcpus[i]);
    }
    this_cpu()->current_vcpu = NULL;
    stops = wall_updates = time_updates = periodic = 0;
    gdt_rc = 0;
    memset(&ctx, 0, sizeof(ctx));
    ctx.flags = VGCF_in_kernel | VGCF_i387_valid | VGCF_online;
    ctx.user_regs.rip = 0xffffffff81000000UL;
    ctx.user_regs.rsp = 0xffff888000004000UL;
    ctx.user_regs.cs = 0xe033;
    ctx.user_regs.ss = 0xe02b;
    ctx.user_regs.rax = 1;
    ctx.user_regs.rflags = 0x3002; /* IOPL 3 */
    ctx.ctrlreg[3] = KERNEL_L4 << PAGE_SHIFT;
    return 0;
}

static int set(unsigned int n)
{
    return pv_vcpu_set_context(&vcpus[n], &ctx, stop_now);
}

static void everything_comes_back(void **state)
{
    struct vcpu_guest_context first, second;

    (void)state;
    for (unsigned int i = 0; i < FPU_LEGACY_BYTES; i++) {
        ctx.fpu_ctxt.x[i] = (char)i;
    }
    ctx.user_regs.fs = 0x63;
    ctx.user_regs.r15 = 15;
    ctx.ctrlreg[0] = CR0_TS;
    ctx.ctrlreg[1] = USER_L4 << PAGE_SHIFT;
    ctx.ctrlreg[4] = CR4_DE;
    ctx.gdt_ents = 600;
    ctx.gdt_frames[0] = 5;
    ctx.gdt_frames[1] = 6;
    ctx.ldt_base = 0xffff888000010000UL;
    ctx.ldt_ents = 2;
    ctx.trap_ctxt[14] = (struct trap_info){
        .vector = 14, .cs = 0xe033, .address = 0xffffffff81000100UL};
    ctx.debugreg[2] = 0xffffffff81000200UL;
    ctx.debugreg[0] = 0x3f8;
    ctx.debugreg[6] = 0xffff0ff4UL;
    ctx.debugreg[7] = 0x20412; /* execution of 2; I/O of 0, by us */
    ctx.kernel_ss = 0xe02b;
    ctx.kernel_sp = 0xffff888000008000UL;
    ctx.event_callback_eip = 0xffffffff81000300UL;
    ctx.failsafe_callback_eip = 0xffffffff81000400UL;
    ctx.syscall_callback_eip = 0xffffffff81000500UL;
    ctx.flags |= VGCF_syscall_disables_events;
    ctx.vm_assist = 1UL << VMASST_TYPE_writable_pagetables;
    ctx.fs_base = 0x7f0000000000UL;
    ctx.gs_base_kernel = 0xffff888000001000UL;
    ctx.gs_base_user = 0x7f0000001000UL;
    assert_int_equal(set(0), 0);
    assert_true(vcpus[0].is_initialised && pv_dom.ptwr_enabled);
    assert_int_equal(pv[0].dr7_emul, 2);
    pv_vcpu_get_context(&vcpus[0], &first);
    /* What it was given, and what the processor always says. */
    assert_int_equal(first.user_regs.rip, ctx.user_regs.rip);
    assert_int_equal(first.user_regs.r15, 15);
    assert_int_equal(first.user_regs.rflags, 0x3202);
    assert_int_equal(first.debugreg[7], ctx.debugreg[7]);
    assert_int_equal(first.debugreg[6], ctx.debugreg[6]);
    assert_int_equal(first.ctrlreg[1], ctx.ctrlreg[1]);
    assert_int_equal(first.trap_ctxt[14].address, ctx.trap_ctxt[14].address);
    assert_int_equal(first.vm_assist, ctx.vm_assist);
    assert_memory_equal(&first.fpu_ctxt, &ctx.fpu_ctxt, FPU_LEGACY_BYTES);
    /* Another vcpu becomes the same, to the byte. */
    ctx = first;
    assert_int_equal(set(1), 0);
    pv_vcpu_get_context(&vcpus[1], &second);
    assert_memory_equal(&first, &second, sizeof(first));
    assert_int_equal(time_updates, 2);
    assert_int_equal(periodic, 2);
}

static void goes_on_after_save(void **state)
{
    (void)state;
    ctx.debugreg[1] = 0xffffffff81000200UL;
    assert_int_equal(set(0), 0);
    pv_vcpu_get_context(&vcpus[0], &ctx);
    ctx.user_regs.rax = 1;
    assert_int_equal(set(0), 0);
    assert_int_equal(vcpus[0].regs.rax, 1);
    assert_int_equal(pv[0].dr[1], 0xffffffff81000200UL);
    assert_int_equal(time_updates, 1); /* its clock and timers are its own */
    assert_int_equal(periodic, 1);
    assert_int_equal(wall_updates, 1);
    /* But with no other tables. */
    ctx.gdt_ents = 1;
    assert_int_equal(set(0), -EOPNOTSUPP);
}

static void interrupted(void **state)
{
    (void)state;
    ctx.flags = 0;
    ctx.ctrlreg[1] = USER_L4 << PAGE_SHIFT;
    stops = 1;
    assert_int_equal(set(0), -ERESTART);
    assert_false(vcpus[0].is_initialised);
    assert_int_equal(periodic, 0);
    assert_int_equal(set(0), 0);
    assert_true(vcpus[0].is_initialised);
    assert_int_equal(mfn_x(pv[0].guest_table_user), USER_L4);
}

static void earlier_attempt_leaves_nothing(void **state)
{
    (void)state;
    ctx.ctrlreg[1] = USER_L4 << PAGE_SHIFT;
    ctx.gdt_ents = 512;
    ctx.ldt_base = 0x1000;
    ctx.ldt_ents = 3;
    ctx.debugreg[7] = 1UL << 13;
    assert_int_equal(set(0), -EINVAL);
    assert_false(vcpus[0].is_initialised);
    ctx.ctrlreg[1] = 0;
    ctx.gdt_ents = 0;
    ctx.ldt_ents = 0;
    ctx.ldt_base = 7; /* of no table: nobody looks */
    ctx.debugreg[7] = 0;
    assert_int_equal(set(0), 0);
    assert_true(mfn_is_invalid(pv[0].guest_table_user));
    assert_int_equal(pv[0].gdt_ents, 0);
    assert_int_equal(pv[0].ldt_ents, 0);
}

/* Each alone: one value that no vcpu could have. */
static void refused(void **state)
{
    static const struct {
        size_t at;
        uint64_t value;
        int rc;
    } bad[] = {
#define AT(field) offsetof(struct vcpu_guest_context, field)
        {AT(user_regs.rip), 0x0000800000000000UL, -EINVAL},
        {AT(fs_base), 0x0000800000000000UL, -EINVAL},
        {AT(gs_base_kernel), 0x8000000000000000UL, -EINVAL},
        {AT(gs_base_user), 0x8000000000000000UL, -EINVAL},
        {AT(event_callback_eip), HV_HOLE_START, -EINVAL},
        {AT(failsafe_callback_eip), HV_HOLE_START, -EINVAL},
        {AT(syscall_callback_eip), HV_HOLE_END - 1, -EINVAL},
        {AT(trap_ctxt[3].address), HV_HOLE_START, -EINVAL},
        {AT(ctrlreg[3]), 0, -EINVAL},
        {AT(ctrlreg[3]), USER_L4 << PAGE_SHIFT, -EINVAL},
        {AT(ctrlreg[1]), KERNEL_L4 << PAGE_SHIFT, -EINVAL},
        {AT(gdt_ents), 14 * 512 + 1, -EINVAL},
        {AT(gdt_ents), 1UL << 32, -EINVAL},
        {AT(ldt_ents), 8193, -EINVAL},
        {AT(ldt_ents), ~0UL, -EINVAL},
        {AT(debugreg[0]), HV_HOLE_START, -EINVAL},
        {AT(debugreg[3]), 0x0000800000000000UL, -EINVAL},
        {AT(debugreg[6]), 1UL << 32, -EINVAL},
        {AT(debugreg[7]), 1UL << 13, -EINVAL},
        {AT(debugreg[7]), 0x20001, -EINVAL}, /* I/O, no CR4.DE */
        {AT(flags), 0, -EINVAL},             /* user mode without tables */
#undef AT
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        set_up(NULL);
        memcpy((char *)&ctx + bad[i].at, &bad[i].value, sizeof(bad[i].value));
        if (set(0) != bad[i].rc || vcpus[0].is_initialised) {
            fail_msg("bad value %u was taken", i);
        }
    }
    set_up(NULL);
    gdt_rc = -EBUSY;
    assert_int_equal(set(0), -EBUSY);
    gdt_rc = 0;
    assert_int_equal(set(0), 0);
}

static void made_harmless(void **state)
{
    (void)state;
    ctx.user_regs.cs = 0x10;
    ctx.user_regs.ss = 0;
    ctx.user_regs.gs = 0x18;
    ctx.user_regs.rflags = ~0UL;
    ctx.ctrlreg[4] = ~0UL;
    ctx.vm_assist = ~0UL;
    assert_int_equal(set(0), 0);
    assert_int_equal(vcpus[0].regs.cs, 0x13);
    assert_int_equal(vcpus[0].regs.ss, 3);
    assert_int_equal(pv[0].gs, 0x1b);
    assert_int_equal(vcpus[0].regs.rflags & (RFLAGS_IOPL | (1UL << 17)), 0);
    assert_true((vcpus[0].regs.rflags & RFLAGS_IF) != 0);
    assert_int_equal(pv[0].cr4, CR4_TSD | CR4_DE);
    assert_int_equal(dom.vm_assist, PV_ASSISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything_comes_back, set_up),
        cmocka_unit_test_setup(goes_on_after_save, set_up),
        cmocka_unit_test_setup(interrupted, set_up),
        cmocka_unit_test_setup(earlier_attempt_leaves_nothing, set_up),
        cmocka_unit_test_setup(refused, set_up),
        cmocka_unit_test_setup(made_harmless, set_up),
    };

    return UNIT_RUN(tests);
}
