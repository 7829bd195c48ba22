/* SPDX-License-Identifier: MIT */
/*
 * pv/fpu and cpu/fpu: areas, XCR0 rules, records from a toolstack, TS.
 *
 * Where the processor itself is asked it is by FXSAVE, which user mode may
 * use: the vector registers belong to nobody across a function call.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/cr.h"
#include "cpu/features.h"
#include "cpu/fpu.h"
#include "mm/heap.h"
#include "pv/fpu.h"
#include "pv/pv.h"
#include "fake_hw.h"

struct cpu_features cpu_features;
static struct pv_vcpu pv;
static struct vcpu v;
static bool no_memory;

void *heap_alloc(size_t bytes)
{
    void *p;

    if (no_memory) {
        return NULL;
    }
    p = aligned_alloc(4096, (bytes + 4095) & ~4095UL);
    return p == NULL ? NULL : memset(p, 0, bytes);
}

void heap_free(void *p)
{
    free(p);
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(&pv, 0, sizeof(pv));
    memset(&v, 0, sizeof(v));
    v.pv = &pv;
    no_memory = false;
    cpu_features = (struct cpu_features){.vendor = CPU_INTEL,
                                         .xsave = true,
                                         .xcr0_mask = 0xe7,
                                         .xsave_bytes = 2688};
    assert_int_equal(pv_fpu_init(&v), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pv_fpu_free(&v);
    return 0;
}

static uint32_t word_at(const void *area, size_t at)
{
    uint32_t w;

    memcpy(&w, (const char *)area + at, sizeof(w));
    return w;
}

static void power_on_state(void **state)
{
    char zero[2688 - 576] = {0};

    (void)state;
    assert_int_equal(fpu_area_bytes(), 2688);
    assert_int_equal(word_at(pv.fpu, 0) & 0xffff, 0x37f);
    assert_int_equal(word_at(pv.fpu, 24), 0x1f80);
    assert_int_equal(word_at(pv.fpu, 512), 3);
    assert_memory_equal((char *)pv.fpu + 576, zero, sizeof(zero));
    assert_int_equal(pv.xcr0, 1);
    assert_int_equal((uintptr_t)pv.fpu & 63, 0);
    pv_fpu_free(&v);
    no_memory = true;
    assert_int_equal(pv_fpu_init(&v), -ENOMEM);
}

static void xcr0_rules(void **state)
{
    static const struct {
        uint64_t xcr0;
        bool valid;
    } rows[] = {
        {0x1, true},    {0x3, true},
        {0x7, true},    {0xe7, true},
        {0x0, false},   {0x2, false},
        {0x6, false},   {0x5, false},
        {0x27, false},  {0x67, false},
        {0xe3, false},  {0x1f, false},
        {0x207, false}, {1UL << 63 | 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(fpu_xcr0_is_valid(rows[i].xcr0), rows[i].valid);
        assert_int_equal(pv_fpu_set_xcr0(&v, rows[i].xcr0),
                         rows[i].valid ? 0 : -EINVAL);
    }
    assert_int_equal(pv.xcr0, 0xe7);
    cpu_features.xsave = false;
    assert_int_equal(pv_fpu_set_xcr0(&v, 1), -EINVAL);
}

static void record_round_trip(void **state)
{
    size_t bytes = pv_xstate_bytes();
    char *record = calloc(1, bytes);

    (void)state;
    assert_non_null(record);
    assert_int_equal(bytes, 2688 + 16);
    pv.xcr0 = 7;
    memset((char *)pv.fpu + 160, 0x5a, 16);
    assert_int_equal(pv_xstate_get(&v, record), 0);
    assert_int_equal(pv_fpu_init(&v), 0);
    assert_int_equal(pv_xstate_set(&v, record, bytes), 0);
    assert_int_equal(pv.xcr0, 7);
    assert_int_equal(((char *)pv.fpu)[160], 0x5a);
    free(record);
}

static void record_refused(void **state)
{
    size_t bytes = pv_xstate_bytes();
    uint64_t *record = calloc(1, bytes);
    const size_t xstate_bv = 2 + 512 / 8;

    (void)state;
    assert_non_null(record);
    assert_int_equal(pv_xstate_get(&v, record), 0);
    record[1] = 7;
    assert_int_equal(pv_xstate_set(&v, record, bytes), 0);
    assert_int_equal(pv_xstate_set(&v, record, bytes + 1), -EINVAL);
    assert_int_equal(pv_xstate_set(&v, record, 16 + 575), -EINVAL);
    record[0] = 0x207; /* a component we do not have */
    assert_int_equal(pv_xstate_set(&v, record, bytes), -EINVAL);
    record[0] = 0xe7; /* more than may hold data */
    assert_int_equal(pv_xstate_set(&v, record, bytes), -EINVAL);
    record[0] = 7;
    record[xstate_bv] = 0xe7;
    assert_int_equal(pv_xstate_set(&v, record, bytes), -EINVAL);
    record[xstate_bv] = 7;
    record[xstate_bv + 1] = 1UL << 63; /* compacted */
    assert_int_equal(pv_xstate_set(&v, record, bytes), -EINVAL);
    record[xstate_bv + 1] = 0;
    assert_int_equal(pv_xstate_set(&v, record, bytes), 0);
    cpu_features.xsave = false;
    assert_int_equal(pv_xstate_set(&v, record, bytes), -EOPNOTSUPP);
    assert_int_equal(pv_xstate_get(&v, record), -EOPNOTSUPP);
    assert_int_equal(pv_xstate_bytes(), 0);
    free(record);
}

static void legacy_forms(void **state)
{
    uint8_t in[512], out[512];

    (void)state;
    memset(in, 0x11, sizeof(in));
    memset((char *)pv.fpu + 576, 0x77, 100);
    pv_fpu_set_legacy(&v, in);
    pv_fpu_get_legacy(&v, out);
    assert_memory_equal(in, out, sizeof(in));
    /* What the old form does not have is reset, not left over. */
    assert_int_equal(((uint8_t *)pv.fpu)[576], 0);
    assert_int_equal(word_at(pv.fpu, 512), 3);
}

/* Without XSAVE the real instructions run. */
static void loaded_by_fxsave(void **state)
{
    (void)state;
    cpu_features.xsave = false;
    assert_int_equal(pv_fpu_init(&v), 0);
    assert_int_equal(pv.xcr0, 0);
    fake_cr[0] = CR0_PE | CR0_TS;
    pv_fpu_load(&v);
    assert_true(pv.fpu_loaded);
    assert_false(fake_cr[0] & CR0_TS);
    memset(pv.fpu, 0, 512);
    pv_fpu_save(&v);
    assert_false(pv.fpu_loaded);
    assert_int_equal(word_at(pv.fpu, 0) & 0xffff, 0x37f);
    assert_int_equal(word_at(pv.fpu, 24), 0x1f80);
    /* Saving twice would store somebody else's state. */
    memset(pv.fpu, 0x22, 512);
    pv_fpu_save(&v);
    assert_int_equal(word_at(pv.fpu, 0), 0x22222222);
}

static void task_switched(void **state)
{
    (void)state;
    cpu_features.xsave = false;
    assert_int_equal(pv_fpu_init(&v), 0);
    fake_cr[0] = CR0_PE;
    /* Not loaded: the processor's CR0 is another's. */
    pv_fpu_set_ts(&v, true);
    assert_false(fake_cr[0] & CR0_TS);
    pv_fpu_load(&v);
    assert_true(fake_cr[0] & CR0_TS);
    /* #NM that the guest asked for: it hears of it, TS is clear. */
    assert_false(pv_handle_nm(&v));
    assert_false(pv.ts_set);
    assert_false(fake_cr[0] & CR0_TS);
    /* #NM that it did not ask for. */
    fake_cr[0] |= CR0_TS;
    assert_true(pv_handle_nm(&v));
    assert_false(fake_cr[0] & CR0_TS);
    /* Leaving the CPU must not leave TS behind for the next one. */
    pv_fpu_set_ts(&v, true);
    pv_fpu_save(&v);
    assert_false(fake_cr[0] & CR0_TS);
    assert_true(pv.ts_set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(power_on_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(xcr0_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(record_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(record_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(legacy_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(loaded_by_fxsave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(task_switched, set_up, tear_down),
    };

    return UNIT_RUN(tests);
}
