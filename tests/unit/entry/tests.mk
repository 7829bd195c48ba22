# SPDX-License-Identifier: MIT
tests += entry/test_context_word
test_context_word-srcs := hypervisor/entry/context_word.c hypervisor/crash/context.c \
                     $(unit-lib) $(unit-alarm)
# Of trap.c only the exit rules are linked, not what its handlers call.
tests += entry/test_nmi_entry entry/test_nmi_no_latch entry/test_mce_entry \
         entry/test_mce_no_ret
door-srcs := $(addprefix hypervisor/entry/,nmi_entry.c mce_entry.c trap.c) \
             tests/unit/entry/door_machine.c $(test_context_word-srcs)
door-cflags := -ffunction-sections -fdata-sections --param asan-globals=0
define door-test
$(1)-srcs := $(door-srcs)
$(1)-cflags := $(door-cflags) -DCONFIG_NMI_LATCH=$(2) -DCONFIG_NMI_RET_RULE=$(3)
$(1)-libs := -Wl,--gc-sections
endef
$(eval $(call door-test,test_nmi_entry,1,1))
$(eval $(call door-test,test_nmi_no_latch,0,1))
$(eval $(call door-test,test_mce_entry,1,1))
$(eval $(call door-test,test_mce_no_ret,1,0))
