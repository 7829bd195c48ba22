/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/ras/record_steps.c - see record_steps.h.
 */
#include "tests/unit/unit.h"

#include "crash/blackbox.h"
#include "tests/unit/ras/record_steps.h"

/* bank.c is not linked here. */
uint64_t bank_mcg_cap(void)
{
    return 0x100010a;
}

/* What others do before a step: once, at this many of this kind, or at each. */
void (*others)(void);
bool others_always;
static unsigned int others_kind, steps_to_others;

void record_step(unsigned int what)
{
    void (*act)(void) = others;

    if (act == NULL || (others_kind != ANY_STEP && others_kind != what) ||
        (!others_always && steps_to_others-- != 0)) {
        return;
    }
    others = NULL; /* theirs are no steps */
    act();
    others = others_always ? act : NULL;
}

void others_act(void (*act)(void), unsigned int kind, unsigned int after)
{
    others_kind = kind;
    others_always = false;
    steps_to_others = after;
    others = act;
}

char notes[16384];

void blackbox_text_append(uint32_t type, const char *text, size_t len)
{
    size_t have = strlen(notes);

    assert_int_equal(type, VIGIL_BOX_SECT_NOTES);
    assert_in_range(len, 1, sizeof(notes) - 1 - have);
    memcpy(notes + have, text, len);
    notes[have + len] = '\0';
}

/* The pool has no reset: empty it by its own rules. */
int empty_pool(void **state)
{
    struct vigil_mce_record d;
    struct mce_record *r;

    (void)state;
    while ((r = record_consume()) != NULL) {
        record_hold(r);
    }
    for (int urgent = 0; urgent < 2; urgent++) {
        while (record_fetch(urgent, &d) == 0) {
            assert_int_equal(record_acknowledge(urgent, d.seq), 0);
        }
    }
    assert_int_equal(record_count(MCE_RECORD_FREE), MCE_RECORDS);
    return 0;
}

struct mce_record *add(bool urgent)
{
    struct mce_record *r = record_reserve(urgent);

    assert_non_null(r);
    record_commit(r);
    return r;
}
