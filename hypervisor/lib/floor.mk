# SPDX-License-Identifier: MIT
lib-objs := string.o format.o crc32.o bucket.o bitmap.o rangeset.o heapq.o parse.o \
            idset.o lheap.o
