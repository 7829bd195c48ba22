/* SPDX-License-Identifier: MIT */
/*
 * ras/severity.c - first match in the table of rules.
 */
#include "ras/severity.h"

NMI_SAFE const struct mce_rule *mce_grade(uint64_t status,
                                          const struct mce_situation *at)
{
    const struct mce_rule *r = mce_rules;

    for (unsigned int i = 0; i + 1 < mce_rule_count; i++, r++) {
        if ((status & r->mask) == r->value &&
            (at->mcg_status & r->mcg_mask) == r->mcg_value &&
            (at->where & r->where) != 0 && (at->kind & r->kind) != 0) {
            break;
        }
    }
    return r;
}

NMI_SAFE const char *mce_grade_name(unsigned int grade)
{
    switch (grade) {
    case MCE_NONE:
        return "no error";
    case MCE_LOG:
        return "logged";
    case MCE_LATER:
        return "memory is bad";
    case MCE_ACTION:
        return "action required";
    case MCE_KILL:
        return "guest lost";
    case MCE_FATAL:
        return "fatal";
    default:
        return "unknown grade";
    }
}
