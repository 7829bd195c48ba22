# SPDX-License-Identifier: MIT
pv-objs += switch.o runstate.o bounce.o iret.o descriptor.o domain_pv.o \
           context.o traps.o
pv-objs += guest_access.o pagetype.o pte_check.o pt_validate.o mmu_update.o \
           mmuext.o mm_teardown.o pte_decode.o pte_emulate.o grant_pte.o \
           mmio_emulate.o
pv-objs += privop_decode.o privop.o privop_io.o ctrlreg.o cpu_policy.o \
           guest_cpuid.o guest_msr.o saved_msr.o vmca.o debugreg.o fpu.o iret_fixup.o
CFLAGS_pv_guest_cpuid := -DVIGIL_VERSION_MAJOR=$(VERSION_MAJOR)U \
                         -DVIGIL_VERSION_MINOR=$(VERSION_MINOR)U
pv-objs += elf.o elfnote.o bzimage.o xz.o layout_dom0.o dom0_memory.o \
           hypercall_page.o build_dom0.o
pv-objs += reservation.o
