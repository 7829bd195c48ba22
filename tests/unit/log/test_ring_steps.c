/* SPDX-License-Identifier: MIT */
/*
 * log/ring.c under every interleaving of a few writers and a reader, one access
 * to the ring at a time (ring_steps.h), and as tests/model/log_ring.pml has it.
 *
 * The search goes depth first through the states: the ring, and of each actor
 * what it has seen since its call began, on which alone depends what it will do.
 * Where a state comes up again it turns back; no other schedule is left out.
 * States are told apart by 64 bits of hash.
 *
 * A writer that dies is one that is not let go on.  So each state is also one in
 * which all who are in the middle have died: there a reader that comes now must
 * get, of each number that is in the ring, all or a reason why not.
 *
 * With arguments (tests/model/run):
 *   test_ring_steps FILE WRITERS RECORDS CELLS SPAN
 * writes each transition into FILE, as the model's verifier does.
 */
#include "tests/unit/unit.h"

#include <inttypes.h>

#include "ring_model.h"

#define DEPTH 400

/* ---- what they write ---------------------------------------------------- */

/* Of each record its tag and text, which have little in common. */
static struct record {
    struct log_tag tag;
    size_t len;
    char text[2 * VIGIL_LOG_TEXT_BYTES];
} record[MAX_TOTAL];

static void compose(void)
{
    for (unsigned int i = 0; i < MAX_TOTAL; i++) {
        struct record *r = &record[i];

        r->tag = (struct log_tag){.level = (enum log_level)(i % 6),
                                  .context = (enum log_context)(i % 5),
                                  .cpu = (uint16_t)(100 + i),
                                  .tsc = 1000 * (i + 1)};
        r->len = (span - 1) * VIGIL_LOG_TEXT_BYTES + 20 + 8 * i;
        memset(r->text, 'A' + (int)i, r->len);
    }
    constant = record;
    constant_bytes = sizeof(record);
}

static void writer(struct actor *a)
{
    unsigned int w = (unsigned int)(a - world.actor);

    while (a->turn < records) {
        const struct record *r = &record[w * records + a->turn];

        a->at = 0;
        a->steps = 0;
        a->history = a->turn;
        log_ring_write(&world.ring, &r->tag, r->text, r->len);
        a->how = a->at == W6 && a->old == a->me ? PUT : OVER;
        a->old = a->me = a->part = 0;
        a->turn++;
    }
    actor_end(a);
}

/* It is the record that drew this number, all of it. */
static bool is_whole(const struct vigil_log_cell *cell, uint64_t n)
{
    const struct record *r = &record[world.drawn[n] - 1];
    size_t first = world.cell_of[n] * (size_t)VIGIL_LOG_TEXT_BYTES;
    size_t len = MIN(r->len - first, (size_t)VIGIL_LOG_TEXT_BYTES);

    return world.whole[n] && cell->seq == n && cell->tsc == r->tag.tsc &&
           cell->boot_id == 7 && cell->cpu == r->tag.cpu && cell->len == len &&
           cell->level == r->tag.level && cell->context == r->tag.context &&
           cell->flags == (first + len < r->len ? VIGIL_LOG_F_MORE : 0) &&
           memcmp(cell->text, r->text + first, len) == 0;
}

static void reader(struct actor *a)
{
    static const uint8_t how[] = {[LOG_READ_OK] = OK,
                                  [LOG_READ_EMPTY] = EMPTY,
                                  [LOG_READ_PENDING] = PENDING,
                                  [LOG_READ_LOST] = LOST};

    a->me = 1;
    while (a->me <= total()) {
        struct vigil_log_cell cell;

        a->at = 0;
        a->steps = 0;
        a->history = 0;
        a->how = how[log_ring_read(&world.ring, a->me, &cell)];
        if (a->how == OK && !is_whole(&cell, a->me)) {
            step_wrong("number %u is believed, and is a mixture", a->me);
        }
        if (a->how == OK || a->how == LOST) {
            a->me++;
        }
        a->copy = a->one = a->two = 0;
    }
    actor_end(a);
}

/* ---- the search --------------------------------------------------------- */

static struct frame {
    struct world world;
    unsigned int next; /* actor to let go on here */
    unsigned int at;   /* the step that led here  */
    unsigned int who;
    unsigned char stacks[MAX_WRITERS + 1][STACK];
} * frame;

static uint64_t *visited, visited_size;
static uint64_t states, transitions;
static unsigned int most_steps;

/* Only what is in use of the stacks: from the pointer up. */
static void copy_stacks(unsigned char (*to)[STACK],
                        unsigned char (*from)[STACK])
{
    for (unsigned int i = 0; i <= writers; i++) {
        size_t at = (size_t)((unsigned char *)world.actor[i].sp - stacks[i]);

        memcpy(to[i] + at, from[i] + at, STACK - at);
    }
}

static uint64_t hash_of_state(void)
{
    size_t proof = offsetof(struct world, front);
    uint64_t hash = mix_block(1, world.cells, count * sizeof(world.cells[0]));

    hash = mix(hash, world.ring.next);
    for (unsigned int i = 0; i <= writers; i++) {
        const struct actor *a = &world.actor[i];

        hash = mix(hash, a->history);
        hash = mix(hash, a->at | a->turn << 8 | a->me << 16 |
                             (uint64_t)a->ended << 32);
    }
    return mix_block(hash, (char *)&world + proof, sizeof(world) - proof) | 1;
}

static bool is_new(uint64_t hash)
{
    if (2 * states >= visited_size) {
        uint64_t *old = visited, old_size = visited_size;

        visited_size = old_size == 0 ? 1 << 16 : 4 * old_size;
        visited = calloc(visited_size, sizeof(*visited));
        assert_non_null(visited);
        for (uint64_t i = 0; i < old_size; i++) {
            if (old[i] != 0) {
                uint64_t at = old[i] >> 1 & (visited_size - 1);

                while (visited[at] != 0) {
                    at = (at + 1) & (visited_size - 1);
                }
                visited[at] = old[i];
            }
        }
        free(old);
    }
    for (uint64_t at = hash >> 1 & (visited_size - 1);;
         at = (at + 1) & (visited_size - 1)) {
        if (visited[at] == hash) {
            return false;
        }
        if (visited[at] == 0) {
            visited[at] = hash;
            states++;
            return true;
        }
    }
}

/* Whoever is in the middle has died: what a reader gets that comes now. */
static const char *judge(void)
{
    struct vigil_log_cell cell;

    for (uint64_t n = log_ring_oldest(&world.ring); n < world.ring.next; n++) {
        enum log_read got = log_ring_read(&world.ring, n, &cell);

        if (got == LOG_READ_EMPTY) {
            return "a number that was drawn is none";
        }
        if (got == LOG_READ_PENDING && world.whole[n]) {
            return "a reader waits for a record that was finished";
        }
        if (got == LOG_READ_LOST && world.whole[n] &&
            !world.spoilt[(n - 1) % count]) {
            return "a record is lost that nobody has spoilt";
        }
        if (got == LOG_READ_OK && !is_whole(&cell, n)) {
            return "a mixture is believed";
        }
    }
    return NULL;
}

/* One transition, into @file.  Return: all is well. */
static bool go(struct actor *a, const char *file)
{
    unsigned int from = a->at;
    unsigned int to;

    if (file != NULL) {
        model_state();
    }
    a->how = 0;
    if (!actor_go(a)) {
        return false;
    }
    transitions++;
    to = a->how != 0 ? a->how : a->at;
    if (!model_take(from, to)) {
        return false;
    }
    if (file != NULL) {
        model_transition(to == a->how ? to : 0, file);
    }
    most_steps = MAX(most_steps, a->steps);
    return true;
}

static bool search(const char *file)
{
    unsigned int depth = 0;
    const char *why = NULL;

    for (;;) {
        struct frame *f = &frame[depth];
        struct actor *a = &world.actor[f->next];

        if (f->next > writers) {
            if (depth-- == 0) {
                return true;
            }
            continue;
        }
        world = f->world;
        copy_stacks(stacks, f->stacks);
        f->next++;
        if (a->ended) {
            continue;
        }
        f[1].at = a->at;
        f[1].who = f->next;
        depth++;
        if (!go(a, file) || (why = judge()) != NULL || depth + 1 == DEPTH) {
            printf("# %s\n# after:", why != NULL ? why : "wrong, or too deep");
            for (unsigned int i = 1; i <= depth; i++) {
                printf(" %u.%s", frame[i].who, model_name(frame[i].at));
            }
            printf("\n");
            return false;
        }
        if (!is_new(hash_of_state())) {
            depth--;
            continue;
        }
        f[1].world = world;
        f[1].next = 0;
        copy_stacks(f[1].stacks, stacks);
    }
}

/* Look at all of it.  Return: all is well. */
static bool explore(unsigned int w, unsigned int r, unsigned int c,
                    unsigned int s, const char *file)
{
    bool good;

    writers = w;
    records = r;
    count = c;
    span = s;
    states = transitions = visited_size = most_steps = 0;
    compose();
    memset(&world, 0, sizeof(world));
    log_ring_init(&world.ring, world.cells, c * sizeof(world.cells[0]), 7);
    for (unsigned int i = 0; i < w; i++) {
        actor_start(&world.actor[i], writer);
    }
    actor_start(&world.actor[w], reader);

    frame = malloc(DEPTH * sizeof(*frame));
    assert_non_null(frame);
    frame[0].world = world;
    frame[0].next = 0;
    copy_stacks(frame[0].stacks, stacks);
    good = search(file);
    free(frame);
    free(visited);
    visited = NULL;
    printf("# %ux%ux%u, %u cells a record, %u pieces: %" PRIu64
           " states, %" PRIu64 " transitions, no call has more than %u steps\n",
           w, r, c, s, pieces, states, transitions, most_steps);
    return good;
}

/* ---- the tests ---------------------------------------------------------- */

static int read_model(void **unused)
{
    (void)unused;
    return model_read(MODEL) ? 0 : -1;
}

static void two_writers(void **unused)
{
    (void)unused;
    assert_true(explore(2, 2, 2, 1, NULL));
}

static void three_writers_two_cells(void **unused)
{
    (void)unused;
    assert_true(explore(3, 1, 2, 1, NULL));
}

/* Each is late by a lap. */
static void all_in_one_cell(void **unused)
{
    (void)unused;
    assert_true(explore(2, 2, 1, 1, NULL));
}

static void records_of_two_cells(void **unused)
{
    (void)unused;
    assert_true(explore(2, 1, 4, 2, NULL));
}

/* A copy that is interrupted in other places, and in more. */
static void other_pieces(void **unused)
{
    (void)unused;
    cuts[2] = offsetof(struct vigil_log_cell, sum);
    assert_true(explore(2, 1, 1, 1, NULL));
    cuts[2] = offsetof(struct vigil_log_cell, text) + 10;
    assert_true(explore(2, 1, 1, 1, NULL));
    cuts[2] = offsetof(struct vigil_log_cell, sum);
    cuts[3] = offsetof(struct vigil_log_cell, text) + 9;
    cuts[4] = sizeof(struct vigil_log_cell);
    pieces = 4;
    assert_true(explore(2, 1, 1, 1, NULL));
    cuts[2] = offsetof(struct vigil_log_cell, text);
    cuts[3] = sizeof(struct vigil_log_cell);
    pieces = 3;
}

/* Neither has a step, or an end of one, that the other has not. */
static void steps_are_the_models(void **unused)
{
    (void)unused;
    assert_int_equal(model_differs(), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_writers),
        cmocka_unit_test(three_writers_two_cells),
        cmocka_unit_test(all_in_one_cell),
        cmocka_unit_test(records_of_two_cells),
        cmocka_unit_test(other_pieces),
        cmocka_unit_test(steps_are_the_models),
    };

    if (argc == 6) {
        return read_model(NULL) != 0 ||
               !explore((unsigned int)atoi(argv[2]),
                        (unsigned int)atoi(argv[3]),
                        (unsigned int)atoi(argv[4]),
                        (unsigned int)atoi(argv[5]), argv[1]);
    }
    return cmocka_run_group_tests(tests, read_model, NULL);
}
