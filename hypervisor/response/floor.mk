# SPDX-License-Identifier: MIT
response-objs := work.o nmi_reflect.o mce_response.o poison.o vmce.o telemetry.o
