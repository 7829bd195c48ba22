/* SPDX-License-Identifier: MIT */
/*
 * sync/spinlock: exclusion between threads, and every debug refusal.
 */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "x86/percpu.h"
#include "sync/spinlock.h"
#include "fake_hw.h"
#include "fire_alarm.h"

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    return 0;
}

static void lock_and_unlock(void **state)
{
    SPINLOCK(lock, LOCK_RANK_HEAP, IRQ_ANY);

    (void)state;
    assert_false(spin_is_locked(&lock));
    spin_lock(&lock);
    assert_true(spin_is_locked(&lock));
    assert_false(spin_trylock(&lock));
    spin_unlock(&lock);
    assert_true(spin_trylock(&lock));
    spin_unlock(&lock);
    assert_false(spin_is_locked(&lock));
}

static void irqsave_restores(void **state)
{
    SPINLOCK(lock, LOCK_RANK_HEAP, IRQ_OFF);
    unsigned long flags;

    (void)state;
    flags = spin_lock_irqsave(&lock);
    assert_false(fake_irqs_on);
    spin_unlock_irqrestore(&lock, flags);
    assert_true(fake_irqs_on);
    fake_irqs_on = false;
    flags = spin_lock_irqsave(&lock);
    spin_unlock_irqrestore(&lock, flags);
    assert_false(fake_irqs_on);
}

static void order_is_enforced(void **state)
{
    SPINLOCK(low, LOCK_RANK_DOMAIN, IRQ_ANY);
    SPINLOCK(high, LOCK_RANK_HEAP, IRQ_ANY);

    (void)state;
    spin_lock(&low);
    spin_lock(&high);
    /* Released in the order of taking: allowed. */
    spin_unlock(&low);
    spin_unlock(&high);

    spin_lock(&high);
    EXPECT_PANIC(spin_lock(&low));
    assert_non_null(strstr(fire_alarm_text, "low"));
    assert_non_null(strstr(fire_alarm_text, "after high"));
    /* A trylock cannot wait, so it may. */
    assert_true(spin_trylock(&low));
    spin_unlock(&low);
    spin_unlock(&high);
}

static void same_rank_by_address(void **state)
{
    struct spinlock pair[2] = {
        SPINLOCK_INIT("first", LOCK_RANK_DOMAIN, IRQ_ANY),
        SPINLOCK_INIT("second", LOCK_RANK_DOMAIN, IRQ_ANY)};

    (void)state;
    spin_lock(&pair[0]);
    spin_lock(&pair[1]);
    spin_unlock(&pair[1]);
    spin_unlock(&pair[0]);
    spin_lock(&pair[1]);
    EXPECT_PANIC(spin_lock(&pair[0]));
    spin_unlock(&pair[1]);
}

static void misuse_panics(void **state)
{
    SPINLOCK(lock, LOCK_RANK_HEAP, IRQ_ANY);
    SPINLOCK(irq_lock, LOCK_RANK_IRQ_DESC, IRQ_OFF);

    (void)state;
    spin_lock(&lock);
    EXPECT_PANIC(spin_lock(&lock));
    assert_non_null(strstr(fire_alarm_text, "twice"));
    spin_unlock(&lock);
    EXPECT_PANIC(spin_unlock(&lock));
    EXPECT_PANIC(spin_lock(&irq_lock));
    assert_non_null(strstr(fire_alarm_text, "interrupts on"));
    this_cpu()->context = CTX_NMI;
    EXPECT_PANIC(spin_lock(&lock));
    assert_non_null(strstr(fire_alarm_text, "NMI"));
}

static void each_cpu_has_its_own_list(void **state)
{
    SPINLOCK(high, LOCK_RANK_HEAP, IRQ_ANY);
    SPINLOCK(low, LOCK_RANK_DOMAIN, IRQ_ANY);

    (void)state;
    spin_lock(&high);
    fake_cpu = 1;
    spin_lock(&low);
    spin_unlock(&low);
    EXPECT_PANIC(spin_unlock(&high));
    fake_cpu = 0;
    spin_unlock(&high);
}

/*
 * The exclusion itself.  Threads share the fake CPU, so the holder's books
 * would mix: this drives the ticket words as spin_trylock() and spin_unlock()
 * do, through locks of the same kind but one per thread of bookkeeping.
 */
#define THREADS 4
#define ROUNDS  20000

static struct spinlock contended =
    SPINLOCK_INIT("contended", LOCK_RANK_HEAP, IRQ_ANY);
static unsigned long shared_count;

static void *contend(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t ticket =
            __atomic_fetch_add(&contended.next, 1, __ATOMIC_RELAXED);

        while (__atomic_load_n(&contended.owner, __ATOMIC_ACQUIRE) != ticket) {
            sched_yield();
        }
        shared_count++;
        __atomic_store_n(&contended.owner, ticket + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void tickets_exclude(void **state)
{
    pthread_t thread[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, contend, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    assert_int_equal(shared_count, THREADS * ROUNDS);
    assert_false(spin_is_locked(&contended));
    /* After any number of uses, wrapped or not, it is a working lock. */
    contended.next = contended.owner = UINT32_MAX;
    spin_lock(&contended);
    assert_false(spin_trylock(&contended));
    spin_unlock(&contended);
    assert_false(spin_is_locked(&contended));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lock_and_unlock, setup),
        cmocka_unit_test_setup(irqsave_restores, setup),
        cmocka_unit_test_setup(order_is_enforced, setup),
        cmocka_unit_test_setup(same_rank_by_address, setup),
        cmocka_unit_test_setup(misuse_panics, setup),
        cmocka_unit_test_setup(each_cpu_has_its_own_list, setup),
        cmocka_unit_test_setup(tickets_exclude, setup),
    };

    return UNIT_RUN(tests);
}
