# SPDX-License-Identifier: MIT
#
# What scripts/mk-dom0-disk and scripts/mk-guest-disk share; sourced by them, from
# the top of the tree.

say() {
    echo "${0##*/}: $*"
}

die() {
    say "$*" >&2
    exit 1
}

# PROGRAM...: are they here?
need() {
    PATH=$PATH:/usr/sbin:/sbin
    for program; do
        command -v "$program" >/dev/null ||
            die "$program is missing; scripts/deps --disk installs what is needed"
    done
}

# FILE: one line for each part of Debian 12 that apt knows here.
apt_sources() {
    apt-get indextargets --format \
        'deb $(REPO_URI) $(RELEASE) $(COMPONENT)|$(ORIGIN)|$(CODENAME)|' \
        'Created-By: Packages' | sort -u |
        sed -n 's/|Debian|bookworm[a-z-]*|$//p' >"$1"
    [ -s "$1" ] ||
        die "apt knows no Debian 12 (bookworm) here; run: apt-get update"
}
