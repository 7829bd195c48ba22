/* SPDX-License-Identifier: MIT */
/* lib/table.h - tables on standard output; JSON on standard output. */
#ifndef VIGIL_TOOLS_TABLE_H
#define VIGIL_TOOLS_TABLE_H

#include <stdint.h>

#include <json-c/json.h>

struct libscols_table;

/**
 * table_new() - a table
 * @columns: headings, ended by NULL; one that begins with '>' is set right
 *
 * Context: any.
 * Return:  table, never NULL; ends by table_print()
 */
struct libscols_table *table_new(const char *const *columns);

/**
 * table_row() - add a row
 * @table: table
 * @cells: one text for each column, copied and escaped
 *
 * Context: any.
 */
void table_row(struct libscols_table *table, const char *const *cells);

/**
 * table_print() - print a table whole, never cut to the terminal's width
 * @table: table; released
 *
 * Context: any.
 */
void table_print(struct libscols_table *table);

/**
 * table_text() - a table as text, to be shown in parts
 * @table: table with at least one row; released
 *
 * Context: any.
 * Return:  lines, freed by the caller
 */
char *table_text(struct libscols_table *table);

/**
 * json_print() - print an object on a line of standard output
 * @object: object; released
 *
 * Context: any.
 */
void json_print(struct json_object *object);

/**
 * json_add_text() - add a text that may hold anything
 * @object: object
 * @key:    key
 * @text:   NUL-terminated; bytes that are not plain ASCII become \xNN
 *
 * Context: any.
 */
void json_add_text(struct json_object *object, const char *key,
                   const char *text);

/**
 * json_add_number() - add a number
 * @object: object
 * @key:    key
 * @number: value
 *
 * Context: any.
 */
void json_add_number(struct json_object *object, const char *key,
                     uint64_t number);

/**
 * json_add_hex() - add a register or address, as text in hex
 * @object: object
 * @key:    key
 * @value:  value; JSON numbers would lose its low bits in many readers
 *
 * Context: any.
 */
void json_add_hex(struct json_object *object, const char *key, uint64_t value);

#endif
