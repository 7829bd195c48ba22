# SPDX-License-Identifier: MIT
sync-objs := spinlock.o
