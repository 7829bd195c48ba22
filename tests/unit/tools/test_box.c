/* SPDX-License-Identifier: MIT */
/*
 * The previous boot's black box: filed once, acknowledged only then, and
 * never lost while the store cannot be written.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include <vigil/blackbox.h>
#include <vigil/context.h>
#include <vigil/mce.h>
#include <vigil/log.h>
#include <vigil/log_sum.h>
#include <vigil/vigil_op.h>

#include "lib/checksum.h"
#include "tests/unit/tools/played_store.h"

#define ZONE_BYTES  8192
#define REGS_AT     1024
#define CPUS_AT     1536
#define TRACE_AT    2048
#define LOG_AT      4096
#define MCE_AT      5120
#define TRACE       "[<ffff82d080012345>] do_panic+0x12/0x80\n"
#define BOX_BOOT_ID 0x1122334455667788ULL

static union {
    struct vigil_box_header header;
    uint8_t bytes[ZONE_BYTES];
    struct vigil_log_cell cells[ZONE_BYTES / VIGIL_LOG_CELL_BYTES];
} zone;

static int fetch_error; /* what the hypervisor answers */
static int acknowledged;

int vigil_box_fetch(struct xen *xen, void **ret_data, size_t *ret_bytes)
{
    (void)xen;
    if (fetch_error) {
        return fetch_error;
    }
    *ret_data = xmalloc(sizeof(zone));
    memcpy(*ret_data, &zone, sizeof(zone));
    *ret_bytes = sizeof(zone);
    return 0;
}

int vigil_call(struct xen *xen, unsigned int op, void *arg, size_t bytes)
{
    (void)xen;
    (void)arg;
    (void)bytes;
    assert_int_equal(op, VIGIL_OP_box_ack);
    acknowledged++;
    return 0;
}


static void add_section(unsigned int at, uint32_t type, uint64_t offset,
                        uint64_t bytes)
{
    struct vigil_box_section *section = &zone.header.section[at];

    section->type = type;
    section->offset = offset;
    section->bytes = bytes;
    section->crc32 = type == VIGIL_BOX_SECT_LOG
                         ? 0
                         : checksum_crc32(zone.bytes + offset, bytes);
}

static void make_box(uint32_t kind, uint32_t state)
{
    struct vigil_log_cell *cell = &zone.cells[LOG_AT / sizeof(*cell)];
    struct vigil_box_regs regs = {.rip = 0xffff82d080012345ULL, .vector = 14};

    const struct vigil_box_cpu cpus[] = {
        {3, VIGIL_BOX_CPU_DIED, 0x80000021, 0xe008, 0xffff82d080012345ULL, 8,
         2},
        {0, VIGIL_BOX_CPU_STOPPED, VIGIL_CTX_OF_GUEST, 0xe033, 0x40, 0x50, 2},
        {1, VIGIL_BOX_CPU_SILENT, VIGIL_CTX_IRQ, 0, 0, 0, 0},
        {4, VIGIL_BOX_CPU_INIT, VIGIL_CTX_NMI, 0, 0, 0, 0},
        {2, 77, 0x70, 0, 0, 0, 0},
    };

    memset(&zone, 0, sizeof(zone));
    memcpy(zone.bytes + CPUS_AT, cpus, sizeof(cpus));
    cell->seq = 1;
    cell->boot_id = BOX_BOOT_ID;
    cell->len = 5;
    memcpy(cell->text, "hello", 5);
    cell->sum = vigil_log_sum(cell);
    memcpy(zone.bytes + REGS_AT, &regs, sizeof(regs));
    memcpy(zone.bytes + TRACE_AT, TRACE, strlen(TRACE));
    zone.header.magic = VIGIL_BOX_MAGIC;
    zone.header.version = VIGIL_BOX_VERSION;
    zone.header.header_bytes = sizeof(zone.header);
    zone.header.zone_bytes = ZONE_BYTES;
    zone.header.boot_id = BOX_BOOT_ID;
    zone.header.generation = 4;
    zone.header.state = state;
    zone.header.kind = kind;
    zone.header.stage = VIGIL_BOX_STAGE_NOTES;
    zone.header.tsc = 2000000000ULL;
    zone.header.tsc_khz = 1000000;
    zone.header.wallclock_ns = 1785831323000000000ULL;
    strcpy(zone.header.build, "Vigil of the test");
    strcpy(zone.header.reason, "provoked by a test");
    add_section(0, VIGIL_BOX_SECT_LOG, LOG_AT, 1024);
    add_section(1, VIGIL_BOX_SECT_REGS, REGS_AT, sizeof(regs));
    add_section(2, VIGIL_BOX_SECT_BACKTRACE, TRACE_AT, strlen(TRACE));
    add_section(3, VIGIL_BOX_SECT_CPUS, CPUS_AT, sizeof(cpus));
    zone.header.crc32 = 0;
    zone.header.crc32 = checksum_crc32(&zone.header, sizeof(zone.header));
}

static int begin(void **state)
{
    (void)state;
    if (played_store_new()) {
        return -1;
    }
    strcpy(collector.host, "h7");
    fetch_error = 0;
    acknowledged = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    return played_store_remove();
}

/* The only entry of the store. */
static void expect_one(const char *kind, const char *words,
                       struct crash_list *ret_list)
{
    assert_int_equal(store_read(collector.store.path, ret_list, &fault), 0);
    assert_int_equal(ret_list->count, 1);
    assert_string_equal(ret_list->crashes[0].kind, kind);
    assert_non_null(strstr(ret_list->crashes[0].what, words));
}

static void test_panic_is_filed(void **state)
{
    struct crash_list list;
    char *text;

    (void)state;
    make_box(VIGIL_BOX_KIND_HYPERVISOR, VIGIL_BOX_SEALED);
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(acknowledged, 1);
    assert_int_equal(collector.box_is_done, 1);
    expect_one("host", "hypervisor panic: provoked by a test", &list);
    /* The clock of the box: 2 s after its TSC 0. */
    assert_string_equal(list.crashes[0].time, "2026-08-04T08:15:25.000000Z");
    assert_non_null(strstr(list.crashes[0].name, "-host-h7-"));
    text = read_file(&list.crashes[0], "backtrace.txt");
    assert_string_equal(text, TRACE);
    free(text);
    text = read_file(&list.crashes[0], "reason.txt");
    assert_non_null(strstr(text, "on cpu 0, in nmi in irq in guest, Vigil"));
    free(text);
    text = read_file(&list.crashes[0], "cpus.txt");
    assert_string_equal(
        text, "cpu 3 died, in nmi in irq in guest, rip e008:ffff82d080012345 "
              "rsp 0000000000000008\n"
              "cpu 0 stopped, in guest, rip e033:0000000000000040 rsp "
              "0000000000000050\n"
              "cpu 1 did not stop, in irq in hypervisor\n"
              "cpu 4 did not stop, was sent INIT, in nmi in hypervisor\n"
              "cpu 2 ?, in ? in hypervisor, rip 0000:0000000000000000 rsp "
              "0000000000000000\n");
    free(text);
    text = read_file(&list.crashes[0], "registers.json");
    assert_non_null(strstr(text, "\"rip\":\"0xffff82d080012345\""));
    assert_non_null(strstr(text, "\"trust\":\"verified\""));
    free(text);
    text = read_file(&list.crashes[0], "hypervisor.txt");
    assert_non_null(strstr(text, "hello\n"));
    free(text);
    crash_list_free(&list);
}

static void test_filed_once(void **state)
{
    struct crash_list list;

    (void)state;
    make_box(VIGIL_BOX_KIND_HYPERVISOR, VIGIL_BOX_SEALED);
    assert_int_equal(box_collect(&collector, &fault), 0);
    /* The program was stopped before it could acknowledge. */
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(acknowledged, 2);
    expect_one("host", "provoked", &list);
    crash_list_free(&list);
    zone.header.generation++;
    zone.header.crc32 = 0;
    zone.header.crc32 = checksum_crc32(&zone.header, sizeof(zone.header));
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(store_read(collector.store.path, &list, &fault), 0);
    assert_int_equal(list.count, 2);
    crash_list_free(&list);
}

static void test_kept_while_disk_is_full(void **state)
{
    struct crash_list list;

    (void)state;
    make_box(VIGIL_BOX_KIND_DOM0, VIGIL_BOX_SEALED);
    fail_writes = 1;
    assert_int_equal(box_collect(&collector, &fault), -1);
    assert_int_equal(fault.code, EXIT_STORAGE);
    assert_int_equal(acknowledged, 0);
    assert_int_equal(collector.box_is_done, 0);
    assert_int_equal(store_read(collector.store.path, &list, &fault), 0);
    assert_int_equal(list.count, 0);
    crash_list_free(&list);

    fail_writes = 0;
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(acknowledged, 1);
    expect_one("dom0", "provoked by a test", &list);
    assert_null(strstr(list.crashes[0].what, "panic"));
    assert_string_equal(list.crashes[0].where, "Domain-0");
    crash_list_free(&list);
}

static void test_clean_needs_no_record(void **state)
{
    struct crash_list list;

    (void)state;
    make_box(VIGIL_BOX_KIND_CLEAN, VIGIL_BOX_SEALED);
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(acknowledged, 1);
    assert_int_equal(store_read(collector.store.path, &list, &fault), 0);
    assert_int_equal(list.count, 0);
    crash_list_free(&list);

    /* "Clean", but the checksum disagrees: that is evidence. */
    zone.header.cpu++;
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(store_read(collector.store.path, &list, &fault), 0);
    assert_int_equal(list.count, 1);
    crash_list_free(&list);
}

static void test_torn_and_reset(void **state)
{
    struct crash_list list;

    (void)state;
    make_box(VIGIL_BOX_KIND_HYPERVISOR, VIGIL_BOX_WRITING);
    zone.header.depth = 1;
    assert_int_equal(box_collect(&collector, &fault), 0);
    expect_one("host",
               "(and 1 more while panicking) (record incomplete, "
               "stage notes)",
               &list);
    crash_list_free(&list);
}

static void test_reset_without_panic(void **state)
{
    struct crash_list list;

    (void)state;
    make_box(0, VIGIL_BOX_RUNNING);
    assert_int_equal(box_collect(&collector, &fault), 0);
    expect_one("host", "was reset and nothing panicked", &list);
    crash_list_free(&list);
}

/* Oldest first, and neither what is empty nor what cannot be. */
static void test_reset_with_machine_checks(void **state)
{
    static const struct vigil_mce_record records[] = {
        {.seq = 8, .cpu = 1, .where = VIGIL_MCE_IN_GUEST, .domid = 3, .vcpu = 2,
         .rip = 0x1000, .cs = 0xe033, .mcg_status = 5, .tsc = 77,
         .grade = VIGIL_MCE_LATER, .banks = 1,
         .bank[0] = {.bank = 9, .status = 0xbd000000000000c0, .addr = 0x5040,
                     .misc = 0x8c, .owner = 3, .grade = VIGIL_MCE_LATER,
                     .action = VIGIL_MCE_DID_VMCE}},
        {.seq = 0, .banks = 1},
        {.seq = 9, .banks = VIGIL_MCE_BANKS + 1},
        {.seq = 7, .where = VIGIL_MCE_POLLED, .domid = VIGIL_MCE_NO_DOMAIN,
         .grade = 77},
    };
    struct crash_list list;
    char *text;

    (void)state;
    make_box(0, VIGIL_BOX_RUNNING);
    memcpy(zone.bytes + MCE_AT, records, sizeof(records));
    add_section(4, VIGIL_BOX_SECT_MCE, MCE_AT, sizeof(records));
    assert_int_equal(box_collect(&collector, &fault), 0);
    expect_one("host", "2 machine checks had not been collected", &list);
    text = read_file(&list.crashes[0], "machine-checks.txt");
    assert_string_equal(
        text, "7: cpu 0 found by looking, rip 0000:0000000000000000 MCG_STATUS "
              "0x0 TSC 0: ?\n"
              "8: cpu 1 in guest, d3v2, rip e033:0000000000001000 MCG_STATUS "
              "0x5 TSC 77: memory is bad\n"
              "   bank 9 status 0xbd000000000000c0 addr 0x5040 misc 0x8c: memory "
              "is bad, owner told, memory of d3\n");
    free(text);
    crash_list_free(&list);
}

/* Shut down in order, and yet there is something nobody has seen. */
static void test_clean_with_machine_check(void **state)
{
    const struct vigil_mce_record record = {.seq = 1};
    struct crash_list list;

    (void)state;
    make_box(VIGIL_BOX_KIND_CLEAN, VIGIL_BOX_SEALED);
    memcpy(zone.bytes + MCE_AT, &record, sizeof(record));
    add_section(4, VIGIL_BOX_SECT_MCE, MCE_AT, sizeof(record));
    zone.header.crc32 = 0;
    zone.header.crc32 = checksum_crc32(&zone.header, sizeof(zone.header));
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(store_read(collector.store.path, &list, &fault), 0);
    assert_int_equal(list.count, 1);
    crash_list_free(&list);
}

static void test_reset_in_nmi(void **state)
{
    static const uint32_t contexts[] = {0, VIGIL_CTX_NMI << 4 | VIGIL_CTX_IRQ, 0,
                                        VIGIL_CTX_MCE | VIGIL_CTX_OF_GUEST};
    struct crash_list list;
    char *text;

    (void)state;
    make_box(0, VIGIL_BOX_RUNNING);
    zone.header.section[3].type = VIGIL_BOX_SECT_NONE;
    memcpy(zone.bytes + CPUS_AT, contexts, sizeof(contexts));
    add_section(4, VIGIL_BOX_SECT_CONTEXTS, CPUS_AT, sizeof(contexts));
    zone.header.section[4].crc32 = 0;
    assert_int_equal(box_collect(&collector, &fault), 0);
    expect_one("host", "reset while cpu 1 was in nmi in irq in hypervisor",
               &list);
    text = read_file(&list.crashes[0], "cpus.txt");
    assert_string_equal(text, "cpu 1 was reset, in nmi in irq in hypervisor\n"
                              "cpu 3 was reset, in mce in guest\n");
    free(text);
    text = read_file(&list.crashes[0], "reason.txt");
    assert_null(strstr(text, "on cpu"));
    free(text);
    crash_list_free(&list);
}

static void test_garbage_is_kept(void **state)
{
    struct crash_list list;
    char *text;

    (void)state;
    memset(&zone, 0xa5, sizeof(zone));
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(acknowledged, 1);
    expect_one("host", "magic differs", &list);
    text = read_file(&list.crashes[0], "box.bin");
    assert_memory_equal(text, &zone, sizeof(zone));
    free(text);
    crash_list_free(&list);
    /* The program was stopped before it could acknowledge. */
    assert_int_equal(box_collect(&collector, &fault), 0);
    expect_one("host", "magic differs", &list);
    crash_list_free(&list);
    /* The same bytes after another boot are another find. */
    strcpy(collector.boot_id, "another");
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(store_read(collector.store.path, &list, &fault), 0);
    assert_int_equal(list.count, 2);
    crash_list_free(&list);
}

static void test_answers_of_the_hypervisor(void **state)
{
    (void)state;
    fetch_error = -EIO;
    assert_int_equal(box_collect(&collector, &fault), -1);
    assert_int_equal(collector.box_is_done, 0);
    fetch_error = -ENOENT;
    assert_int_equal(box_collect(&collector, &fault), 0);
    assert_int_equal(collector.box_is_done, 1);
    assert_int_equal(acknowledged, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_panic_is_filed, begin, end),
        cmocka_unit_test_setup_teardown(test_filed_once, begin, end),
        cmocka_unit_test_setup_teardown(test_kept_while_disk_is_full, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_clean_needs_no_record, begin, end),
        cmocka_unit_test_setup_teardown(test_torn_and_reset, begin, end),
        cmocka_unit_test_setup_teardown(test_reset_without_panic, begin, end),
        cmocka_unit_test_setup_teardown(test_reset_with_machine_checks, begin, end),
        cmocka_unit_test_setup_teardown(test_clean_with_machine_check, begin, end),
        cmocka_unit_test_setup_teardown(test_reset_in_nmi, begin, end),
        cmocka_unit_test_setup_teardown(test_garbage_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(test_answers_of_the_hypervisor, begin,
                                        end),
    };

    return UNIT_RUN(tests);
}
