/* SPDX-License-Identifier: MIT */
/*
 * cpu/spec_options.c - spec-ctrl=, xpti=, pv-l1tf= and tsx=.
 */
#include "cpu/spec_ctrl.h"

#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"

#define ITEM_BYTES 64

struct spec_options spec_asked_for = SPEC_OPTIONS_DEFAULT;

static int parse_thunk(const char *name, int *ret_thunk)
{
    static const char *const names[] = {
        [SPEC_THUNK_RETPOLINE] = "retpoline",
        [SPEC_THUNK_LFENCE] = "lfence",
        [SPEC_THUNK_JMP] = "jmp",
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_thunk = (int)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* name, no-name, name=<boolean>; 0 and *@ret, or -EINVAL. */
static int parse_switch(const char *item, const char *name, int *ret)
{
    bool negated = strncmp(item, "no-", 3) == 0;
    const char *value = parse_key(negated ? item + 3 : item, name);
    bool on;

    if (value == NULL || (negated && *value != '\0') ||
        parse_bool(value, &on) != 0) {
        return -EINVAL;
    }
    *ret = on != negated;
    return 0;
}

static int parse_item(const char *item, struct spec_options *o)
{
    static const struct spec_options all_off = {.thunk = SPEC_THUNK_JMP};
    const struct {
        const char *name;
        int *option;
    } switches[] = {
        {"ibrs", &o->ibrs},
        {"stibp", &o->stibp},
        {"ibpb", &o->ibpb},
        {"rsb", &o->rsb},
        {"ibpb-entry", &o->ibpb_entry},
        {"md-clear", &o->md_clear},
        {"bhi", &o->bhi},
        {"srb-lock", &o->srb_lock},
        {"gds-mit", &o->gds_mit},
        {"its", &o->its},
        {"ssbd", &o->ssbd},
        {"div-scrub", &o->div_scrub},
    };
    const char *thunk = parse_key(item, "bti-thunk");
    bool on;

    if (thunk != NULL) {
        return parse_thunk(thunk, &o->thunk);
    }
    if (*item != '\0' && parse_bool(item, &on) == 0) {
        if (!on) {
            struct spec_options was = *o;

            *o = all_off;
            /* What xpti=, pv-l1tf= and tsx= say holds, whichever comes first. */
            o->pti_dom0 = MAX(was.pti_dom0, 0);
            o->pti_domu = MAX(was.pti_domu, 0);
            o->l1tf_dom0 = MAX(was.l1tf_dom0, 0);
            o->l1tf_domu = MAX(was.l1tf_domu, 0);
            o->tsx = was.tsx;
        }
        return on ? -EINVAL : 0;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(switches); i++) {
        if (parse_switch(item, switches[i].name, switches[i].option) == 0) {
            return 0;
        }
    }
    return -EINVAL;
}

int spec_parse(const char *value, struct spec_options *options)
{
    char item[ITEM_BYTES];

    while (parse_next(&value, ',', item, sizeof(item))) {
        int rc = parse_item(item, options);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int spec_set_option(const char *value)
{
    return spec_parse(value, &spec_asked_for);
}

/* For Dom0 and for others: a boolean, default, dom0=..., domu=... */
static int parse_whom_item(const char *item, int *dom0, int *domu)
{
    bool on;

    if (strcmp(item, "default") == 0) {
        *dom0 = *domu = -1;
    } else if (parse_bool(item, &on) == 0) {
        *dom0 = *domu = on;
    } else if (parse_switch(item, "dom0", dom0) != 0 &&
               parse_switch(item, "domu", domu) != 0) {
        return -EINVAL;
    }
    return 0;
}

static int parse_whom(const char *value, int *dom0, int *domu)
{
    char item[ITEM_BYTES];

    if (*value == '\0') {
        return parse_whom_item(value, dom0, domu); /* the option alone */
    }
    while (parse_next(&value, ',', item, sizeof(item))) {
        int rc = parse_whom_item(item, dom0, domu);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int spec_parse_pti(const char *value, struct spec_options *options)
{
    return parse_whom(value, &options->pti_dom0, &options->pti_domu);
}

int spec_set_pti_option(const char *value)
{
    return spec_parse_pti(value, &spec_asked_for);
}

int spec_set_l1tf_option(const char *value)
{
    return parse_whom(value, &spec_asked_for.l1tf_dom0, &spec_asked_for.l1tf_domu);
}

int spec_set_tsx_option(const char *value)
{
    bool on;

    if (parse_bool(value, &on) != 0) {
        return -EINVAL;
    }
    spec_asked_for.tsx = on;
    return 0;
}
