/* SPDX-License-Identifier: MIT */
/* vigil/manual.c - manual pages, made from the table of commands. */
#include "vigil/manual.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Text that roff shows as it is: a hyphen is a minus, to be copied into a
 * shell; a dot or a quote at the start of a line would be a request.
 */
static void put(FILE *out, const char *text)
{
    int is_first = 1;

    for (; *text; text++) {
        if (is_first && (*text == '.' || *text == '\'')) {
            fputs("\\&", out);
        }
        is_first = *text == '\n';
        switch (*text) {
        case '\\':
            fputs("\\e", out);
            break;
        case '-':
            fputs("\\-", out);
            break;
        case '\'':
            fputs("\\(aq", out);
            break;
        case '^':
            fputs("\\(ha", out);
            break;
        case '~':
            fputs("\\(ti", out);
            break;
        case '`':
            fputs("\\(ga", out);
            break;
        default:
            fputc(*text, out);
            break;
        }
    }
}

/* A line of its own that begins with a request's argument. */
static void put_line(FILE *out, const char *request, const char *text)
{
    fprintf(out, "%s", request);
    put(out, text);
    fputc('\n', out);
}

/* Paragraphs: an empty line between them in @text. */
static void put_paragraphs(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        char *part = strndup(text, len);

        if (part) {
            put(out, part);
        }
        fputc('\n', out);
        free(part);
        text += len;
        if (end) {
            fputs(".PP\n", out);
            text += 2;
        }
    }
}

static void put_head(FILE *out, const char *page)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t when = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm parts;
    char date[32];

    memset(&parts, 0, sizeof(parts));
    gmtime_r(&when, &parts);
    strftime(date, sizeof(date), "%Y-%m-%d", &parts);
    fprintf(out, ".\\\" Made by `vigil help --man`.\n.TH ");
    put(out, page);
    fprintf(out, " 1 \"%s\" Vigil \"Vigil's commands\"\n", date);
    /* Lines of programs and paths are not to be hyphenated or stretched. */
    fprintf(out, ".nh\n.ad l\n");
}

static void put_exit_codes(FILE *out)
{
    static const int others[] = {EXIT_BUG, EXIT_INTERRUPTED, EXIT_TERMINATED};

    fprintf(out, ".SH EXIT STATUS\n");
    for (int code = 0; code <= EXIT_PARTIAL; code++) {
        fprintf(out, ".TP 5\n.B %d\n", code);
        put_line(out, "", exit_code_text(code));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        fprintf(out, ".TP 5\n.B %d\n", others[i]);
        put_line(out, "", exit_code_text(others[i]));
    }
}

static int is_last(const struct option_spec *option)
{
    return option->letter == 0 && option->name == NULL;
}

static void put_option(FILE *out, const struct option_spec *option)
{
    fprintf(out, ".TP\n");
    if (option->letter) {
        fprintf(out, "\\fB\\-%c\\fR", option->letter);
    }
    if (option->name) {
        fprintf(out, "%s\\fB\\-\\-", option->letter ? ", " : "");
        put(out, option->name);
        fprintf(out, "\\fR");
    }
    if (option->value) {
        fprintf(out, " \\fI");
        put(out, option->value);
        fprintf(out, "\\fR");
    }
    fputc('\n', out);
    put_line(out, "", option->help);
}

static const struct manual_text *text_of(const struct manual_text *texts,
                                         const struct command *command)
{
    for (; texts->name; texts++) {
        if (strcmp(texts->name, command->name) == 0 &&
            (texts->group ? command->group &&
                                strcmp(texts->group, command->group) == 0
                          : !command->group)) {
            return texts;
        }
    }
    return NULL;
}

/* "crash show", or with a hyphen between as the page is called. */
static char *name_of(const struct command *command, char between)
{
    char name[64];

    if (!command->group) {
        return xstrdup(command->name);
    }
    snprintf(name, sizeof(name), "%s%c%s", command->group, between,
             command->name);
    return xstrdup(name);
}

/* The help line without its full stop and what comes after the first. */
static char *purpose_of(const struct command *command)
{
    char *purpose = xstrdup(command->help);
    char *end = purpose;

    /* A dot within a word ends nothing: xl.cfg. */
    while (*end && *end != ';' &&
           !(*end == '.' && (end[1] == '\0' || end[1] == ' '))) {
        end++;
    }
    *end = '\0';
    /* A sentence's capital, not an abbreviation's. */
    if (purpose[0] >= 'A' && purpose[0] <= 'Z' && purpose[1] >= 'a') {
        purpose[0] = (char)(purpose[0] - 'A' + 'a');
    }
    return purpose;
}

static void put_examples(FILE *out, const struct manual_example *examples)
{
    if (!examples) {
        return;
    }
    fprintf(out, ".SH EXAMPLES\n");
    for (; examples->line; examples++) {
        put_line(out, ".TP\n.nf\n\\fB", examples->line);
        fprintf(out, "\\fR\n.fi\n");
        put_line(out, "", examples->does);
    }
}

static void put_see_also(FILE *out, int is_overview)
{
    fprintf(out, ".SH SEE ALSO\n%s.BR vigild (8),\n.BR xl (1),\n.BR xl.cfg (5)"
                 "\n.PP\n",
            is_overview ? "" : ".BR vigil (1),\n");
    put_line(out, "", "/usr/share/doc/vigil-hypervisor");
}

void manual_page(FILE *out, const struct manual_text *texts,
                 const struct command *command)
{
    const struct manual_text *more = text_of(texts, command);
    char *spoken = name_of(command, ' ');
    char *joined = name_of(command, '-');
    char *page = xasprintf("vigil-%s", joined);
    char *purpose = purpose_of(command);

    put_head(out, page);
    fprintf(out, ".SH NAME\n");
    put(out, page);
    put_line(out, " \\- ", purpose);
    fprintf(out, ".SH SYNOPSIS\n\\fBvigil ");
    put(out, spoken);
    put_line(out, "\\fR ", command->args);
    fprintf(out, ".SH DESCRIPTION\n");
    put_line(out, "", command->help);
    if (more && more->text[0]) {
        fprintf(out, ".PP\n");
        put_paragraphs(out, more->text);
    }
    fprintf(out, ".SH OPTIONS\n");
    for (const struct option_spec *o = command->options; o && !is_last(o);
         o++) {
        put_option(out, o);
    }
    fprintf(out, ".TP\n\\fB\\-\\-help\\fR\nsay how it is called\n");
    put_examples(out, more ? more->examples : NULL);
    put_exit_codes(out);
    put_see_also(out, 0);
    free(purpose);
    free(page);
    free(joined);
    free(spoken);
}

void manual_overview(FILE *out, const struct command *commands)
{
    put_head(out, "vigil");
    put_line(out, ".SH NAME\nvigil \\- ",
             "guests, messages and crashes of the hypervisor Vigil");
    put_line(out, ".SH SYNOPSIS\n\\fBvigil\\fR ",
             "[-v] [--root DIR] COMMAND ...");
    put_line(out, ".SH DESCRIPTION\n",
             "It runs in Dom0, as root. GUEST is a name, a number or a UUID. "
             "Data go to standard output, everything else to standard error; "
             "--json gives one object a line, with its schema. Operands and "
             "options may be mixed; what begins with a hyphen and is none "
             "goes after --.");
    fprintf(out, ".SH COMMANDS\n");
    for (const struct command *at = commands; at->name; at++) {
        char *spoken = name_of(at, ' ');
        char *joined = name_of(at, '-');

        fprintf(out, ".TP\n\\fB");
        put(out, spoken);
        put_line(out, "\\fR ", at->args);
        put(out, at->help);
        fprintf(out, "\nSee\n.BR vigil\\-");
        put(out, joined);
        fprintf(out, " (1).\n");
        free(joined);
        free(spoken);
    }
    fprintf(out, ".TP\n\\fBhelp\\fR [\\-\\-man] [COMMAND]\n"
                 "Say how it is called; with \\-\\-man as a manual page.\n"
                 ".SH OPTIONS\n.TP\n\\fB\\-v\\fR, \\fB\\-\\-verbose\\fR\n"
                 "say what the libraries do\n"
                 ".TP\n\\fB\\-\\-root\\fR \\fIDIR\\fR\n"
                 "look for files below DIR; so does the variable VIGIL_ROOT\n"
                 ".SH FILES\n.TP\n/var/lib/vigil/crash\n"
                 "a directory for each recorded crash\n"
                 ".TP\n/var/log/vigil/events.ndjson\n"
                 "the feed of events, one JSON object a line\n"
                 ".TP\n/var/lib/xen/dump/NAME\n"
                 "the core of a guest whose on_crash (or another on_) says "
                 "coredump\n");
    put_exit_codes(out);
    put_see_also(out, 1);
}
