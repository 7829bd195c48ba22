/* SPDX-License-Identifier: MIT */
/*
 * lib/crc32.h - the checksum of black-box sections.
 *
 * Polynomial 0xedb88320 reflected, initial value and final xor all ones: the
 * CRC-32 of zlib, gzip and ISO 3309, so tools in any language can check it.
 * No table in writable memory; usable in NMI and #MC context.
 */
#ifndef VIGIL_LIB_CRC32_H
#define VIGIL_LIB_CRC32_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * crc32() - checksum of a block, or of a further part of one
 * @crc:  0 to begin; the previous return value to go on with the next part
 * @data: first byte
 * @len:  bytes, may be 0
 *
 * Context: any.
 * Return:  checksum of everything so far
 */
uint32_t crc32(uint32_t crc, const void *data, size_t len);

#endif
