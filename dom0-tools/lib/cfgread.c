/* SPDX-License-Identifier: MIT */
/* lib/cfgread.c - values of a configuration file, with the line they are on. */
#include "lib/cfgread.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int cfg_open(struct cfg_reader *reader, const char *path, const char *text,
             unsigned int lines, libxl_ctx *ctx, struct fault *fault)
{
    memset(reader, 0, sizeof(*reader));
    reader->path = path;
    reader->file_lines = lines;
    reader->ctx = ctx;
    reader->fault = fault;
    cfg_scan(text, strlen(text), &reader->keys);
    reader->report = open_memstream(&reader->complaint, &reader->complaint_len);
    if (!reader->report) {
        out_of_memory();
    }
    reader->xlu = xlu_cfg_init(reader->report, path);
    if (!reader->xlu) {
        out_of_memory();
    }
    if (xlu_cfg_readdata(reader->xlu, text, (int)strlen(text))) {
        return fault_set(fault, EXIT_USAGE, "%s is not an xl.cfg file: %s",
                         path, cfg_complaint(reader));
    }
    return 0;
}

void cfg_close(struct cfg_reader *reader)
{
    xlu_cfg_destroy(reader->xlu);
    fclose(reader->report);
    free(reader->complaint);
    cfg_keys_free(&reader->keys);
    memset(reader, 0, sizeof(*reader));
}

char *cfg_place(const struct cfg_reader *reader, const char *key)
{
    unsigned int line = 0;

    for (size_t i = 0; i < reader->keys.count; i++) {
        if (strcmp(reader->keys.keys[i].name, key) == 0) {
            line = reader->keys.keys[i].line;
        }
    }
    if (line == 0) {
        return xstrdup(reader->path);
    }
    return line > reader->file_lines ? xstrdup("the command line")
                                     : xasprintf("%s:%u", reader->path, line);
}

int cfg_refuse(struct cfg_reader *reader, const char *key, enum exit_code code,
               const char *fmt, ...)
{
    char *place = cfg_place(reader, key);
    char text[FAULT_TEXT_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fault_set(reader->fault, code, "%s: %s", place, text);
    free(place);
    return -1;
}

const char *cfg_complaint(struct cfg_reader *reader)
{
    char *line;

    fflush(reader->report);
    if (reader->complaint_len == reader->complaint_seen) {
        return "libxlutil does not say why";
    }
    line = reader->complaint + reader->complaint_seen;
    line[strcspn(line, "\n")] = '\0';
    reader->complaint_seen = reader->complaint_len;
    return line;
}

int cfg_text(struct cfg_reader *reader, const char *key, char **ret_text)
{
    const char *value;
    int err = xlu_cfg_get_string(reader->xlu, key, &value, 1);

    if (err == ESRCH) {
        return 0;
    }
    if (err) {
        return cfg_refuse(reader, key, EXIT_USAGE,
                          "%s is a list; give one string", key);
    }
    free(*ret_text);
    *ret_text = xstrdup(value);
    return 1;
}

int cfg_number(struct cfg_reader *reader, const char *key, long lowest,
               long highest, long *ret_number)
{
    long value;
    int err = xlu_cfg_get_long(reader->xlu, key, &value, 1);

    if (err == ESRCH) {
        return 0;
    }
    if (err) {
        return cfg_refuse(reader, key, EXIT_USAGE,
                          "%s is not a number; give one from %ld to %ld", key,
                          lowest, highest);
    }
    if (value < lowest || value > highest) {
        return cfg_refuse(reader, key, EXIT_USAGE,
                          "%s = %ld is out of range; give %ld to %ld", key,
                          value, lowest, highest);
    }
    *ret_number = value;
    return 1;
}

int cfg_list(struct cfg_reader *reader, const char *key,
             XLU_ConfigList **ret_list, int *ret_count)
{
    int err = xlu_cfg_get_list(reader->xlu, key, ret_list, ret_count, 1);

    if (err == 0) {
        return 1;
    }
    *ret_count = 0;
    if (err == ESRCH) {
        return 0;
    }
    return cfg_refuse(reader, key, EXIT_USAGE,
                      "%s is not a list; give [ \"...\", ... ]", key);
}

const char *cfg_item(struct cfg_reader *reader, const char *key,
                     const XLU_ConfigList *list, int at)
{
    const char *item = xlu_cfg_get_listitem(list, at);

    if (!item) {
        cfg_refuse(reader, key, EXIT_USAGE,
                   "item %d of %s is a list; give a string", at + 1, key);
    }
    return item;
}
