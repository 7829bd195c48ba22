# SPDX-License-Identifier: MIT
hypercall-objs += table.o continuation.o multicall.o sched_op.o vcpu_op.o \
                  timer_op.o traps_op.o descriptor_op.o vm_assist.o
hypercall-objs += mmu_op.o
