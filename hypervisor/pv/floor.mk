# SPDX-License-Identifier: MIT
pv-objs += switch.o runstate.o bounce.o iret.o descriptor.o domain_pv.o
pv-objs += guest_access.o pagetype.o pte_check.o pt_validate.o mmu_update.o \
           mmuext.o mm_teardown.o pte_decode.o pte_emulate.o grant_pte.o
