/* SPDX-License-Identifier: MIT */
/*
 * ras/ghes: each error of the firmware's sources is seen once, said once, and
 * acknowledged when Dom0 has had its time; whoever acts in between.
 */
#include "tests/unit/unit.h"

#include "crash/notes.h"
#include "dev/acpi_bert.h"
#include "dev/acpi_hest.h"
#include "ras/ghes.h"
#include "fake_printk.h"
#include "tests/unit/ras/ghes_seam.h"

#define BASE     0x140000000UL
#define REGISTER 0x00 /* of the first source; the second's is behind it */
#define BLOCK    0x40
#define BLOCK2   0x1040
#define BLOCK3   0x2040
#define ACK      0x20
#define ACK3     0x38
#define SECOND   1000000000UL

static uint8_t memory[0x4000];
static struct acpi_hest table;
static bool is_ram;

const struct acpi_hest *acpi_hest(void)
{
    return &table;
}

const struct acpi_header *acpi_find_table(const char *signature,
                                          unsigned int instance)
{
    (void)signature;
    (void)instance;
    return NULL;
}

void *acpi_map(maddr_t a, size_t bytes)
{
    assert_in_range(a, 1, ACPI_MADDR_END - 1);
    return a >= BASE && a - BASE <= sizeof(memory) - bytes ? memory + (a - BASE)
                                                           : NULL;
}

bool acpi_range_has(maddr_t start, uint64_t bytes, unsigned int types)
{
    (void)bytes;
    (void)types;
    return is_ram && start >= BASE;
}

static void put(unsigned int at, uint64_t value, size_t bytes)
{
    memcpy(memory + at, &value, bytes);
}

static uint64_t get(unsigned int at, size_t bytes)
{
    uint64_t v = 0;

    memcpy(&v, memory + at, bytes);
    return v;
}

static void write_block(unsigned int at, uint32_t status, uint32_t severity)
{
    put(at + 16, severity, 4);
    put(at, status, 4);
}

static struct acpi_gas reg(uint64_t address)
{
    return (struct acpi_gas){.space = ACPI_SPACE_MEMORY, .address = address};
}

/* The table is read once: its second source acknowledges by a register. */
static int set_up_once(void **state)
{
    (void)state;
    put(REGISTER, BASE + BLOCK, 8);
    put(REGISTER + 8, BASE + BLOCK2, 8);
    put(REGISTER + 16, 0x1000, 8);
    put(REGISTER + 24, 0, 8);
    put(REGISTER + 0x28, ACPI_MADDR_END, 8);
    put(REGISTER + 0x30, BASE + BLOCK3, 8);
    table.generic_count = 11;
    for (unsigned int i = 0; i < table.generic_count; i++) {
        table.generic[i] =
            (struct hest_generic){.id = (uint16_t)(10 + i),
                                  .notify = HEST_BY_NMI,
                                  .status = reg(BASE + REGISTER),
                                  .block_bytes = 0x1000};
    }
    table.generic[0].notify = HEST_BY_POLLING;
    table.generic[1].status.space = ACPI_SPACE_IO;
    table.generic[2].status = reg(0x1000);               /* not there */
    table.generic[3].status = reg(BASE + REGISTER + 16); /* its block is not */
    table.generic[5].status = reg(BASE + REGISTER + 8);
    table.generic[5].has_ack = true;
    table.generic[5].ack = reg(BASE + ACK);
    table.generic[5].ack_keep = 0xf0;
    table.generic[5].ack_set = 0x01;
    table.generic[6].status = reg(BASE + REGISTER + 24);   /* nowhere */
    table.generic[7].status = reg(BASE + REGISTER + 0x28); /* nowhere, too */
    table.generic[8].has_ack = true;
    table.generic[8].ack = reg(BASE + ACK);
    table.generic[8].ack.space = ACPI_SPACE_IO;
    table.generic[9].has_ack = true;
    table.generic[9].ack = reg(0x1000);
    table.generic[10].status = reg(BASE + REGISTER + 0x30);
    table.generic[10].has_ack = true;
    table.generic[10].ack = reg(BASE + ACK3);
    table.generic[10].ack_set = 0x01;
    assert_int_equal(ghes_ask(), GHES_NOTHING);
    is_ram = true;
    ghes_init();
    assert_true(fake_printk_said("10 firmware error sources name no memory"));
    is_ram = false;
    fake_printk_forget();
    /* Two have something from before: a length that lies, and a good one. */
    write_block(BLOCK, 1, ERROR_RECOVERABLE);
    put(BLOCK + 12, 0xfffffff0, 4);
    write_block(BLOCK2, 2, ERROR_FATAL);
    put(ACK, 0xabc2, 8);
    ghes_init();
    assert_true(fake_printk_said("source 14 reports a hardware error from "
                                 "before this boot, recoverable"));
    assert_true(fake_printk_said("sections cut off, malformed"));
    assert_true(fake_printk_said("source 15 reports a hardware error from "
                                 "before this boot, fatal"));
    assert_int_equal(get(BLOCK, 4), 0);
    assert_int_equal(get(BLOCK2, 4), 0);
    assert_int_equal(get(ACK, 8), 0xc1);
    put(BLOCK + 12, 0, 4);
    assert_int_equal(ghes_ask(), GHES_NOTHING);
    assert_false(fake_printk_said("source 20")); /* nothing stood there */
    assert_int_equal(get(ACK3, 8), 0);
    assert_true(fake_printk_said("3 firmware error sources announce"));
    assert_true(fake_printk_said("7 firmware error sources name no memory"));
    fake_printk_forget();
    table.generic_count = 0;
    ghes_init();
    assert_false(fake_printk_said("name no memory"));
    return 0;
}

static void nothing(void **state)
{
    (void)state;
    assert_int_equal(ghes_ask(), GHES_NOTHING);
    write_block(BLOCK, 0xfffffffc, 1); /* no error is valid */
    assert_int_equal(ghes_ask(), GHES_NOTHING);
    write_block(BLOCK, 0, 1);
    assert_false(ghes_say(1));
}

static void once(void **state)
{
    (void)state;
    fake_printk_forget();
    write_block(BLOCK, 1, ERROR_RECOVERABLE);
    assert_int_equal(ghes_ask(), GHES_ERROR);
    assert_int_equal(ghes_ask(), GHES_NOTHING);
    assert_true(ghes_say(5 * SECOND));
    assert_true(fake_printk_said("source 14 reports a hardware error, recov"));
    fake_printk_forget();
    assert_int_equal(ghes_ask(), GHES_NOTHING);
    /* Dom0 has its time. */
    assert_true(ghes_say(6 * SECOND - 1));
    assert_int_equal(get(BLOCK, 4), 1);
    assert_false(ghes_say(6 * SECOND));
    assert_int_equal(get(BLOCK, 4), 0);
    assert_false(fake_printk_said("source"));
}

static void acknowledged_by_a_register(void **state)
{
    (void)state;
    put(ACK, 0xabc2, 8);
    write_block(BLOCK2, 2, ERROR_CORRECTED);
    assert_int_equal(ghes_ask(), GHES_ERROR);
    assert_true(ghes_say(10 * SECOND));
    assert_int_equal(get(ACK, 8), 0xabc2);
    assert_false(ghes_say(11 * SECOND));
    assert_int_equal(get(BLOCK2, 4), 0);
    assert_int_equal(get(ACK, 8), 0xc1);
}

/* Then it is Dom0 that has written the register. */
static void taken_by_dom0(void **state)
{
    (void)state;
    put(ACK, 0, 8);
    write_block(BLOCK2, 1, ERROR_RECOVERABLE);
    assert_int_equal(ghes_ask(), GHES_ERROR);
    assert_true(ghes_say(20 * SECOND));
    put(BLOCK2, 0, 4);
    assert_false(ghes_say(21 * SECOND));
    assert_int_equal(get(ACK, 8), 0);
}

/* The firmware has written another one: that is said too, then cleared. */
static void another_meanwhile(void **state)
{
    (void)state;
    write_block(BLOCK, 1, ERROR_RECOVERABLE);
    assert_int_equal(ghes_ask(), GHES_ERROR);
    assert_true(ghes_say(30 * SECOND));
    write_block(BLOCK, 2, ERROR_CORRECTED);
    fake_printk_forget();
    assert_true(ghes_say(31 * SECOND));
    assert_true(fake_printk_said("source 14 reports a hardware error, corr"));
    assert_false(ghes_say(32 * SECOND));
    assert_int_equal(get(BLOCK, 4), 0);
}

/* Every byte of a block may be anything: bounded, and acknowledged in the end. */
static void hostile_blocks(void **state)
{
    uint64_t now = 50 * SECOND;

    (void)state;
    for (unsigned int round = 0; round < 2000; round++) {
        for (unsigned int at = 0; at < 0x1000; at++) {
            memory[BLOCK + at] =
                (uint8_t)(round % 4 == 0 ? 0xff : (unsigned int)rand());
        }
        if (round % 4 == 1) {
            put(BLOCK + 12, (uint64_t)rand() % 0x2000, 4);
            for (unsigned int at = 20; at + 80 < 0x1000; at += 80) {
                put(BLOCK + at + 24, (uint64_t)rand() % 200, 4);
            }
        }
        put(BLOCK, 1 + round % 3, 4);
        assert_int_not_equal(ghes_ask(), GHES_NOTHING);
        assert_true(ghes_say(now));
        now += SECOND;
        assert_false(ghes_say(now));
        assert_int_equal(get(BLOCK, 4), 0);
    }
    memset(memory + BLOCK, 0, 0x1000);
}

static void the_worst_counts(void **state)
{
    (void)state;
    write_block(BLOCK, 1, ERROR_FATAL);
    write_block(BLOCK2, 1, ERROR_RECOVERABLE);
    assert_int_equal(ghes_ask(), GHES_FATAL);
    assert_int_equal(ghes_ask(), GHES_NOTHING);
    (void)ghes_say(40 * SECOND);
    assert_false(ghes_say(41 * SECOND));
}

/* ---- in between ----------------------------------------------------------- */

static unsigned int reads; /* of the third source's status */
static unsigned int write_after, nmi_after;
static enum ghes_answer nmi_answer;

void ghes_has_read(const void *p)
{
    if (p != memory + BLOCK3) {
        return;
    }
    reads++;
    if (reads == write_after) {
        write_block(BLOCK3, 2, ERROR_CORRECTED);
    }
    if (reads == nmi_after) {
        nmi_after = 0; /* it reads, too */
        nmi_answer = ghes_ask();
    }
}

/*
 * The third source's error was said, and Dom0 has acknowledged it; another is
 * written, and announced, after so many looks at whether there is one.
 */
static bool settle_beside(uint64_t now_ns, unsigned int written,
                          unsigned int announced)
{
    write_block(BLOCK3, 1, ERROR_RECOVERABLE);
    assert_int_equal(ghes_ask(), GHES_ERROR);
    assert_true(ghes_say(now_ns));
    put(BLOCK3, 0, 4);
    fake_printk_forget();
    reads = 0;
    write_after = written;
    nmi_after = announced;
    return ghes_say(now_ns + SECOND);
}

static void settled(uint64_t now_ns)
{
    write_after = nmi_after = 0;
    fake_printk_forget();
    assert_false(ghes_say(now_ns));
    assert_false(fake_printk_said("source"));
    assert_int_equal(get(BLOCK3, 4), 0);
    assert_int_equal(ghes_ask(), GHES_NOTHING);
}

/* Its NMI was nobody's: it is found all the same, and said once. */
static void announced_too_early(void **state)
{
    (void)state;
    assert_true(settle_beside(100 * SECOND, 1, 1));
    assert_int_equal(nmi_answer, GHES_NOTHING);
    assert_true(fake_printk_said("source 20 reports a hardware error, corr"));
    assert_int_equal(ghes_ask(), GHES_NOTHING);
    settled(102 * SECOND);
}

/* The NMI has it: said once, by whoever it wakes. */
static void announced_meanwhile(void **state)
{
    (void)state;
    assert_true(settle_beside(110 * SECOND, 1, 2));
    assert_int_equal(nmi_answer, GHES_ERROR);
    assert_false(fake_printk_said("source"));
    assert_true(ghes_say(111 * SECOND + 1));
    assert_true(fake_printk_said("source 20 reports a hardware error, corr"));
    settled(112 * SECOND + 1);
}

/* Dom0 has read it before it was said. */
static void dom0_is_quicker(void **state)
{
    (void)state;
    write_block(BLOCK3, 1, ERROR_RECOVERABLE);
    assert_int_equal(ghes_ask(), GHES_ERROR);
    put(BLOCK3, 0, 4);
    fake_printk_forget();
    assert_true(ghes_say(120 * SECOND));
    assert_false(fake_printk_said("source"));
    settled(121 * SECOND);
}

/* ---- what is in a block ------------------------------------------------------ */

#define AT_SECTION 20
#define AT_MEMORY  (AT_SECTION + 64)

/* One section, of a memory error; @valid: 2: its address is. */
static void write_memory_error(unsigned int at, uint32_t severity,
                               uint64_t valid, uint64_t address)
{
    static const uint8_t guid[16] = {0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f,
                                     0xde, 0x4e, 0xb8, 0x63, 0x3e, 0x83,
                                     0xed, 0x7c, 0x83, 0xb1};

    put(at + 12, 64 + 80, 4);
    memcpy(memory + at + AT_SECTION, guid, sizeof(guid));
    put(at + AT_SECTION + 16, severity, 4);
    put(at + AT_SECTION + 20, 0x201, 2);
    put(at + AT_SECTION + 24, 80, 4);
    put(at + AT_MEMORY, valid, 8);
    put(at + AT_MEMORY + 16, address, 8);
    write_block(at, 1, severity);
}

static void sections_are_said(void **state)
{
    (void)state;
    fake_printk_forget();
    write_memory_error(BLOCK, ERROR_CORRECTED, 2, 0x12345000);
    write_memory_error(BLOCK3, ERROR_RECOVERABLE, 0, 0x54321000);
    assert_int_equal(ghes_ask(), GHES_ERROR);
    assert_true(ghes_say(130 * SECOND));
    assert_true(fake_printk_said("source 14: corrected: memory error at "
                                 "0x12345000\n"));
    assert_true(fake_printk_said("source 20: recoverable: memory error\n"));
    assert_false(ghes_say(131 * SECOND));
}

/* ---- dying -------------------------------------------------------------------- */

static char last_words[1000];

void crash_note(const char *fmt, ...)
{
    size_t at = strlen(last_words);
    va_list args;

    va_start(args, fmt);
    at +=
        (size_t)vsnprintf(last_words + at, sizeof(last_words) - at, fmt, args);
    va_end(args);
    (void)snprintf(last_words + at, sizeof(last_words) - at, "\n");
}

static const char *dies(void)
{
    last_words[0] = '\0';
    for (const struct crash_note *n = __crash_notes_start;
         n < __crash_notes_end; n++) {
        n->write();
    }
    return last_words;
}

/* What an NMI has seen, nobody said, and Dom0 did not take. */
static void unsaid_is_last_words(void **state)
{
    (void)state;
    write_memory_error(BLOCK2, ERROR_RECOVERABLE, 2, 0x1000);
    assert_int_equal(ghes_ask(), GHES_ERROR);
    assert_true(ghes_say(140 * SECOND));
    write_memory_error(BLOCK, ERROR_FATAL, 2, 0x12345000);
    write_memory_error(BLOCK3, ERROR_RECOVERABLE, 2, 0x2000);
    assert_int_equal(ghes_ask(), GHES_FATAL);
    put(BLOCK3, 0, 4);
    assert_string_equal(dies(), "firmware error source 14: fatal\n"
                                "  fatal: memory error at 0x12345000\n");
    /* An address that is none is not told. */
    write_memory_error(BLOCK, ERROR_FATAL, 0, 0x12345000);
    assert_string_equal(dies(), "firmware error source 14: fatal\n"
                                "  fatal: memory error\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),
        cmocka_unit_test(once),
        cmocka_unit_test(acknowledged_by_a_register),
        cmocka_unit_test(taken_by_dom0),
        cmocka_unit_test(hostile_blocks),
        cmocka_unit_test(another_meanwhile),
        cmocka_unit_test(the_worst_counts),
        cmocka_unit_test(announced_too_early),
        cmocka_unit_test(announced_meanwhile),
        cmocka_unit_test(dom0_is_quicker),
        cmocka_unit_test(sections_are_said),
        cmocka_unit_test(unsaid_is_last_words),
    };

    return cmocka_run_group_tests(tests, set_up_once, NULL);
}
