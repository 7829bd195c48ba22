/* SPDX-License-Identifier: MIT */
/*
 * lib/blackbox_decode.h - from the bytes of a black box to its parts.
 *
 * Pure: bytes in, meaning out.  The bytes survived a crash and a reset, or
 * did not: nothing is believed until magic, version, sizes and checksums
 * agree.  A torn record is evidence, not garbage: it is still taken apart,
 * with each part marked as verified or not.
 */
#ifndef VIGIL_TOOLS_BLACKBOX_DECODE_H
#define VIGIL_TOOLS_BLACKBOX_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include <vigil/blackbox.h>

enum box_verdict {
    BOX_OK,
    BOX_TOO_SHORT, /* smaller than a header, or than the zone it claims */
    BOX_BAD_MAGIC,
    BOX_BAD_VERSION,
    BOX_BAD_SIZE,  /* header or zone size out of range                  */
    BOX_BAD_STATE, /* state or kind outside the known values            */
};

enum box_trust {
    BOX_VERIFIED,  /* checksum agrees                                    */
    BOX_UNSEALED,  /* the crash path had not come to the checksum        */
    BOX_DISAGREES, /* checksum present and wrong                         */
};

struct box_section {
    uint32_t type;        /* VIGIL_BOX_SECT_*                            */
    enum box_trust trust; /* LOG: BOX_VERIFIED, its cells verify themselves */
    const uint8_t *data;  /* into the caller's bytes                     */
    size_t bytes;
};

struct box_view {
    struct vigil_box_header header; /* copy; its texts are terminated    */
    enum box_trust header_trust;
    struct box_section sections[VIGIL_BOX_SECTIONS];
    unsigned int section_count;
    unsigned int rejected_count; /* sections that point outside the zone */
};

/**
 * box_decode() - take a black box apart
 * @data:     bytes of the zone, any alignment, hostile; kept by reference
 * @bytes:    size
 * @ret_view: filled in when BOX_OK is returned
 *
 * Context: any; pure.
 * Return:  BOX_OK, or the first reason not to believe it
 */
enum box_verdict box_decode(const void *data, size_t bytes,
                            struct box_view *ret_view);

/**
 * box_verdict_text() - a verdict in words
 * @verdict: as given by box_decode()
 *
 * Context: any.
 * Return:  constant text
 */
const char *box_verdict_text(enum box_verdict verdict);

/**
 * box_trust_text() - how far a part is believed, in words
 * @trust: of a header or a section
 *
 * Context: any.
 * Return:  constant text
 */
const char *box_trust_text(enum box_trust trust);

/**
 * box_section_find() - the first section of a type
 * @view: decoded box
 * @type: VIGIL_BOX_SECT_*
 *
 * Context: any.
 * Return:  section inside @view, or NULL
 */
const struct box_section *box_section_find(const struct box_view *view,
                                           uint32_t type);

/**
 * box_stage_name() - how far the crash path came, as a word
 * @stage: VIGIL_BOX_STAGE_*, others are tolerated
 *
 * Context: any.
 * Return:  constant text
 */
const char *box_stage_name(uint32_t stage);

/**
 * box_time_ns() - when the crash happened
 * @header: of a decoded box
 *
 * Context: any.
 * Return:  UTC in nanoseconds, 0 if the box cannot tell
 */
uint64_t box_time_ns(const struct vigil_box_header *header);

#endif
