# SPDX-License-Identifier: MIT
mm-srcs := $(addprefix hypervisor/mm/,memmap.c boot_alloc.c frame.c \
             frame_state.c page_alloc.c page_exact.c scrub.c offline.c) \
           hypervisor/lib/string.c hypervisor/sync/spinlock.c \
           tests/fake/fake_hw.c tests/fake/fake_tlb.c \
           tests/fake/fake_machine.c \
           $(unit-alarm) $(unit-log)
tests += mm/test_memmap mm/test_frame_state mm/test_page_alloc mm/test_heap
test_memmap-srcs := $(unit-alarm) $(unit-log)
test_frame_state-srcs := hypervisor/mm/frame_state.c $(unit-alarm)
test_page_alloc-srcs := $(mm-srcs)
test_heap-srcs := hypervisor/mm/heap.c $(mm-srcs)
comma := ,
# hvmap.c is included by the test.  The link map's symbols get fixed values,
# which only code that goes through a GOT can address.
tests += mm/test_hvmap
test_hvmap-srcs := hypervisor/mm/memmap.c hypervisor/mm/boot_alloc.c \
    tests/fake/fake_pti.c \
    tests/fake/fake_hw.c tests/fake/fake_machine.c $(unit-alarm) $(unit-log)
test_hvmap-cflags := -fPIC -include $(TOP)/tests/unit/mm/fake_image.h \
    -DFAKE_MACHINE_NO_HVMAP -D_GNU_SOURCE=
test_hvmap-libs := -no-pie -Wl,--no-relax $(addprefix -Wl$(comma)--defsym=,\
    __image_start=0x1f0080200000 __text_end=0x1f0080236000 \
    __rodata_end=0x1f0080240000 __init_start=0x1f0080240000 \
    __init_text_end=0x1f0080244000 __init_end=0x1f0080249000 __data_start=0x1f0080249000 \
    __bss_end=0x1f0080301000)
# pti.c is included by the test; as above.
tests += mm/test_pti
test_pti-srcs := tests/fake/fake_hw.c tests/fake/fake_machine.c \
    $(unit-alarm) $(unit-log)
test_pti-cflags := -fPIC -DFAKE_MACHINE_NO_HVMAP -D_GNU_SOURCE=
test_pti-libs := -no-pie -Wl,--no-relax $(addprefix -Wl$(comma)--defsym=,\
    __entry_text_start=0x1f0080200000 __entry_text_end=0x1f0080201800 \
    syscall_page=0x1f0080300000)
