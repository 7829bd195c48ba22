# SPDX-License-Identifier: MIT
dev-objs := uart16550.o
