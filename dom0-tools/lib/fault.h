/* SPDX-License-Identifier: MIT */
/*
 * lib/fault.h - how a library function tells its caller what went wrong.
 *
 * Library functions are silent: they fill in a struct fault and return a
 * negative value.  The program prints it once, where the story is known, and
 * leaves with the exit code that the fault carries.  Every text says what
 * failed, with which value, against which limit, and what to do next.
 */
#ifndef VIGIL_TOOLS_FAULT_H
#define VIGIL_TOOLS_FAULT_H

/* What a shell sees.  Stable: scripts depend on the numbers. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3, /* no such guest or crash, nothing matched    */
    EXIT_NOT_VIGIL = 4, /* not on Vigil or Xen, or another interface  */
    EXIT_PERMISSION = 5,
    EXIT_STORAGE = 6, /* disk trouble; what was kept is printed     */
    EXIT_TIMED_OUT = 7,
    EXIT_REFUSED = 8,     /* wrong state, exists already, busy          */
    EXIT_UNSUPPORTED = 9, /* by this hypervisor, or this config key     */
    EXIT_PARTIAL = 10,    /* several targets, some failed               */
    EXIT_BUG = 125,
    EXIT_HELPER_NOT_EXECUTABLE = 126,
    EXIT_HELPER_NOT_FOUND = 127,
    EXIT_INTERRUPTED = 130,
    EXIT_TERMINATED = 143,
};

#define FAULT_TEXT_BYTES 512

struct fault {
    enum exit_code code;
    char text[FAULT_TEXT_BYTES];
};

/**
 * exit_code_of_errno() - the exit code that fits a system error
 * @err: errno value, positive
 *
 * Context: any.
 * Return:  one of enum exit_code, EXIT_FAILED where nothing fits better
 */
enum exit_code exit_code_of_errno(int err);

/**
 * exit_code_of_signal() - the exit code of a program that was told to stop
 * @signal: SIGINT, SIGTERM or SIGHUP
 *
 * Context: any.
 * Return:  EXIT_INTERRUPTED for SIGINT, else EXIT_TERMINATED
 */
enum exit_code exit_code_of_signal(int signal);

/**
 * exit_code_text() - what an exit code means, in a few words
 * @code: any value
 *
 * Context: any.
 * Return:  constant text; "unknown exit code" for values not in the enum
 */
const char *exit_code_text(int code);

/**
 * fault_set() - describe a failure
 * @fault: filled in; must not be NULL
 * @code:  exit code the program should end with
 * @fmt:   printf format of the sentence, without newline
 *
 * Context: any; keeps errno.
 * Return:  -1, so that a caller can say `return fault_set(...)`
 */
int fault_set(struct fault *fault, enum exit_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * fault_errno() - describe a failure by errno
 * @fault: filled in; must not be NULL
 * @err:   errno value, positive; chooses the exit code and is spelled out
 * @fmt:   printf format of the sentence, without newline or ": reason"
 *
 * Context: any; keeps errno.
 * Return:  -1
 */
int fault_errno(struct fault *fault, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * say_program() - set the name that precedes every message
 * @name: program name; kept by reference
 *
 * Context: start of main().
 */
void say_program(const char *name);

/**
 * say() - print one line on standard error, escaped
 * @fmt: printf format, without newline
 *
 * Context: program code; library functions stay silent.
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * say_fault() - print a fault and give its exit code
 * @fault: as filled in by a library function
 *
 * Context: program code.
 * Return:  the exit code that the fault carries
 */
int say_fault(const struct fault *fault);

/**
 * out_of_memory() - end the program: memory is exhausted
 *
 * Context: any. Does not return.
 */
void out_of_memory(void) __attribute__((noreturn));

/**
 * xmalloc() - allocate zeroed memory or end the program
 * @bytes: size; 0 gives a valid pointer
 *
 * Context: any.
 * Return:  memory, never NULL; freed with free()
 */
void *xmalloc(unsigned long bytes);

/**
 * xrealloc() - resize memory or end the program
 * @memory: earlier allocation or NULL
 * @bytes:  new size, not 0
 *
 * Context: any.
 * Return:  memory, never NULL
 */
void *xrealloc(void *memory, unsigned long bytes);

/**
 * xstrdup() - copy a string or end the program
 * @text: NUL-terminated
 *
 * Context: any.
 * Return:  copy, never NULL; freed with free()
 */
char *xstrdup(const char *text);

/**
 * xasprintf() - format into new memory or end the program
 * @fmt: printf format
 *
 * Context: any.
 * Return:  text, never NULL; freed with free()
 */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
