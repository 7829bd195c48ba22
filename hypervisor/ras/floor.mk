# SPDX-License-Identifier: MIT
ras-objs := nmi.o nmi_note.o nmi_storm.o ghes.o mce.o mce_words.o bank.o \
            severity.o severity_rules.o decode.o record.o poll.o inject.o \
            watchdog.o
