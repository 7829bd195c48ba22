/* SPDX-License-Identifier: MIT */
/* lib/log_decode.c - from the cells of the hypervisor's log to its lines. */
#include "lib/log_decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vigil/log.h>
#include <vigil/log_sum.h>

#include "lib/escape.h"
#include "lib/fault.h"

const char *log_level_name(unsigned int level)
{
    static const char *const names[] = {"panic",  "error", "warning",
                                        "notice", "info",  "debug"};

    return level < sizeof(names) / sizeof(names[0]) ? names[level] : "?";
}

const char *log_context_name(unsigned int context)
{
    static const char *const names[] = {"normal", "irq", "nmi", "mc", "crash"};

    return context < sizeof(names) / sizeof(names[0]) ? names[context] : "?";
}

static int cell_is_whole(const struct vigil_log_cell *cell)
{
    struct vigil_log_cell copy = *cell;

    copy.sum = 0;
    return cell->len <= VIGIL_LOG_TEXT_BYTES &&
           cell->level <= VIGIL_LOG_DEBUG &&
           vigil_log_sum(&copy) == cell->sum;
}

static int cell_order(const void *left, const void *right)
{
    const struct vigil_log_cell *a = left;
    const struct vigil_log_cell *b = right;

    if (a->boot_id != b->boot_id) {
        return a->boot_id < b->boot_id ? -1 : 1;
    }
    if (a->seq != b->seq) {
        return a->seq < b->seq ? -1 : 1;
    }
    return 0;
}

/* Where the run of cells with the wanted boot starts, and its length. */
static size_t pick_boot(const struct vigil_log_cell *cells, size_t count,
                        uint64_t boot_id, size_t *ret_start)
{
    size_t best = 0;

    *ret_start = 0;
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start; end < count; end++) {
            if (cells[end].boot_id != cells[start].boot_id) {
                break;
            }
        }
        if (boot_id ? cells[start].boot_id == boot_id : end - start > best) {
            best = end - start;
            *ret_start = start;
        }
    }
    return best;
}

static void line_append(struct log_line *line,
                        const struct vigil_log_cell *cell)
{
    line->text = xrealloc(line->text, line->len + cell->len + 1U);
    memcpy(line->text + line->len, cell->text, cell->len);
    line->len += cell->len;
    line->text[line->len] = '\0';
}

static void join_cells(const struct vigil_log_cell *cells, size_t count,
                       struct log_decoded *log)
{
    struct log_line *line = NULL;
    int more = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t previous = i ? cells[i - 1].seq : 0;

        if (i && cells[i].seq == previous) {
            continue; /* the same cell twice: a copied ring */
        }
        if (i && cells[i].seq != previous + 1) {
            log->lost_cells += cells[i].seq - previous - 1;
            if (more) {
                line->cut = 1;
            }
            more = 0;
        }
        if (!more) {
            line = &log->lines[log->line_count++];
            line->seq = cells[i].seq;
            line->cells = 0;
            line->tsc = cells[i].tsc;
            line->cpu = cells[i].cpu;
            line->level = cells[i].level;
            line->context = cells[i].context;
            line->flags = cells[i].flags;
        }
        line->cells++;
        line_append(line, &cells[i]);
        more = (cells[i].flags & VIGIL_LOG_F_MORE) != 0;
    }
    if (more) {
        line->cut = 1;
    }
}

void log_decode(const void *bytes_of_ring, size_t bytes, uint64_t boot_id,
                struct log_decoded *ret_log)
{
    size_t slots = bytes / sizeof(struct vigil_log_cell);
    const uint8_t *from = bytes_of_ring;
    struct vigil_log_cell *cells =
        xmalloc(slots * sizeof(struct vigil_log_cell));
    size_t count = 0;
    size_t start;
    size_t wanted;

    memset(ret_log, 0, sizeof(*ret_log));
    for (size_t i = 0; i < slots; i++) {
        struct vigil_log_cell *cell = &cells[count];

        memcpy(cell, from + i * sizeof(*cell), sizeof(*cell));
        if (cell->seq == 0) {
            continue;
        }
        if (cell_is_whole(cell)) {
            count++;
        } else {
            ret_log->torn_cells++;
        }
    }
    qsort(cells, count, sizeof(*cells), cell_order);
    wanted = pick_boot(cells, count, boot_id, &start);
    ret_log->other_boots = count - wanted;
    ret_log->lines = xmalloc(wanted * sizeof(struct log_line));
    join_cells(cells + start, wanted, ret_log);
    free(cells);
}

void log_decoded_free(struct log_decoded *log)
{
    for (size_t i = 0; i < log->line_count; i++) {
        free(log->lines[i].text);
    }
    free(log->lines);
    memset(log, 0, sizeof(*log));
}

static void print_stamp(FILE *out, uint64_t tsc, uint64_t tsc_khz)
{
    if (tsc_khz) {
        uint64_t ms = tsc / tsc_khz;
        uint64_t us = tsc % tsc_khz * 1000 / tsc_khz;

        fprintf(out, "[%5" PRIu64 ".%03u%03u]", ms / 1000,
                (unsigned int)(ms % 1000), (unsigned int)us);
    } else {
        fprintf(out, "[tsc %" PRIu64 "]", tsc);
    }
}

size_t log_text_length(const struct log_line *line)
{
    size_t len = line->len;

    while (len &&
           (line->text[len - 1] == '\n' || line->text[len - 1] == '\r')) {
        len--;
    }
    return len;
}

void log_write_line(FILE *out, const struct log_line *line, uint64_t tsc_khz)
{
    print_stamp(out, line->tsc, tsc_khz);
    fprintf(out, " cpu%u %s", line->cpu, log_level_name(line->level));
    if (line->context != VIGIL_LOG_CTX_NORMAL) {
        fprintf(out, "/%s", log_context_name(line->context));
    }
    fputs(line->flags & VIGIL_LOG_F_GUEST ? " guest: " : ": ", out);
    escape_print(out, line->text, log_text_length(line), ESCAPE_KEEP_LINES);
    fputs(line->cut ? " [rest of the line is lost]\n" : "\n", out);
}

void log_write_text(FILE *out, const struct log_decoded *log, uint64_t tsc_khz)
{
    for (size_t i = 0; i < log->line_count; i++) {
        log_write_line(out, &log->lines[i], tsc_khz);
    }
    if (log->torn_cells || log->lost_cells) {
        fprintf(out,
                "-- %" PRIu64 " cells torn, %" PRIu64 " missing between the "
                "first and the last line\n",
                log->torn_cells, log->lost_cells);
    }
}
