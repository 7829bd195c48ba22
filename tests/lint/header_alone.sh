#!/bin/sh
# SPDX-License-Identifier: MIT
# Each header compiles alone, with the flags of its part.
set -u
cd "$(dirname "$0")/../.."

make -s -C hypervisor "$PWD/build/include/xen" 2>/dev/null ||
    { mkdir -p build/include && ln -sfn /usr/include/xen build/include/xen; }

# Config.mk is the only place with flags.
flags=$(printf 'TOP := %s\ninclude Config.mk\nall:\n\t@echo $(HV_CFLAGS)\n' \
    "$PWD" | make -s -f -)

list=$(find hypervisor -name '*.h' ! -name asm_offsets.h ! -name macros.h |
    sort)
printf '%s\n' "$list" | (
    cd hypervisor || exit 1
    sed 's|^hypervisor/||' |
        xargs -P 2 -n 1 sh -c '
            # -include: as the first thing in an empty file.
            # shellcheck disable=SC2086
            out=$(gcc $1 -Wno-unused-macros -fsyntax-only -include "$2" \
                -x c /dev/null 2>&1) ||
                { echo "hypervisor/$2: does not compile alone:"
                  echo "$out" | grep -m 3 error; exit 1; }
        ' sh "$flags"
)
bad=$?
for header in include/public/vigil/*.h; do
    gcc -std=gnu11 -Wall -Wextra -Werror -I include/public -fsyntax-only \
        -include "$header" -x c /dev/null || bad=1
done
exit $((bad != 0))
