/* SPDX-License-Identifier: MIT */
/* lib/fault.c - exit codes, messages, and allocation that cannot fail. */
#include "lib/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/escape.h"

static const char *program = "vigil";

enum exit_code exit_code_of_errno(int err)
{
    switch (err) {
    case 0:
        return EXIT_DONE;
    case ESRCH:
    case ENOENT:
        return EXIT_NOT_FOUND;
    case EPERM:
    case EACCES:
        return EXIT_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EROFS:
    case ESTALE:
    case EFBIG:
        return EXIT_STORAGE;
    case ETIMEDOUT:
        return EXIT_TIMED_OUT;
    case EBUSY:
    case EEXIST:
        return EXIT_REFUSED;
    case ENOSYS:
    case EOPNOTSUPP:
        return EXIT_UNSUPPORTED;
    case EINTR:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

enum exit_code exit_code_of_signal(int signal)
{
    return signal == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
}

const char *exit_code_text(int code)
{
    static const struct {
        int code;
        const char *text;
    } texts[] = {
        {EXIT_DONE, "done"},
        {EXIT_FAILED, "operation failed"},
        {EXIT_USAGE, "usage error"},
        {EXIT_NOT_FOUND, "no such guest or crash"},
        {EXIT_NOT_VIGIL, "not on Vigil or Xen, or interface mismatch"},
        {EXIT_PERMISSION, "permission"},
        {EXIT_STORAGE, "storage trouble"},
        {EXIT_TIMED_OUT, "timed out"},
        {EXIT_REFUSED, "refused: wrong state, exists, or busy"},
        {EXIT_UNSUPPORTED, "not supported by this hypervisor or key"},
        {EXIT_PARTIAL, "several targets, some failed"},
        {EXIT_BUG, "internal error"},
        {EXIT_HELPER_NOT_EXECUTABLE, "helper not executable"},
        {EXIT_HELPER_NOT_FOUND, "helper not found"},
        {EXIT_INTERRUPTED, "interrupted"},
        {EXIT_TERMINATED, "terminated"},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].code == code) {
            return texts[i].text;
        }
    }
    return "unknown exit code";
}

int fault_set(struct fault *fault, enum exit_code code, const char *fmt, ...)
{
    int saved = errno;
    va_list args;

    fault->code = code;
    va_start(args, fmt);
    vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
    errno = saved;
    return -1;
}

int fault_errno(struct fault *fault, int err, const char *fmt, ...)
{
    int saved = errno;
    va_list args;
    const char *reason = strerror(err);
    size_t room;
    size_t len;

    fault->code = exit_code_of_errno(err);
    va_start(args, fmt);
    vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
    /* A long path may be cut, the reason may not. */
    len = strlen(fault->text);
    room = strlen(reason) + sizeof(": ");
    if (len + room > sizeof(fault->text)) {
        len = sizeof(fault->text) - room;
    }
    snprintf(fault->text + len, sizeof(fault->text) - len, ": %s", reason);
    errno = saved;
    return -1;
}

void say_program(const char *name)
{
    program = name;
}

void say(const char *fmt, ...)
{
    char text[FAULT_TEXT_BYTES + 128];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    /* Names of guests and files reach this line: never raw to a terminal. */
    fflush(stdout);
    fprintf(stderr, "%s: ", program);
    escape_print(stderr, text, strlen(text), 0);
    fputc('\n', stderr);
}

int say_fault(const struct fault *fault)
{
    say("%s", fault->text);
    return (int)fault->code;
}

void out_of_memory(void)
{
    fprintf(stderr, "%s: out of memory\n", program);
    exit(EXIT_FAILED);
}

void *xmalloc(unsigned long bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);

    if (!memory) {
        out_of_memory();
    }
    return memory;
}

void *xrealloc(void *memory, unsigned long bytes)
{
    void *bigger = realloc(memory, bytes);

    if (!bigger) {
        out_of_memory();
    }
    return bigger;
}

char *xstrdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = xmalloc(bytes);

    memcpy(copy, text, bytes);
    return copy;
}

char *xasprintf(const char *fmt, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) {
        out_of_memory();
    }
    text = xmalloc((size_t)len + 1);
    va_start(args, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
    return text;
}
