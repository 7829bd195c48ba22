/* SPDX-License-Identifier: MIT */
/*
 * dev/font.h - the printable characters of ASCII as dots.
 */
#ifndef VIGIL_DEV_FONT_H
#define VIGIL_DEV_FONT_H

#include "lib/types.h"

#define FONT_FIRST   ' '
#define FONT_COUNT   95
#define FONT_ROWS    8
#define FONT_COLUMNS 5

/* font_rows[c - FONT_FIRST][row], bit 4 is the leftmost dot. */
extern const uint8_t font_rows[FONT_COUNT][FONT_ROWS];

#endif
