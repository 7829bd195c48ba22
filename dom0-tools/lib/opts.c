/* SPDX-License-Identifier: MIT */
/* lib/opts.c - one table of commands, from which parsing and help follow. */
#include "lib/opts.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX (7L * 24 * 3600)

static int is_last(const struct option_spec *option)
{
    return option->letter == 0 && option->name == NULL;
}

static int find_letter(const struct option_spec *options, char letter)
{
    for (int i = 0; !is_last(&options[i]); i++) {
        if (options[i].letter == letter) {
            return i;
        }
    }
    return -1;
}

static int find_name(const struct option_spec *options, const char *name,
                     size_t len)
{
    for (int i = 0; !is_last(&options[i]); i++) {
        if (options[i].name && strlen(options[i].name) == len &&
            strncmp(options[i].name, name, len) == 0) {
            return i;
        }
    }
    return -1;
}

/* "--name", "--name=value" or "--name value" at words[*at]. */
static int parse_long(const struct option_spec *options, char **words,
                      int count, int *at, struct invocation *call,
                      struct fault *fault)
{
    const char *name = words[*at] + 2;
    size_t len = strcspn(name, "=");
    int i = find_name(options, name, len);

    if (i < 0) {
        return fault_set(fault, EXIT_USAGE,
                         "no option %s here; --help lists them", words[*at]);
    }
    if (!options[i].value) {
        if (name[len] == '=') {
            return fault_set(fault, EXIT_USAGE, "option --%s takes no value",
                             options[i].name);
        }
        call->values[i] = "";
        return 0;
    }
    if (name[len] == '=') {
        call->values[i] = name + len + 1;
    } else if (*at + 1 < count) {
        call->values[i] = words[++*at];
    } else {
        return fault_set(fault, EXIT_USAGE, "option --%s needs %s",
                         options[i].name, options[i].value);
    }
    return 0;
}

/* "-abc", "-vVALUE" or "-v VALUE" at words[*at]. */
static int parse_letters(const struct option_spec *options, char **words,
                         int count, int *at, struct invocation *call,
                         struct fault *fault)
{
    for (const char *letter = words[*at] + 1; *letter; letter++) {
        int i = find_letter(options, *letter);

        if (i < 0) {
            return fault_set(fault, EXIT_USAGE,
                             "no option -%c here; --help lists them", *letter);
        }
        if (!options[i].value) {
            call->values[i] = "";
            continue;
        }
        if (letter[1]) {
            call->values[i] = letter + 1;
        } else if (*at + 1 < count) {
            call->values[i] = words[++*at];
        } else {
            return fault_set(fault, EXIT_USAGE, "option -%c needs %s", *letter,
                             options[i].value);
        }
        break;
    }
    return 0;
}

int opts_parse(const struct option_spec *options, char **words, int count,
               struct invocation *ret_call, struct fault *fault)
{
    static const struct option_spec none[] = {{0, NULL, NULL, NULL}};
    int operands = 0;
    int only_operands = 0;

    ret_call->options = options ? options : none;
    memset(ret_call->values, 0, sizeof(ret_call->values));
    for (int at = 0; at < count; at++) {
        char *word = words[at];
        int ret = 0;

        if (only_operands || word[0] != '-' || word[1] == '\0') {
            words[operands++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_operands = 1;
        } else if (word[1] == '-') {
            ret = parse_long(ret_call->options, words, count, &at, ret_call,
                             fault);
        } else {
            ret = parse_letters(ret_call->options, words, count, &at, ret_call,
                                fault);
        }
        if (ret) {
            return -1;
        }
    }
    ret_call->operands = words;
    ret_call->operand_count = operands;
    return 0;
}

const char *opts_given(const struct invocation *call, char letter,
                       const char *name)
{
    int i = name ? find_name(call->options, name, strlen(name))
                 : find_letter(call->options, letter);

    return i < 0 ? NULL : call->values[i];
}

int opts_seconds(const struct invocation *call, const char *name, long fallback,
                 long *ret_secs, struct fault *fault)
{
    const char *text = opts_given(call, 0, name);
    long seconds;
    char *end;

    if (!text) {
        *ret_secs = fallback;
        return 0;
    }
    seconds = strtol(text, &end, 10);
    if (end == text || *end || seconds < 0 || seconds > SECONDS_MAX) {
        return fault_set(fault, EXIT_USAGE,
                         "--%s %s is not a number of seconds from 0 to %ld",
                         name, text, SECONDS_MAX);
    }
    *ret_secs = seconds;
    return 0;
}

const struct command *command_find(const struct command *commands,
                                   char *const *words, int count,
                                   int *ret_words)
{
    for (const struct command *at = commands; at->name; at++) {
        int used = at->group ? 2 : 1;

        if (count < used || strcmp(words[used - 1], at->name) ||
            (at->group && strcmp(words[0], at->group))) {
            continue;
        }
        *ret_words = used;
        return at;
    }
    return NULL;
}

void command_usage(FILE *out, const char *program,
                   const struct command *command)
{
    fprintf(out, "usage: %s %s%s%s%s%s\n\n%s\n", program,
            command->group ? command->group : "", command->group ? " " : "",
            command->name, command->args[0] ? " " : "", command->args,
            command->help);
    if (!command->options) {
        return;
    }
    fprintf(out, "\n");
    for (const struct option_spec *o = command->options; !is_last(o); o++) {
        char form[64];

        snprintf(form, sizeof(form), "%c%c%s%s%s%s%s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ',
                 o->letter && o->name ? ", " : (o->name ? "  " : ""),
                 o->name ? "--" : "", o->name ? o->name : "",
                 o->value ? " " : "", o->value ? o->value : "");
        fprintf(out, "  %-22s %s\n", form, o->help);
    }
}
