# SPDX-License-Identifier: MIT
tests += pv/test_pte_check pv/test_pte_decode pv/test_pagetype
test_pte_check-srcs := hypervisor/pv/pte_check.c
test_pte_decode-srcs := hypervisor/pv/pte_decode.c
test_pagetype-srcs := $(addprefix hypervisor/pv/,pagetype.c pt_validate.c \
    pte_check.c mmu_update.c mmuext.c mm_teardown.c grant_pte.c \
    guest_access.c) $(unit-lib) $(unit-alarm)
test_pagetype-cflags := -include $(TOP)/tests/unit/pv/fake_memory.h
test_pte_decode-cflags := -mno-red-zone
tests += pv/test_privop_decode pv/test_iret_fixup pv/test_vmca \
         pv/test_debugreg pv/test_cpu_policy
test_privop_decode-srcs := hypervisor/pv/privop_decode.c hypervisor/lib/string.c
test_iret_fixup-srcs := hypervisor/pv/iret_fixup.c $(unit-lib) $(unit-alarm)
test_vmca-srcs := hypervisor/pv/vmca.c $(unit-lib) $(unit-alarm)
test_debugreg-srcs := hypervisor/pv/debugreg.c $(unit-lib) $(unit-alarm)
test_cpu_policy-srcs := hypervisor/pv/cpu_policy.c $(unit-lib) $(unit-alarm)
