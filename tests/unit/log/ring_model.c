/* SPDX-License-Identifier: MIT */
/* tests/unit/log/ring_model.c - see ring_model.h. */
#include "ring_model.h"

#include <stdio.h>
#include <string.h>

#include "tests/model/log_ring.h"
#include "tests/model/seen.h"

unsigned int writers, records, count, span;

static const char *const names[] = {
    [W1] = "W1", [W2] = "W2",     [W3] = "W3",          [W4] = "W4",
    [W5] = "W5", [W6] = "W6",     [R1] = "R1",          [R2] = "R2",
    [R3] = "R3", [R4] = "R4",     [R5] = "R5",          [R6] = "R6",
    [R7] = "R7", [PUT] = "PUT",   [OVER] = "OVER",      [EMPTY] = "EMPTY",
    [OK] = "OK", [LOST] = "LOST", [PENDING] = "PENDING"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static bool in_table[NAMES][NAMES]; /* log_ring.pml's */
static bool in_model[NAMES];        /* steps it has   */
static bool taken[NAMES][NAMES];    /* by the code    */

static unsigned int name_of(const char *word)
{
    for (unsigned int i = 0; i < NAMES; i++) {
        if (names[i] != NULL && strcmp(names[i], word) == 0) {
            return i;
        }
    }
    return 0;
}

static bool is_writer(const struct actor *a)
{
    return a - world.actor < (ptrdiff_t)writers;
}

/* Which step of the model this is, of a writer that made a->at before. */
static unsigned int writer_step(const struct actor *a, const struct step *s)
{
    unsigned int last = a->at;

    if (s->access == DO_ADD && s->cell < 0) {
        return s->value == span && s->order == __ATOMIC_ACQ_REL && last == 0
                   ? W1
                   : 0;
    }
    if (s->access == DO_LOAD && s->cell >= 0) {
        return last == W1 || last == W2 || last == W3 || last == W6 ? W2 : 0;
    }
    if (s->access == DO_CAS && s->cell >= 0 && s->desired == 0) {
        return s->order == __ATOMIC_ACQ_REL ? W3 : 0;
    }
    if (s->access == DO_CAS && s->cell >= 0) {
        return s->order == __ATOMIC_RELEASE ? W6 : 0;
    }
    if (s->access == DO_COPY_IN && s->piece > 0) {
        /* MB(log_ring:A), for the compiler. */
        if (s->piece == 1) {
            return s->fence == __ATOMIC_RELEASE ? W4 : 0;
        }
        return s->piece == (int)pieces - 1 ? W5 : W4;
    }
    return 0;
}

static unsigned int reader_step(const struct actor *a, const struct step *s)
{
    unsigned int last = a->at;

    if (s->access == DO_LOAD && s->cell < 0 && s->order == __ATOMIC_ACQUIRE) {
        return last == 0 ? R1 : R2;
    }
    if (s->access == DO_LOAD && s->cell >= 0 && last == R2) {
        return s->order == __ATOMIC_ACQUIRE ? R3 : 0;
    }
    if (s->access == DO_LOAD && s->cell >= 0) {
        /* MB(log_ring:D), for the compiler. */
        return s->fence == __ATOMIC_ACQUIRE ? R7 : 0;
    }
    if (s->access == DO_COPY_OUT) {
        return s->piece == 0 ? R4 : s->piece == (int)pieces - 1 ? R6 : R5;
    }
    return 0;
}

void step_before(struct actor *a, const struct step *s)
{
    bool writes = is_writer(a);
    unsigned int last = a->at;
    unsigned int next = writes ? writer_step(a, s) : reader_step(a, s);

    if (next == 0) {
        step_wrong("after %s the code does what is no step of the model: "
                   "access %d, cell %d, piece %d, order %d, fence %d",
                   last == 0 ? "its call" : names[last], s->access, s->cell,
                   s->piece, s->order, s->fence);
    }
    if (writes && next == W2 && last != W1) {
        /* The next cell of the same record. */
        a->how = last == W6 && a->old == a->me ? PUT : OVER;
        a->me++;
        a->part++;
        a->old = 0;
    }
    if (s->cell >= 0 && (uint64_t)s->cell != (a->me - 1) % count) {
        step_wrong("%s is to cell %d, of number %u", names[next], s->cell,
                   a->me);
    }
    if (next == W3 || next == W6) {
        if (s->desired != (next == W3 ? 0 : a->me)) {
            step_wrong("%s writes %u", names[next], (unsigned int)s->desired);
        }
        a->old = (uint8_t)s->value;
    }
    a->at = (uint8_t)next;
    /* 2 failures for each other record that has this cell: it changes twice. */
    if (++a->steps >
        1 + span * (pieces + 2 + 2 * 2 * ((total() - 1) / count))) {
        step_wrong("%s is step %u of its call", names[next], a->steps);
    }
}

void step_after(struct actor *a, const struct step *s, uint64_t result, bool ok)
{
    unsigned int w = (unsigned int)(a - world.actor), c = (a->me - 1U) % count;

    switch (a->at) {
    case W1:
        a->me = (uint8_t)result;
        for (unsigned int i = 0; i < span; i++) {
            if (result == 0 || result + i > total() ||
                world.drawn[result + i] != 0) {
                step_wrong("number %u is drawn twice", a->me + i);
            }
            world.drawn[result + i] = (uint8_t)(w * records + a->turn + 1);
            world.cell_of[result + i] = (uint8_t)i;
        }
        break;
    case W3:
        if (ok) {
            a->old = 0;
            if (a->me > world.newest[c]) {
                world.newest[c] = a->me;
                world.spoilt[c] = false;
            }
        }
        break;
    case W4:
    case W5:
        if (s->piece == 1) {
            world.front[c] = a->me;
        }
        if (s->piece == (int)pieces - 1) {
            world.back[c] = a->me;
        }
        world.spoilt[c] |= world.newest[c] != a->me;
        break;
    case W6:
        if (ok) {
            /* For the end of this call, or of this cell. */
            a->old = a->me;
            world.whole[a->me] = true;
        }
        break;
    case R4:
        a->copy = (uint8_t)world.cells[c].seq;
        break;
    case R5:
    case R6:
        if (s->piece == 1) {
            a->one = world.front[c];
        }
        if (s->piece == (int)pieces - 1) {
            a->two = world.back[c];
        }
        break;
    default:
        break;
    }
}

void model_state(void)
{
    seen_byte((unsigned int)world.ring.next);
    for (unsigned int i = 0; i < count; i++) {
        seen_byte((unsigned int)world.cells[i].seq);
        seen_byte(world.front[i]);
        seen_byte(world.back[i]);
    }
    for (unsigned int i = 0; i < writers; i++) {
        const struct actor *a = &world.actor[i];

        seen_byte(a->ended ? DONE : a->at);
        seen_byte(a->turn);
        seen_byte(a->part);
        seen_byte(a->me);
        seen_byte(a->old);
    }
    seen_byte(world.actor[writers].ended ? DONE : world.actor[writers].at);
    seen_byte(world.actor[writers].me);
    seen_byte(world.actor[writers].copy);
    seen_byte(world.actor[writers].one);
    seen_byte(world.actor[writers].two);
}

void model_transition(unsigned int how, const char *file)
{
    seen_byte(how);
    model_state();
    seen_end(file);
}

bool model_take(unsigned int from, unsigned int to)
{
    taken[from][to] = true;
    if (!in_table[from][to] && pieces == 3) {
        printf("# %s > %s is no transition of the model\n", names[from],
               names[to]);
        return false;
    }
    return true;
}

const char *model_name(unsigned int step)
{
    return names[step];
}

bool model_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[200], from[8], rest[100];
    bool good = file != NULL;

    while (good && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, " * %7[WR0-9] > %99[A-Z0-9 ]", from, rest) == 2) {
            for (char *to = strtok(rest, " "); to; to = strtok(NULL, " ")) {
                in_table[name_of(from)][name_of(to)] = true;
                good &= name_of(from) != 0 && name_of(to) != 0;
            }
        } else if (sscanf(line, " at[w] == %7[W0-9] ->", from) == 1 ||
                   sscanf(line, " looks == %7[R0-9] ->", from) == 1) {
            in_model[name_of(from)] = true;
            good &= name_of(from) != 0;
        } else {
            continue;
        }
        if (!good) {
            printf("# what the test does not know: %s", line);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return good;
}

unsigned int model_differs(void)
{
    unsigned int differ = 0;

    for (unsigned int i = 0; i < NAMES; i++) {
        bool any = false;

        for (unsigned int j = 0; j < NAMES; j++) {
            any |= taken[i][j];
            if (in_table[i][j] && !taken[i][j]) {
                printf("# the code never takes %s > %s\n", names[i], names[j]);
                differ++;
            }
        }
        if (any != in_model[i]) {
            printf("# only the %s has a step %s\n", any ? "code" : "model",
                   names[i]);
            differ++;
        }
    }
    return differ;
}
