# SPDX-License-Identifier: MIT
mm-objs := memmap.o boot_alloc.o frame.o frame_state.o page_alloc.o \
           page_exact.o scrub.o offline.o heap.o hvmap.o pti.o iomap.o m2p.o
