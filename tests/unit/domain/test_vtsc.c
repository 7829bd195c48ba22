/* SPDX-License-Identifier: MIT */
/*
 * domain/vtsc and what domain/vclock publishes of it: whatever the rate and
 * whenever it began, a guest makes system time of it; it never goes back.
 */
#include "tests/unit/unit.h"

#include "cpu/clock.h"
#include "domain/vclock.h"
#include "fake_hw.h"

#define HOST_KHZ 2500000UL
#define DAY_NS   86400000000000UL

static struct domain d;
static struct vcpu v;
static vcpu_info_t info;

static const uint32_t rates[] = {1,       123456,    500000,  999999,
                                 1000000, 1000001,   2400000, 2500000,
                                 3999999, UINT32_MAX};
static const uint64_t ages[] = {0, 1, 999999999, DAY_NS, 4000 * DAY_NS};

/* Of vclock_update_wall_all(), which is not called. */
struct domain *domain_next(domid_t domid)
{
    (void)domid;
    abort();
}

void domain_put(struct domain *gone)
{
    (void)gone;
    abort();
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_tsc = 77777777777;
    fake_tsc_step = 0;
    clock_init(HOST_KHZ, 0);
    memset(&d, 0, sizeof(d));
    memset(&v, 0, sizeof(v));
    memset(&info, 0, sizeof(info));
    v.domain = &d;
    v.vcpu_info = &info;
    return 0;
}

/* What every guest computes. */
static uint64_t guest_ns(uint64_t tsc)
{
    const struct vcpu_time_info *t = &info.time;
    uint64_t delta = tsc - t->tsc_timestamp;

    assert_int_equal(t->version & 1, 0);
    delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
    return t->system_time +
           (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
}

static void later(uint64_t ns)
{
    fake_tsc += ns / 1000 * HOST_KHZ / 1000 + ns % 1000 * HOST_KHZ / 1000000;
}

/* System time by the guest is ours, or two ticks later. */
static void time_is_ours(void **state)
{
    (void)state;
    for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
        for (size_t a = 0; a < ARRAY_SIZE(ages); a++) {
            uint64_t tick = 1000000 / rates[r] + 1, seed = rates[r] + a;

            vtsc_start(&d.vtsc, rates[r], ages[a]);
            vclock_update_vcpu(&v);
            for (unsigned int i = 0; i < 200; i++) {
                uint64_t tsc = vtsc_read(&d.vtsc), ns = clock_now_ns(),
                         guest = guest_ns(tsc);

                /* Its first value is a nanosecond after it was started. */
                ns += i == 0;
                if (guest < ns || guest > ns + 2 * tick) {
                    fail_msg("%u kHz, %lu ns old: guest has %lu at %lu",
                             rates[r], ages[a], guest, ns);
                }
                seed = seed * 6364136223846793005UL + 1442695040888963407UL;
                later(10 + (seed >> 33) * (i % 8 == 0 ? 1000 : 1));
            }
        }
    }
}

/* A second has so many of its ticks, and it does not begin at our boot. */
static void rate_is_its_own(void **state)
{
    (void)state;
    later(DAY_NS);
    for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
        uint64_t first, ticks, want = rates[r] * 1000UL;
        uint64_t slack = want / 1000000000 + rates[r] / 500000 + 8;

        vtsc_start(&d.vtsc, rates[r], 0);
        first = vtsc_read(&d.vtsc);
        assert_true(first <= 1 + rates[r] / 1000000 * 2);
        later(1000000000);
        ticks = vtsc_read(&d.vtsc) - first;
        /* The fraction has 31 bits. */
        if (ticks + slack < want || ticks > want + slack) {
            fail_msg("%lu ticks a second at %u kHz", ticks, rates[r]);
        }
    }
}

/* One processor's TSC is behind: its vcpu reads a later value all the same. */
static void never_back(void **state)
{
    uint64_t last = 0;

    (void)state;
    vtsc_start(&d.vtsc, 2400000, 0);
    vclock_update_vcpu(&v);
    for (unsigned int i = 0; i < 100; i++) {
        uint64_t now;

        fake_tsc = 77777777777 + 100000 + (i % 2 == 0 ? 1000 : 0);
        now = vtsc_read(&d.vtsc);
        assert_true(now > last);
        assert_true(i == 0 || guest_ns(now) > guest_ns(last));
        last = now;
    }
}

/* Saved and restored on a machine that has just booted, at another rate. */
static void goes_on(void **state)
{
    uint64_t elapsed, before, after;

    (void)state;
    vtsc_start(&d.vtsc, 3000000, 5 * DAY_NS);
    later(DAY_NS);
    before = vtsc_read(&d.vtsc);
    elapsed = vtsc_elapsed_ns(&d.vtsc);
    /* Of a day, the host's own fraction misses 20 us. */
    assert_in_range(elapsed, 6 * DAY_NS - 30000, 6 * DAY_NS + 10);
    /* Ahead of the clock by one that read twice at the same time. */
    (void)vtsc_read(&d.vtsc);
    assert_int_equal(vtsc_elapsed_ns(&d.vtsc), elapsed + 1);
    elapsed++;

    fake_tsc = 1000;
    clock_init(1800000, 0);
    fake_tsc += 18000;
    vtsc_start(&d.vtsc, 3000000, elapsed);
    vclock_update_vcpu(&v);
    after = vtsc_read(&d.vtsc);
    assert_true(after > before);
    assert_true(after < before + 20);
    assert_int_equal(vtsc_elapsed_ns(&d.vtsc), elapsed + 1);
    assert_true(guest_ns(after) - clock_now_ns() <= 2);
}

static void off(void **state)
{
    (void)state;
    vtsc_start(&d.vtsc, 1000000, 0);
    vtsc_stop(&d.vtsc);
    vclock_update_vcpu(&v);
    fake_tsc += 12345;
    assert_int_equal(vtsc_read(&d.vtsc), fake_tsc);
    assert_int_equal(info.time.tsc_timestamp, 77777777777);
    assert_int_equal(guest_ns(fake_tsc), clock_now_ns());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(time_is_ours, set_up),
        cmocka_unit_test_setup(rate_is_its_own, set_up),
        cmocka_unit_test_setup(never_back, set_up),
        cmocka_unit_test_setup(goes_on, set_up),
        cmocka_unit_test_setup(off, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
