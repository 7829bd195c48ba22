# SPDX-License-Identifier: MIT
tests += x86/test_nospec
test_nospec-srcs := $(unit-lib) $(unit-alarm)
