/* SPDX-License-Identifier: MIT */
/*
 * boot/harvest.c: which box is found, told and kept, and where ours is laid out, by
 * the real map of memory and the real box.  A boot that comes after another one has
 * the memory the other has left, and nothing else of it.
 */
#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "log/printk.h"
#include "crash/blackbox.h"
#include "crash/harvest.h"
#include "mm/directmap.h"
#include "mm/memmap.h"
#include "boot/harvest.h"
#include "boot/version.h"
#include "fake_hw.h"
#include "fake_machine.h"
#include "fake_printk.h"
#include "tests/unit/child.h"

#define MIB      0x100000UL
#define ZONE     ((size_t)VIGIL_BOX_BYTES)
#define FOUR_GIB (4096 * MIB)
#define RAM_END  (64 * MIB)
/* RAM from 1 MiB on, 63 of it: its middle, quarter and three quarters. */
#define MIDDLE   (32 * MIB)
#define QUARTER  (16 * MIB)
#define BEHIND   (48 * MIB)

const char *version_text(void)
{
    return "Vigil of this test";
}

/* The box is there; that the log lies in it is crash/test_blackbox's. */
void log_attach(void *ring, size_t bytes, uint64_t boot_id)
{
    (void)ring;
    assert_true(bytes > 0);
    assert_int_equal(boot_id, 1001);
}

static struct vigil_box_header *at(maddr_t zone)
{
    return maddr_to_ptr(zone);
}

static void sound_map(void)
{
    memmap_add(0, 640 << 10, MEMMAP_RAM);
    memmap_add(MIB, RAM_END - MIB, MEMMAP_RAM);
    memmap_add(RAM_END, 512 * MIB, MEMMAP_RESERVED);
    memmap_finish();
}

/* ---- a boot, in a child: only memory is left of it ---- */

static void boots(void)
{
    sound_map();
    harvest_boxes();
    assert_true(blackbox_present());
    assert_false(fake_printk_said("cannot be laid out"));
}

/* This boot's box is at @zone, of that generation. */
static void assert_ours(maddr_t zone, uint64_t generation)
{
    size_t bytes = 0;

    assert_ptr_equal(blackbox_zone(&bytes), at(zone));
    assert_int_equal(bytes, ZONE);
    assert_int_equal(at(zone)->generation, generation);
    assert_int_equal(at(zone)->boot_id, 1001);
    assert_string_equal(at(zone)->build, "Vigil of this test");
}

static void assert_found(maddr_t zone)
{
    size_t bytes = 0;

    assert_ptr_equal(harvest_get(&bytes), at(zone));
    assert_int_equal(bytes, ZONE);
}

static void assert_none_found(void)
{
    size_t bytes;

    assert_null(harvest_get(&bytes));
}

/* Neither the allocator nor Dom0 has it. */
static void assert_hidden(maddr_t start, uint64_t bytes)
{
    struct e820entry e;

    for (maddr_t a = start; a < start + bytes; a += PAGE_SIZE) {
        assert_int_equal(memmap_type_at(a), MEMMAP_KEPT);
    }
    for (unsigned int i = 0; memmap_machine_e820(i, &e); i++) {
        assert_false(e.type == MEMMAP_RAM && e.addr < start + bytes &&
                     e.addr + e.size > start);
    }
}

static void assert_free(maddr_t start)
{
    assert_int_equal(memmap_type_at(start), MEMMAP_RAM);
}

/* Machine checks that nobody collects: numbers 1 to @count. */
static void leave_records(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        struct vigil_mce_record *r = blackbox_mce_slot(i);

        r->seq = i + 1;
        r->banks = 1;
        r->bank[0].status = 0xbd00 + i;
        blackbox_mce_written(i);
    }
}

/* ---- stories ---- */

static void first_boot(void)
{
    boots();
    assert_ours(MIDDLE, 1);
    assert_none_found();
    assert_false(fake_printk_said("black box"));
    assert_hidden(MIDDLE, 2 * ZONE);
    assert_free(MIDDLE - PAGE_SIZE);
    assert_free(MIDDLE + 2 * ZONE);
    assert_free(QUARTER);
    blackbox_context(3, CTX_NMI);
    blackbox_context(NR_CPUS - 1, CTX_MC | CTX_OF_GUEST);
    leave_records(10);
}

/* The one before was reset: told, with what its CPUs were in, and kept. */
static void after_a_reset(void)
{
    boots();
    assert_found(MIDDLE);
    assert_ours(MIDDLE + ZONE, 2);
    assert_true(fake_printk_said("the previous boot left a black box: "
                                 "unfinished: \n"));
    assert_true(fake_printk_said("boot: CPU 3 was in nmi in hypervisor then\n"
                                 "boot: CPU 63 was in mce in guest then\n"));
    /* The first eight of its machine checks, and how many more there are. */
    assert_true(fake_printk_said("machine check 1, "));
    assert_true(fake_printk_said("machine check 8, "));
    assert_true(fake_printk_said("status 0xbd07 "));
    assert_false(fake_printk_said("machine check 9, "));
    assert_true(fake_printk_said("boot: and 2 more of them\n"));
    assert_int_equal(fake_printk_count, 3 + 8 + 1);
    assert_int_equal(blackbox_check(at(MIDDLE), ZONE), BOX_RESET);
    assert_hidden(MIDDLE, 2 * ZONE);
    blackbox_context(1, CTX_NMI);
    blackbox_begin(VIGIL_BOX_KIND_HYPERVISOR, 1);
    blackbox_reason("it panics");
    blackbox_seal();
}

/* The newer one is told, not the reset before; ours goes over the older. */
static void after_a_panic(void)
{
    boots();
    assert_found(MIDDLE + ZONE);
    assert_ours(MIDDLE, 3);
    assert_true(fake_printk_said("black box: hypervisor panic: it panics\n"));
    /* A record says itself what each was in. */
    assert_int_equal(fake_printk_count, 1);
    /* Dom0 has stored it: this boot does not tell it again. */
    assert_int_equal(harvest_ack(), 0);
    assert_int_equal(blackbox_check(at(MIDDLE + ZONE), ZONE), BOX_TAKEN);
    blackbox_clean("power off asked by Dom0");
}

static void after_power_off(void)
{
    boots();
    assert_found(MIDDLE);
    assert_ours(MIDDLE + ZONE, 4);
    assert_true(
        fake_printk_said("orderly shutdown: power off asked by Dom0\n"));
    assert_int_equal(harvest_ack(), 0);
    blackbox_clean("nobody will hear of it");
    blackbox_mark_taken(at(MIDDLE + ZONE), ZONE);
}

/* Both were collected: the numbers go on. */
static void nothing_is_new(void)
{
    boots();
    assert_none_found();
    assert_ours(MIDDLE, 5);
    assert_int_equal(fake_printk_count, 0);
}

static void in_turn(void **state)
{
    (void)state;
    fake_machine_fill(0, RAM_END, 0);
    in_child(first_boot);
    in_child(after_a_reset);
    in_child(after_a_panic);
    in_child(after_power_off);
    in_child(nothing_is_new);
}

static void panics_of_dom0(void)
{
    boots();
    blackbox_begin(VIGIL_BOX_KIND_DOM0, 0);
    blackbox_reason("Dom0 said goodbye");
}

/* Half a record, then one that is damaged, then one of a kind nobody knows. */
static void after_half_a_record(void)
{
    boots();
    assert_found(MIDDLE);
    assert_true(fake_printk_said("black box: Dom0 crash: Dom0 said goodbye\n"));
    assert_int_equal(fake_printk_count, 1);
    blackbox_begin(VIGIL_BOX_KIND_RESET, 0);
    blackbox_reason("bent");
    blackbox_seal();
    at(MIDDLE + ZONE)->crc32 ^= 1;
}

static void after_damage(void)
{
    boots();
    assert_found(MIDDLE + ZONE);
    assert_true(fake_printk_said("black box: reset without a panic: bent\n"));
    blackbox_begin(VIGIL_BOX_KIND_CLEAN + 1, 0);
    blackbox_seal();
}

static void after_an_unknown_kind(void)
{
    boots();
    assert_found(MIDDLE);
    assert_ours(MIDDLE + ZONE, 4);
    assert_true(fake_printk_said("black box: unfinished: \n"));
    at(MIDDLE)->version++;
}

/* Another version's: said, not told and not kept, and its number is none. */
static void after_another_version(void)
{
    boots();
    assert_found(MIDDLE + ZONE);
    assert_ours(MIDDLE, 5);
    assert_true(fake_printk_said("is mangled, or of another version"));
}

static void what_is_told(void **state)
{
    (void)state;
    fake_machine_fill(0, RAM_END, 0);
    in_child(panics_of_dom0);
    in_child(after_half_a_record);
    in_child(after_damage);
    in_child(after_an_unknown_kind);
    in_child(after_another_version);
}

static maddr_t module[2]; /* 0: none; those below the middle are large */
static maddr_t ours_at;

static void modules_in_the_way(void)
{
    sound_map();
    for (unsigned int i = 0; i < ARRAY_SIZE(module) && module[i] != 0; i++) {
        memmap_reserve(module[i], module[i] < MIDDLE ? 4 * ZONE : PAGE_SIZE);
    }
    harvest_boxes();
    assert_true(blackbox_present());
    assert_ours(ours_at, 1);
    assert_hidden(ours_at, 2 * ZONE);
    leave_records(8);
}

/* A boot later they lie elsewhere: what is found stays where it is, alone. */
static void modules_have_gone(void)
{
    boots();
    assert_found(ours_at);
    assert_ours(MIDDLE, 2);
    assert_hidden(MIDDLE, 2 * ZONE);
    assert_hidden(ours_at, ZONE);
    assert_free(ours_at + ZONE);
    assert_true(fake_printk_said("machine check 8, "));
    assert_false(fake_printk_said("more of them"));
}

/* Ours goes to the next place that is free, and is found there afterwards. */
static void next_place(void **state)
{
    static const maddr_t row[][3] = {
        /* first module, second, our place */
        {MIDDLE, 0, QUARTER},
        {MIDDLE + 2 * ZONE - PAGE_SIZE, 0, QUARTER},
        {MIDDLE - ZONE, 0, QUARTER}, /* over all of it */
        {MIDDLE + ZONE, QUARTER + ZONE, BEHIND},
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
        fake_machine_fill(0, RAM_END, 0xa5);
        module[0] = row[i][0];
        module[1] = row[i][1];
        ours_at = row[i][2];
        in_child(modules_in_the_way);
        assert_int_equal(blackbox_check(at(MIDDLE), ZONE), BOX_NOTHING);
        in_child(modules_have_gone);
    }
}

/* A module on each: no box, but the one of the boot before is told and kept. */
static void nowhere(void)
{
    sound_map();
    memmap_reserve(MIDDLE + ZONE, PAGE_SIZE);
    memmap_reserve(QUARTER, PAGE_SIZE);
    memmap_reserve(BEHIND, PAGE_SIZE);
    harvest_boxes();
    assert_false(blackbox_present());
    assert_found(MIDDLE);
    assert_hidden(MIDDLE, ZONE);
    assert_free(MIDDLE + ZONE + PAGE_SIZE);
    assert_true(fake_printk_said("Dom0 said goodbye\n"));
    assert_true(fake_printk_said("boot: the black box cannot be laid out\n"));
}

static void no_place(void **state)
{
    (void)state;
    fake_machine_fill(0, RAM_END, 0xa5);
    in_child(panics_of_dom0);
    in_child(nowhere);
}

static void little_memory(void)
{
    memmap_add(MIB, 16 * ZONE - 1, MEMMAP_RAM);
    memmap_finish();
    harvest_boxes();
    assert_false(blackbox_present());
    assert_true(fake_printk_said("no room for the black box"));
    assert_none_found();
}

static void just_enough(void)
{
    memmap_add(MIB, 16 * ZONE, MEMMAP_RAM);
    memmap_finish();
    harvest_boxes();
    assert_ours(MIB + 8 * ZONE, 1);
}

static void too_little(void **state)
{
    (void)state;
    fake_machine_fill(0, RAM_END, 0);
    in_child(little_memory);
    in_child(just_enough);
}

/* The largest piece below 4 GiB, which its part above does not make larger. */
static void high_memory(void)
{
    memmap_add(MIB, 31 * MIB, MEMMAP_RAM);
    memmap_add(FOUR_GIB - 40 * MIB, FOUR_GIB, MEMMAP_RAM);
    memmap_add(2 * FOUR_GIB, 4 * FOUR_GIB, MEMMAP_RAM);
    memmap_finish();
    harvest_boxes();
    assert_ours(FOUR_GIB - 20 * MIB, 1);
}

/* Firmware may name the smaller piece later. */
static void smaller_later(void)
{
    memmap_add(MIB, 63 * MIB, MEMMAP_RAM);
    memmap_add(FOUR_GIB - 40 * MIB, FOUR_GIB, MEMMAP_RAM);
    memmap_finish();
    harvest_boxes();
    assert_ours(MIDDLE, 1);
}

static void below_four_gib(void **state)
{
    (void)state;
    in_child(high_memory);
    fake_machine_fill(0, RAM_END, 0);
    fake_machine_fill(FOUR_GIB - 40 * MIB, 40 * MIB, 0);
    in_child(smaller_later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_turn),    cmocka_unit_test(what_is_told),
        cmocka_unit_test(next_place), cmocka_unit_test(no_place),
        cmocka_unit_test(too_little), cmocka_unit_test(below_four_gib),
    };

    fake_hw_reset();
    fake_tsc = 1000;
    fake_machine_init(FOUR_GIB);
    return UNIT_RUN(tests);
}
