/* SPDX-License-Identifier: MIT */
/*
 * lib/opts.h - one table of commands, from which parsing and help follow.
 *
 * Options and operands may be mixed, as in xl.  An operand that begins with
 * a hyphen goes after "--".
 */
#ifndef VIGIL_TOOLS_OPTS_H
#define VIGIL_TOOLS_OPTS_H

#include <stdio.h>

#include "lib/fault.h"

#define OPTS_MAX 12

struct option_spec {
    char letter;       /* 0: long form only; end of the list with @name NULL */
    const char *name;  /* without hyphens; NULL with a letter: letter only   */
    const char *value; /* what follows, in capitals; NULL: nothing           */
    const char *help;
};

struct invocation {
    const struct option_spec *options;
    const char *values[OPTS_MAX]; /* per option: NULL not given, "" a flag */
    char **operands;
    int operand_count;
    int verbose;
};

struct command {
    const char *group; /* first word, or NULL                            */
    const char *name;
    const char *args; /* for the help line                               */
    const char *help; /* one line                                        */
    int (*run)(const struct invocation *call);
    const struct option_spec *options; /* NULL: none                     */
    int min_operands;
    int max_operands; /* -1: any number                                  */
};

/**
 * opts_parse() - sort words into options and operands
 * @options:  list ended by an all-zero entry; at most OPTS_MAX long
 * @words:    words; reordered in place: operands come first
 * @count:    number of @words
 * @ret_call: options and operands are filled in on success
 * @fault:    says which word is wrong
 *
 * Context: any; pure.
 * Return:  0, or -1
 */
int opts_parse(const struct option_spec *options, char **words, int count,
               struct invocation *ret_call, struct fault *fault);

/**
 * opts_given() - was an option given?
 * @call:   parsed
 * @letter: its letter, or 0
 * @name:   its long name, or NULL
 *
 * Context: any.
 * Return:  its value, "" for one without a value, NULL if it was not given
 */
const char *opts_given(const struct invocation *call, char letter,
                       const char *name);

/**
 * opts_seconds() - the value of an option that takes seconds
 * @call:     parsed
 * @name:     its long name
 * @fallback: value if it was not given
 * @ret_secs: set on success only
 * @fault:    says what is wrong
 *
 * Context: any.
 * Return:  0, or -1
 */
int opts_seconds(const struct invocation *call, const char *name, long fallback,
                 long *ret_secs, struct fault *fault);

/**
 * command_find() - the command that the first words name
 * @commands:  table, ended by an entry without a name
 * @words:     words of the command line
 * @count:     number of @words
 * @ret_words: how many of them name the command; set on success only
 *
 * Context: any; pure.
 * Return:  entry of the table, or NULL
 */
const struct command *command_find(const struct command *commands,
                                   char *const *words, int count,
                                   int *ret_words);

/**
 * command_usage() - print how a command is called
 * @out:     stream
 * @program: name of the program
 * @command: entry of the table
 *
 * Context: any.
 */
void command_usage(FILE *out, const char *program,
                   const struct command *command);

#endif
