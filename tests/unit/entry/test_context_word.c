/* SPDX-License-Identifier: MIT */
/*
 * entry/context_word, crash/context: every nesting there can be is told, taken back, and missed when
 * it is not.
 */
#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "crash/blackbox.h"
#include "crash/context.h"
#include "crash/panic.h"
#include "entry/context_word.h"
#include "fake_hw.h"
#include "fire_alarm.h"

static struct cpu_regs in_guest = {.cs = 0xe033};
static struct cpu_regs in_hv = {.cs = 0xe008};
static const struct cpu_regs *panicked_with;
static uint32_t kept[NR_CPUS];
uint32_t *blackbox_contexts = kept;

void panic_regs(const struct cpu_regs *regs, const char *fmt, ...)
{
    va_list args;
    char text[256];

    panicked_with = regs;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    panic("%s", text);
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    this_cpu()->context = 0;
    panicked_with = NULL;
    return 0;
}

static const char *words(uint32_t word)
{
    static char buf[VIGIL_CTX_TEXT_BYTES];

    assert_ptr_equal(context_words(word, buf, sizeof(buf)), buf);
    return buf;
}

static void in_words(void **state)
{
    uint32_t word;

    (void)state;
    assert_string_equal(words(0), "hypervisor");
    assert_string_equal(words(CTX_OF_GUEST), "guest");
    word = context_within(0, CTX_IRQ, true);
    assert_string_equal(words(word), "irq in guest");
    word = context_within(word, CTX_NMI, false);
    assert_string_equal(words(word), "nmi in irq in guest");
    word = context_within(word, CTX_MC, false);
    word = context_within(word, CTX_CRASH, false);
    assert_string_equal(words(word), "crash in mce in nmi in irq in guest");
    assert_string_equal(words(context_within(0, CTX_NMI, false)),
                        "nmi in hypervisor");
    /* What no entry makes is told all the same. */
    assert_string_equal(words(0x3), "? in hypervisor");
    assert_string_equal(words(0x200), "nmi in hypervisor");
}

static void longest(void **state)
{
    uint32_t word = 0;
    char small[8];

    (void)state;
    for (int i = 0; i < 20; i++) {
        word = context_within(word, CTX_CRASH, false);
    }
    assert_string_equal(words(word),
                        "crash in crash in crash in crash in crash in crash in "
                        "crash in hypervisor");
    for (uint32_t i = 0; i < 16; i++) {
        assert_in_range(strlen(words(i * 0x11111111U)), 1,
                        VIGIL_CTX_TEXT_BYTES - 1);
    }
    memset(small, 'x', sizeof(small));
    assert_string_equal(context_words(word, small, sizeof(small)), "crash i");
    assert_string_equal(context_words(word, small, 1), "");
}

static void masks(void **state)
{
    uint32_t word = context_within(context_within(0, CTX_IRQ, true), CTX_MC,
                                   false);

    (void)state;
    assert_true(word & CTX_IN(CTX_MC));
    assert_true(word & CTX_IN(CTX_IRQ));
    assert_true(word & CTX_IN_NMI_OR_MC);
    assert_false(word & CTX_IN(CTX_NMI));
    assert_false(word & CTX_IN(CTX_CRASH));
    assert_false(CTX_OF_GUEST & (CTX_IN(CTX_CRASH) | CTX_IN(CTX_IRQ)));
    assert_true(context_within(word, CTX_NMI, false) & CTX_IN_NMI_OR_MC);
}

static void without_the_nmi(void **state)
{
    uint32_t word = context_within(0, CTX_IRQ, true);

    (void)state;
    assert_int_equal(context_interrupted(0), 0);
    assert_int_equal(context_interrupted(word), word);
    assert_int_equal(context_interrupted(context_within(word, CTX_NMI, false)),
                     word);
    assert_int_equal(context_interrupted(context_within(0, CTX_NMI, true)),
                     CTX_OF_GUEST);
    word = context_within(context_within(0, CTX_NMI, false), CTX_MC, false);
    assert_int_equal(context_interrupted(word), word);
}

/* As deep as it goes: NMI in #MC in an interrupt, another #MC behind that. */
static void in_and_out(void **state)
{
    uint32_t a, b, c;

    (void)state;
    this_cpu()->context = CTX_IRQ | CTX_OF_GUEST;
    a = context_enter(CTX_MC, &in_hv);
    b = context_enter(CTX_NMI, &in_hv);
    assert_string_equal(words(this_cpu()->context),
                        "nmi in mce in irq in guest");
    assert_int_equal(kept[0], this_cpu()->context);
    context_leave(CTX_NMI, b, &in_hv);
    assert_string_equal(words(kept[0]), "mce in irq in guest");
    c = context_enter(CTX_NMI, &in_hv);
    assert_int_equal(b, c);
    context_leave(CTX_NMI, c, &in_hv);
    context_leave(CTX_MC, a, &in_hv);
    assert_int_equal(this_cpu()->context, CTX_IRQ | CTX_OF_GUEST);
    /* The interrupt's own end would not be kept. */
    assert_int_equal(kept[0], 0);

    this_cpu()->context = 0;
    a = context_enter(CTX_NMI, &in_guest);
    assert_string_equal(words(this_cpu()->context), "nmi in guest");
    context_leave(CTX_NMI, a, &in_guest);
    assert_int_equal(this_cpu()->context, 0);
}

#define PANICS(what)                                                           \
    do {                                                                       \
        fire_alarm_armed = true;                                               \
        if (setjmp(fire_alarm_back) == 0) {                                    \
            what;                                                              \
            fail_msg("no panic");                                              \
        }                                                                      \
        fire_alarm_armed = false;                                              \
    } while (0)

static void left_in_another_way(void **state)
{
    uint32_t before;

    (void)state;
    before = context_enter(CTX_NMI, &in_hv);
    (void)context_enter(CTX_MC, &in_hv); /* and nobody leaves it */
    PANICS(context_leave(CTX_NMI, before, &in_hv));
    assert_string_equal(fire_alarm_text,
                        "context word at the end of an NMI: \"mce in nmi in "
                        "hypervisor\", must be \"nmi in hypervisor\"");
    assert_ptr_equal(panicked_with, &in_hv);

    this_cpu()->context = 0;
    before = context_enter(CTX_MC, &in_guest);
    this_cpu()->context = 0; /* left twice */
    PANICS(context_leave(CTX_MC, before, &in_guest));
    assert_string_equal(fire_alarm_text,
                        "context word at the end of a #MC: \"hypervisor\", "
                        "must be \"mce in guest\"");
}

static void guest_with_a_word(void **state)
{
    (void)state;
    this_cpu()->context = CTX_IRQ;
    PANICS((void)context_enter(CTX_NMI, &in_guest));
    assert_string_equal(fire_alarm_text,
                        "context word in a guest: \"irq in hypervisor\", must "
                        "be \"hypervisor\"");
    PANICS(context_wrong(NULL, "here", CTX_OF_GUEST));
    assert_string_equal(fire_alarm_text,
                        "context word here: \"irq in hypervisor\", must be "
                        "\"guest\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_words, set_up),
        cmocka_unit_test_setup(longest, set_up),
        cmocka_unit_test_setup(masks, set_up),
        cmocka_unit_test_setup(without_the_nmi, set_up),
        cmocka_unit_test_setup(in_and_out, set_up),
        cmocka_unit_test_setup(left_in_another_way, set_up),
        cmocka_unit_test_setup(guest_with_a_word, set_up),
    };

    return UNIT_RUN(tests);
}
