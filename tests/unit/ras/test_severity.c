/* SPDX-License-Identifier: MIT */
/*
 * ras/severity: every rule is hit by a bank that hardware, QEMU or a manual's
 * table could show, and the suite fails for a row nobody visits.
 */
#include "tests/unit/unit.h"

#include "ras/decode.h"
#include "ras/mca_regs.h"
#include "ras/severity.h"

#define HV    MCE_AT_HV
#define GUEST MCE_AT_GUEST
#define POLL  MCE_AT_POLL
#define BOOT  MCE_AT_BOOT

#define PLAIN  MCE_KIND_PLAIN
#define SER    MCE_KIND_SER
#define SUCCOR MCE_KIND_SUCCOR

struct bank_case {
    uint64_t status;
    uint64_t mcg;
    unsigned int where, kind;
    enum mce_grade grade;
    const char *words; /* of the rule's sentence */
};

/* clang-format off */
static const struct bank_case cases[] = {
    /* No bank: QEMU's broadcast to a CPU whose bank was cleared. */
    {0, 0x4, HV, SER, MCE_FATAL, "no bank says why, and"},
    {0, 0x5, GUEST, SER, MCE_NONE, "no bank says why"},
    {0, 0, POLL, PLAIN, MCE_NONE, "no bank says why"},
    /* Left over: a fatal one that reset the machine, and lesser ones. */
    {0xbe00000000800400, 0, BOOT, SER, MCE_LOG, "context corrupt, left"},
    {0xbd000000000000c0, 0, BOOT, SER, MCE_LOG, "uncorrected error, left"},
    {0x9c00000000000090, 0, BOOT, SER, MCE_LOG, "corrected error, left"},
    /* Internal timer, as after a hung bus; xen-mceinj's fatal one. */
    {0xbe00000000800400, 0x4, HV, SER, MCE_FATAL, "context corrupt"},
    {0xbf2000008000017a, 0x5, GUEST, SER, MCE_FATAL, "context corrupt"},
    {0xb200000000000005, 0x4, HV, PLAIN, MCE_FATAL, "context corrupt"},
    {0xbd000000000000c0, 0x4, GUEST, SER, MCE_FATAL, "neither RIPV nor EIPV"},
    {0xbd80000000000134, 0x6, HV, SER, MCE_FATAL, "cannot be resumed"},
    {0xbe00000000800400, 0, POLL, SER, MCE_LOG, "no machine check came"},
    /* AMD family 19h: a deferred error in the unified memory controller. */
    {0x9c20100000000011 | MCI_DEFERRED, 0, POLL, SUCCOR, MCE_LATER, "deferred"},
    {0x9c20100000000011 | MCI_DEFERRED, 0x1, HV, SUCCOR, MCE_LATER, "deferred"},
    /* The same bit means nothing elsewhere: part of a corrected count. */
    {0x9c00100000000090, 0, POLL, SER, MCE_LOG, "corrected error"},
    {0x9c40000000000090, 0, POLL, SER, MCE_LOG, "too many"},
    {0x9c00000000000090, 0, POLL, SER, MCE_LOG, "corrected error"},
    {0x9400000000000151, 0x1, GUEST, PLAIN, MCE_LOG, "corrected error"},
    {0xbd000000000000c0, 0x5, GUEST, PLAIN, MCE_FATAL, "offers no recovery"},
    {0xad000000000000c0, 0x5, HV, SER, MCE_LOG, "told not to report"},
    {0xbc20000080000136, 0, POLL, SER, MCE_LATER, "no machine check came"},
    {0xbc20000080000136, 0, POLL, PLAIN, MCE_LATER, "no machine check came"},
    {0xbd80000000000134, 0x6, GUEST, SER, MCE_KILL, "guest cannot be resumed"},
    {0xbc20000080000136, 0x5, HV, SER, MCE_LATER, "no action required"},
    {0xfd000000000000c0, 0x5, HV, SER, MCE_LATER, "earlier error was lost"},
    {0xbd000000000000c0, 0x5, HV, SER, MCE_LATER, "scrubber"},
    {0xbd000000004000cf, 0x5, GUEST, SER, MCE_LATER, "scrubber"},
    {0xbd2000008000017a, 0x5, HV, SER, MCE_LATER, "written back"},
    {0xbd00000000000136, 0x5, HV, SER, MCE_LATER, "action optional"},
    {0xfd80000000000134, 0x7, GUEST, SER, MCE_FATAL, "earlier error was lost"},
    {0xbd80000000000134, 0x5, GUEST, SER, MCE_LATER, "not of the interrupted"},
    {0xbd80000000000134, 0x7, HV, SER, MCE_FATAL, "hypervisor consumed"},
    {0xb180000000000134, 0x7, GUEST, SER, MCE_KILL, "no address"},
    {0xbd80000000000134, 0x7, GUEST, SER, MCE_ACTION, "guest loaded"},
    {0xbd80000000001134, 0x7, GUEST, SER, MCE_ACTION, "guest loaded"},
    {0xbd80000000000150, 0x7, GUEST, SER, MCE_ACTION, "guest executed"},
    {0xbd80000000000124, 0x7, GUEST, SER, MCE_FATAL, "do not define"},
    {0xbc80000000000134, 0x7, GUEST, SER, MCE_FATAL, "do not define"},
    {0xb400000000000135, 0x5, HV, SUCCOR, MCE_FATAL, "consumed by the hyper"},
    {0xb480000000000135, 0x5, GUEST, SUCCOR, MCE_KILL, "context is corrupt"},
    {0xb000000000000135, 0x5, GUEST, SUCCOR, MCE_KILL, "no address"},
    {0xb400080000000135, 0x5, GUEST, SUCCOR, MCE_ACTION, "by the guest"},
    {0xb400080000000135, 0x6, GUEST, SUCCOR, MCE_KILL, "cannot be resumed"},
};
/* clang-format on */

static unsigned int visits[64];

static void recorded_banks(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct bank_case *c = &cases[i];
        const struct mce_situation at = {
            .mcg_status = c->mcg, .where = c->where, .kind = c->kind};
        const struct mce_rule *r = mce_grade(c->status, &at);

        if (r->grade != c->grade || strstr(r->why, c->words) == NULL) {
            fail_msg("case %u, status %lx: %s, \"%s\"", i,
                     (unsigned long)c->status, mce_grade_name(r->grade),
                     r->why);
        }
        visits[r - mce_rules]++;
    }
}

static void every_row_is_visited(void **state)
{
    (void)state;
    assert_true(mce_rule_count <= ARRAY_SIZE(visits));
    for (unsigned int i = 0; i < mce_rule_count; i++) {
        if (visits[i] == 0) {
            fail_msg("rule %u has no case: %s", i, mce_rules[i].why);
        }
    }
}

/* What must hold of any rule, whoever adds one. */
static void rows_are_sane(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mce_rule_count; i++) {
        const struct mce_rule *r = &mce_rules[i];

        assert_int_equal(r->value & ~r->mask, 0);
        assert_int_equal(r->mcg_value & ~r->mcg_mask, 0);
        assert_true(r->where != 0 && r->kind != 0 && r->why != NULL);
        /* A look at the banks, or an old error, never ends the machine. */
        if (r->grade > MCE_LATER && i + 1 < mce_rule_count) {
            assert_int_equal(r->where & (POLL | BOOT), 0);
        }
        /* Only a guest can be made to act or die. */
        if (r->grade == MCE_ACTION || r->grade == MCE_KILL) {
            assert_int_equal(r->where, GUEST);
        }
    }
}

/* Whatever the registers hold, looking is never fatal. */
static void looking_is_harmless(void **state)
{
    uint64_t seed = 0x9e3779b97f4a7c15;

    (void)state;
    for (unsigned int i = 0; i < 200000; i++) {
        const struct mce_situation at = {
            .where = i & 1 ? POLL : BOOT, .kind = 1u << i % 3};

        seed = seed * 6364136223846793005 + 1442695040888963407;
        assert_true(mce_grade(seed | MCI_VAL, &at)->grade <= MCE_LATER);
    }
}

/* The context is corrupt: no other bit may talk us out of it. */
static void corrupt_context_is_fatal(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned int i = 0; i < 200000; i++) {
        const struct mce_situation at = {
            .mcg_status = i & 7, .where = i & 8 ? HV : GUEST,
            .kind = 1u << i % 3};

        seed = seed * 6364136223846793005 + 1442695040888963407;
        assert_int_equal(mce_grade(seed | MCI_VAL | MCI_PCC, &at)->grade,
                         MCE_FATAL);
    }
}

static void codes_in_words(void **state)
{
    (void)state;
    assert_string_equal(mce_code_name(0x9c00000000000090),
                        "memory controller: read");
    assert_string_equal(mce_code_name(0xbd000000000010cf),
                        "memory controller: scrub");
    assert_string_equal(mce_code_name(0x134), "cache: data load");
    assert_string_equal(mce_code_name(0x151), "cache hierarchy");
    assert_string_equal(mce_code_name(0x0e0b), "I/O error");
    assert_string_equal(mce_code_name(0x0800), "bus or interconnect");
    assert_string_equal(mce_code_name(0x0015), "TLB");
    assert_string_equal(mce_code_name(0x2000), "error code of no known class");
}

static void grades_in_words(void **state)
{
    (void)state;
    for (unsigned int g = MCE_NONE; g <= MCE_FATAL; g++) {
        assert_string_not_equal(mce_grade_name(g), "unknown grade");
    }
    assert_string_equal(mce_grade_name(MCE_FATAL + 1), "unknown grade");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_banks),
        cmocka_unit_test(every_row_is_visited),
        cmocka_unit_test(rows_are_sane),
        cmocka_unit_test(looking_is_harmless),
        cmocka_unit_test(corrupt_context_is_fatal),
        cmocka_unit_test(codes_in_words),
        cmocka_unit_test(grades_in_words),
    };

    return UNIT_RUN(tests);
}
