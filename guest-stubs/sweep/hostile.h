/* SPDX-License-Identifier: MIT */
/*
 * hostile.h - paths of a guest that would fool the hypervisor, and what they
 * need of paths.c.  For its table alone.
 */
#ifndef VIGIL_STUBS_SWEEP_HOSTILE_H
#define VIGIL_STUBS_SWEEP_HOSTILE_H

#include "paths.h"
#include "user.h"

/* Routines of user mode. */
#define USER_SYSCALL USER_VA
#define USER_INT3    (USER_VA + 16)
#define USER_READ    (USER_VA + 32)
#define USER_NOPS    (USER_VA + 48)

/* ---- of paths.c ------------------------------------------------------------ */

/**
 * path_gate() - a gate that user mode may use
 * @vector: 0 .. 255
 * @entry:  code of ops.h
 *
 * Context: once, before the shots.
 * Return:  false: a failure was reported
 */
bool path_gate(unsigned int vector, const char *entry);

/**
 * path_user_gates() - gates where an operation in user mode ends
 *
 * Context: once, before the shots.
 * Return:  false: a failure was reported
 */
bool path_user_gates(void);

/**
 * path_user() - registers of op_user, with usual flags and a stack of user mode's
 * @in: of the shot
 * @at: its rip there, any
 *
 * Context: before a shot.
 * Return:  nothing
 */
void path_user(struct shot_regs *in, uint64_t at);

/**
 * path_call() - registers of a hypercall
 * @in: of the shot
 * @nr: its number
 * @a1: first argument
 * @a2: second
 * @a3: third
 *
 * Context: before a shot.
 * Return:  nothing
 */
void path_call(struct shot_regs *in, unsigned long nr, unsigned long a1,
               unsigned long a2, unsigned long a3);

/**
 * path_version() - registers of the shortest hypercall
 * @in: of the shot
 *
 * Context: before a shot.
 * Return:  nothing
 */
void path_version(struct shot_regs *in);

/* ---- for its table: variants, and members of struct path ---------------------- */

#define HOSTILE_RSPS 11U
#define HOSTILE_RIPS 4U

/* struct path, begin */
typedef bool hostile_begin_fn(void);
extern hostile_begin_fn hostile_begin_tf, hostile_begin_watch, hostile_begin_dr;

/* struct path, prepare */
typedef void hostile_prepare_fn(struct shot_regs *in);
extern hostile_prepare_fn hostile_user_rsp, hostile_kernel_rsp,
    hostile_user_rip, hostile_tf, hostile_tf_syscall, hostile_watch, hostile_dr;

/* struct path, check */
typedef const char *hostile_check_fn(void);
extern hostile_check_fn hostile_check_watch, hostile_check_dr;

#endif /* VIGIL_STUBS_SWEEP_HOSTILE_H */
