/* SPDX-License-Identifier: MIT */
/*
 * mm/frame_state.h - the one table of legal moves of a frame.
 *
 *                +--------------------------------------------+
 *                v                                            |
 *  RESERVED -> FREE --alloc--> INUSE --last reference gone----+
 *                |               |  ^
 *             offline      offline  online, not BROKEN
 *                v               v  |
 *            OFFLINED <------ OFFLINING
 *                |       last reference gone
 *             online, not BROKEN -> FREE, dirty
 *
 * frame_move() is the only writer of frame.state.  INV-MM-4: BROKEN never
 * clears, and a BROKEN frame never becomes INUSE or FREE.
 */
#ifndef VIGIL_MM_FRAME_STATE_H
#define VIGIL_MM_FRAME_STATE_H

#include "mm/frame.h"

/**
 * frame_move_is_legal() - does the table allow this move?
 * @flags: the frame's FRAME_F_* bits
 * @from:  state it is in
 * @to:    state wanted
 *
 * Context: any.
 * Return:  true or false
 */
bool frame_move_is_legal(uint8_t flags, enum frame_state from,
                         enum frame_state to) MUST_CHECK;

/**
 * frame_move() - change a frame's state
 * @f:    frame record
 * @from: state the caller knows it is in
 * @to:   state wanted; an illegal move is a bug of ours (panics)
 *
 * Context: heap lock held (rank 40), or boot.
 */
void frame_move(struct frame *f, enum frame_state from, enum frame_state to);

/**
 * frame_state_name() - the state as a word, for messages
 * @state: any value
 *
 * Context: any.
 * Return:  static string
 */
const char *frame_state_name(enum frame_state state);

#endif
