/* SPDX-License-Identifier: MIT */
/*
 * ras/inject.c - stand-in values for the machine-check registers.
 *
 * Written in hypercalls, read and forgotten also in #MC context, which may
 * come between any two instructions here: an entry counts only while @used
 * is set, and that is written last (set) or first (forgotten).
 */
#include "ras/inject.h"

#include "lib/errno.h"
#include "x86/exc.h"
#include "x86/msr_index.h"
#include "x86/soft_int.h"
#include "ras/bank.h"
#include "ras/poll.h"

static struct stand_in {
    uint32_t msr;
    uint32_t used;
    uint64_t value;
} table[INJECT_MSRS];

static uint32_t armed;

static bool may_be_played(uint32_t msr)
{
    if (msr == MSR_MCG_STATUS) {
        return true;
    }
    return msr >= MSR_MC0_CTL && msr < MSR_MC0_CTL + 4 * bank_count() &&
           (msr & 3) != (MSR_MC0_CTL & 3);
}

static NMI_SAFE struct stand_in *find(uint32_t msr)
{
    for (unsigned int i = 0; i < INJECT_MSRS; i++) {
        if (READ_ONCE(table[i].used) != 0 && READ_ONCE(table[i].msr) == msr) {
            return &table[i];
        }
    }
    return NULL;
}

static struct stand_in *find_free(void)
{
    for (unsigned int i = 0; i < INJECT_MSRS; i++) {
        if (READ_ONCE(table[i].used) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

int inject_stage(uint32_t msr, uint64_t value)
{
    struct stand_in *s;

    if (!may_be_played(msr)) {
        return -EINVAL;
    }
    s = find(msr);
    if (s == NULL) {
        s = find_free();
    }
    if (s == NULL) {
        return -ENOMEM;
    }
    WRITE_ONCE(s->msr, msr);
    WRITE_ONCE(s->value, value);
    WRITE_ONCE(s->used, 1);
    return 0;
}

/* What nobody looked at must not turn up in the next one. */
static void disarm(void)
{
    WRITE_ONCE(armed, 0);
    for (unsigned int i = 0; i < INJECT_MSRS; i++) {
        WRITE_ONCE(table[i].used, 0);
    }
}

void inject_check(void)
{
    WRITE_ONCE(armed, 1);
    soft_machine_check();
    disarm();
}

void inject_poll(void)
{
    WRITE_ONCE(armed, 1);
    ras_poll_now();
    disarm();
}

static NMI_SAFE bool status_is_played(uint32_t msr)
{
    return msr >= MSR_MC0_CTL &&
           find(msr - (msr - MSR_MC0_CTL) % 4 + 1) != NULL;
}

NMI_SAFE bool inject_read(uint32_t msr, uint64_t *ret_value)
{
    const struct stand_in *s;

    if (likely(READ_ONCE(armed) == 0)) {
        return false;
    }
    s = find(msr);
    /* A played ADDRV does not make the hardware's register readable. */
    if (s == NULL && !status_is_played(msr)) {
        return false;
    }
    *ret_value = s != NULL ? READ_ONCE(s->value) : 0;
    return true;
}

static NMI_SAFE bool forget(uint32_t msr)
{
    struct stand_in *s = find(msr);

    if (s == NULL) {
        return false;
    }
    WRITE_ONCE(s->used, 0);
    return true;
}

NMI_SAFE bool inject_forget_bank(unsigned int bank)
{
    if (likely(READ_ONCE(armed) == 0)) {
        return false;
    }
    (void)forget(MSR_MCx_ADDR(bank));
    (void)forget(MSR_MCx_MISC(bank));
    return forget(MSR_MCx_STATUS(bank));
}

NMI_SAFE void inject_forget_mcg(void)
{
    if (READ_ONCE(armed) != 0) {
        (void)forget(MSR_MCG_STATUS);
    }
}
