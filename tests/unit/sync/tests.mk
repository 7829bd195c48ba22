# SPDX-License-Identifier: MIT
tests += sync/test_spinlock sync/test_seqcount
test_spinlock-srcs := hypervisor/sync/spinlock.c tests/fake/fake_hw.c \
                      $(unit-alarm)
test_seqcount-srcs := $(unit-alarm)
