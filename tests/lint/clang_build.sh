#!/bin/sh
# SPDX-License-Identifier: MIT
# clang builds everything without a warning, too (gcc is the ordinary build).
set -u
cd "$(dirname "$0")/../.."
bad=0
for part in hypervisor dom0-tools guest-stubs; do
    [ -e "$part/Makefile" ] || continue
    make -s -j2 -C "$part" CC=clang BUILD="$PWD/build/clang" \
        >build/clang-build.log 2>&1 && continue
    echo "$part does not build with clang:"
    grep -m 20 -E 'error:|ld: |undefined|\*\*\*' build/clang-build.log
    bad=1
done
exit $bad
