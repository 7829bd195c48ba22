/* SPDX-License-Identifier: MIT */
/*
 * vigil/log.h - layout of the hypervisor's record ring.
 *
 * The hypervisor writes the ring from every context (normal, IRQ, NMI, #MC,
 * panic); Dom0 tools, the next boot and debuggers read it.  The ring is an
 * array of 256-byte cells inside the black box.  Each cell describes itself:
 * a reader needs no index and can recover the text by scanning, sorting by
 * @seq and dropping cells whose @sum does not match.
 *
 * A message longer than one cell occupies consecutive sequence numbers; all
 * but its last cell carry VIGIL_LOG_F_MORE.
 */
#ifndef VIGIL_PUBLIC_LOG_H
#define VIGIL_PUBLIC_LOG_H

#include <stdint.h>

#define VIGIL_LOG_CELL_BYTES 256
#define VIGIL_LOG_TEXT_BYTES 216

/* Severity, most severe first; the names of syslog, the order of syslog. */
#define VIGIL_LOG_PANIC 0
#define VIGIL_LOG_ERROR 1
#define VIGIL_LOG_WARNING 2
#define VIGIL_LOG_NOTICE 3
#define VIGIL_LOG_INFO 4
#define VIGIL_LOG_DEBUG 5

/* What the processor was doing when it wrote the cell. */
#define VIGIL_LOG_CTX_NORMAL 0
#define VIGIL_LOG_CTX_IRQ 1
#define VIGIL_LOG_CTX_NMI 2
#define VIGIL_LOG_CTX_MC 3
#define VIGIL_LOG_CTX_CRASH 4

#define VIGIL_LOG_F_MORE 0x1  /* the text goes on in cell seq + 1 */
#define VIGIL_LOG_F_GUEST 0x2 /* the text was written by a guest */
#define VIGIL_LOG_F_QUIET 0x4 /* not for the console: level, rate, or the
                                 guest has written it there itself */

struct vigil_log_cell {
    uint64_t seq;     /* 1-based position in the log; 0: never written  */
    uint64_t tsc;     /* raw time stamp counter of the writing CPU      */
    uint64_t boot_id; /* which boot wrote it                            */
    uint32_t sum;     /* vigil_log_sum(): of the cell as far as used     */
    uint16_t cpu;     /* number of the writing CPU                      */
    uint16_t len;     /* bytes of text used, 0 .. VIGIL_LOG_TEXT_BYTES  */
    uint8_t level;    /* VIGIL_LOG_PANIC .. VIGIL_LOG_DEBUG             */
    uint8_t context;  /* VIGIL_LOG_CTX_*                                */
    uint8_t flags;    /* VIGIL_LOG_F_*                                  */
    uint8_t reserved[5];
    char text[VIGIL_LOG_TEXT_BYTES]; /* not NUL terminated              */
};

#endif
