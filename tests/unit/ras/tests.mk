# SPDX-License-Identifier: MIT
tests += ras/test_watchdog ras/test_severity ras/test_record ras/test_nmi ras/test_mce
ras-fakes := tests/unit/ras/ras_fakes.c hypervisor/cpu/tenant.c $(unit-lib) \
             $(unit-alarm) $(unit-log)
test_severity-srcs := $(addprefix hypervisor/ras/,severity.c severity_rules.c \
                        decode.c) hypervisor/cpu/tenant.c $(unit-lib)
test_record-srcs := $(addprefix hypervisor/ras/,record.c severity.c \
                      severity_rules.c) hypervisor/crash/notes.c \
                    tests/unit/ras/record_steps.c $(ras-fakes)
test_record-cflags := -include $(TOP)/tests/unit/ras/record_steps.h
test_record-libs := -Wl,-T,$(TOP)/tests/unit/crash/notes.ld
tests += ras/test_record_steps
test_record_steps-srcs := $(test_record-srcs)
test_record_steps-cflags := $(test_record-cflags)
test_record_steps-libs := $(test_record-libs)
tests += ras/test_ghes
test_ghes-srcs := hypervisor/ras/ghes.c hypervisor/dev/acpi_bert.c \
                  $(unit-lib) $(unit-alarm) $(unit-log)
test_ghes-libs := -Wl,-T,$(TOP)/tests/unit/crash/notes.ld
# Others act between two looks at a block.
$(OUT)/obj/test_ghes/hypervisor/ras/ghes.o: \
	test_ghes-cflags += -include $(TOP)/tests/unit/ras/ghes_seam.h
tests += ras/test_poll
test_poll-srcs := $(addprefix hypervisor/ras/,poll.c severity.c \
                    severity_rules.c decode.c) $(ras-fakes)
test_nmi-srcs := $(addprefix hypervisor/ras/,nmi.c nmi_note.c nmi_storm.c \
                   decode.c) hypervisor/dev/port61.c $(ras-fakes)
test_nmi-libs := -Wl,-T,$(TOP)/tests/unit/crash/notes.ld
test_watchdog-srcs := hypervisor/ras/watchdog.c \
    tests/unit/ras/watchdog_machine.c $(ras-fakes)
tests += ras/test_watchdog_odd
test_watchdog_odd-srcs := $(test_watchdog-srcs)
test_mce-srcs := $(addprefix hypervisor/ras/,mce.c mce_words.c bank.c poll.c inject.c \
                   record.c severity.c severity_rules.c decode.c) $(ras-fakes)
tests += ras/test_mce_capture
test_mce_capture-srcs := $(addprefix hypervisor/ras/,mce.c mce_words.c record.c \
                           severity.c severity_rules.c decode.c) $(ras-fakes)
tests += ras/test_inject
test_inject-srcs := hypervisor/ras/inject.c
tests += ras/test_bank
test_bank-srcs := hypervisor/ras/bank.c $(ras-fakes)
