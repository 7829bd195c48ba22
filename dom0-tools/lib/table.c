/* SPDX-License-Identifier: MIT */
/* lib/table.c - tables on standard output; JSON on standard output. */
#include "lib/table.h"

#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/escape.h"
#include "lib/fault.h"

struct libscols_table *table_new(const char *const *columns)
{
    struct libscols_table *table = scols_new_table();

    if (!table) {
        out_of_memory();
    }
    /* Not cut to a width: scripts and people both want whole names. */
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    for (; *columns; columns++) {
        int right = **columns == '>';

        if (!scols_table_new_column(table, *columns + right, 0,
                                    right ? SCOLS_FL_RIGHT : 0)) {
            out_of_memory();
        }
    }
    return table;
}

void table_row(struct libscols_table *table, const char *const *cells)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);

    if (!line) {
        out_of_memory();
    }
    for (size_t i = 0; i < scols_table_get_ncols(table); i++) {
        char *text = escape_dup(cells[i], strlen(cells[i]), 0);

        if (scols_line_set_data(line, i, text)) {
            out_of_memory();
        }
        free(text);
    }
}

void table_print(struct libscols_table *table)
{
    /* An empty table would print nothing at all, not even its headings. */
    if (scols_table_is_empty(table)) {
        struct libscols_iter *at = scols_new_iter(SCOLS_ITER_FORWARD);
        struct libscols_column *column;

        while (at && scols_table_next_column(table, at, &column) == 0) {
            printf("%s  ",
                   scols_cell_get_data(scols_column_get_header(column)));
        }
        printf("\n");
        scols_free_iter(at);
    } else {
        scols_print_table(table);
    }
    scols_unref_table(table);
    fflush(stdout);
}

char *table_text(struct libscols_table *table)
{
    char *text = NULL;

    if (scols_print_table_to_string(table, &text) || !text) {
        out_of_memory();
    }
    scols_unref_table(table);
    return text;
}

void json_print(struct json_object *object)
{
    printf("%s\n", json_object_to_json_string_ext(
                       object, JSON_C_TO_STRING_SPACED |
                                   JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
    fflush(stdout);
}

void json_add_text(struct json_object *object, const char *key,
                   const char *text)
{
    char *plain = escape_dup(text, strlen(text), ESCAPE_KEEP_LINES);

    json_object_object_add(object, key, json_object_new_string(plain));
    free(plain);
}

void json_add_number(struct json_object *object, const char *key,
                     uint64_t number)
{
    json_object_object_add(object, key, json_object_new_uint64(number));
}

void json_add_hex(struct json_object *object, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "0x%016" PRIx64, value);
    json_object_object_add(object, key, json_object_new_string(text));
}
