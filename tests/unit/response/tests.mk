# SPDX-License-Identifier: MIT
tests += response/test_vmce response/test_telemetry response/test_nmi_reflect \
         response/test_mce_response response/test_work
test_work-srcs := hypervisor/response/work.c $(unit-lib) $(unit-alarm)
test_vmce-srcs := hypervisor/response/vmce.c hypervisor/pv/vmca.c $(unit-lib) \
                  $(unit-alarm) $(unit-log)
test_telemetry-srcs := hypervisor/response/telemetry.c $(unit-lib) \
                       $(unit-alarm)
test_nmi_reflect-srcs := hypervisor/response/nmi_reflect.c $(unit-lib) \
                         $(unit-alarm) $(unit-log)
test_mce_response-srcs := $(addprefix hypervisor/response/,mce_response.c \
                            poison.c) $(unit-lib) $(unit-alarm) $(unit-log)
