/* SPDX-License-Identifier: MIT */
/*
 * pv/privop_decode: every operation, prefixes, and bytes that are cut short.
 */
#include "tests/unit/unit.h"

#include "pv/privop_decode.h"

struct row {
    const char *bytes;
    uint8_t count;
    struct privop_insn want;
};

#define ROW(text, ...)                                                         \
    {                                                                          \
        (text), sizeof(text) - 1,                                              \
        {                                                                      \
            .len = sizeof(text) - 1, __VA_ARGS__                               \
        }                                                                      \
    }

static const struct row rows[] = {
    ROW("\x0f\x32", .op = PRIVOP_RDMSR),
    ROW("\x0f\x30", .op = PRIVOP_WRMSR),
    ROW("\x0f\x31", .op = PRIVOP_RDTSC),
    ROW("\x0f\x01\xf9", .op = PRIVOP_RDTSCP),
    ROW("\x0f\xa2", .op = PRIVOP_CPUID),
    ROW("\x0f\x01\xd1", .op = PRIVOP_XSETBV),
    ROW("\x0f\x06", .op = PRIVOP_CLTS),
    ROW("\xfa", .op = PRIVOP_CLI),
    ROW("\xfb", .op = PRIVOP_STI),
    ROW("\x0f\x08", .op = PRIVOP_CACHE_FLUSH),
    ROW("\x0f\x09", .op = PRIVOP_CACHE_FLUSH),
    ROW("\xf3\x0f\x09", .op = PRIVOP_CACHE_FLUSH),
    /* mov %cr0, %rax; mov %rdi, %cr4; mov %cr8, %r15 */
    ROW("\x0f\x20\xc0", .op = PRIVOP_READ_CR, .sysreg = 0, .gpr = 0),
    ROW("\x0f\x22\xe7", .op = PRIVOP_WRITE_CR, .sysreg = 4, .gpr = 7),
    ROW("\x45\x0f\x20\xc7", .op = PRIVOP_READ_CR, .sysreg = 8, .gpr = 15),
    /* mod is ignored: still mov %cr3, %rcx */
    ROW("\x0f\x20\x19", .op = PRIVOP_READ_CR, .sysreg = 3, .gpr = 1),
    ROW("\x0f\x21\xf2", .op = PRIVOP_READ_DR, .sysreg = 6, .gpr = 2),
    ROW("\x41\x0f\x23\xf8", .op = PRIVOP_WRITE_DR, .sysreg = 7, .gpr = 8),
    /* port I/O */
    ROW("\xe4\x71", .op = PRIVOP_IN, .io_bytes = 1, .port_in_insn = true,
        .port = 0x71),
    ROW("\xe5\x80", .op = PRIVOP_IN, .io_bytes = 4, .port_in_insn = true,
        .port = 0x80),
    ROW("\x66\xe7\x42", .op = PRIVOP_OUT, .io_bytes = 2, .port_in_insn = true,
        .port = 0x42),
    ROW("\xe6\x70", .op = PRIVOP_OUT, .io_bytes = 1, .port_in_insn = true,
        .port = 0x70),
    ROW("\xec", .op = PRIVOP_IN, .io_bytes = 1),
    ROW("\xed", .op = PRIVOP_IN, .io_bytes = 4),
    ROW("\x66\xed", .op = PRIVOP_IN, .io_bytes = 2),
    /* REX.W does not make port I/O wider */
    ROW("\x48\xed", .op = PRIVOP_IN, .io_bytes = 4),
    ROW("\xee", .op = PRIVOP_OUT, .io_bytes = 1),
    ROW("\xef", .op = PRIVOP_OUT, .io_bytes = 4),
    ROW("\x6c", .op = PRIVOP_INS, .io_bytes = 1, .addr_bytes = 8),
    ROW("\xf3\x6d", .op = PRIVOP_INS, .io_bytes = 4, .addr_bytes = 8,
        .repeat = true),
    ROW("\xf3\x67\x66\x6d", .op = PRIVOP_INS, .io_bytes = 2, .addr_bytes = 4,
        .repeat = true),
    ROW("\xf2\x6f", .op = PRIVOP_OUTS, .io_bytes = 4, .addr_bytes = 8,
        .repeat = true),
    ROW("\x65\x6e", .op = PRIVOP_OUTS, .io_bytes = 1, .addr_bytes = 8,
        .segment = INSN_SEG_GS),
    /* the last segment prefix counts */
    ROW("\x64\x2e\x6e", .op = PRIVOP_OUTS, .io_bytes = 1, .addr_bytes = 8,
        .segment = INSN_SEG_DEFAULT),
    /* a REX prefix before another prefix is void */
    ROW("\x44\x66\x0f\x20\xc0", .op = PRIVOP_READ_CR, .sysreg = 0, .gpr = 0),
};

static void each_operation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        uint8_t bytes[INSN_BYTES_MAX + 1];
        struct privop_insn got;

        /* What follows the instruction does not matter. */
        memset(bytes, 0x90, sizeof(bytes));
        memcpy(bytes, r->bytes, r->count);
        assert_true(privop_decode(bytes, INSN_BYTES_MAX, true, &got));
        assert_int_equal(got.op, r->want.op);
        assert_int_equal(got.len, r->want.len);
        assert_int_equal(got.sysreg, r->want.sysreg);
        assert_int_equal(got.gpr, r->want.gpr);
        assert_int_equal(got.io_bytes, r->want.io_bytes);
        assert_int_equal(got.addr_bytes, r->want.addr_bytes);
        assert_int_equal(got.repeat, r->want.repeat);
        assert_int_equal(got.port_in_insn, r->want.port_in_insn);
        assert_int_equal(got.port, r->want.port);
        assert_int_equal(got.segment, r->want.segment);
    }
}

/* Every proper prefix of every instruction is refused, and not overread. */
static void cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t n = 0; n < rows[i].count; n++) {
            uint8_t *bytes = malloc(n + 1);
            struct privop_insn got;

            assert_non_null(bytes);
            memcpy(bytes, rows[i].bytes, n);
            bytes = realloc(bytes, n == 0 ? 1 : n);
            assert_non_null(bytes);
            assert_false(privop_decode(bytes, n, true, &got));
            assert_int_equal(got.op, PRIVOP_NONE);
            free(bytes);
        }
    }
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "\x90",         "\xf4",
        "\xcc",         "\xf0\x0f\x32",
        "\x0f\x01\xc1", "\x66\x0f\x01\xd1",
        "\x0f\x00\xc0", "\xf0\x0f\x20\xc0",
        "\x0f\x33",
    };
    uint8_t prefixes[32];
    struct privop_insn got;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t bytes[INSN_BYTES_MAX] = {0};

        memcpy(bytes, bad[i], strlen(bad[i]));
        assert_false(privop_decode(bytes, sizeof(bytes), true, &got));
    }
    /* The sixteenth byte cannot be part of an instruction. */
    memset(prefixes, 0x66, sizeof(prefixes));
    prefixes[15] = 0xec;
    assert_false(privop_decode(prefixes, sizeof(prefixes), true, &got));
    prefixes[14] = 0xec;
    assert_true(privop_decode(prefixes, sizeof(prefixes), true, &got));
    assert_int_equal(got.len, INSN_BYTES_MAX);
}

static void legacy_mode(void **state)
{
    static const uint8_t ins[] = {0x6d}, dec[] = {0x48, 0xed};
    static const uint8_t ins16[] = {0x67, 0x6d};
    struct privop_insn got;

    (void)state;
    assert_true(privop_decode(ins, sizeof(ins), false, &got));
    assert_int_equal(got.addr_bytes, 4);
    /* 48 is "dec eax" there, not a prefix. */
    assert_false(privop_decode(dec, sizeof(dec), false, &got));
    assert_false(privop_decode(ins16, sizeof(ins16), false, &got));
}

static void forced_cpuid(void **state)
{
    static const uint8_t good[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2, 0};
    uint8_t bad[sizeof(good)];

    (void)state;
    assert_true(privop_is_forced_cpuid(good, sizeof(good)));
    assert_true(privop_is_forced_cpuid(good, 7));
    assert_false(privop_is_forced_cpuid(good, 6));
    for (size_t i = 0; i < 7; i++) {
        memcpy(bad, good, sizeof(good));
        bad[i] ^= 1;
        assert_false(privop_is_forced_cpuid(bad, sizeof(bad)));
    }
}

/* No bytes whatever may be overread or give a length beyond the limit. */
static void any_bytes(void **state)
{
    uint32_t x = 1;

    (void)state;
    for (unsigned int i = 0; i < 200000; i++) {
        uint8_t bytes[INSN_BYTES_MAX];
        struct privop_insn got;

        for (size_t j = 0; j < sizeof(bytes); j++) {
            x = x * 1664525 + 1013904223;
            bytes[j] = (uint8_t)(x >> 24);
        }
        if (privop_decode(bytes, i % 16, i & 16, &got)) {
            assert_in_range(got.len, 1, i % 16);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation), cmocka_unit_test(cut_short),
        cmocka_unit_test(refused),        cmocka_unit_test(legacy_mode),
        cmocka_unit_test(forced_cpuid),   cmocka_unit_test(any_bytes),
    };

    return UNIT_RUN(tests);
}
