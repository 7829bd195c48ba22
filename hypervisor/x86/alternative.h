/* SPDX-License-Identifier: MIT */
/*
 * x86/alternative.h - code that boot changes once, by what the processor needs.
 *
 * A site is a few bytes of text with a replacement of at most as many bytes.
 * The linker gathers them in a table; cpu/alternative.c applies those whose
 * number is chosen and fills up with a no-op.  A replacement must not depend
 * on where it lies.
 */
#ifndef VIGIL_X86_ALTERNATIVE_H
#define VIGIL_X86_ALTERNATIVE_H

/* When a replacement applies: bits of what alternative_apply() is given. */
#define ALT_THUNK_JMP    0 /* indirect branches without a retpoline         */
#define ALT_THUNK_LFENCE 1
#define ALT_ENTER        2 /* at the doors, any of the next six             */
#define ALT_ENTER_RSB    3 /* stuff the RSB                                 */
#define ALT_ENTER_MORE   4 /* any of the next four                          */
#define ALT_PTI          5 /* load the hypervisor's page tables             */
#define ALT_ENTER_IBRS   6 /* write SPEC_CTRL                               */
#define ALT_ENTER_IBPB   7 /* flush branch predictions                      */
#define ALT_ENTER_BHB    8 /* clear the branch history                      */
#define ALT_LEAVE        9 /* on the way out, any ALT_LEAVE_, or PTI        */
#define ALT_LEAVE_VERW  10 /* flush buffers                                 */
#define ALT_CALL        11 /* entry code's indirect call without a thunk    */
#define ALT_LEAVE_DIV   12 /* divide                                        */

#ifdef __ASSEMBLER__

/*
 * struct alt_site: the bytes from 771 to 772, before it, become those from 773
 * to 774, after it in .alt_code, where @what applies.  @new, @end: other labels.
 */
.macro ALT_SITE what, new=773f, end=774f
    .pushsection .alt_sites, "a", @progbits
    .long   771b - .
    .long   \new - .
    .byte   772b - 771b
    .byte   \end - \new
    .short  \what
    .popsection
.endm

/* Go to @target unless @what applies. */
.macro ALT_UNLESS what, target
771:
    .byte   0xe9 /* jmp, always the long form */
    .long   \target - . - 4
772:
    ALT_SITE \what
    .pushsection .alt_code, "a", @progbits
773:
    .byte   0x0f, 0x1f, 0x44, 0x00, 0x00 /* a no-op of 5 bytes */
774:
    .popsection
.endm

#else

#include "lib/types.h"

struct alt_site {
    int32_t site;        /* offset from this word to the first byte */
    int32_t replacement; /* offset from this word to the new bytes  */
    uint8_t site_bytes, new_bytes;
    uint16_t what; /* ALT_* */
};

#endif
#endif
