/* SPDX-License-Identifier: MIT */
/*
 * x86/fixup.h - one instruction that may fault (cpu/extable.h finds the way
 * on).
 */
#ifndef VIGIL_X86_FIXUP_H
#define VIGIL_X86_FIXUP_H

/*
 * Assembly that leaves 0 in the output %[rc], or -1 when @insn has faulted;
 * @undo is done only then.  Both are strings, @undo may be empty.
 */
#define INSN_OR_FIXUP(insn, undo)                                              \
    "1: " insn "\n"                                                            \
    "   xor %[rc], %[rc]\n"                                                    \
    "2:\n"                                                                     \
    ".section .fixup, \"ax\"\n"                                                \
    "3: mov $-1, %[rc]\n" undo "\n"                                            \
    "   jmp 2b\n"                                                              \
    ".previous\n"                                                              \
    ".section .ex_table, \"a\"\n"                                              \
    ".long 1b - ., 3b - .\n"                                                   \
    ".previous\n"

#endif
