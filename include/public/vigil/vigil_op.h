/* SPDX-License-Identifier: MIT */
/*
 * vigil/vigil_op.h - Vigil's own hypercall.
 *
 * rax = VIGIL_HYPERCALL, rdi = VIGIL_OP_*, rsi = pointer to that op's struct.
 * Only the control domain may call it, except VIGIL_OP_version.  Every struct
 * is fixed-width; pointers are guest virtual addresses in a uint64_t.
 */
#ifndef VIGIL_PUBLIC_VIGIL_OP_H
#define VIGIL_PUBLIC_VIGIL_OP_H

#include <stdint.h>

#define VIGIL_HYPERCALL 55 /* __HYPERVISOR_arch_7 */
#define VIGIL_INTERFACE_VERSION 3

#define VIGIL_OP_version 0   /* struct vigil_op_version            */
#define VIGIL_OP_box_info 1  /* struct vigil_op_box_info           */
#define VIGIL_OP_box_read 2  /* struct vigil_op_box_read           */
#define VIGIL_OP_box_ack 3   /* no argument: free the copy         */
#define VIGIL_OP_death_next 4 /* struct vigil_op_death             */
#define VIGIL_OP_provoke 5   /* struct vigil_op_provoke            */
#define VIGIL_OP_counters 6  /* struct vigil_op_counters           */
#define VIGIL_OP_holdings 7  /* struct vigil_op_holdings           */
#define VIGIL_OP_domain_times 8 /* struct vigil_op_domain_times    */
#define VIGIL_OP_backtrace 9 /* struct vigil_op_backtrace          */
#define VIGIL_OP_watchdog 10 /* struct vigil_op_watchdog           */
#define VIGIL_OP_log_window 11 /* struct vigil_op_log_window       */

struct vigil_op_version {
    uint32_t interface_version; /* out: VIGIL_INTERFACE_VERSION   */
    uint32_t reserved;
    char text[120]; /* out: "Vigil 4.17.0-vigil build-id ..."      */
};

/* What the previous boot left.  -ENOENT: nothing, or acknowledged. */
struct vigil_op_box_info {
    uint64_t bytes; /* out: size of the copy                      */
    uint32_t state; /* out: VIGIL_BOX_* found in its header       */
    uint32_t kind;  /* out: VIGIL_BOX_KIND_*                      */
};

/* Copy @bytes from @offset of the copy to @buffer; short at the end. */
struct vigil_op_box_read {
    uint64_t offset; /* in                                        */
    uint64_t bytes;  /* in: room; out: bytes copied               */
    uint64_t buffer; /* in: guest virtual address                 */
};

/*
 * Why a domain ended.  Every crash and every kill gets one record; the last
 * 64 are kept, whatever became of the domain.  The codes are for programs,
 * the text is for people.
 */
#define VIGIL_DEATH_NONE 0
#define VIGIL_DEATH_GUEST_CRASH 1      /* SCHEDOP_shutdown(crash)              */
#define VIGIL_DEATH_NO_TRAP_HANDLER 2  /* exception with no handler registered */
#define VIGIL_DEATH_BAD_STACK 3        /* bounce frame could not be written    */
#define VIGIL_DEATH_BAD_IRET 4         /* iret hypercall frame unreadable      */
#define VIGIL_DEATH_NO_USER_TABLE 5    /* return to user, no user base pointer */
#define VIGIL_DEATH_NO_FAILSAFE 6      /* bad selector, no failsafe callback   */
#define VIGIL_DEATH_VMCE_UNHANDLED 7   /* memory error, no #MC handler         */
#define VIGIL_DEATH_VMCE_OVERRUN 8     /* second memory error before MCIP=0    */
#define VIGIL_DEATH_BAD_PAGETABLE 9    /* its page tables cannot be mended     */
#define VIGIL_DEATH_MEMORY_ERROR 10    /* error in memory only Vigil can use   */
#define VIGIL_DEATH_GRANT_ABUSE 11     /* granted frame vanished under a map   */
#define VIGIL_DEATH_TRIPLE_FAULT 12    /* fault while delivering a fault       */
#define VIGIL_DEATH_BAD_CONTEXT 13     /* vcpu state that cannot be loaded     */
#define VIGIL_DEATH_WATCHDOG 14        /* SCHEDOP_shutdown(watchdog)           */
#define VIGIL_DEATH_ASYNC_HYPERCALL 15 /* hypercall state was corrupted        */
#define VIGIL_DEATH_BAD_IDLE 16        /* last vcpu went down                  */
#define VIGIL_DEATH_MAX 17

#define VIGIL_DEATH_TEXT_BYTES 160

struct vigil_death {
    uint64_t seq;     /* 1-based, never re-used while this boot lasts */
    uint64_t time_ns; /* UTC                                          */
    uint32_t code;    /* VIGIL_DEATH_*                                */
    uint16_t domid;
    uint16_t vcpu;
    uint8_t uuid[16];
    uint64_t maddr; /* memory error: machine address, else 0          */
    char text[VIGIL_DEATH_TEXT_BYTES]; /* NUL terminated              */
    /* vcpu registers when it died */
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags, cr2, cr3, fs_base, gs_base, gs_base_user;
    uint32_t cs, ss, ds, es, fs, gs;
    uint32_t vector, error_code;
    uint32_t guest_kernel; /* 1: the guest's kernel was running       */
    uint32_t stack_words;  /* valid entries of stack[]                */
    uint64_t stack[32];    /* words at rsp                            */
};

/* In: after_seq.  Out: the oldest record newer than it; -ENOENT if none. */
struct vigil_op_death {
    uint64_t after_seq; /* in                                         */
    uint64_t lost;      /* out: records overwritten since after_seq   */
    struct vigil_death death; /* out                                  */
};

/* Provoke a failure of the hypervisor, to prove that it leaves a record.
 * -EPERM unless the hypervisor was booted with vigil_provoke=1. */
#define VIGIL_PROVOKE_PANIC 1      /* panic()                         */
#define VIGIL_PROVOKE_EXCEPTION 2  /* unhandled exception             */
#define VIGIL_PROVOKE_NESTED 3     /* panic, and again while panicking */
#define VIGIL_PROVOKE_PAGE_FAULT 4 /* wild pointer                    */
#define VIGIL_PROVOKE_STACK 5      /* run off the stack (double fault) */
#define VIGIL_PROVOKE_FIRMWARE 6   /* a fault in UEFI firmware: survived */
#define VIGIL_PROVOKE_HANG 7       /* the CPU loops, interrupts off   */
#define VIGIL_PROVOKE_DEAD 8       /* and in an NMI: takes no other   */
#define VIGIL_PROVOKE_RECORDS 9    /* no failure: VIGIL_PROVOKED_AT_ONCE
                                      records of the log, level debug: "load
                                      CPU NUMBER ", the number is this CPU's
                                      from 0 on, filled up to 100 bytes, each
                                      16th from 0 on to 300, by the letters
                                      'a' + (CPU + NUMBER + place) % 26       */
#define VIGIL_PROVOKED_AT_ONCE 64
struct vigil_op_provoke {
    uint32_t kind; /* VIGIL_PROVOKE_* */
    uint32_t reserved;
};

struct vigil_op_counters {
    uint64_t nmi_total, nmi_serr, nmi_iochk, nmi_unknown, nmi_reflected;
    uint64_t mce_total, mce_corrected, mce_recovered, mce_lost;
    uint64_t vmce_delivered, guest_deaths;
    uint64_t log_cells, log_lost;
    uint64_t hv_frames;   /* 4 KiB frames the hypervisor keeps        */
    uint64_t free_frames, dirty_frames;
    uint64_t boot_tsc_khz;
    uint64_t nmi_firmware; /* of the firmware's error sources         */
    uint64_t nmi_left_out; /* in storms: counted above, and no more   */
    uint64_t log_left_out; /* guests' lines, beyond their rate limits */
};

/*
 * What the hypervisor holds at this moment.  Counted while others go on, so
 * only at rest do two answers compare: when a domain has come and gone, they
 * are the same.  -ENOSYS: a Vigil that is older.
 */
struct vigil_op_holdings {
    uint64_t domains;       /* also those that are dying                */
    uint64_t vcpus;
    uint64_t ports;         /* event channels that are not free         */
    uint64_t timers;        /* armed, on all CPUs                       */
    uint64_t grants_in_use; /* entries of grant tables somebody uses    */
    uint64_t grants_mapped; /* foreign grants that are mapped           */
    uint64_t domain_frames; /* 4 KiB frames that domains own            */
    uint64_t heap_objects, heap_bytes; /* small objects in use          */
    uint64_t heap_frames;   /* frames they are in                       */
    uint64_t free_frames;
    uint64_t other_frames;  /* none of these three: tables, ports, ...  */
};

/*
 * What the vcpus of one domain did since each was made, summed: the times of
 * VCPUOP_get_runstate_info, which tells a domain of itself only.  -ESRCH: no
 * such domain; -ENOSYS: a Vigil that is older.
 */
struct vigil_op_domain_times {
    uint32_t domid;       /* in                                         */
    uint32_t vcpus;       /* out: so many, also those that are offline  */
    uint8_t uuid[16];     /* out                                        */
    uint64_t instance;    /* out: never given to another domain         */
    uint64_t running_ns;  /* out                                        */
    uint64_t runnable_ns; /* out: had to wait for a processor           */
    uint64_t blocked_ns;  /* out                                        */
    uint64_t offline_ns;  /* out: also while paused                     */
};

/*
 * Where every CPU is, with its stack, into the log: the lines between
 * one that is VIGIL_BACKTRACE_BEGIN and one that begins with
 * VIGIL_BACKTRACE_END.  -EBUSY: somebody else is asking; -ENOSYS: a Vigil that
 * is older.
 */
#define VIGIL_BACKTRACE_BEGIN "backtraces of all CPUs, for the control domain"
#define VIGIL_BACKTRACE_END "all-CPU dump: "
struct vigil_op_backtrace {
    uint64_t silent; /* out: CPUs that did not answer, by their bits      */
};

/* What looks after hanging CPUs.  -ENOSYS: a Vigil that is older. */
#define VIGIL_WATCHDOG_PROVED 1U /* its NMIs come                       */
#define VIGIL_WATCHDOG_FATAL 2U  /* a CPU that hangs is a panic         */
struct vigil_op_watchdog {
    uint32_t timeout_ms; /* out: 0: off                                 */
    uint32_t flags;      /* out: VIGIL_WATCHDOG_*                       */
    uint64_t nmis;       /* out: its own, so far                        */
    uint64_t stalls;     /* out: CPUs that hung, and were not fatal     */
    char source[40];     /* out: what sends its NMIs, NUL terminated    */
};

/*
 * Where this boot's zone lies, with the log in it (vigil/blackbox.h, log.h): the
 * control domain may map these frames for reading, as frames of DOMID_XEN, as it
 * would Xen's trace buffers.  -ENOENT: there is none; -ENOSYS: a Vigil that is
 * older.
 */
struct vigil_op_log_window {
    uint64_t mfn;    /* out: the first                                  */
    uint64_t frames; /* out: 4 KiB each                                 */
};

#endif
