/* SPDX-License-Identifier: MIT */
/* lib/checksum.h - the checksum of the black box (zlib's CRC-32). */
#ifndef VIGIL_TOOLS_CHECKSUM_H
#define VIGIL_TOOLS_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/**
 * checksum_crc32() - checksum of some bytes
 * @data: bytes
 * @len:  bytes at @data
 *
 * Polynomial 0xedb88320 reflected, start and end inverted.
 *
 * Context: any.
 * Return:  checksum; 0 for no bytes
 */
uint32_t checksum_crc32(const void *data, size_t len);

#endif
