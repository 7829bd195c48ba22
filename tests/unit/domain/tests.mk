# SPDX-License-Identifier: MIT
tests += domain/test_evtchn
test_evtchn-srcs := $(addprefix hypervisor/domain/,evtchn.c evtchn_bind.c \
    evtchn_2l.c evtchn_fifo.c virq.c) hypervisor/sync/spinlock.c \
    $(unit-lib) $(unit-alarm) $(unit-log)
test_evtchn-cflags := -D_GNU_SOURCE
tests += domain/test_grant
test_grant-srcs := $(addprefix hypervisor/domain/,grant.c grant_map.c \
    grant_copy.c) hypervisor/sync/spinlock.c $(unit-lib) $(unit-alarm) \
    $(unit-log)
test_grant-cflags := -D_GNU_SOURCE
