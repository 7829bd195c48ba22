# SPDX-License-Identifier: MIT
lib-objs := string.o format.o crc32.o bucket.o bitmap.o rangeset.o heapq.o parse.o \
            idset.o
# Dom0's kernel is unpacked by these.
lib-objs += xz.o lzma2.o x86_calls.o
