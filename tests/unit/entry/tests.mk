# SPDX-License-Identifier: MIT
tests += entry/test_context_word
test_context_word-srcs := hypervisor/entry/context_word.c hypervisor/crash/context.c \
                     $(unit-lib) $(unit-alarm)
