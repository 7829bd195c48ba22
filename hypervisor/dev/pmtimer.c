/* SPDX-License-Identifier: MIT */
/*
 * dev/pmtimer.c - the ACPI PM timer.
 *
 * Source: ACPI 6.4, 4.8.3.3.
 */
#include "dev/pmtimer.h"

#include "x86/io.h"
#include "dev/acpi.h"

#define MASK24    0xffffffU
#define READS_MAX 10

unsigned int pmtimer_bits(void)
{
    if (acpi_fixed()->pm_timer == 0) {
        return 0;
    }
    return acpi_fixed()->pm_timer_is_32bit ? 32 : 24;
}

static uint32_t read_once(void)
{
    uint32_t v = inl(acpi_fixed()->pm_timer);

    return acpi_fixed()->pm_timer_is_32bit ? v : v & MASK24;
}

/*
 * Some chips (PIIX4 among them) do not latch the counter: a read during a
 * carry is a mixture.  Two equal or neighbouring ones are not.
 */
uint32_t pmtimer_read(void)
{
    uint32_t last = read_once(), now = last;

    for (unsigned int i = 0; i < READS_MAX; i++) {
        now = read_once();
        if (now - last < 64) {
            break;
        }
        last = now;
    }
    return now;
}
