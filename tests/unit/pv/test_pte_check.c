/* SPDX-License-Identifier: MIT */
/*
 * pv/pte_check: which bits a guest's entry may have, and how it is stored.
 */
#include "tests/unit/unit.h"

#include "pv/pte_check.h"

#define BITS 40
#define ADDR 0x12345000UL

static const struct {
    const char *what;
    unsigned int level;
    pte_t pte;
    bool io, ok;
} rows[] = {
    /* clang-format off */
    {"plain leaf",            1, ADDR | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D, false, true},
    {"no execute",            1, ADDR | PTE_P | PTE_NX,                  false, true},
    {"global leaf",           1, ADDR | PTE_P | PTE_G,                   false, true},
    {"global table",          2, ADDR | PTE_P | PTE_G,                   true,  false},
    {"soft bits",             1, ADDR | PTE_P | PTE_AVAIL | PTE_SOFT_HIGH, false, true},
    {"soft bits above",       4, ADDR | PTE_P | PTE_AVAIL | PTE_SOFT_HIGH, false, true},
    {"uncached, no rights",   1, ADDR | PTE_P | PTE_PCD,                 false, false},
    {"uncached, rights",      1, ADDR | PTE_P | PTE_PCD,                 true,  true},
    {"write through",         1, ADDR | PTE_P | PTE_PWT,                 true,  true},
    {"PAT bit, no rights",    1, ADDR | PTE_P | PTE_PAT,                 false, false},
    {"PAT bit, rights",       1, ADDR | PTE_P | PTE_PAT,                 true,  true},
    {"large page at L2",      2, ADDR | PTE_P | PTE_PS,                  true,  false},
    {"large page at L3",      3, ADDR | PTE_P | PTE_PS,                  true,  false},
    {"uncached table",        3, ADDR | PTE_P | PTE_PCD,                 true,  false},
    {"last address bit",      1, (1UL << 39) | PTE_P,                    false, true},
    {"beyond the last",       1, (1UL << 40) | PTE_P,                    true,  false},
    {"all address bits",      1, PTE_ADDR | PTE_P,                       true,  false},
    /* clang-format on */
};

static void flags_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (pte_check_flags(rows[i].level, rows[i].pte, rows[i].io, BITS) !=
            rows[i].ok) {
            fail_msg("%s", rows[i].what);
        }
    }
}

static void adjust(void **state)
{
    pte_t kernel = pte_adjust(1, ADDR | PTE_P | PTE_G);

    (void)state;
    assert_int_equal(kernel, ADDR | PTE_P | PTE_U | PTE_GUEST_KERNEL);
    assert_int_equal(pte_adjust(1, ADDR | PTE_P | PTE_U), ADDR | PTE_P | PTE_U);
    assert_int_equal(pte_adjust(3, ADDR | PTE_P), ADDR | PTE_P | PTE_U);
    /* Not present: whatever the guest keeps there is its own. */
    assert_int_equal(pte_adjust(1, ADDR | PTE_G), ADDR | PTE_G);
    /* Read back and written again, nothing moves. */
    assert_int_equal(pte_adjust(1, kernel), kernel);
}

static void device_cache(void **state)
{
    static const uint64_t want[8] = {2, 2, 2, 3, 4, 2, 6, 7};

    (void)state;
    for (uint64_t i = 0; i < 8; i++) {
        pte_t in = (i & 1 ? PTE_PWT : 0) | (i & 2 ? PTE_PCD : 0) |
                   (i & 4 ? PTE_PAT : 0);
        pte_t out = (want[i] & 1 ? PTE_PWT : 0) | (want[i] & 2 ? PTE_PCD : 0) |
                    (want[i] & 4 ? PTE_PAT : 0);

        assert_int_equal(pte_device_cache(ADDR | PTE_P | in),
                         ADDR | PTE_P | out);
    }
}

static void absent_entries_name_memory(void **state)
{
    (void)state;
    /* Nothing is dangerous where the processor heeds the present bit. */
    assert_false(pte_names_memory(0xdead0000));
    /* CPUID says 36 bits, the cache knows 46: one bit above is enough. */
    pte_l1tf_init(46, 36, 16UL << 30, false, true);
    assert_false(pte_names_memory(0));
    assert_true(pte_names_memory(0x1000));
    assert_false(pte_names_memory(0xfff & ~PTE_P)); /* no address at all */
    assert_true(pte_names_memory((1UL << 36) - 0x1000));
    assert_false(pte_names_memory(1UL << 36));
    assert_false(pte_names_memory(~0UL & ~PTE_P)); /* as Linux inverts them */
    /* Beyond what the cache sees nothing helps. */
    assert_true(pte_names_memory(1UL << 46 | 0x5000));
    /* As wide: the upper quarter is taken for empty... */
    pte_l1tf_init(46, 46, 16UL << 30, false, true);
    assert_true(pte_names_memory((3UL << 44) - 0x1000));
    assert_false(pte_names_memory(3UL << 44));
    /* ...but for the memory that is there. */
    pte_l1tf_init(46, 46, (3UL << 44) + 0x2000, false, true);
    assert_true(pte_names_memory((3UL << 44) + 0x1000));
    assert_false(pte_names_memory((3UL << 44) + 0x2000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_table),
        cmocka_unit_test(adjust),
        cmocka_unit_test(device_cache),
        cmocka_unit_test(absent_entries_name_memory),
    };

    return UNIT_RUN(tests);
}
