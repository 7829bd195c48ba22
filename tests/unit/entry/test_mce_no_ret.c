/* SPDX-License-Identifier: MIT */
/*
 * entry/mce_entry with CONFIG_NMI_RET_RULE=n: the same, but nothing leaves by RET.
 */
#include "tests/unit/entry/test_mce_entry.c"
