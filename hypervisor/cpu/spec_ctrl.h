/* SPDX-License-Identifier: MIT */
/*
 * cpu/spec_ctrl.h - what keeps guests from speculation, chosen at boot.
 *
 * Why each of them, and what is left out: docs/adr/0016-speculation.md.
 */
#ifndef VIGIL_CPU_SPEC_CTRL_H
#define VIGIL_CPU_SPEC_CTRL_H

#include "lib/compiler.h"
#include "cpu/features.h"

enum spec_thunk {
    SPEC_THUNK_RETPOLINE,
    SPEC_THUNK_LFENCE,
    SPEC_THUNK_JMP,
};

/* What the processor says about itself. */
struct spec_cpu {
    enum cpu_vendor vendor;
    uint32_t family, model, stepping, microcode;
    bool smep;
    bool has_ibrs, has_ibpb, has_stibp; /* SPEC_CTRL bits 0, 1; PRED_CMD    */
    bool md_clear;                      /* VERW flushes buffers             */
    bool has_ssbd;                      /* SPEC_CTRL bit 2                  */
    bool has_bhi_dis;                   /* SPEC_CTRL bit 10                 */
    bool srbds_ctrl;                    /* MCU_OPT_CTRL is there            */
    bool emulated;                      /* a hypervisor below us            */
    uint8_t phys_bits;                  /* of an address, by CPUID          */
    bool rtm;                           /* transactions (TSX)               */
    bool btc_no, srso_no, tsa_no;       /* AMD: not so vulnerable           */
    bool verw_clear;                    /* AMD: VERW flushes buffers        */
    bool lfence_waits;                  /* AMD: LFENCE does without DE_CFG  */
    uint64_t arch_caps;                 /* MSR_ARCH_CAPABILITIES; 0: none   */
};

/* spec-ctrl=: each -1 (our choice), 0 or 1; thunk -1 or enum spec_thunk. */
struct spec_options {
    int thunk;
    int ibrs, stibp, ibpb, rsb, ibpb_entry, md_clear, bhi, srb_lock, gds_mit,
        its, ssbd, div_scrub;
    int pti_dom0, pti_domu;   /* of xpti=    */
    int l1tf_dom0, l1tf_domu; /* of pv-l1tf= */
    int tsx;                  /* of tsx=     */
};

#define SPEC_OPTIONS_DEFAULT                                                   \
    {                                                                          \
        .thunk = -1, .ibrs = -1, .stibp = -1, .ibpb = -1, .rsb = -1,           \
        .ibpb_entry = -1, .md_clear = -1, .bhi = -1, .srb_lock = -1,           \
        .gds_mit = -1, .its = -1, .ssbd = -1, .div_scrub = -1,                 \
        .pti_dom0 = -1, .pti_domu = -1, .l1tf_dom0 = -1, .l1tf_domu = -1,      \
        .tsx = -1                                                              \
    }

struct spec_choice {
    enum spec_thunk thunk;
    bool rsb;         /* overwrite the RSB on entry from a guest          */
    bool ibrs_entry;  /* write SPEC_CTRL on entry from a guest            */
    bool ibpb_entry;  /* flush branch predictions on entry from a guest   */
    bool ibpb_switch; /* flush them between two domains                   */
    bool verw;        /* flush buffers on return to a guest, before HALT  */
    bool div_leave;   /* a division on return to a guest                  */
    bool its;         /* no plain branch in the lower half of a line      */
    bool bhb_entry;   /* clear the branch history on entry from a guest   */
    uint32_t microcode_on; /* bits of MCU_OPT_CTRL that say off: cleared     */
    bool has_tsx_ctrl, tsx_off; /* TSX_CTRL is there; transactions are off   */
    uint32_t de_cfg;  /* AMD: bits of DE_CFG that are set                 */
    bool pti_dom0; /* tables without ours (mm/pti.h): Dom0's kernel    */
    bool pti_domu; /* and other guests                                 */
    bool l1tf_dom0, l1tf_domu; /* their not-present entries are checked      */
    uint8_t l1d_bits; /* of an address that the first-level cache sees    */
    bool has_spec_ctrl;
    uint32_t spec_ctrl; /* bits of SPEC_CTRL while anything runs            */
    uint32_t guest_bits; /* of SPEC_CTRL, that the processor has for guests */
};

/* What spec_init() has chosen. */
extern struct spec_choice spec_choice;
/* What the command line says. */
extern struct spec_options spec_asked_for;

/**
 * spec_parse() - the value of spec-ctrl=
 * @value:   a list by commas: no (everything off), bti-thunk=retpoline|lfence|
 *           jmp, and ibrs, stibp, ibpb, rsb, ibpb-entry, md-clear, bhi,
 *           srb-lock, gds-mit, its, ssbd, div-scrub as booleans
 *           (rsb, no-rsb, rsb=off)
 * @options: changed by each item understood
 *
 * Context: any.
 * Return:  0; -EINVAL: an item is not understood, those before it count
 */
int spec_parse(const char *value, struct spec_options *options) MUST_CHECK;

/**
 * spec_choose() - what to use; pure
 * @cpu:     the processor
 * @options: what was asked for
 *
 * Context: any.
 * Return:  the choice; no register the processor does not offer
 */
struct spec_choice spec_choose(const struct spec_cpu *cpu,
                               const struct spec_options *options);

/**
 * spec_alternatives() - the replacements a choice means; pure
 * @choice: choice
 *
 * Context: any.
 * Return:  set of ALT_*, for alternative_apply()
 */
uint32_t spec_alternatives(const struct spec_choice *choice);

/**
 * spec_set_option() - spec-ctrl= of the command line
 * @value: as for spec_parse()
 *
 * Context: boot, before spec_init().
 * Return:  as spec_parse()
 */
int spec_set_option(const char *value) MUST_CHECK;

/**
 * spec_parse_pti() - the value of xpti=
 * @value:   a list by commas: a boolean for all, default, dom0=<boolean>,
 *           domu=<boolean>
 * @options: changed by each item understood
 *
 * Context: any.
 * Return:  as spec_parse()
 */
int spec_parse_pti(const char *value, struct spec_options *options) MUST_CHECK;

/**
 * spec_set_pti_option() - xpti= of the command line
 * @value: as for spec_parse_pti()
 *
 * Context: boot, before spec_init().
 * Return:  as spec_parse()
 */
int spec_set_pti_option(const char *value) MUST_CHECK;

/**
 * spec_set_l1tf_option() - pv-l1tf= of the command line
 * @value: as for spec_parse_pti()
 *
 * Context: boot, before spec_init().
 * Return:  as spec_parse()
 */
int spec_set_l1tf_option(const char *value) MUST_CHECK;

/**
 * spec_set_tsx_option() - tsx= of the command line
 * @value: a boolean; without the option transactions are off where they would
 *         give data away (TAA)
 *
 * Context: boot, before spec_init().
 * Return:  as spec_parse()
 */
int spec_set_tsx_option(const char *value) MUST_CHECK;

/**
 * spec_init() - choose, change the code, set SPEC_CTRL, and say so in the log
 *
 * Context: boot, after features_init(), before text becomes read-only.
 */
void spec_init(void);

/**
 * spec_cpu_init() - take up what was chosen, on this CPU
 *
 * Context: boot, on each CPU; spec_init() does it for the first.
 */
void spec_cpu_init(void);

/**
 * spec_guest_value() - SPEC_CTRL while a guest's vcpu is there, both sides
 * @wanted: what the guest has written to its own
 *
 * What the guest switches on stays on in the hypervisor: that costs a door
 * nothing, and is never less than ours.
 * Context: any.
 * Return:  ours, and of the guest's what the processor has
 */
static inline uint32_t spec_guest_value(uint64_t wanted)
{
    return spec_choice.spec_ctrl | ((uint32_t)wanted & spec_choice.guest_bits);
}

/**
 * spec_load() - write SPEC_CTRL on this CPU, even if it has that value
 * @value: of spec_guest_value(); the processor has the register
 *
 * Context: any but NMI/#MC.
 */
void spec_load(uint32_t value);

/**
 * spec_idle() - this CPU is about to halt: leave nothing in its buffers
 *
 * A sibling gets the part of them that was ours (MDS, TSA).
 * Context: idle.
 */
void spec_idle(void);

/**
 * spec_switch() - another domain's vcpu is about to run
 *
 * Context: pv/switch.c, when the last one to run here was of another domain.
 */
void spec_switch(void);

#endif
