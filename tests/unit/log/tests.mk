# SPDX-License-Identifier: MIT
tests += log/test_ring log/test_printk log/test_conring
test_ring-srcs := hypervisor/log/ring.c $(unit-lib) $(unit-alarm)
tests += log/test_ring_load
test_ring_load-srcs := $(test_ring-srcs)
test_printk-srcs := $(addprefix hypervisor/log/,ring.c printk.c sink.c \
                      conring.c) hypervisor/sync/spinlock.c $(unit-lib) \
                    $(unit-alarm) tests/fake/fake_sink.c
tests += log/test_printk_guests
test_printk_guests-srcs := $(test_printk-srcs)
tests += log/test_sink
test_sink-srcs := $(test_printk-srcs)
test_conring-srcs := hypervisor/log/conring.c $(unit-lib) $(unit-alarm)
tests += log/test_nmi_steps
test_nmi_steps-srcs := $(test_printk-srcs)
# One signal for each instruction: the fewer of them the better.
test_nmi_steps-cflags := -O2 -fno-sanitize=all -mno-red-zone
# Each access to memory of the ring's is a call, which the test has.
tests += log/test_ring_steps
test_ring_steps-srcs := hypervisor/log/ring.c tests/fake/fake_hw.c \
                        tests/unit/log/ring_steps.c tests/unit/log/ring_model.c
test_ring_steps-cflags := -O2 -fno-sanitize=all \
                          -DMODEL='"$(TOP)/tests/model/log_ring.pml"'
$(OUT)/obj/test_ring_steps/hypervisor/log/ring.o: \
	test_ring_steps-cflags += -fsanitize=thread -Wno-tsan
# Counters of branches are in nobody's memory.
$(OUT)/obj/test_ring_steps/hypervisor/log/ring.o: COVER :=
