/* SPDX-License-Identifier: MIT */
/*
 * sync/spinlock.h - ticket spinlocks with a rank.
 *
 * First come, first served.  A lock declares its rank (sync/lockrank.h) and
 * whether it is taken with interrupts off; debug builds check both at every
 * take, remember the holder and the place, and name both places when the
 * order is broken.  Release builds pay one locked add to take, one store to
 * release, in line.
 *
 * Never in NMI or #MC context, nor in files with NMI_SAFE code: the holder
 * may be the code that was interrupted.  The dying path does not take locks.
 */
#ifndef VIGIL_SYNC_SPINLOCK_H
#define VIGIL_SYNC_SPINLOCK_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "sync/lockrank.h"
#include "x86/irqflags.h"

/* The interrupt state a lock is taken in. */
enum lock_irq {
    IRQ_ANY, /* never taken by an interrupt handler               */
    IRQ_OFF, /* also taken by interrupt handlers: IF must be 0     */
};

/*
 * Legend: a atomic; c constant after init; h written by the holder only
 */
struct spinlock {
    uint32_t next;   /* a: the ticket the next comer draws            */
    uint32_t owner;  /* a: the ticket being served                    */
    uint8_t rank;    /* c: enum lock_rank                             */
    uint8_t irq;     /* c: enum lock_irq                              */
    uint16_t holder; /* h: CPU + 1 of the holder, 0 if free, debug builds */
    int line;        /* h: where it was taken, debug builds           */
    const char *file;
    const char *name; /* c: for messages                              */
};

#define SPINLOCK_INIT(lock_name, lock_rank, lock_irq)                          \
    {                                                                          \
        .rank = (lock_rank), .irq = (lock_irq), .name = (lock_name)            \
    }
/* Define a lock: static SPINLOCK(heap_lock, LOCK_RANK_HEAP, IRQ_ANY); */
#define SPINLOCK(var, lock_rank, lock_irq)                                     \
    struct spinlock var = SPINLOCK_INIT(#var, lock_rank, lock_irq)

/**
 * spin_lock_init() - make a lock ready that lives in allocated memory
 * @lock: storage, owned by the caller
 * @name: static string for messages
 * @rank: its place in the global order
 * @irq:  interrupt state it is taken in
 *
 * Context: any; the lock is not yet visible to others.
 * Return:  nothing.
 */
void spin_lock_init(struct spinlock *lock, const char *name,
                    enum lock_rank rank, enum lock_irq irq);

/**
 * spin_lock_at() - take a lock; use the macro spin_lock()
 * @lock: the lock
 * @file: source file of the taker
 * @line: its line
 *
 * Context: any but NMI/#MC; interrupts off if the lock says IRQ_OFF.
 * Return:  nothing; the lock is held.
 */
void spin_lock_at(struct spinlock *lock, const char *file, int line);

/**
 * spin_trylock_at() - take a lock if it is free; use spin_trylock()
 * @lock: the lock
 * @file: source file of the taker
 * @line: its line
 *
 * Not subject to the rank rule, since it cannot wait.
 *
 * Context: any but NMI/#MC; interrupts off if the lock says IRQ_OFF.
 * Return:  true: now held; false: somebody else has it
 */
bool spin_trylock_at(struct spinlock *lock, const char *file, int line)
    MUST_CHECK;

/**
 * spin_lock_irqsave_at() - interrupts off, then take a lock;
 *                          use spin_lock_irqsave()
 * @lock: the lock
 * @file: source file of the taker
 * @line: its line
 *
 * Context: any but NMI/#MC.
 * Return:  flags for spin_unlock_irqrestore()
 */
unsigned long spin_lock_irqsave_at(struct spinlock *lock, const char *file,
                                   int line) MUST_CHECK;

/**
 * spin_unlock() - release a lock
 * @lock: held by this CPU
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void spin_unlock(struct spinlock *lock);

/**
 * spin_unlock_irqrestore() - release a lock and restore the interrupt flag
 * @lock:  held by this CPU
 * @flags: from spin_lock_irqsave()
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags);

/**
 * spin_is_locked() - is anyone holding it?  For assertions and notes only
 * @lock: the lock
 *
 * Context: any.
 * Return:  true: held or waited for at this moment
 */
bool spin_is_locked(const struct spinlock *lock);

#ifdef VIGIL_DEBUG

#define spin_lock(lock)         spin_lock_at((lock), __FILE__, __LINE__)
#define spin_lock_irqsave(lock) spin_lock_irqsave_at((lock), __FILE__, __LINE__)

#else

/**
 * spin_wait() - wait until a ticket is served
 * @lock:   the lock
 * @ticket: drawn
 *
 * Context: spin_lock_quick() only.
 * Return:  nothing; the lock is held.
 */
void spin_wait(struct spinlock *lock, uint32_t ticket);

/* Hot paths take locks nobody else wants: five instructions, and no call. */
static inline void spin_lock_quick(struct spinlock *lock)
{
    uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    /* MB(spinlock:A) acquire; pairs with spinlock:B. */
    if (unlikely(__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)) {
        spin_wait(lock, ticket);
    }
}

static inline void spin_unlock_quick(struct spinlock *lock)
{
    /* MB(spinlock:B) release; pairs with spinlock:A.  Only we write owner. */
    __atomic_store_n(&lock->owner,
                     __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) + 1,
                     __ATOMIC_RELEASE);
}

static inline unsigned long spin_lock_irqsave_quick(struct spinlock *lock)
{
    unsigned long flags = irq_save();

    spin_lock_quick(lock);
    return flags;
}

static inline void spin_unlock_irqrestore_quick(struct spinlock *lock,
                                                unsigned long flags)
{
    spin_unlock_quick(lock);
    irq_restore(flags);
}

#define spin_lock(lock)                     spin_lock_quick(lock)
#define spin_unlock(lock)                   spin_unlock_quick(lock)
#define spin_lock_irqsave(lock)             spin_lock_irqsave_quick(lock)
#define spin_unlock_irqrestore(lock, flags)                                    \
    spin_unlock_irqrestore_quick((lock), (flags))

#endif

#define spin_trylock(lock) spin_trylock_at((lock), __FILE__, __LINE__)

#endif
