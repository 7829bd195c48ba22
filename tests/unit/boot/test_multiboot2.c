/* SPDX-License-Identifier: MIT */
/*
 * boot/multiboot2.c: the tags of UEFI, and tags as no loader should write
 * them.  The information lies at the end of an allocation of its exact size,
 * so that AddressSanitizer sees each byte read too far.
 */
#include "tests/unit/unit.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "boot/loader.h"

static struct loader_info out;
static uint8_t raw[4096];
static uint32_t raw_bytes;

static int reset(void **state)
{
    (void)state;
    memset(&out, 0, sizeof(out));
    memset(raw, 0, sizeof(raw));
    raw_bytes = 8;
    return 0;
}

static void put(const void *p, uint32_t bytes)
{
    memcpy(raw + raw_bytes, p, bytes);
    raw_bytes += bytes;
}

static void put32(uint32_t v)
{
    put(&v, sizeof(v));
}

static void put64(uint64_t v)
{
    put(&v, sizeof(v));
}

/* A tag whose head says @size; the caller has put nothing of it yet. */
static void tag(uint32_t type, uint32_t size)
{
    raw_bytes = ALIGN_UP(raw_bytes, 8U);
    put32(type);
    put32(size);
}

static int parse(void)
{
    uint8_t *exact;
    int rc;

    tag(0, 8);
    memcpy(raw, &raw_bytes, sizeof(raw_bytes));
    exact = malloc(raw_bytes);
    memcpy(exact, raw, raw_bytes);
    rc = multiboot2_parse(exact, &out);
    /* What points into the information is read before it goes. */
    if (rc == 0 && out.efi_map != NULL) {
        assert_true((const uint8_t *)out.efi_map + out.efi_map_bytes <=
                    exact + raw_bytes);
        memcpy(raw, out.efi_map, out.efi_map_bytes);
    }
    free(exact);
    return rc;
}

static void efi_tags(void **state)
{
    (void)state;
    tag(12, 16);
    put64(0x3f5ec018);
    tag(17, 16 + 2 * 48);
    put32(48);
    put32(1);
    for (unsigned int i = 0; i < 2 * 6; i++) {
        put64(0x100 + i);
    }
    tag(15, 8 + 36);
    put("RSD PTR ", 8);
    raw_bytes += 28;
    assert_int_equal(parse(), 0);
    assert_int_equal(out.efi_systab, 0x3f5ec018);
    assert_int_equal(out.efi_map_bytes, 96);
    assert_int_equal(out.efi_desc_bytes, 48);
    assert_int_equal(((uint64_t *)raw)[11], 0x10b);
    assert_int_equal(out.rsdp_bytes, 36);
}

static void efi_tags_cut_short(void **state)
{
    (void)state;
    tag(12, 12); /* half a pointer */
    put32(0x3f5ec018);
    tag(17, 16); /* no descriptor */
    put32(48);
    put32(1);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.efi_systab, 0);
    assert_int_equal(out.efi_map_bytes, 0);
    reset(NULL);
    tag(17, 12);
    put32(48);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.efi_map_bytes, 0);
}

/* 1280 by 800, as GRUB gives it under OVMF. */
static void put_screen(uint8_t type)
{
    static const uint8_t colours[] = {16, 8, 8, 8, 0, 8};

    put64(0x80000000);
    put32(5120);
    put32(1280);
    put32(800);
    put(&(uint8_t[]){32, type, 0, 0}, 4);
    put(colours, sizeof(colours));
}

static void screen_tag(void **state)
{
    (void)state;
    tag(8, 38);
    put_screen(1);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.screen.kind, FBCON_PIXELS);
    assert_int_equal(out.screen.start, 0x80000000);
    assert_int_equal(out.screen.pitch, 5120);
    assert_int_equal(out.screen.width, 1280);
    assert_int_equal(out.screen.height, 800);
    assert_int_equal(out.screen.bits, 32);
    assert_int_equal(out.screen.red_at, 16);
    assert_int_equal(out.screen.green_at, 8);
    assert_int_equal(out.screen.blue_bits, 8);
    reset(NULL);
    tag(8, 32); /* text has no colours */
    put_screen(2);
    raw_bytes -= 6;
    assert_int_equal(parse(), 0);
    assert_int_equal(out.screen.kind, FBCON_TEXT);
    reset(NULL);
    tag(8, 38); /* a palette */
    put_screen(0);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.screen.kind, FBCON_NONE);
    reset(NULL);
    tag(8, 37); /* a colour is cut off */
    put_screen(1);
    assert_int_equal(parse(), 0);
    assert_int_equal(out.screen.kind, FBCON_NONE);
    reset(NULL);
    tag(8, 31);
    put_screen(2);
    raw_bytes -= 6;
    assert_int_equal(parse(), 0);
    assert_int_equal(out.screen.kind, FBCON_NONE);
}

static void acpi_tags(void **state)
{
    static const char *const order[] = {"old first", "new first"};

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        print_message("%s\n", order[i]);
        reset(NULL);
        for (unsigned int n = 0; n < 2; n++) {
            bool is_new = n != i;

            tag(is_new ? 14 : 15, 8 + (is_new ? 20 : 36));
            put(is_new ? "OLD" : "NEW", 3);
            raw_bytes += is_new ? 17 : 33;
        }
        assert_int_equal(parse(), 0);
        assert_int_equal(out.rsdp_bytes, 36);
        assert_memory_equal(out.rsdp, "NEW", 3);
    }
    reset(NULL);
    tag(15, 8 + LOADER_RSDP_BYTES + 1); /* longer than any */
    raw_bytes += LOADER_RSDP_BYTES + 1;
    assert_int_equal(parse(), 0);
    assert_int_equal(out.rsdp_bytes, 0);
}

static void sizes(void **state)
{
    uint32_t *info = calloc(1, 64);

    (void)state;
    tag(12, 4); /* less than its own head */
    assert_int_equal(parse(), -EINVAL);
    reset(NULL);
    tag(12, 4096); /* beyond the end */
    assert_int_equal(parse(), -EINVAL);
    info[0] = 8;
    assert_int_equal(multiboot2_parse(info, &out), -EINVAL);
    info[0] = 1U << 30;
    assert_int_equal(multiboot2_parse(info, &out), -EINVAL);
    info[0] = 24; /* a tag of type 1, then the end without an end tag */
    info[2] = 1;
    info[3] = 16;
    assert_int_equal(multiboot2_parse(info, &out), -EINVAL);
    free(info);
}

static void memory_map(void **state)
{
    (void)state;
    tag(6, 16 + 24 + 10); /* the second entry is cut */
    put32(24);
    put32(0);
    put64(0x100000);
    put64(0x7f00000);
    put32(1);
    put32(0);
    put64(0x8000000);
    raw_bytes += 2;
    assert_int_equal(parse(), 0);
    assert_int_equal(out.ranges, 1);
    assert_int_equal(out.range[0].start, 0x100000);
    assert_int_equal(out.range[0].bytes, 0x7f00000);
    reset(NULL);
    tag(6, 16 + 24);
    put32(0); /* an entry of no size would never end */
    put32(0);
    raw_bytes += 24;
    assert_int_equal(parse(), 0);
    assert_int_equal(out.ranges, 0);
}

static void text_and_modules(void **state)
{
    (void)state;
    tag(1, 8 + 4); /* not ended by a zero */
    put("abcd", 4);
    for (unsigned int i = 0; i < LOADER_MODULES + 2; i++) {
        tag(3, 16 + 2);
        put32(0x1000000 * (i + 1));
        put32(0x1000000 * (i + 1) + 10);
        put("m", 2);
    }
    tag(3, 17); /* ends before it starts */
    put32(20);
    put32(10);
    put("", 1);
    assert_int_equal(parse(), 0);
    assert_string_equal(out.cmdline, "abcd");
    assert_int_equal(out.modules, LOADER_MODULES);
    assert_int_equal(out.module[1].start, 0x2000000);
    assert_int_equal(out.module[1].bytes, 10);
    assert_string_equal(out.module[1].cmdline, "m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(efi_tags, reset),
        cmocka_unit_test_setup(efi_tags_cut_short, reset),
        cmocka_unit_test_setup(screen_tag, reset),
        cmocka_unit_test_setup(acpi_tags, reset),
        cmocka_unit_test_setup(sizes, reset),
        cmocka_unit_test_setup(memory_map, reset),
        cmocka_unit_test_setup(text_and_modules, reset),
    };

    return UNIT_RUN(tests);
}
