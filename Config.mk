# SPDX-License-Identifier: MIT
# Config.mk - toolchain, flags, version: the only place that has them.

VERSION_MAJOR := 4
VERSION_MINOR := 17
EXTRAVERSION  := .0-vigil

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
HOSTCC  ?= gcc
LD      := ld
OBJCOPY := objcopy
NM      := nm
READELF := readelf
PYTHON  := python3

# debug=y adds assertions, lock ranks and the check that handed-out frames
# are clean.  The tests run it.
debug ?= y

# What keeps an NMI's frame whole, two defences of which each suffices alone; to
# try that, make test-long builds without the one or the other (entry/nmi_entry.c,
# docs/nmi.md).
CONFIG_NMI_RET_RULE ?= y
CONFIG_NMI_LATCH ?= y

BUILD ?= $(TOP)/build

# Probe an option once; empty when the compiler refuses it.
probe = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo "$(1)")

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wundef -Wvla -Wstrict-prototypes \
            -Wmissing-prototypes -Wmissing-declarations -Wpointer-arith \
            -Wcast-align -Wcast-qual -Wwrite-strings -Wformat=2 \
            -Wredundant-decls -Wconversion -Wno-sign-conversion
WARNINGS += $(or $(call probe,-Wimplicit-fallthrough=5),-Wimplicit-fallthrough)
WARNINGS_STRANGERS := -Wsign-conversion

# The hypervisor: no libc, no FPU, no red zone (an NMI would trample it).
# Its image sits below the top 2 GiB, which belong to the guest, so code is
# position independent and every symbol hidden (no GOT, no PLT).
HV_INCLUDES := -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
               -isystem $(BUILD)/include \
               -isystem $(TOP)/hypervisor/lib/hosted -iquote $(TOP)/hypervisor \
               -I$(TOP)/include/public
HV_CFLAGS := -std=gnu11 -O2 -g $(WARNINGS) -Wframe-larger-than=1024 \
             -ffreestanding -mgeneral-regs-only -mno-red-zone -fpie \
             -fvisibility=hidden -fno-common -fno-strict-aliasing \
             -fno-omit-frame-pointer -fno-delete-null-pointer-checks \
             -fno-stack-protector -fno-asynchronous-unwind-tables \
             -fcf-protection=none -ffunction-sections -fno-jump-tables \
             -include lib/hidden.h $(HV_INCLUDES)
HV_CFLAGS += $(call probe,-ftrivial-auto-var-init=zero)
# Indirect branches go through entry/thunk.S: gcc's way, or clang's.
HV_CFLAGS += $(or $(call probe,-mindirect-branch=thunk-extern -mindirect-branch-register),\
                  -mretpoline-external-thunk)
# So do returns, where the compiler can; boot makes most of them RETs again.
HV_CFLAGS += $(call probe,-mfunction-return=thunk-extern)
ifeq ($(debug),y)
HV_CFLAGS += -DVIGIL_DEBUG=1
endif
HV_CFLAGS += $(foreach it,NMI_RET_RULE NMI_LATCH,\
                -DCONFIG_$(it)=$(if $(filter y,$(CONFIG_$(it))),1,0))
HV_AFLAGS := -D__ASSEMBLER__ -g $(HV_INCLUDES)
HV_LDFLAGS := -nostdlib -static --fatal-warnings --build-id=sha1 \
              -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments

# The tools: ordinary programs of Dom0's Debian.
TOOLS_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 \
                $(WARNINGS) -Wframe-larger-than=4096 -fPIE \
                -fstack-protector-strong -ffile-prefix-map=$(TOP)/=
TOOLS_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--fatal-warnings
