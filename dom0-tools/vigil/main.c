/* SPDX-License-Identifier: MIT */
/* vigil/main.c - the one command for people and scripts in Dom0. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/place.h"
#include "vigil/commands.h"
#include "vigil/manual.h"

volatile sig_atomic_t command_stop;

static void note_stop(int signal)
{
    command_stop = signal;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_stop};

    /* No SA_RESTART: a wait for a guest must end when asked to. */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_DFL);
}

static void print_help(FILE *out)
{
    fprintf(out, "usage: vigil [-v] [--root DIR] COMMAND ...\n\n");
    for (const struct command *at = commands; at->name; at++) {
        fprintf(out, "  %s%s%s %s\n        %s\n", at->group ? at->group : "",
                at->group ? " " : "", at->name, at->args, at->help);
    }
    fprintf(out, "\nGUEST is a name, a number or a UUID. `vigil COMMAND "
                 "--help` explains one command,\n`vigil help --man COMMAND` "
                 "is its manual page.\n\nexit codes:\n");
    for (int code = 0; code <= EXIT_PARTIAL; code++) {
        fprintf(out, "  %3d  %s\n", code, exit_code_text(code));
    }
}

/* "help [--man] [COMMAND]": as text, or as a manual page. */
static int help(char **words, int count)
{
    const struct command *command;
    int as_page = 0;
    int used;

    for (; count && strcmp(words[0], "--man") == 0; words++, count--) {
        as_page = 1;
    }
    if (count == 0) {
        if (as_page) {
            manual_overview(stdout, commands);
        } else {
            print_help(stdout);
        }
        return EXIT_DONE;
    }
    command = command_find(commands, words, count, &used);
    if (!command || used != count) {
        say("no command %s%s%s; `vigil help` lists them", words[0],
            count > 1 ? " " : "", count > 1 ? words[1] : "");
        return EXIT_USAGE;
    }
    if (as_page) {
        manual_page(stdout, manual_texts, command);
    } else {
        command_usage(stdout, "vigil", command);
    }
    return EXIT_DONE;
}

/* Options before the command; returns how many words they take, or -1. */
static int leading_options(int count, char **words, struct invocation *call)
{
    int at = 0;

    for (; at < count && words[at][0] == '-'; at++) {
        if (strcmp(words[at], "-v") == 0 ||
            strcmp(words[at], "--verbose") == 0) {
            call->verbose = 1;
        } else if (strcmp(words[at], "--root") == 0 && at + 1 < count) {
            place_set_root(words[++at]);
        } else if (strncmp(words[at], "--root=", 7) == 0) {
            place_set_root(words[at] + 7);
        } else if (strcmp(words[at], "--help") == 0 ||
                   strcmp(words[at], "-h") == 0) {
            print_help(stdout);
            exit(EXIT_DONE);
        } else {
            say("no option %s here; --help lists the commands", words[at]);
            return -1;
        }
    }
    return at;
}

static int check_operands(const struct command *command,
                          const struct invocation *call)
{
    if (call->operand_count >= command->min_operands &&
        (command->max_operands < 0 ||
         call->operand_count <= command->max_operands)) {
        return 0;
    }
    say("%s%s%s takes %s", command->group ? command->group : "",
        command->group ? " " : "", command->name,
        command->args[0] ? command->args : "nothing");
    return -1;
}

static int run_command(const struct command *command, int count, char **words,
                       struct invocation *call)
{
    struct fault fault;

    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--help") == 0) {
            command_usage(stdout, "vigil", command);
            return EXIT_DONE;
        }
    }
    if (opts_parse(command->options, words, count, call, &fault)) {
        return say_fault(&fault);
    }
    if (check_operands(command, call)) {
        return EXIT_USAGE;
    }
    return command->run(call);
}

int main(int argc, char **argv)
{
    struct invocation call = {.verbose = 0};
    const struct command *command;
    int skipped;
    int words;
    int code;

    say_program("vigil");
    place_set_root(NULL);
    catch_signals();
    skipped = leading_options(argc - 1, argv + 1, &call);
    if (skipped < 0) {
        return EXIT_USAGE;
    }
    argc -= skipped + 1;
    argv += skipped + 1;
    if (argc == 0) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "help") == 0) {
        return help(argv + 1, argc - 1);
    }
    command = command_find(commands, argv, argc, &words);
    if (!command) {
        say("no command %s%s%s; `vigil help` lists them", argv[0],
            argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
        return EXIT_USAGE;
    }
    code = run_command(command, argc - words, argv + words, &call);
    if (fflush(stdout) || ferror(stdout)) {
        say("output cannot be written: %s", strerror(errno));
        return code ? code : EXIT_STORAGE;
    }
    return code;
}
