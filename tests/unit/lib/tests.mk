# SPDX-License-Identifier: MIT
lib-tests := string format crc32 bitmap rangeset heapq bucket parse idset lheap
tests += $(addprefix lib/test_,$(lib-tests))
$(foreach t,$(lib-tests),$(eval test_$(t)-srcs := hypervisor/lib/$(t).c))
test_format-srcs += hypervisor/lib/string.c
test_bitmap-srcs += hypervisor/lib/string.c
test_rangeset-srcs += hypervisor/lib/string.c
test_parse-srcs += hypervisor/lib/string.c
