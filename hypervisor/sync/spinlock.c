/* SPDX-License-Identifier: MIT */
/*
 * sync/spinlock.c - ticket lock, and the debug checks around it.
 *
 * To take: draw a ticket by one atomic add, wait until it is served.  To
 * release: serve the next.  The counters wrap freely.
 *
 * Debug builds keep, per CPU, the list of held locks and refuse a take that
 * breaks the order of sync/lockrank.h, a second take by the same CPU, and a
 * take with the wrong interrupt state.
 */
#include "sync/spinlock.h"

#include "lib/assert.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"

#ifdef VIGIL_DEBUG

#define HELD_MAX 12

/* Written by its own CPU only, with the lock concerned held. */
static struct held_locks {
    unsigned int count;
    struct spinlock *lock[HELD_MAX];
} held_locks[NR_CPUS];

static void check_before(const struct spinlock *lock, bool waits,
                         const char *file, int line)
{
    const struct held_locks *held = &held_locks[this_cpu_id()];

    if (this_cpu()->context & CTX_IN_NMI_OR_MC) {
        panic("lock %s taken in NMI or #MC context at %s:%d", lock->name, file,
              line);
    }
    if (lock->irq == IRQ_OFF && irqs_enabled()) {
        panic("lock %s taken with interrupts on at %s:%d", lock->name, file,
              line);
    }
    for (unsigned int i = 0; i < held->count; i++) {
        const struct spinlock *h = held->lock[i];

        if (h == lock && !waits) {
            continue; /* a trylock by the holder fails by itself */
        }
        if (h == lock) {
            panic("lock %s taken twice: %s:%d, then %s:%d", lock->name, h->file,
                  h->line, file, line);
        }
        if (waits &&
            (h->rank > lock->rank ||
             (h->rank == lock->rank && (uintptr_t)h > (uintptr_t)lock))) {
            panic("lock %s (rank %d) at %s:%d after %s (rank %d) at %s:%d",
                  lock->name, lock->rank, file, line, h->name, h->rank, h->file,
                  h->line);
        }
    }
}

static void note_taken(struct spinlock *lock, const char *file, int line)
{
    struct held_locks *held = &held_locks[this_cpu_id()];

    lock->holder = (uint16_t)(this_cpu_id() + 1);
    lock->file = file;
    lock->line = line;
    if (held->count == HELD_MAX) {
        panic("too many locks held at %s:%d", file, line);
    }
    held->lock[held->count++] = lock;
}

static void note_released(struct spinlock *lock)
{
    struct held_locks *held = &held_locks[this_cpu_id()];
    unsigned int i = held->count;

    if (lock->holder != this_cpu_id() + 1) {
        panic("lock %s released by a CPU that does not hold it", lock->name);
    }
    while (i > 0 && held->lock[i - 1] != lock) {
        i--;
    }
    BUG_ON(i == 0);
    /* Locks need not be released in the reverse order of their taking. */
    for (; i < held->count; i++) {
        held->lock[i - 1] = held->lock[i];
    }
    held->count--;
    lock->holder = 0;
}

#else

static inline void check_before(const struct spinlock *lock, bool waits,
                                const char *file, int line)
{
    (void)lock;
    (void)waits;
    (void)file;
    (void)line;
}

static inline void note_taken(struct spinlock *lock, const char *file, int line)
{
    (void)lock;
    (void)file;
    (void)line;
}

#endif

void spin_lock_init(struct spinlock *lock, const char *name,
                    enum lock_rank rank, enum lock_irq irq)
{
    *lock = (struct spinlock)SPINLOCK_INIT(name, (uint8_t)rank, (uint8_t)irq);
}

#ifndef VIGIL_DEBUG

void spin_wait(struct spinlock *lock, uint32_t ticket)
{
    /* MB(spinlock:A) acquire; pairs with spinlock:B. */
    while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket) {
        cpu_relax();
    }
}

#else

void spin_lock_at(struct spinlock *lock, const char *file, int line)
{
    uint32_t ticket;

    check_before(lock, true, file, line);
    ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    /* MB(spinlock:A) acquire; pairs with spinlock:B. */
    while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket) {
        cpu_relax();
    }
    note_taken(lock, file, line);
}

unsigned long spin_lock_irqsave_at(struct spinlock *lock, const char *file,
                                   int line)
{
    unsigned long flags = irq_save();

    spin_lock_at(lock, file, line);
    return flags;
}

void spin_unlock(struct spinlock *lock)
{
    note_released(lock);
    /* MB(spinlock:B) release; pairs with spinlock:A.  Only we write owner. */
    __atomic_store_n(&lock->owner,
                     __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) + 1,
                     __ATOMIC_RELEASE);
}

void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags)
{
    spin_unlock(lock);
    irq_restore(flags);
}

#endif

bool spin_trylock_at(struct spinlock *lock, const char *file, int line)
{
    uint32_t ticket;

    check_before(lock, false, file, line);
    ticket = __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
    /* Free means next == owner: draw that ticket, if nobody else does. */
    if (!__atomic_compare_exchange_n(&lock->next, &ticket, ticket + 1, false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return false;
    }
    note_taken(lock, file, line);
    return true;
}

bool spin_is_locked(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->next, __ATOMIC_RELAXED) !=
           __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
}
