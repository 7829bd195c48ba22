# SPDX-License-Identifier: MIT
crash-objs := panic.o stop.o notes.o blackbox.o symbols.o backtrace.o reboot.o
crash-objs += harvest.o dump.o picture.o context.o
