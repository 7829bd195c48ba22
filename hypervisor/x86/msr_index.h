/* SPDX-License-Identifier: MIT */
/*
 * x86/msr_index.h - model-specific register numbers (SDM 4, APM 2 appendix A).
 */
#ifndef VIGIL_X86_MSR_INDEX_H
#define VIGIL_X86_MSR_INDEX_H

#define MSR_TSC 0x10
#define MSR_PLATFORM_ID 0x17
#define MSR_APIC_BASE 0x1b
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_TSC_ADJUST 0x3b
#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define MSR_UCODE_REV 0x8b
#define MSR_PERF_COUNTER0 0xc1
#define MSR_PLATFORM_INFO 0xce
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_MCU_OPT_CTRL 0x123
#define MSR_FLUSH_CMD 0x10b
#define MSR_TSX_CTRL 0x122
#define MSR_MISC_FEATURES 0x140
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_MCG_CAP 0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MCG_CTL 0x17b
#define MSR_PERF_SELECT0 0x186
#define MSR_MISC_ENABLE 0x1a0
#define MSR_DEBUGCTL 0x1d9
#define MSR_PAT 0x277
#define MSR_MC0_CTL2 0x280
#define MSR_PERF_GLOBAL_CTRL 0x38f
#define MSR_PERF_GLOBAL_OVF_CTRL 0x390
#define MSR_MC0_CTL 0x400
#define MSR_MC0_STATUS 0x401
#define MSR_MC0_ADDR 0x402
#define MSR_MC0_MISC 0x403
#define MSR_MCx_CTL(n) (MSR_MC0_CTL + 4 * (n))
#define MSR_MCx_STATUS(n) (MSR_MC0_STATUS + 4 * (n))
#define MSR_MCx_ADDR(n) (MSR_MC0_ADDR + 4 * (n))
#define MSR_MCx_MISC(n) (MSR_MC0_MISC + 4 * (n))
#define MSR_MCG_EXT_CTL 0x4d0
#define MSR_X2APIC_FIRST 0x800
#define MSR_XSS 0xda0
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103
#define MSR_AMD_PERF_SELECT0 0xc0010000
#define MSR_AMD_PERF_COUNTER0 0xc0010004
#define MSR_AMD_DE_CFG 0xc0011029

#define SPEC_CTRL_IBRS (1UL << 0)
#define SPEC_CTRL_STIBP (1UL << 1)
#define SPEC_CTRL_SSBD (1UL << 2)
#define PRED_CMD_IBPB (1UL << 0)
#define DE_CFG_LFENCE_SERIALISE (1UL << 1)

#define EFER_SCE (1UL << 0)
#define EFER_LME (1UL << 8)
#define EFER_LMA (1UL << 10)
#define EFER_NX (1UL << 11)

/* PAT as the Xen ABI promises it: WB WT UC- UC WC WP UC UC. */
#define PAT_XEN 0x050100070406UL

#endif
