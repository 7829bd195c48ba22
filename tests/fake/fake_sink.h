/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_sink.h - what the real log (log/sink.c) has shown.
 */
#ifndef VIGIL_FAKE_SINK_H
#define VIGIL_FAKE_SINK_H

#include "log/sink.h"

extern char fake_shown[65536]; /* all of it, NUL terminated */
extern size_t fake_shown_len;
/* Called once, in the middle of the next write. */
extern void (*fake_sink_hook)(void);
extern struct log_sink fake_sink;

void fake_shown_forget(void);

#endif
