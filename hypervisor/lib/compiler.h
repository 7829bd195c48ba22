/* SPDX-License-Identifier: MIT */
/*
 * lib/compiler.h - attributes under the names the house uses.
 */
#ifndef VIGIL_LIB_COMPILER_H
#define VIGIL_LIB_COMPILER_H

/* A buffer on the stack that is filled before it is read: not zeroed. */
#define UNINITIALISED __attribute__((uninitialized))
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define USED __attribute__((used))
#define PACKED __attribute__((packed))
#define ALIGNED(n) __attribute__((aligned(n)))
#define SECTION(name) __attribute__((section(name)))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define WEAK __attribute__((weak))

/*
 * Code that may run on an NMI or #MC stack.  tests/lint/nmi_calls.py proves
 * that it calls nothing outside its section.
 */
#ifdef VIGIL_HOST_TEST
#define NMI_SAFE
#define INIT_TEXT
#define INIT_DATA
#else
#define NMI_SAFE __attribute__((section(".text.nmi")))
/* Code and data used only before the first guest runs. */
#define INIT_TEXT __attribute__((section(".init.text"), noinline))
#define INIT_DATA __attribute__((section(".init.data")))
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member)                                        \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
