/* SPDX-License-Identifier: MIT */
/*
 * x86/exc.h - exception vectors (SDM 3A table 6-1) and their error codes.
 */
#ifndef VIGIL_X86_EXC_H
#define VIGIL_X86_EXC_H

#define EXC_DE 0
#define EXC_DB 1
#define EXC_NMI 2
#define EXC_BP 3
#define EXC_OF 4
#define EXC_BR 5
#define EXC_UD 6
#define EXC_NM 7
#define EXC_DF 8
#define EXC_TS 10
#define EXC_NP 11
#define EXC_SS 12
#define EXC_GP 13
#define EXC_PF 14
#define EXC_MF 16
#define EXC_AC 17
#define EXC_MC 18
#define EXC_XM 19
#define EXC_VE 20
#define EXC_CP 21
#define EXC_COUNT 32

/* Vectors whose frame carries an error code: 8, 10-14, 17, 21, 29, 30. */
#define EXC_HAS_ERROR_CODE 0x60227d00u

#define PFEC_PRESENT 0x01u
#define PFEC_WRITE 0x02u
#define PFEC_USER 0x04u
#define PFEC_RESERVED 0x08u
#define PFEC_FETCH 0x10u

/* Selector error codes: bit 0 external, bit 1 IDT, bit 2 LDT. */
#define SELEC_EXT 0x1u
#define SELEC_IDT 0x2u
#define SELEC_LDT 0x4u

#endif
