/* SPDX-License-Identifier: MIT */
/*
 * ras/mca_regs.h - bits of the machine-check registers (SDM 3B chapter 16;
 * APM 2 chapter 9 where it differs).
 */
#ifndef VIGIL_RAS_MCA_REGS_H
#define VIGIL_RAS_MCA_REGS_H

/* IA32_MCG_CAP */
#define MCG_CAP_COUNT  0xffUL
#define MCG_CAP_CTL_P  (1UL << 8)
#define MCG_CAP_SER_P  (1UL << 24)

/* IA32_MCG_STATUS */
#define MCG_RIPV  (1UL << 0)
#define MCG_EIPV  (1UL << 1)
#define MCG_MCIP  (1UL << 2)
#define MCG_LMCES (1UL << 3)

/* IA32_MCi_STATUS */
#define MCI_VAL   (1UL << 63)
#define MCI_OVER  (1UL << 62)
#define MCI_UC    (1UL << 61)
#define MCI_EN    (1UL << 60)
#define MCI_MISCV (1UL << 59)
#define MCI_ADDRV (1UL << 58)
#define MCI_PCC   (1UL << 57)
#define MCI_S     (1UL << 56) /* with SER_P: signalled                   */
#define MCI_AR    (1UL << 55) /* with SER_P: action required             */
#define MCI_TCC   (1UL << 55) /* AMD: the task's context is corrupt      */
/* Corrected errors: 2 says that the bank has seen too many. */
#define MCI_THRESHOLD     (3UL << 53)
#define MCI_THRESHOLD_HIT (2UL << 53)
#define MCI_DEFERRED      (1UL << 44) /* AMD: poison, not consumed       */
#define MCI_POISON        (1UL << 43) /* AMD: poison, consumed           */
#define MCI_MODEL_CODE    0xffff0000UL
/* Bit 12 of the code only says that reports are filtered. */
#define MCI_CODE 0xefffUL

#define MCI_CODE_SCRUB      0x00c0UL /* 0x00c0 .. 0x00cf: by channel     */
#define MCI_CODE_SCRUB_MASK 0xeff0UL
#define MCI_CODE_LOAD       0x0134UL
#define MCI_CODE_FETCH      0x0150UL
#define MCI_CODE_WRITEBACK  0x017aUL

/* IA32_MCi_MISC of memory errors: lowest valid address bit, kind of address */
#define MCI_MISC_LSB(misc)     ((unsigned int)((misc)&0x3f))
#define MCI_MISC_MODE(misc)    ((unsigned int)(((misc) >> 6) & 7))
#define MCI_MISC_PHYSICAL      2U
#define MCI_MISC_PHYSICAL_PAGE (MCI_MISC_PHYSICAL << 6 | 12U)

#endif
