# SPDX-License-Identifier: MIT
# The front door.  It knows the order of the parts and delegates the work;
# flags live in Config.mk.  `make help` lists the targets.

TOP   := $(CURDIR)
BUILD ?= $(TOP)/build
export BUILD

# Parts that a tree may lack: those with no Makefile are left out.
have   = $(if $(wildcard $(1)/Makefile),$(2))
PARTS := $(call have,hypervisor,hypervisor) $(call have,dom0-tools,tools) \
         $(call have,guest-stubs,stubs)

IMAGE     := $(BUILD)/xen-4.17-vigil-amd64
INITRAMFS := $(BUILD)/dom0/initramfs.img
ISO       := $(BUILD)/vigil.iso
# One image starts under both firmwares; this is its name for UEFI.
EFI_ISO   := $(BUILD)/vigil-efi.iso

all: $(PARTS) iso

help:
	@echo "make            build everything: hypervisor, tools, stubs, image"
	@echo "make deps       install the Debian packages this needs"
	@echo "make run        build, boot under QEMU, show what Vigil does"
	@echo "make test       lint + check + model + system-check + figures"
	@echo "make test-long [ONLY=pattern]  the nightly tests: many minutes each"
	@echo "make lint       source rules, and a build with clang"
	@echo "make check      unit tests on this machine"
	@echo "make coverage   which branches of log/, crash/, ras/ they take"
	@echo "make model      every interleaving of two protocols (spin)"
	@echo "make system-check [ONLY=pattern]  tests that boot machines"
	@echo "make deb        Debian packages of the hypervisor and the tools"
	@echo "make dom0-disk  a disk with Debian 12 as Dom0, these packages installed"
	@echo "make run-debian  build and boot that disk under QEMU"
	@echo "make bench [BASE=commit]  hot paths, counted beside Debian's Xen's"
	@echo "make bench-figures  rewrite what tests/bench/check compares with"
	@echo "make bench-boot power-on to Dom0's init, against Debian's Xen"
	@echo "make clean      remove what was built, keep downloaded packages"

deps:
	scripts/deps

fetch:
	scripts/fetch

hypervisor:
	$(MAKE) -C hypervisor

tools:
	$(MAKE) -C dom0-tools

stubs:
	$(MAKE) -C guest-stubs

# mk-initramfs takes a second at most: cheaper than knowing when to skip it.
dom0: fetch $(filter tools stubs,$(PARTS))
	scripts/mk-initramfs --build $(BUILD)

iso: dom0 $(filter hypervisor,$(PARTS))
	@if [ -e $(IMAGE).gz ]; then scripts/mk-iso && \
	ln -f $(ISO) $(EFI_ISO); \
	else echo "iso: no hypervisor built, no image"; fi

# Without assertions: what people install.
deb: $(filter tools,$(PARTS))
	$(MAKE) -C hypervisor debug=n BUILD=$(BUILD)/release
	scripts/mk-deb

dom0-disk: deb
	scripts/mk-dom0-disk

run-debian:
	scripts/deps --disk
	$(MAKE) dom0-disk
	scripts/run-debian

run:
	scripts/deps --run
	$(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc)) all
	scripts/run

# Only by hand: it rewrites files.
format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

lint:
	tests/lint/run

check:
	tests/run-unit

coverage:
	tests/unit/coverage.py

model:
	tests/model/run

system-check:
	tests/system/run.py $(if $(ONLY),-k '$(ONLY)')

# scripts/bench --help lists its options; OPTIONS passes them.
bench:
	@BASE='$(BASE)' scripts/bench $(OPTIONS)

bench-figures:
	@tests/bench/check --write

# Debian's Xen is built without assertions, so compare like with like.
bench-boot: all
	$(MAKE) -s -C hypervisor debug=n BUILD=$(BUILD)/release
	scripts/compare-boot --vigil $(BUILD)/release/xen-4.17-vigil-amd64

test:
	tests/run

test-long: all
	$(if $(ONLY),,tests/model/run --long)
	tests/system/run.py --long $(if $(ONLY),-k '$(ONLY)')

clean:
	find $(BUILD) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} + \
		2>/dev/null || true

.PHONY: all help deps fetch hypervisor tools stubs dom0 iso deb dom0-disk run-debian \
        run lint check coverage model system-check bench bench-figures bench-boot test \
        test-long clean
