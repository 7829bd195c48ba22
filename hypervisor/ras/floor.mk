# SPDX-License-Identifier: MIT
ras-objs := nmi.o mce.o bank.o severity.o severity_rules.o decode.o record.o \
            poll.o inject.o
