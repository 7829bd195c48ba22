/* SPDX-License-Identifier: MIT */
/*
 * mm/frame_state.c - the one table of legal moves of a frame.
 */
#include "mm/frame_state.h"

#include "lib/assert.h"

#define TO(state) (1u << (state))

static const uint8_t legal_moves[] = {
    [FRAME_RESERVED] = TO(FRAME_FREE),
    [FRAME_FREE] = TO(FRAME_INUSE) | TO(FRAME_OFFLINED),
    [FRAME_INUSE] = TO(FRAME_FREE) | TO(FRAME_OFFLINING),
    [FRAME_OFFLINING] = TO(FRAME_OFFLINED) | TO(FRAME_INUSE),
    [FRAME_OFFLINED] = TO(FRAME_FREE),
};

bool frame_move_is_legal(uint8_t flags, enum frame_state from,
                         enum frame_state to)
{
    if ((unsigned int)from >= ARRAY_SIZE(legal_moves) ||
        (legal_moves[from] & TO(to)) == 0) {
        return false;
    }
    /* INV-MM-4 */
    return (flags & FRAME_F_BROKEN) == 0 || to == FRAME_OFFLINING ||
           to == FRAME_OFFLINED;
}

void frame_move(struct frame *f, enum frame_state from, enum frame_state to)
{
    const uint64_t state_mask = FRAME_HEAD(0, 0, 0xff, 0);
    uint64_t old;

    /* The count beside it may change at any moment. */
    do {
        enum frame_state state;
        uint8_t flags;

        old = atomic_load(frame_head(f));
        state = (enum frame_state)(old >> 48 & 0xff);
        flags = (uint8_t)(old >> 56);
        if (unlikely(state != from || !frame_move_is_legal(flags, from, to))) {
            panic("frame %#lx: move %s -> %s while %s, flags %#x",
                  mfn_x(frame_mfn(f)), frame_state_name(from),
                  frame_state_name(to), frame_state_name(state), flags);
        }
    } while (!atomic_cas(frame_head(f), old,
                         (old & ~state_mask) | FRAME_HEAD(0, 0, to, 0)));
}

const char *frame_state_name(enum frame_state state)
{
    switch (state) {
    case FRAME_RESERVED:
        return "RESERVED";
    case FRAME_FREE:
        return "FREE";
    case FRAME_INUSE:
        return "INUSE";
    case FRAME_OFFLINING:
        return "OFFLINING";
    case FRAME_OFFLINED:
        return "OFFLINED";
    }
    return "(corrupt)";
}
