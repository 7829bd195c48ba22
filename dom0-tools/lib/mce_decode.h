/* SPDX-License-Identifier: MIT */
/*
 * lib/mce_decode.h - the machine-check records of a black box, in words.
 *
 * Pure: bytes in, meaning out.  A record was being written, collected or
 * damaged when the machine ended, or it is whole: it counts if it has a number
 * and no more banks than it can have.
 */
#ifndef VIGIL_TOOLS_MCE_DECODE_H
#define VIGIL_TOOLS_MCE_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <vigil/mce.h>

/**
 * mce_next() - the records of a section, oldest first
 * @data:       bytes of the section, any alignment, hostile
 * @bytes:      size; a last incomplete record is ignored
 * @after:      number of the one before; 0: from the first
 * @ret_record: a copy; set when 1 is returned
 *
 * Context: any; pure.
 * Return:  1, or 0: there is no more
 */
int mce_next(const void *data, size_t bytes, uint64_t after,
             struct vigil_mce_record *ret_record);

/**
 * mce_count() - how many records a section holds
 * @data:  as for mce_next()
 * @bytes: likewise
 *
 * Context: any; pure.
 * Return:  number
 */
unsigned int mce_count(const void *data, size_t bytes);

/**
 * mce_write_text() - print the records as text
 * @out:   stream
 * @data:  as for mce_next()
 * @bytes: likewise
 *
 * Context: any.
 */
void mce_write_text(FILE *out, const void *data, size_t bytes);

#endif
