# SPDX-License-Identifier: MIT
tests += pv/test_pte_check pv/test_pte_decode pv/test_pagetype
test_pte_check-srcs := hypervisor/pv/pte_check.c
test_pte_decode-srcs := hypervisor/pv/pte_decode.c
mmu-srcs := $(addprefix hypervisor/pv/,pagetype.c pt_validate.c pte_check.c \
    mmu_update.c mmuext.c mm_teardown.c grant_pte.c guest_access.c \
    pte_emulate.c pte_decode.c) tests/unit/pv/mmu_machine.c tests/fake/fake_pti.c $(unit-lib) \
    $(unit-alarm) $(unit-log)
mmu-cflags := -include $(TOP)/tests/unit/pv/fake_memory.h
tests += pv/test_mmu_update
test_pagetype-srcs := $(mmu-srcs)
test_pagetype-cflags := $(mmu-cflags) -D_GNU_SOURCE
test_mmu_update-srcs := $(mmu-srcs)
test_mmu_update-cflags := $(mmu-cflags)
test_pte_decode-cflags := -mno-red-zone
tests += pv/test_privop_decode pv/test_iret_fixup pv/test_vmca \
         pv/test_debugreg pv/test_cpu_policy
test_privop_decode-srcs := hypervisor/pv/privop_decode.c hypervisor/lib/string.c
test_iret_fixup-srcs := hypervisor/pv/iret_fixup.c $(unit-lib) $(unit-alarm)
test_vmca-srcs := hypervisor/pv/vmca.c $(unit-lib) $(unit-alarm)
tests += pv/test_saved_msr
test_saved_msr-srcs := hypervisor/pv/saved_msr.c hypervisor/pv/vmca.c \
    $(unit-lib) $(unit-alarm)
test_debugreg-srcs := hypervisor/pv/debugreg.c $(unit-lib) $(unit-alarm)
test_cpu_policy-srcs := hypervisor/pv/cpu_policy.c $(unit-lib) $(unit-alarm)
tests += pv/test_elf pv/test_bzimage pv/test_layout_dom0 pv/test_dom0_memory
test_elf-srcs := hypervisor/pv/elf.c hypervisor/pv/elfnote.c \
    hypervisor/lib/string.c
test_bzimage-srcs := hypervisor/pv/bzimage.c hypervisor/lib/string.c
test_layout_dom0-srcs := hypervisor/pv/layout_dom0.c
test_dom0_memory-srcs := hypervisor/pv/dom0_memory.c \
    hypervisor/pv/layout_dom0.c $(mm-srcs)
tests += pv/test_privop pv/test_privop_io
privop-srcs := $(addprefix hypervisor/pv/,privop.c privop_decode.c \
    privop_io.c guest_msr.c ctrlreg.c debugreg.c vmca.c) \
    hypervisor/domain/vtsc.c hypervisor/cpu/clock.c \
    tests/unit/pv/privop_machine.c $(unit-lib) $(unit-alarm)
test_privop-srcs := $(privop-srcs)
test_privop_io-srcs := $(privop-srcs)
tests += pv/test_guest_cpuid
test_guest_cpuid-srcs := $(addprefix hypervisor/pv/,guest_cpuid.c \
    cpu_policy.c) $(unit-lib) $(unit-alarm)
test_guest_cpuid-cflags := -DVIGIL_VERSION_MAJOR=4U -DVIGIL_VERSION_MINOR=17U
tests += pv/test_fpu
test_fpu-srcs := hypervisor/pv/fpu.c hypervisor/cpu/fpu.c $(unit-lib) \
    $(unit-alarm)
tests += pv/test_context
test_context-srcs := hypervisor/pv/context.c hypervisor/pv/debugreg.c \
    hypervisor/sync/spinlock.c $(unit-lib) $(unit-alarm)
tests += pv/test_switch
test_switch-srcs := hypervisor/pv/switch.c $(unit-lib) $(unit-alarm)
