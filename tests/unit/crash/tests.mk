# SPDX-License-Identifier: MIT
tests += crash/test_blackbox crash/test_panic crash/test_backtrace \
         crash/test_reboot crash/test_stop crash/test_dump \
         crash/test_dump_locks
crash-log := $(addprefix hypervisor/log/,ring.c printk.c sink.c conring.c) \
             hypervisor/sync/spinlock.c $(unit-lib)
test_blackbox-srcs := hypervisor/crash/blackbox.c $(crash-log) $(unit-alarm)
panic-srcs := $(addprefix hypervisor/crash/,panic.c stop.c notes.c \
                context.c blackbox.c symbols.c backtrace.c) \
              hypervisor/cpu/tenant.c $(crash-log) \
              tests/unit/crash/panic_machine.c tests/unit/child.c
test_panic-srcs := $(panic-srcs)
test_backtrace-srcs := $(addprefix hypervisor/crash/,backtrace.c symbols.c) \
                       $(unit-lib) $(unit-log) $(unit-alarm)
test_reboot-srcs := hypervisor/crash/reboot.c $(unit-lib) $(unit-log)
dump-srcs := $(addprefix hypervisor/crash/,dump.c picture.c context.c) \
             hypervisor/cpu/tenant.c tests/unit/crash/dump_machine.c \
             $(unit-lib) $(unit-log) $(unit-alarm)
dump-cflags := -D_GNU_SOURCE -include $(TOP)/tests/unit/domain/atomic_steps.h
dump-libs := -Wl,-T,$(TOP)/tests/unit/crash/notes.ld
test_dump-srcs := $(dump-srcs)
test_dump-cflags := $(dump-cflags)
test_dump-libs := $(dump-libs)
test_dump_locks-srcs := $(addprefix hypervisor/crash/,dump.c picture.c \
                          context.c) hypervisor/cpu/tenant.c $(crash-log) \
                        $(unit-alarm) tests/fake/fake_sink.c
test_stop-srcs := $(addprefix hypervisor/crash/,stop.c context.c) $(unit-lib) \
                  $(unit-log) tests/unit/child.c
tests += crash/test_harvest
test_harvest-srcs := hypervisor/crash/harvest.c
tests += crash/test_panic_where
test_panic_where-srcs := $(panic-srcs)
test_panic_where-cflags := -D_GNU_SOURCE
tests += crash/test_dump_meanwhile crash/test_picture
test_dump_meanwhile-srcs := $(dump-srcs)
test_dump_meanwhile-cflags := $(dump-cflags)
test_dump_meanwhile-libs := $(dump-libs)
test_picture-srcs := $(addprefix hypervisor/crash/,picture.c context.c symbols.c) \
                     hypervisor/cpu/tenant.c $(unit-lib) $(unit-log)
