/* SPDX-License-Identifier: MIT */
/*
 * dev/fbcon.h - the log on a screen: a frame buffer, or VGA text.
 *
 * A log sink.  The screen is the hypervisor's until Dom0 starts; then it is
 * Dom0's (unless vga=keep), and the hypervisor takes it back to die:
 *
 *   fbcon_init()       as soon as the options are read, on the boot page tables
 *   fbcon_map()        once the final ones stand
 *   fbcon_hand_over()  before Dom0 starts
 *
 * Dying, it clears the screen and keeps the first lines, which say why, in
 * their place while the rest scrolls below them.  It leaves the screen alone
 * if the device is known to have been set up anew by Dom0: its memory moved or
 * switched off, a graphics mode where there was text.
 *
 * Who uses it: boot/, log/ through the sink; pv/build_dom0.c tells Dom0 the mode.
 */
#ifndef VIGIL_DEV_FBCON_H
#define VIGIL_DEV_FBCON_H

#include "lib/compiler.h"
#include "lib/frames.h"
#include "lib/types.h"

enum fbcon_kind {
    FBCON_NONE,
    FBCON_TEXT,   /* two bytes a character at 0xb8000 */
    FBCON_PIXELS, /* direct colour, 16 to 32 bits     */
};

struct fbcon_mode {
    enum fbcon_kind kind;
    maddr_t start;
    uint32_t pitch;         /* bytes from line to line                     */
    uint32_t width, height; /* pixels, or characters                       */
    uint8_t bits;           /* of a pixel                                  */
    uint8_t red_at, red_bits;
    uint8_t green_at, green_bits;
    uint8_t blue_at, blue_bits;
};

/**
 * fbcon_mode_ok() - can this be a screen?
 * @m: a mode, from outside
 *
 * Context: any; pure.
 * Return:  true: its numbers agree with each other
 */
bool fbcon_mode_ok(const struct fbcon_mode *m);

/**
 * fbcon_probe_text() - is a VGA in text mode there?
 * @ret_mode: filled in
 *
 * For loaders that do not tell.  Reads ports; not for machines with UEFI.
 * Context: boot.
 * Return:  true: yes
 */
bool fbcon_probe_text(struct fbcon_mode *ret_mode);

/**
 * fbcon_init() - show the log on this screen
 * @m: mode that fbcon_mode_ok() accepts and that is not in RAM
 *
 * What the log has so far is shown if the screen is below 4 GiB, otherwise
 * with fbcon_map().
 * Context: boot, once, before hvmap_init().
 * Return:  nothing.
 */
void fbcon_init(const struct fbcon_mode *m);

/**
 * fbcon_map() - reach the screen through the final page tables
 *
 * Nothing may be logged between hvmap_init() and this.
 * Context: boot, right after hvmap_init().
 * Return:  nothing.
 */
void fbcon_map(void);

/**
 * fbcon_watch() - remember where the device's memory lies now
 *
 * Context: boot, after fbcon_map().
 * Return:  nothing.
 */
void fbcon_watch(void);

/**
 * fbcon_hand_over() - leave the screen to Dom0
 *
 * Context: boot, the log brought up to date before.
 * Return:  nothing.
 */
void fbcon_hand_over(void);

#endif
