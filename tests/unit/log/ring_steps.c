/* SPDX-License-Identifier: MIT */
/* tests/unit/log/ring_steps.c - see ring_steps.h. */
#include "ring_steps.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_hw.h"

struct world world __attribute__((aligned(64)));
unsigned char stacks[MAX_WRITERS + 1][STACK] __attribute__((aligned(64)));
unsigned int cuts[5] = {0, offsetof(struct vigil_log_cell, tsc),
                        offsetof(struct vigil_log_cell, text),
                        sizeof(struct vigil_log_cell)};
unsigned int pieces = 3;
const void *constant;
size_t constant_bytes;

static struct actor *running; /* NULL: the test itself, which never stops */
static void *test_sp;
static bool wrong;
static unsigned int unstopped; /* accesses by the test itself at a time */

/* ---- coroutines --------------------------------------------------------- */

/* Leave the stack at hand, whose pointer is kept in *@from, for the one at @to. */
void switch_to(void **from, void *to);
asm(".text\n"
    "switch_to:\n\t"
    "push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n\t"
    "mov %rsp, (%rdi); mov %rsi, %rsp\n\t"
    "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp; ret");

static void stop(struct actor *a)
{
    switch_to(&a->sp, test_sp);
}

_Noreturn void step_wrong(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("# ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    wrong = true;
    if (running == NULL) {
        abort();
    }
    for (;;) {
        stop(running);
    }
}

bool actor_go(struct actor *a)
{
    wrong = false;
    unstopped = 0;
    running = a;
    switch_to(&test_sp, a->sp);
    running = NULL;
    return !wrong;
}

_Noreturn void actor_end(struct actor *a)
{
    a->ended = true;
    for (;;) {
        stop(a);
    }
}

static void (*begin)(struct actor *a);

static void first_code(void)
{
    begin(running);
    abort();
}

void actor_start(struct actor *a, void (*code)(struct actor *a))
{
    void **top = (void **)stacks[a - world.actor + 1];

    /* What switch_to() takes: six registers, an address; then one on top, so
     * that the stack is aligned as after a call. */
    top -= 2;
    top[0] = (void *)first_code;
    a->sp = top - 6;
    begin = code;
    if (!actor_go(a)) {
        abort();
    }
}

/* ---- accesses ----------------------------------------------------------- */

static bool is_in(const volatile void *p, size_t len, const void *block,
                  size_t bytes)
{
    uintptr_t at = (uintptr_t)p - (uintptr_t)block;

    return at < bytes && len <= bytes - at;
}

/* The cell whose number this is; -1: it is the word next. */
static int word_at(const volatile void *p)
{
    uintptr_t at = (uintptr_t)p - (uintptr_t)world.cells;

    if (p == &world.ring.next) {
        return -1;
    }
    if (at >= sizeof(world.cells) || at % sizeof(world.cells[0]) != 0) {
        step_wrong("an atomic access to something else than a number");
    }
    return (int)(at / sizeof(world.cells[0]));
}

static void before(const volatile void *p, struct step *s)
{
    if (running == NULL) {
        if (++unstopped > 1000) {
            step_wrong("a reader waits for who does not go on");
        }
    } else {
        s->cell = word_at(p);
        s->fence = running->fence;
        running->fence = __ATOMIC_RELAXED;
        step_before(running, s);
        stop(running);
    }
}

static void after(const struct step *s, uint64_t result, bool ok)
{
    if (running != NULL) {
        running->history =
            mix(running->history, result + (ok ? 1ULL << 63 : 0));
        step_after(running, s, result, ok);
    }
}

/* Anything that is not atomic. */
static void plain(const volatile void *p, size_t len, bool store)
{
    if (running == NULL ||
        is_in(p, len, stacks[running - world.actor], STACK)) {
        return;
    }
    if (store ||
        (!is_in(p, len, constant, constant_bytes) &&
         !is_in(p, len, &world.ring, offsetof(struct log_ring, next)))) {
        step_wrong("a plain %s of %zu bytes of what others see, after step %u",
                   store ? "store" : "load", len, running->at);
    }
}

/* ---- what the compiler calls -------------------------------------------- */

/* Copies of cells go by pieces, others at once. */
void *hv_memcpy(void *dst, const void *src, size_t len);
void *hv_memcpy(void *dst, const void *src, size_t len)
{
    bool in = is_in(dst, len, world.cells, sizeof(world.cells));
    bool out = is_in(src, len, world.cells, sizeof(world.cells));
    uintptr_t from = (uintptr_t)(in ? dst : src) - (uintptr_t)world.cells;

    if (running == NULL || (!in && !out)) {
        plain(dst, len, true);
        plain(src, len, false);
        return memcpy(dst, src, len);
    }
    plain(in ? src : dst, len, !in);
    for (unsigned int i = 0; i < pieces; i++) {
        size_t cell = from / sizeof(world.cells[0]);
        size_t first = cell * sizeof(world.cells[0]) + cuts[i];
        size_t end = first + cuts[i + 1] - cuts[i];
        struct step s = {.access = in ? DO_COPY_IN : DO_COPY_OUT,
                         .piece = (int)i};

        first = MAX(first, from);
        end = MIN(end, from + len);
        if (first < end) {
            before(&world.cells[cell], &s);
            memcpy((char *)dst + (first - from),
                   (const char *)src + (first - from), end - first);
            /* What a writer copies it has had before. */
            after(&s,
                  in ? 0
                     : mix_block(1, (char *)dst + (first - from), end - first),
                  false);
        }
    }
    return dst;
}

void *hv_memset(void *dst, int value, size_t len);
void *hv_memset(void *dst, int value, size_t len)
{
    plain(dst, len, true);
    return memset(dst, value, len);
}

uint64_t __tsan_atomic64_load(const volatile uint64_t *p, int order);
uint64_t __tsan_atomic64_load(const volatile uint64_t *p, int order)
{
    struct step s = {.access = DO_LOAD, .order = order};
    uint64_t value;

    before(p, &s);
    value = *p;
    after(&s, value, true);
    return value;
}

void __tsan_atomic64_store(volatile uint64_t *p, uint64_t value, int order);
void __tsan_atomic64_store(volatile uint64_t *p, uint64_t value, int order)
{
    struct step s = {.access = DO_STORE, .value = value, .order = order};

    before(p, &s);
    *p = value;
    after(&s, value, true);
}

uint64_t __tsan_atomic64_fetch_add(volatile uint64_t *p, uint64_t value,
                                   int order);
uint64_t __tsan_atomic64_fetch_add(volatile uint64_t *p, uint64_t value,
                                   int order)
{
    struct step s = {.access = DO_ADD, .value = value, .order = order};
    uint64_t found;

    before(p, &s);
    found = *p;
    *p = found + value;
    after(&s, found, true);
    return found;
}

int __tsan_atomic64_compare_exchange_strong(volatile uint64_t *p, uint64_t *old,
                                            uint64_t desired, int order,
                                            int order_failed);
int __tsan_atomic64_compare_exchange_strong(volatile uint64_t *p, uint64_t *old,
                                            uint64_t desired, int order,
                                            int order_failed)
{
    struct step s = {.access = DO_CAS,
                     .value = *old,
                     .desired = desired,
                     .order = order,
                     .order_failed = order_failed};
    uint64_t found;

    before(p, &s);
    found = *p;
    if (found == *old) {
        *p = desired;
        after(&s, found, true);
        return 1;
    }
    *old = found;
    after(&s, found, false);
    return 0;
}

/* The fake machine's counter of flushed lines; of the ring nothing has 32 bits. */
uint32_t __tsan_atomic32_fetch_add(volatile uint32_t *p, uint32_t value,
                                   int order);
uint32_t __tsan_atomic32_fetch_add(volatile uint32_t *p, uint32_t value,
                                   int order)
{
    (void)order;
    if (p != &fake_flushed_lines) {
        step_wrong("an atomic access of 32 bits");
    }
    return __atomic_fetch_add(p, value, __ATOMIC_RELAXED);
}

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    if (running != NULL) {
        running->fence = order;
    }
}

#define PLAIN(name, len, store)                                                \
    void __tsan_##name(const volatile void *p);                                \
    void __tsan_##name(const volatile void *p)                                 \
    {                                                                          \
        plain(p, len, store);                                                  \
    }

PLAIN(read1, 1, false)
PLAIN(read2, 2, false)
PLAIN(read4, 4, false)
PLAIN(read8, 8, false)
PLAIN(read16, 16, false)
PLAIN(write1, 1, true)
PLAIN(write2, 2, true)
PLAIN(write4, 4, true)
PLAIN(write8, 8, true)
PLAIN(write16, 16, true)
PLAIN(unaligned_read2, 2, false)
PLAIN(unaligned_read4, 4, false)
PLAIN(unaligned_read8, 8, false)
PLAIN(unaligned_write2, 2, true)
PLAIN(unaligned_write4, 4, true)
PLAIN(unaligned_write8, 8, true)

void __tsan_read_range(const volatile void *p, size_t len);
void __tsan_read_range(const volatile void *p, size_t len)
{
    plain(p, len, false);
}

void __tsan_write_range(const volatile void *p, size_t len);
void __tsan_write_range(const volatile void *p, size_t len)
{
    plain(p, len, true);
}

void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
    (void)pc;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_init(void);
void __tsan_init(void)
{
}
