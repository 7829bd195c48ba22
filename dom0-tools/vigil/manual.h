/* SPDX-License-Identifier: MIT */
/*
 * vigil/manual.h - manual pages, made from the table of commands.
 *
 * Synopsis, options and exit codes are those that the program itself uses;
 * manual_text.c adds what takes more than a line, and examples.
 */
#ifndef VIGIL_TOOLS_MANUAL_H
#define VIGIL_TOOLS_MANUAL_H

#include <stdio.h>

#include "lib/opts.h"

struct manual_example {
    const char *line; /* as it is typed; NULL: the list ends here */
    const char *does;
};

/* What the table does not say about a command. */
struct manual_text {
    const char *group; /* as in the table                                 */
    const char *name;  /* NULL: the list ends here                        */
    const char *text;  /* paragraphs, an empty line between; "" for none  */
    const struct manual_example *examples; /* NULL: none                  */
};

extern const struct manual_text manual_texts[];

/**
 * manual_page() - one command's page, vigil-COMMAND(1), as roff
 * @out:     stream
 * @texts:   more to say, ended by an entry without a name
 * @command: entry of the table of commands
 *
 * Dated SOURCE_DATE_EPOCH if the environment has it, else today.
 *
 * Context: any.
 */
void manual_page(FILE *out, const struct manual_text *texts,
                 const struct command *command);

/**
 * manual_overview() - the page of all commands, vigil(1), as roff
 * @out:      stream
 * @commands: table, ended by an entry without a name
 *
 * Context: any.
 */
void manual_overview(FILE *out, const struct command *commands);

#endif
