# SPDX-License-Identifier: MIT
# Unit tests of dom0-tools/lib: what is pure, and the crash store.

tools-cflags := -D_GNU_SOURCE -iquote $(TOP)/dom0-tools
tools-base   := $(addprefix dom0-tools/lib/,fault.c escape.c)

tools-tests := test_fault test_escape test_moment test_log_decode \
               test_blackbox_decode test_cfgscan test_store test_opts \
               test_death test_amount test_saveimage test_guestcfg \
               test_lxlog test_stream test_ksyms test_preserve \
               test_ticker
tests += $(addprefix tools/,$(tools-tests))

$(foreach t,$(tools-tests),$(eval $(t)-cflags := $(tools-cflags)))

test_ksyms-srcs := $(tools-base) dom0-tools/lib/ksyms.c
test_fault-srcs := $(tools-base)
test_escape-srcs := $(tools-base)
test_moment-srcs := $(tools-base) dom0-tools/lib/moment.c
test_death-srcs := dom0-tools/lib/death.c
test_cfgscan-srcs := $(tools-base) $(addprefix dom0-tools/lib/,cfgscan.c \
                       cfgkeys.c guestaction.c)
test_amount-srcs := $(addprefix dom0-tools/lib/,amount.c progress.c)
test_saveimage-srcs := $(tools-base) dom0-tools/lib/saveimage.c
test_stream-srcs := $(tools-base) dom0-tools/lib/outfile.c
test_lxlog-srcs := $(tools-base) $(addprefix dom0-tools/lib/,lxlog.c \
                     progress.c)
test_guestcfg-srcs := $(tools-base) $(addprefix dom0-tools/lib/,guestcfg.c \
                        guestkeys.c guestdev.c cfgread.c cfgscan.c cfgkeys.c \
                        amount.c moment.c outfile.c place.c)
test_preserve-srcs := $(tools-base) $(addprefix dom0-tools/lib/,preserve.c \
                        moment.c)
test_preserve-libs := -lxenlight -lxenctrl
test_ticker-srcs := $(tools-base) $(addprefix dom0-tools/lib/,ticker.c \
                      progress.c moment.c)
test_ticker-libs := -lutil
test_guestcfg-libs := -lxenlight -lxlutil -ljson-c
test_opts-srcs := $(tools-base) dom0-tools/lib/opts.c
test_log_decode-srcs := $(tools-base) $(addprefix dom0-tools/lib/,\
                          log_decode.c checksum.c)
test_blackbox_decode-srcs := $(tools-base) $(addprefix dom0-tools/lib/,\
                               blackbox_decode.c checksum.c)
test_store-srcs := $(tools-base) $(addprefix dom0-tools/lib/,store.c \
                     store_read.c outfile.c moment.c)
test_store-libs := -ljson-c

# The collector, on a hypervisor that the test plays.
tools-store  := $(tools-base) $(addprefix dom0-tools/lib/,store.c \
                  store_read.c outfile.c moment.c place.c table.c)
collector-tests := test_box test_deaths test_life test_cores
tests += $(addprefix tools/,$(collector-tests))
$(foreach t,$(collector-tests),$(eval $(t)-cflags := $(tools-cflags) \
  $(shell pkg-config --cflags smartcols)))

tools-feed := dom0-tools/lib/feed.c

test_box-srcs := $(tools-store) $(tools-feed) \
                 $(addprefix dom0-tools/lib/,log_decode.c blackbox_decode.c mce_decode.c \
                   checksum.c) \
                 $(addprefix dom0-tools/vigild/,box.c meta.c)
test_box-libs := -ljson-c -lsmartcols
tools-known := $(tools-store) $(tools-feed) dom0-tools/lib/consolelog.c \
               $(addprefix dom0-tools/vigild/,known.c life.c)
test_deaths-srcs := $(tools-known) dom0-tools/lib/death.c \
                    $(addprefix dom0-tools/vigild/,deaths.c meta.c)
test_deaths-libs := -ljson-c -lsmartcols
test_cores-srcs := $(tools-store) dom0-tools/vigild/cores.c
test_cores-libs := -ljson-c -lsmartcols
test_life-srcs := $(tools-known) dom0-tools/lib/knownfile.c \
                  dom0-tools/vigild/remember.c
test_life-libs := -ljson-c -lsmartcols

# The feed of events, and its readers.
tests += tools/test_feed
test_feed-cflags := $(tools-cflags) $(shell pkg-config --cflags smartcols)
test_feed-srcs := $(tools-base) $(tools-feed) $(addprefix dom0-tools/lib/,\
                    outfile.c moment.c place.c table.c)
test_feed-libs := -ljson-c -lsmartcols

tests += tools/test_manual tools/test_usage
test_manual-cflags := $(tools-cflags)
test_manual-srcs := $(tools-base) dom0-tools/vigil/manual.c
test_usage-cflags := $(tools-cflags)
test_usage-srcs := $(tools-base) $(addprefix dom0-tools/lib/,usage.c outfile.c \
                     moment.c)
