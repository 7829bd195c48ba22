/* SPDX-License-Identifier: MIT */
/*
 * pv/pv.h - what makes a domain and a vcpu a 64-bit PV guest.
 *
 * While a vcpu is loaded on a pcpu its segment selectors and bases, debug
 * registers and FPU live in the processor; pv/switch.c saves them here.
 */
#ifndef VIGIL_PV_PV_H
#define VIGIL_PV_PV_H

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "x86/page.h"
#include "x86/segment.h"

#define PV_GDT_FRAMES 14 /* frames 14 and 15 of the table are ours */

struct pv_domain {
    mfn_t perdomain_l3;      /* behind PERDOMAIN_L4_SLOT                 */
    pte_t *gdt_l1[MAX_VCPUS]; /* 16 GDT + 16 LDT entries of each vcpu    */
    bool ptwr_enabled;       /* VMASST_TYPE_writable_pagetables          */
    uint32_t pci_cf8;        /* shadow of port 0xcf8                     */
    uint8_t cmos_index;      /* shadow of port 0x70                      */
    uint32_t teardown_step;  /* pv/domain_pv.c                           */
    struct xen_cpu_policy_store *policy; /* pv/guest_cpuid.c; may be NULL */
};

struct pv_callback {
    uint64_t rip;      /* 0: not registered           */
    bool mask_events;  /* CALLBACKF_mask_events       */
};

/* Virtual machine-check banks (pv/vmca.c). */
#define VMCA_BANKS 2
struct vmca_bank {
    uint64_t status, addr, misc, ctl2;
};
struct vmca_error {
    unsigned int bank;   /* 0 .. VMCA_BANKS - 1                          */
    uint64_t mcg_status; /* RIPV, EIPV; MCIP is added                    */
    uint64_t status;     /* MCi_STATUS; VAL clear: MCG_STATUS only       */
    uint64_t addr, misc;
};
#define VMCA_WAITING 4 /* docs/known-limits.md, 9 */
struct vmca {
    uint64_t mcg_status;
    struct vmca_bank bank[VMCA_BANKS];
    struct vmca_error waiting[VMCA_WAITING]; /* for its handler to end   */
    unsigned int waiting_count;
};

/*
 * Of a vcpu: its own CPU's while it runs; of another only who has set up, with
 * the vcpu down or its domain paused.
 */
struct pv_vcpu {
    uint32_t set_up; /* a: pv_set_up_begin() */
    const struct trap_info *traps; /* 256; address 0: not registered.
                                      Writers: pv_set_trap()             */
    struct trap_info *own_traps; /* NULL: traps is pv_no_traps           */
    struct pv_callback event, failsafe, syscall, syscall32, sysenter;

    bool guest_kernel;       /* running its kernel (else its user mode) */
    uint64_t kernel_sp;      /* stack for entries from user mode        */
    uint16_t kernel_ss;
    mfn_t guest_table;       /* L4 of kernel mode; INVALID_MFN: none    */
    mfn_t guest_table_user;  /* L4 of user mode; INVALID_MFN: none      */
    uint64_t mmu_pending;    /* pv/pagetype.c: frame number + 1 of a table
                                whose release goes on; 0: none          */

    uint16_t ds, es, fs, gs; /* saved while not loaded                  */
    uint64_t fs_base;
    uint64_t gs_base_kernel; /* base while its kernel runs              */
    uint64_t gs_base_user;

    mfn_t gdt_frames[PV_GDT_FRAMES];
    unsigned int gdt_ents;   /* 0: none of its own                      */
    uint64_t ldt_base;       /* guest va                                */
    unsigned int ldt_ents;
    uint32_t ldt_mapped;     /* bit per LDT page mapped on demand       */

    unsigned int iopl;       /* virtual IOPL                            */
    uint64_t iobmp;          /* guest va of its I/O bitmap, 0: none     */
    unsigned int iobmp_limit; /* ports it covers                        */

    uint64_t cr4;            /* guest-controllable bits only            */
    uint64_t cr4_loaded;     /* pv_cr4_hardware(): while it is loaded   */
    bool ts_set;             /* virtual CR0.TS                          */
    uint64_t dr[4], dr6, dr7;
    uint64_t dr7_emul;       /* I/O breakpoints we perform, pv/debugreg.c   */

    void *fpu;               /* XSAVE area, 64-byte aligned             */
    void *fpu_object;        /* where it lies                           */
    bool fpu_loaded;         /* its state is in the processor           */
    bool fpu_valid;          /* fpu holds something to load             */
    uint64_t xcr0;           /* what the guest set                      */

    uint64_t tsc_aux;
    uint64_t spec_ctrl_guest; /* its SPEC_CTRL, as it has written it        */
    uint32_t spec_ctrl;       /* with ours: while it is loaded              */
    struct vmca vmca;
    uint64_t async_frame[2]; /* where the rip of each NMI/#MC frame lies */
};

/* One at a time gives a vcpu that does not run its registers, or its page. */
static inline bool pv_set_up_begin(struct pv_vcpu *p)
{
    return atomic_xchg(&p->set_up, 1u) == 0;
}

static inline void pv_set_up_end(struct pv_vcpu *p)
{
    __atomic_store_n(&p->set_up, 0, __ATOMIC_RELEASE);
}

/* VMASST_TYPE_* that a 64-bit guest may switch on. */
#define PV_ASSISTS                                                             \
    ((1U << VMASST_TYPE_4gb_segments) |                                        \
     (1U << VMASST_TYPE_4gb_segments_notify) |                                 \
     (1U << VMASST_TYPE_writable_pagetables) |                                 \
     (1U << VMASST_TYPE_pae_extended_cr3) |                                    \
     (1U << VMASST_TYPE_architectural_iopl) |                                  \
     (1U << VMASST_TYPE_runstate_update_flag))

#define PV_TRAPS 256

/* Of a vcpu that has registered none. */
extern const struct trap_info pv_no_traps[PV_TRAPS];

/**
 * pv_set_trap() - register one handler
 * @p: PV state of a vcpu
 * @t: vector and handler; address 0 takes the vector's handler away
 *
 * Context: any but NMI/#MC.
 * Return:  0, -ENOMEM
 */
int pv_set_trap(struct pv_vcpu *p, const struct trap_info *t) MUST_CHECK;

/**
 * pv_clear_traps() - take all handlers away
 * @p: PV state of a vcpu
 *
 * Context: any but NMI/#MC.
 */
void pv_clear_traps(struct pv_vcpu *p);

#endif
