/* SPDX-License-Identifier: MIT */
/*
 * lib/crc32: the published check value, and pieces against the whole.
 */
#include "tests/unit/unit.h"

#include "lib/crc32.h"

static void check_value(void **state)
{
    (void)state;
    /* The "123456789" value every description of CRC-32 gives. */
    assert_int_equal(crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(crc32(0, "", 0), 0);
    assert_int_equal(crc32(0, "a", 1), 0xe8b7be43);
}

static void bit_by_bit(void **state)
{
    unsigned char data[300];
    uint32_t slow = ~0U;

    (void)state;
    for (unsigned int i = 0; i < sizeof(data); i++) {
        data[i] = (unsigned char)(i * 91 + 7);
        slow ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            slow = slow >> 1 ^ (slow & 1 ? 0xedb88320 : 0);
        }
    }
    assert_int_equal(crc32(0, data, sizeof(data)), ~slow);
}

static void goes_on(void **state)
{
    const char *text = "all of it in two pieces";

    (void)state;
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        uint32_t crc = crc32(0, text, cut);

        assert_int_equal(crc32(crc, text + cut, strlen(text) - cut),
                         crc32(0, text, strlen(text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_value),
        cmocka_unit_test(bit_by_bit),
        cmocka_unit_test(goes_on),
    };

    return UNIT_RUN(tests);
}
