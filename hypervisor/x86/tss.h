/* SPDX-License-Identifier: MIT */
/*
 * x86/tss.h - the 64-bit task state segment (SDM 3A 7.7).
 */
#ifndef VIGIL_X86_TSS_H
#define VIGIL_X86_TSS_H

#include "lib/types.h"

struct tss {
    uint32_t reserved0;
    uint64_t rsp0, rsp1, rsp2;
    uint64_t reserved1;
    uint64_t ist[7]; /* ist[n - 1] serves gate IST value n */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_offset;
} __attribute__((packed));

/* Many to a page, and none in two. */
struct tss_slot {
    struct tss tss;
} __attribute__((aligned(128)));

#define IST_DF 1
#define IST_NMI 2
#define IST_MC 3
#define IST_DB 4

#endif
