#!/bin/sh
# SPDX-License-Identifier: MIT
# cppcheck over the C sources, each part with its own include paths;
# tests/lint/cppcheck.allow has what is suppressed and why.
set -u
cd "$(dirname "$0")/../.."
bad=0

# part FOLDER OPTIONS...
part() {
    folder=$1
    shift
    [ -d "$folder" ] || return 0
    mkdir -p "build/cppcheck/$folder"
    cppcheck -q -j 2 --enable=warning,portability --inline-suppr \
        --error-exitcode=1 --std=c11 --max-configs=1 -D__x86_64__=1 \
        --cppcheck-build-dir="build/cppcheck/$folder" \
        --suppressions-list=tests/lint/cppcheck.allow \
        --template='{file}:{line}: {severity}: {message} [{id}]' \
        -I include/public "$@" "$folder" || bad=1
}

part hypervisor -I hypervisor -DVIGIL_DEBUG=1
part dom0-tools -I dom0-tools
part guest-stubs -I guest-stubs/include -I guest-stubs
exit $bad
