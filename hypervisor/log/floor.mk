# SPDX-License-Identifier: MIT
log-objs := ring.o conring.o sink.o printk.o
