/* SPDX-License-Identifier: MIT */
/*
 * lib/crc32.c - CRC-32 (reflected 0xedb88320), half a byte at a time.
 *
 * Sixteen table entries instead of 256: one cache line, and quick enough for
 * 256-byte cells.  Source: ISO 3309, RFC 1952 section 8.
 */
#include "lib/crc32.h"

static const uint32_t crc_nibble[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
    0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

NMI_SAFE uint32_t crc32(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;

    crc = ~crc;
    for (; len > 0; len--, p++) {
        crc ^= *p;
        crc = crc_nibble[crc & 15] ^ (crc >> 4);
        crc = crc_nibble[crc & 15] ^ (crc >> 4);
    }
    return ~crc;
}
