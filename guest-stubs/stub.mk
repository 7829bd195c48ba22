# SPDX-License-Identifier: MIT
# stub.mk - what every stub is built from and how.
#
# Toolchain and warnings are the project's (Config.mk).  The code generation
# flags are those of a PV kernel, not of the hypervisor: it is linked at a
# fixed address in the top 2 GiB, hence -mcmodel=kernel and no PIC.

stub-list := hello selftest nmi mce crash killed iret evtchn grant mmu \
             hypercalls timer share leftovers hostile cpu bench pci efi \
             fair storm flush race suspend again churn sweep logger hang \
             stranger idle vtsc

# Beside main.c, for those that have more than one file.
bench-objs := calls.o bounces.o emulate.o paging.o tables.o events.o grants.o \
              domains.o tiny.o growth.o

grant-objs := v2.o three.o maptrack.o
grant-others := bench/tiny.o
cpu-objs := view.o state.o domctl.o
cpu-others := common/breakpoint.o
suspend-others := common/breakpoint.o

# What is another's.
vtsc-others := common/user.o bench/tiny.o
iret-others := common/user.o
hostile-others := common/user.o
bench-others := common/user.o
fair-others := bench/tiny.o
again-others := bench/tiny.o
hang-others := common/vcpus.o
idle-others := common/vcpus.o bench/tiny.o
storm-objs := clocks.o times.o
storm-others := common/vcpus.o bench/tiny.o
flush-others := common/vcpus.o bench/tiny.o
churn-objs := visit.o visitor.o steps.o
churn-others := bench/tiny.o
sweep-objs := shot.o panic.o ops.o paths.o hostile.o moves.o sent.o watched.o \
              mc.o random.o guest.o
sweep-others := common/vcpus.o common/breakpoint.o common/user.o bench/tiny.o
logger-objs := load.o
logger-others := common/vcpus.o
stranger-objs := calls.o grants.o frames.o ports.o puppet.o keeper.o
stranger-others := bench/tiny.o
race-objs := grants.o ports.o tables.o
race-others := common/vcpus.o bench/tiny.o

stub-common-objs := start.o traps-entry.o setup.o traps.o console.o report.o \
                    evtchn.o mm.o time.o lib.o

# The last one: a loop in lib.c's memcpy must not become a call to memcpy.
STUB_CFLAGS := -std=gnu11 -O2 -g $(WARNINGS) -Wframe-larger-than=1024 \
    -ffreestanding -nostdinc -mgeneral-regs-only -mno-red-zone \
    -mcmodel=kernel -fno-pic -fno-pie -fno-common -fno-strict-aliasing \
    -fno-omit-frame-pointer -fno-delete-null-pointer-checks \
    -fno-stack-protector -fcf-protection=none \
    -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
STUB_LDFLAGS := -static -nostdlib --fatal-warnings --build-id=sha1 \
    -z noexecstack -z max-page-size=4096 --no-dynamic-linker

# clang has no such pass switch; its idiom recognition respects -fno-builtin.
ifneq ($(findstring clang,$(shell $(CC) --version)),)
STUB_CFLAGS := $(filter-out -fno-tree-loop-distribute-patterns,$(STUB_CFLAGS)) \
    -fno-builtin
endif

# The compiler's own headers, and of the system's only Xen's.
STUB_CPPFLAGS := -I$(TOP)/include/public -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
    -iquote $(stub-dir)/include -isystem $(stub-obj)/sysinclude \
    -isystem $(shell $(CC) -print-file-name=include)
