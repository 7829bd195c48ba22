/* SPDX-License-Identifier: MIT */
/*
 * test_elf - a good kernel file, each way to spoil it, and a million random
 * bytes changed: nothing may be read outside the file (AddressSanitizer).
 * elfnote is tested along, since notes come out of ELF files.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/xen_abi.h"
#include "pv/elf.h"
#include "pv/elfnote.h"

#define FILE_BYTES 2048
#define NOTES_AT   0x400

static uint8_t file[FILE_BYTES];
static size_t notes_bytes;

static void put(size_t at, uint64_t v, size_t bytes)
{
    memcpy(file + at, &v, bytes);
}

static void put_segment(unsigned int idx, uint32_t type, uint64_t offset,
                        uint64_t paddr, uint64_t file_bytes, uint64_t mem_bytes)
{
    size_t at = 64 + (size_t)idx * 56;

    put(at, type, 4);
    put(at + 8, offset, 8);
    put(at + 16, 0xffffffff80000000 + paddr, 8);
    put(at + 24, paddr, 8);
    put(at + 32, file_bytes, 8);
    put(at + 40, mem_bytes, 8);
}

static void put_note(uint32_t type, const void *desc, uint32_t bytes)
{
    size_t at = NOTES_AT + notes_bytes;

    put(at, 4, 4);
    put(at + 4, bytes, 4);
    put(at + 8, type, 4);
    memcpy(file + at + 12, "Xen", 4);
    memcpy(file + at + 16, desc, bytes);
    notes_bytes += 16 + (bytes + 3) / 4 * 4;
}

static void put_number_note(uint32_t type, uint64_t v)
{
    put_note(type, &v, sizeof(v));
}

static int good_file(void **state)
{
    static const char features[] = "!writable_page_tables|pae";
    uint32_t supported = 1u << XENFEAT_dom0;

    (void)state;
    memset(file, 0, sizeof(file));
    notes_bytes = 0;
    memcpy(file, "\177ELF\2\1\1", 7);
    put(16, 2, 2);
    put(18, 62, 2);
    put(24, 0xffffffff81000000, 8);
    put(32, 64, 8);
    put(54, 56, 2);
    put(56, 3, 2);
    put_note(XEN_ELFNOTE_GUEST_OS, "linux", 6);
    put_note(XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
    put_note(XEN_ELFNOTE_LOADER, "generic", 8);
    put_number_note(XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000000);
    put_number_note(XEN_ELFNOTE_ENTRY, 0xffffffff81000100);
    put_number_note(XEN_ELFNOTE_INIT_P2M, 0x8000000000);
    put_number_note(XEN_ELFNOTE_HV_START_LOW, 0xffff800000000000);
    put_note(XEN_ELFNOTE_SUPPORTED_FEATURES, &supported, 4);
    put_note(XEN_ELFNOTE_FEATURES, features, sizeof(features) - 1);
    put_segment(0, ELF_PT_LOAD, 0x200, 0x1000000, 0x100, 0x3000);
    put_segment(1, ELF_PT_LOAD, 0x300, 0x1003000, 0x100, 0x100);
    put_segment(2, ELF_PT_NOTE, NOTES_AT, 0x1000200, notes_bytes, notes_bytes);
    return 0;
}

static int open_rc(struct elf_file *elf)
{
    const char *why = NULL;
    int rc = elf_open(file, sizeof(file), elf, &why);

    assert_true(rc == 0 || why != NULL);
    return rc;
}

static void test_good(void **state)
{
    struct elf_file elf;
    struct elf_segment s;
    uint64_t start, end;

    (void)state;
    assert_int_equal(open_rc(&elf), 0);
    assert_int_equal(elf.entry, 0xffffffff81000000);
    assert_true(elf_segment(&elf, 0, &s));
    assert_int_equal(s.type, ELF_PT_LOAD);
    assert_ptr_equal(s.data, file + 0x200);
    assert_int_equal(s.mem_bytes, 0x3000);
    assert_false(elf_segment(&elf, 3, &s));
    assert_true(elf_load_range(&elf, &start, &end));
    assert_int_equal(start, 0x1000000);
    assert_int_equal(end, 0x1003100);
}

/* Each spoils one field; all must be refused. */
static void test_spoiled(void **state)
{
    static const struct {
        size_t at, bytes;
        uint64_t v;
    } spoil[] = {
        {0, 1, 0},                      /* magic */
        {4, 1, 1},                      /* 32-bit */
        {5, 1, 2},                      /* big endian */
        {16, 2, 1},                     /* relocatable object */
        {18, 2, 3},                     /* i386 */
        {54, 2, 57},                    /* entry size */
        {56, 2, 0},                     /* no program headers */
        {56, 2, 65},                    /* too many */
        {56, 2, 40},                    /* beyond the end */
        {32, 8, FILE_BYTES - 100},      /* headers beyond the end */
        {32, 8, ~0ULL - 20},            /* headers wrap */
        {64 + 8, 8, FILE_BYTES + 1},    /* segment beyond the end */
        {64 + 8, 8, ~0ULL},             /* segment offset wraps */
        {64 + 32, 8, ~0ULL},            /* file size wraps */
        {64 + 32, 8, 0x3001},           /* bigger in the file */
        {64 + 24, 8, ~0ULL - 0x100},    /* paddr wraps */
        {64 + 112 + 32, 8, FILE_BYTES}, /* note beyond the end */
    };
    struct elf_file elf;

    (void)state;
    for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
        good_file(NULL);
        put(spoil[i].at, spoil[i].v, spoil[i].bytes);
        if (open_rc(&elf) != -EINVAL) {
            fail_msg("row %zu was accepted", i);
        }
    }
}

static void test_short_files(void **state)
{
    struct elf_file elf;
    const char *why;

    (void)state;
    for (size_t len = 0; len < NOTES_AT + notes_bytes; len++) {
        uint8_t *copy = malloc(len + 1); /* exact size: reads past it show */

        memcpy(copy, file, len);
        assert_int_equal(elf_open(copy, len, &elf, &why), -EINVAL);
        free(copy);
    }
}

static void test_notes(void **state)
{
    struct xen_notes notes;
    struct elf_file elf;
    const char *why;

    (void)state;
    assert_int_equal(open_rc(&elf), 0);
    assert_int_equal(elfnote_read(&elf, &notes), 0);
    assert_string_equal(notes.guest_os, "linux");
    assert_string_equal(notes.xen_version, "xen-3.0");
    assert_int_equal(notes.virt_base, 0xffffffff80000000);
    assert_int_equal(notes.init_p2m, 0x8000000000);
    assert_true(elfnote_has(&notes, XEN_ELFNOTE_FEATURES));
    assert_false(elfnote_has(&notes, XEN_ELFNOTE_HYPERCALL_PAGE));
    assert_false(elfnote_has(&notes, 64));
    assert_int_equal(elfnote_check_dom0(&notes, &why), 0);

    notes.hv_start_low = 0xffff900000000000;
    assert_int_equal(elfnote_check_dom0(&notes, &why), -EINVAL);
    assert_int_equal(elfnote_read(&elf, &notes), 0);
    notes.supported_features = 0;
    assert_int_equal(elfnote_check_dom0(&notes, &why), -EINVAL);
    assert_int_equal(elfnote_read(&elf, &notes), 0);
    notes.present &= ~(1ULL << XEN_ELFNOTE_ENTRY);
    assert_int_equal(elfnote_check_dom0(&notes, &why), -EINVAL);
    assert_int_equal(elfnote_read(&elf, &notes), 0);
    notes.guest_os[0] = 'x';
    assert_int_equal(elfnote_check_dom0(&notes, &why), 0); /* generic */
    notes.loader[0] = 'x';
    assert_int_equal(elfnote_check_dom0(&notes, &why), -EINVAL);
    assert_int_equal(elfnote_read(&elf, &notes), 0);
    notes.xen_version[4] = '2';
    assert_int_equal(elfnote_check_dom0(&notes, &why), -EINVAL);
}

static void test_no_notes(void **state)
{
    struct xen_notes notes;
    struct elf_file elf;

    (void)state;
    for (size_t i = NOTES_AT; i < NOTES_AT + notes_bytes; i++) {
        if (memcmp(file + i, "Xen", 4) == 0) {
            file[i] = 'Y';
        }
    }
    assert_int_equal(open_rc(&elf), 0);
    assert_int_equal(elfnote_read(&elf, &notes), -ENOENT);
}

/* Change a few bytes of a good file, anywhere, many times. */
static void test_fuzz(void **state)
{
    unsigned int opened = 0;

    (void)state;
    srand(42);
    for (unsigned int round = 0; round < 200000; round++) {
        size_t len = FILE_BYTES - (round % 3 == 0 ? (size_t)rand() % 1200 : 0);
        unsigned int changes = (unsigned int)rand() % 6;
        struct xen_notes notes;
        struct elf_segment s;
        struct elf_file elf;
        const char *why;
        uint64_t start, end, sum = 0;
        uint8_t *copy;

        good_file(NULL);
        for (unsigned int i = 0; i < changes; i++) {
            size_t at = (size_t)rand() %
                        (i % 2 == 0 ? 64 + 3 * 56 : NOTES_AT + notes_bytes);

            file[at] = (uint8_t)rand();
        }
        copy = malloc(len);
        memcpy(copy, file, len);
        if (elf_open(copy, len, &elf, &why) == 0) {
            opened++;
            for (unsigned int i = 0; elf_segment(&elf, i, &s); i++) {
                for (uint64_t k = 0; k < s.file_bytes; k++) {
                    sum += s.data[k];
                }
            }
            (void)elf_load_range(&elf, &start, &end);
            if (elfnote_read(&elf, &notes) == 0) {
                assert_true(strlen(notes.guest_os) < ELFNOTE_TEXT_BYTES);
                assert_true(strlen(notes.loader) < ELFNOTE_TEXT_BYTES);
            }
        }
        free(copy);
        assert_true(sum < ~0ULL);
    }
    assert_true(opened > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good, good_file),
        cmocka_unit_test_setup(test_spoiled, good_file),
        cmocka_unit_test_setup(test_short_files, good_file),
        cmocka_unit_test_setup(test_notes, good_file),
        cmocka_unit_test_setup(test_no_notes, good_file),
        cmocka_unit_test_setup(test_fuzz, good_file),
    };

    return UNIT_RUN(tests);
}
