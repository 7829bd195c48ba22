# SPDX-License-Identifier: MIT
tests += domain/test_evtchn domain/test_evtchn_fifo
evtchn-srcs := $(addprefix hypervisor/domain/,evtchn.c evtchn_bind.c \
    evtchn_2l.c evtchn_fifo.c evtchn_fifo_pages.c virq.c) \
    hypervisor/sync/spinlock.c \
    tests/unit/domain/evtchn_machine.c $(unit-lib) $(unit-alarm) $(unit-log)
test_evtchn-srcs := $(evtchn-srcs)
test_evtchn-cflags := -D_GNU_SOURCE
test_evtchn_fifo-srcs := $(evtchn-srcs)
test_evtchn_fifo-cflags := -D_GNU_SOURCE
tests += domain/test_evtchn_smp
test_evtchn_smp-srcs := $(evtchn-srcs)
test_evtchn_smp-cflags := -D_GNU_SOURCE
tests += domain/test_evtchn_steps
test_evtchn_steps-srcs := $(evtchn-srcs)
test_evtchn_steps-cflags := -D_GNU_SOURCE \
    -include $(TOP)/tests/unit/domain/atomic_steps.h
tests += domain/test_sched domain/test_sched_moves
sched-srcs := $(addprefix hypervisor/domain/,sched.c sched_move.c sched_cpus.c \
    sched_domain.c) hypervisor/lib/lheap.c hypervisor/sync/spinlock.c \
    tests/unit/domain/sched_machine.c $(unit-lib) $(unit-alarm) $(unit-log)
test_sched-srcs := $(sched-srcs)
test_sched-cflags := -D_GNU_SOURCE
test_sched_moves-srcs := $(sched-srcs)
test_sched_moves-cflags := -D_GNU_SOURCE
tests += domain/test_grant domain/test_grant_v2 domain/test_grant_version \
    domain/test_grant_smp
grant-srcs := $(addprefix hypervisor/domain/,grant.c grant_entry.c \
    grant_version.c grant_map.c grant_copy.c) hypervisor/sync/spinlock.c \
    tests/unit/domain/grant_machine.c $(unit-lib) $(unit-alarm) $(unit-log)
test_grant-srcs := $(grant-srcs)
test_grant-cflags := -D_GNU_SOURCE
test_grant_v2-srcs := $(grant-srcs)
test_grant_v2-cflags := -D_GNU_SOURCE
test_grant_version-srcs := $(grant-srcs)
test_grant_version-cflags := -D_GNU_SOURCE
test_grant_smp-srcs := $(grant-srcs)
test_grant_smp-cflags := -D_GNU_SOURCE
tests += domain/test_account
test_account-srcs := hypervisor/domain/account.c hypervisor/lib/string.c \
    hypervisor/sync/spinlock.c $(addprefix hypervisor/mm/,memmap.c boot_alloc.c \
    frame.c frame_state.c page_alloc.c page_exact.c scrub.c) tests/fake/fake_hw.c \
    tests/fake/fake_tlb.c tests/fake/fake_machine.c tests/fake/fake_m2p.c $(unit-alarm) $(unit-log)
tests += domain/test_pirq
test_pirq-srcs := hypervisor/domain/pirq.c hypervisor/sync/spinlock.c \
    $(unit-lib) $(unit-alarm) $(unit-log)
test_pirq-cflags := -D_GNU_SOURCE
tests += domain/test_vtimer
test_vtimer-srcs := hypervisor/domain/vtimer.c $(unit-lib) $(unit-alarm) \
    $(unit-log)
test_vtimer-cflags := -D_GNU_SOURCE
tests += domain/test_rights
test_rights-srcs := hypervisor/domain/rights.c hypervisor/sync/spinlock.c \
    $(unit-lib) $(unit-alarm) $(unit-log)
tests += domain/test_vtsc
test_vtsc-srcs := $(addprefix hypervisor/,domain/vtsc.c domain/vclock.c \
    cpu/clock.c sync/spinlock.c) $(unit-lib) $(unit-alarm) $(unit-log)
