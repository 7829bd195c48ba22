/* SPDX-License-Identifier: MIT */
/*
 * lib/ksyms: a table as a kernel has it, and tables that lie; a System.map.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/ksyms.h"

#define MEMORY 0xffffffff81000000UL
#define BYTES  0x4000U

/* A kernel's memory: names at 0, tokens at 0x1000, index at 0x2000, ... */
static uint8_t memory[BYTES];
static const char note[] =
    "OSRELEASE=6.1.0\nSYMBOL(kallsyms_names)=ffffffff81000000\n"
    "SYMBOL(kallsyms_num_syms)=ffffffff81002800\n"
    "SYMBOL(kallsyms_token_table)=ffffffff81001000\n"
    "SYMBOL(kallsyms_token_index)=ffffffff81002000\n"
    "SYMBOL(kallsyms_offsets)=ffffffff81003000\n"
    "SYMBOL(kallsyms_relative_base)=ffffffff81002808\n";

static int read_it(void *who, uint64_t address, void *buf, size_t len)
{
    assert_ptr_equal(who, memory);
    if (address < MEMORY || address - MEMORY > BYTES ||
        len > BYTES - (address - MEMORY)) {
        return -1;
    }
    memcpy(buf, memory + (address - MEMORY), len);
    return 0;
}

static void put(size_t at, const void *what, size_t len)
{
    memcpy(memory + at, what, len);
}

/* Tokens: each letter for itself, and 1 for "do_". */
static int set_up(void **state)
{
    /* Tdo_it, tidle, Ddata; the second in two bytes of length. */
    static const char names[] = "\4T\1it"
                                "\x85\0tidle"
                                "\5Ddata";
    const int32_t offsets[] = {-0x101, -0x201, 0x40};
    const uint32_t count = 3;
    const uint64_t base = 0xffffffff82000000;
    uint16_t at = 0;

    (void)state;
    memset(memory, 0, sizeof(memory));
    put(0, names, sizeof(names) - 1);
    for (unsigned int i = 0; i < 256; i++) {
        char letter[2] = {(char)i, '\0'};
        const char *token = i == 1 ? "do_" : letter;

        put(0x2000 + 2 * i, &at, sizeof(at));
        put(0x1000U + at, token, strlen(token) + 1);
        at = (uint16_t)(at + strlen(token) + 1);
    }
    put(0x2800, &count, sizeof(count));
    put(0x2808, &base, sizeof(base));
    put(0x3000, offsets, sizeof(offsets));
    return 0;
}

static void decodes(void **state)
{
    struct ksyms syms;
    struct fault fault;
    uint64_t offset;

    (void)state;
    assert_int_equal(ksyms_from_kernel(note, read_it, memory, &syms, &fault),
                     0);
    assert_int_equal(syms.count, 3);
    /* Absolute, and data: no name. */
    assert_int_equal(syms.symbols[0].address, 0x40);
    assert_null(ksyms_find(&syms, 0x48, &offset));
    assert_string_equal(ksyms_find(&syms, 0xffffffff82000104, &offset),
                        "do_it");
    assert_int_equal(offset, 4);
    assert_null(ksyms_find(&syms, 0x10, &offset));
    /* How long the last one is nobody knows. */
    assert_null(ksyms_find(&syms, 0xffffffff82000204, &offset));
    assert_string_equal(ksyms_find(&syms, 0xffffffff820001ff, &offset),
                        "do_it");
    ksyms_free(&syms);
    assert_null(ksyms_find(&syms, 0xffffffff82000104, &offset));
}

/* Each byte another value: an answer or an error, and no harm. */
static void lies(void **state)
{
    const size_t places[] = {0,      1,      5,      6,      0x1000, 0x2001,
                             0x21ff, 0x2800, 0x2802, 0x2803, 0x280f, 0x3003};

    for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        for (unsigned int value = 0; value < 256; value += 5) {
            struct ksyms syms;
            struct fault fault;

            set_up(state);
            memory[places[i]] = (uint8_t)value;
            if (ksyms_from_kernel(note, read_it, memory, &syms, &fault) == 0) {
                ksyms_free(&syms);
            }
        }
    }
    set_up(state);
}

static void says_nothing(void **state)
{
    struct ksyms syms;
    struct fault fault;

    (void)state;
    assert_int_equal(ksyms_from_kernel("OSRELEASE=5.10\n", read_it, memory,
                                       &syms, &fault),
                     -1);
    memory[0x2803] = 0x7f; /* two thousand million symbols */
    assert_int_equal(ksyms_from_kernel(note, read_it, memory, &syms, &fault),
                     -1);
    set_up(state);
}

static void from_file(void **state)
{
    char path[] = "/tmp/vigil-ksyms-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    struct ksyms syms;
    struct fault fault;
    uint64_t offset;

    (void)state;
    fprintf(f, "ffffffff81000200 t second\nnonsense\n"
               "ffffffff81000100 T first\nffffffff81000300 D data\n");
    fclose(f);
    assert_int_equal(ksyms_from_file(path, &syms, &fault), 0);
    assert_int_equal(syms.count, 3);
    assert_string_equal(ksyms_find(&syms, 0xffffffff81000110, &offset),
                        "first");
    assert_int_equal(offset, 0x10);
    assert_string_equal(ksyms_find(&syms, 0xffffffff810002ff, &offset),
                        "second");
    assert_null(ksyms_find(&syms, 0xffffffff81000301, &offset));
    ksyms_free(&syms);
    f = fopen(path, "w");
    fprintf(f, "nothing\n");
    fclose(f);
    assert_int_equal(ksyms_from_file(path, &syms, &fault), -1);
    unlink(path);
    assert_int_equal(ksyms_from_file(path, &syms, &fault), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(decodes, set_up),
        cmocka_unit_test_setup(lies, set_up),
        cmocka_unit_test_setup(says_nothing, set_up),
        cmocka_unit_test(from_file),
    };

    return UNIT_RUN(tests);
}
