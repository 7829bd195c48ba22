# SPDX-License-Identifier: MIT
tests += crash/test_blackbox crash/test_panic crash/test_backtrace \
         crash/test_reboot crash/test_stop crash/test_dump \
         crash/test_dump_locks
crash-log := $(addprefix hypervisor/log/,ring.c printk.c sink.c conring.c) \
             hypervisor/sync/spinlock.c $(unit-lib)
test_blackbox-srcs := hypervisor/crash/blackbox.c $(crash-log) $(unit-alarm)
test_panic-srcs := $(addprefix hypervisor/crash/,panic.c stop.c notes.c \
                     context.c blackbox.c symbols.c backtrace.c) \
                   hypervisor/cpu/tenant.c $(crash-log) \
                   tests/unit/crash/panic_machine.c
test_backtrace-srcs := $(addprefix hypervisor/crash/,backtrace.c symbols.c) \
                       $(unit-lib) $(unit-log) $(unit-alarm)
test_reboot-srcs := hypervisor/crash/reboot.c $(unit-lib) $(unit-log)
test_dump-srcs := $(addprefix hypervisor/crash/,dump.c picture.c context.c) \
                  hypervisor/cpu/tenant.c $(unit-lib) $(unit-log) $(unit-alarm)
test_dump-libs := -Wl,-T,$(TOP)/tests/unit/crash/notes.ld
test_dump_locks-srcs := $(addprefix hypervisor/crash/,dump.c picture.c \
                          context.c) hypervisor/cpu/tenant.c $(crash-log) \
                        $(unit-alarm) tests/fake/fake_sink.c
test_stop-srcs := $(addprefix hypervisor/crash/,stop.c context.c) $(unit-lib) $(unit-log)
tests += crash/test_harvest
test_harvest-srcs := hypervisor/crash/harvest.c
