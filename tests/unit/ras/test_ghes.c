/* SPDX-License-Identifier: MIT */
/*
 * ras/ghes: each error of the firmware's sources is seen once, said once, and
 * acknowledged when Dom0 has had its time.
 */
#include "tests/unit/unit.h"

#include "tests/unit/ras/ras_fakes.h"
#include "fake_printk.h"
#include "dev/acpi_bert.h"
#include "dev/acpi_hest.h"
#include "ras/ghes.h"

#define BASE     0x140000000UL
#define REGISTER 0x00 /* of the first source; the second's is behind it */
#define BLOCK    0x40
#define BLOCK2   0x1040
#define ACK      0x20
#define SECOND   1000000000UL

static uint8_t memory[0x3000];
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
    table.generic_count = 6;
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
    is_ram = true;
    ghes_init();
    assert_true(fake_printk_said("5 firmware error sources name no memory"));
    is_ram = false;
    fake_printk_forget();
    /* Both have something from before: a length that lies, and a good one. */
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
    assert_true(fake_printk_said("2 firmware error sources announce"));
    assert_true(fake_printk_said("3 firmware error sources name no memory"));
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
    };

    return cmocka_run_group_tests(tests, set_up_once, NULL);
}
