# SPDX-License-Identifier: MIT
mm-srcs := $(addprefix hypervisor/mm/,memmap.c boot_alloc.c frame.c \
             frame_state.c page_alloc.c scrub.c offline.c) \
           hypervisor/lib/string.c hypervisor/sync/spinlock.c \
           tests/fake/fake_hw.c tests/fake/fake_machine.c \
           $(unit-alarm) $(unit-log)
tests += mm/test_memmap mm/test_frame_state mm/test_page_alloc mm/test_heap
test_memmap-srcs := $(unit-alarm) $(unit-log)
test_frame_state-srcs := hypervisor/mm/frame_state.c $(unit-alarm)
test_page_alloc-srcs := $(mm-srcs)
test_heap-srcs := hypervisor/mm/heap.c $(mm-srcs)
