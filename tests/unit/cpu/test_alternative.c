/* SPDX-License-Identifier: MIT */
/*
 * cpu/alternative: chosen sites change to the last byte, others not at all.
 */
#include "tests/unit/unit.h"

#include "cpu/alternative.h"
#include "fake_hw.h"

/* The image's own table: none here. */
const struct alt_site __alt_sites_start[1], __alt_sites_end[1];
const uint32_t __alt_returns_start[1], __alt_returns_end[1];
uint8_t __image_start[1];

/* Text, the replacements and the table lie within 2 GiB, as in the image. */
static struct {
    uint8_t text[64];
    uint8_t code[64];
    struct alt_site site[4];
} image;

static void add_site(unsigned int n, unsigned int at, unsigned int bytes,
                     unsigned int code_at, unsigned int code_bytes,
                     unsigned int what)
{
    struct alt_site *s = &image.site[n];

    *s = (struct alt_site){.site_bytes = (uint8_t)bytes,
                           .new_bytes = (uint8_t)code_bytes,
                           .what = (uint16_t)what};
    s->site = (int32_t)((intptr_t)&image.text[at] - (intptr_t)&s->site);
    s->replacement = (int32_t)((intptr_t)&image.code[code_at] -
                               (intptr_t)&s->replacement);
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(image.text, 0xaa, sizeof(image.text));
    for (unsigned int i = 0; i < sizeof(image.code); i++) {
        image.code[i] = (uint8_t)i;
    }
    return 0;
}

static bool untouched(unsigned int from, unsigned int to)
{
    for (unsigned int i = from; i < to; i++) {
        if (image.text[i] != 0xaa) {
            return false;
        }
    }
    return true;
}

static void only_the_chosen(void **state)
{
    (void)state;
    add_site(0, 8, 5, 0, 5, 3);
    add_site(1, 16, 5, 8, 5, 4);
    assert_true(alternative_patch(image.site, image.site + 2, 1U << 4));
    assert_true(untouched(0, 16));
    assert_memory_equal(image.text + 16, image.code + 8, 5);
    assert_true(untouched(21, 64));
    assert_true(alternative_patch(image.site, image.site + 2, 0));
    assert_true(untouched(0, 16));
}

static void filled_up(void **state)
{
    static const uint8_t nop3[] = {0x0f, 0x1f, 0x00};
    static const uint8_t nop9[] = {0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0};

    (void)state;
    /* Short: by one store.  Long: nine bytes, then the rest. */
    add_site(0, 0, 5, 4, 2, 0);
    add_site(1, 16, 17, 4, 5, 0);
    assert_true(alternative_patch(image.site, image.site + 2, 1));
    assert_memory_equal(image.text, image.code + 4, 2);
    assert_memory_equal(image.text + 2, nop3, 3);
    assert_true(untouched(5, 16));
    assert_memory_equal(image.text + 16, image.code + 4, 5);
    assert_memory_equal(image.text + 21, nop9, 9);
    assert_memory_equal(image.text + 30, nop3, 3);
    assert_true(untouched(33, 64));
}

static void every_length(void **state)
{
    (void)state;
    for (unsigned int bytes = 1; bytes <= 40; bytes++) {
        (void)set_up(state);
        add_site(0, 4, bytes, 0, 0, 0);
        assert_true(alternative_patch(image.site, image.site + 1, 1));
        assert_true(untouched(0, 4));
        assert_true(image.text[4] != 0xaa);
        assert_true(untouched(4 + bytes, 64));
    }
}

static void too_long(void **state)
{
    (void)state;
    add_site(0, 0, 5, 0, 5, 0);
    add_site(1, 16, 4, 0, 5, 0);
    assert_false(alternative_patch(image.site, image.site + 2, 1));
    assert_true(untouched(0, 64));
    add_site(1, 16, 5, 0, 5, 32);
    assert_false(alternative_patch(image.site, image.site + 2, 1));
    assert_true(untouched(0, 64));
}

static void returns_in_place(void **state)
{
    static const uint32_t at[] = {4, 20, 40};
    static const uint8_t ret[] = {0xc3, 0xcc, 0xcc, 0xcc, 0xcc};

    (void)state;
    image.text[4] = image.text[20] = 0xe9;
    image.text[40] = 0x0f; /* no plain jump: it works as it is */
    alternative_returns(image.text, at, at + 3);
    assert_true(untouched(0, 4));
    assert_memory_equal(image.text + 4, ret, 5);
    assert_true(untouched(9, 20));
    assert_memory_equal(image.text + 20, ret, 5);
    assert_true(untouched(25, 40));
    assert_int_equal(image.text[40], 0x0f);
    assert_true(untouched(41, 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_the_chosen, set_up),
        cmocka_unit_test_setup(filled_up, set_up),
        cmocka_unit_test_setup(returns_in_place, set_up),
        cmocka_unit_test_setup(every_length, set_up),
        cmocka_unit_test_setup(too_long, set_up),
    };

    return UNIT_RUN(tests);
}
