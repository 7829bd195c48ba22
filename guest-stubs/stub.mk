# stub.mk - what every stub is built from and how.
#
# Flags here are those of a PV kernel, not of the hypervisor: linked at a
# fixed address, hence no PIC.  The warning set is the project's; when the
# top-level Config.mk offers it as WARNINGS, that one is used.

stub-list := hello selftest nmi mce crash killed

stub-common-objs := start.o traps-entry.o setup.o traps.o console.o report.o \
                    evtchn.o mm.o time.o lib.o

STUB_WARNINGS ?= -Wall -Wextra -Werror -Wshadow -Wundef -Wvla \
    -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations \
    -Wpointer-arith -Wcast-align -Wcast-qual -Wwrite-strings -Wformat=2 \
    -Wimplicit-fallthrough -Wredundant-decls -Wconversion \
    -Wno-sign-conversion -Wframe-larger-than=1024

# -fno-builtin-*: lib.c defines these; a loop in them must not become a call
# to themselves.
STUB_CFLAGS := -std=gnu11 -O2 -g $(STUB_WARNINGS) \
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
STUB_CPPFLAGS := -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ \
    -iquote $(stub-dir)/include -isystem $(stub-obj)/sysinclude \
    -isystem $(shell $(CC) -print-file-name=include)
