/* SPDX-License-Identifier: MIT */
/*
 * lib/log_decode.h - from the cells of the hypervisor's log to its lines.
 *
 * Pure: bytes in, meaning out.  The bytes come from a machine that crashed,
 * so they are believed only cell by cell, where the checksum agrees.
 */
#ifndef VIGIL_TOOLS_LOG_DECODE_H
#define VIGIL_TOOLS_LOG_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct log_line {
    uint64_t seq; /* of its first cell                        */
    uint64_t cells; /* of it that are there, in a row           */
    uint64_t tsc;
    uint16_t cpu;
    uint8_t level;
    uint8_t context;
    uint8_t flags;
    uint8_t cut; /* 1: a following cell of this line is lost  */
    char *text;  /* NUL terminated, bytes as they were logged */
    size_t len;
};

struct log_decoded {
    struct log_line *lines; /* in order of seq                   */
    size_t line_count;
    uint64_t torn_cells;  /* written to, but checksum disagrees  */
    uint64_t lost_cells;  /* gaps in seq between first and last  */
    uint64_t other_boots; /* whole cells of an earlier boot      */
};

/**
 * log_decode() - decode a ring of cells
 * @cells:   bytes of the ring, any alignment, hostile
 * @bytes:   size; a last incomplete cell is ignored
 * @boot_id: whose cells are wanted; 0: those of the boot with most cells
 * @ret_log: filled in; release with log_decoded_free()
 *
 * Context: any; pure but for memory.
 */
void log_decode(const void *cells, size_t bytes, uint64_t boot_id,
                struct log_decoded *ret_log);

/**
 * log_decoded_free() - release what log_decode() allocated
 * @log: as filled in
 *
 * Context: any.
 */
void log_decoded_free(struct log_decoded *log);

/**
 * log_text_length() - of a line's text without its line ends
 * @line: of a decoded log
 *
 * Context: any.
 * Return:  bytes
 */
size_t log_text_length(const struct log_line *line);

/**
 * log_write_line() - print one line as text, escaped
 * @out:     stream
 * @line:    of a decoded log
 * @tsc_khz: frequency of the time stamps; 0: print them raw
 *
 * Context: any.
 */
void log_write_line(FILE *out, const struct log_line *line, uint64_t tsc_khz);

/**
 * log_write_text() - print lines as text, escaped
 * @out:     stream
 * @log:     decoded log
 * @tsc_khz: frequency of the time stamps; 0: print them raw
 *
 * Context: any.
 */
void log_write_text(FILE *out, const struct log_decoded *log, uint64_t tsc_khz);

/**
 * log_level_name() - a severity as a word
 * @level: VIGIL_LOG_PANIC .. VIGIL_LOG_DEBUG, others are tolerated
 *
 * Context: any.
 * Return:  constant text
 */
const char *log_level_name(unsigned int level);

/**
 * log_context_name() - what the processor was doing, as a word
 * @context: VIGIL_LOG_CTX_*, others are tolerated
 *
 * Context: any.
 * Return:  constant text
 */
const char *log_context_name(unsigned int context);

#endif
