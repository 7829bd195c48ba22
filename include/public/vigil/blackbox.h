/* SPDX-License-Identifier: MIT */
/*
 * vigil/blackbox.h - layout of the preserved memory zone.
 *
 * The zone is a fixed physical range kept out of every allocator.  The log
 * ring lives in it from boot on; a crash seals it.  The next boot verifies
 * the header and each section, copies the zone away and offers the copy to
 * Dom0 (VIGIL_OP_box_*).  Whoever reads a zone believes nothing in it until
 * magic, version, sizes and checksums agree.
 *
 *   +0                     struct vigil_box_header
 *   +header_bytes          sections, each at its own 64-byte aligned offset
 */
#ifndef VIGIL_PUBLIC_BLACKBOX_H
#define VIGIL_PUBLIC_BLACKBOX_H

#include <stdint.h>

#define VIGIL_BOX_MAGIC 0x584f424c49474956ULL /* "VIGILBOX" */
#define VIGIL_BOX_VERSION 4
#define VIGIL_BOX_BYTES (1024 * 1024)
#define VIGIL_BOX_SECTIONS 16
#define VIGIL_BOX_REASON_BYTES 256

/* enum-like values of vigil_box_header.state */
#define VIGIL_BOX_RUNNING 1 /* a hypervisor is (or was) alive in this zone   */
#define VIGIL_BOX_WRITING 2 /* a crash began to write; see stage             */
#define VIGIL_BOX_SEALED 3  /* the crash record is complete                  */
#define VIGIL_BOX_TAKEN 4   /* the next boot has copied it                   */

/* vigil_box_header.kind: whose failure the box describes */
#define VIGIL_BOX_KIND_HYPERVISOR 1 /* the hypervisor panicked               */
#define VIGIL_BOX_KIND_DOM0 2       /* the control domain crashed            */
#define VIGIL_BOX_KIND_RESET 3      /* reset with no panic: log only         */
#define VIGIL_BOX_KIND_CLEAN 4      /* orderly power off or reboot           */

/*
 * vigil_box_header.stage: how far the crash path came (only advances).  A stage
 * has begun, and what those before it had to do is done or has failed.
 */
#define VIGIL_BOX_STAGE_NONE 0
#define VIGIL_BOX_STAGE_CLAIM 1
#define VIGIL_BOX_STAGE_STOP 2  /* has reason, registers, backtrace          */
#define VIGIL_BOX_STAGE_QUIET 3 /* has what each CPU was in                  */
#define VIGIL_BOX_STAGE_NOTES 4
#define VIGIL_BOX_STAGE_SEAL 5
#define VIGIL_BOX_STAGE_LEAVE 6

/* vigil_box_section.type */
#define VIGIL_BOX_SECT_NONE 0
#define VIGIL_BOX_SECT_LOG 1       /* array of struct vigil_log_cell (a ring;
                                      its crc32 is 0: cells carry their own) */
#define VIGIL_BOX_SECT_REGS 2      /* struct vigil_box_regs                  */
#define VIGIL_BOX_SECT_BACKTRACE 3 /* text, one frame a line                 */
#define VIGIL_BOX_SECT_NOTES 4     /* text: each floor's last words          */
#define VIGIL_BOX_SECT_MCE 5       /* array of struct vigil_mce_record, some
                                      of them empty: see vigil/mce.h         */
#define VIGIL_BOX_SECT_CPUS 6      /* array of struct vigil_box_cpu          */
#define VIGIL_BOX_SECT_CONTEXTS 7  /* array of uint32_t, by number of the CPU:
                                      vigil/context.h, as of its last NMI or
                                      #MC; written as they come and go, so its
                                      crc32 is 0                             */

struct vigil_box_section {
    uint32_t type;   /* VIGIL_BOX_SECT_*                                     */
    uint32_t crc32;  /* over the bytes used; 0 where the type says so        */
    uint64_t offset; /* bytes from the start of the zone                     */
    uint64_t bytes;  /* bytes used (for LOG: size of the ring)               */
};

struct vigil_box_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes; /* sizeof(struct vigil_box_header)               */
    uint64_t zone_bytes;
    uint64_t boot_id;
    uint64_t generation; /* boots that used this zone, this one included    */
    uint32_t state;      /* VIGIL_BOX_RUNNING ..                            */
    uint32_t kind;       /* VIGIL_BOX_KIND_*, valid from WRITING on         */
    uint32_t stage;      /* VIGIL_BOX_STAGE_*                               */
    uint32_t depth;      /* panics inside the panic path                    */
    uint32_t cpu;        /* CPU that died first                             */
    uint32_t reserved;
    uint64_t tsc;          /* at the crash                                  */
    uint64_t tsc_khz;      /* calibration, 0 if unknown                     */
    uint64_t wallclock_ns; /* UTC of TSC 0 of this boot, 0 if unknown       */
    char build[64];        /* version and build-id text, NUL terminated     */
    char reason[VIGIL_BOX_REASON_BYTES]; /* one line, NUL terminated        */
    struct vigil_box_section section[VIGIL_BOX_SECTIONS];
    uint32_t pad;
    uint32_t crc32; /* over the header with this field zero; valid whenever
                       state is SEALED or TAKEN                             */
};

/* Registers of a CPU at the moment of the failure. */
struct vigil_box_regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags, cr0, cr2, cr3, cr4;
    uint64_t fs_base, gs_base, kernel_gs_base;
    uint32_t cs, ss, ds, es, fs, gs;
    uint32_t vector, error_code;
    uint32_t cpu, domid, vcpu, reserved;
};

/* vigil_box_cpu.state */
#define VIGIL_BOX_CPU_DIED 1    /* it is the one that failed                  */
#define VIGIL_BOX_CPU_STOPPED 2 /* it was stopped for that                    */
#define VIGIL_BOX_CPU_SILENT 3  /* it did not stop: its context only          */
#define VIGIL_BOX_CPU_INIT 4    /* the same, and it was sent INIT             */

/* What a CPU was in the middle of. */
struct vigil_box_cpu {
    uint32_t cpu;
    uint32_t state;   /* VIGIL_BOX_CPU_*                                     */
    uint32_t context; /* vigil/context.h                                     */
    uint32_t cs;
    uint64_t rip, rsp, rflags;
};

#endif
