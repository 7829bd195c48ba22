/* SPDX-License-Identifier: MIT */
/*
 * lib/mce_decode.c - the machine-check records of a black box, in words.
 */
#include "lib/mce_decode.h"

#include <inttypes.h>
#include <string.h>

#define WORD(words, i) ((i) < sizeof(words) / sizeof((words)[0]) ? (words)[i] : "?")

static const char *const grades[] = {
    [VIGIL_MCE_NONE] = "no error",
    [VIGIL_MCE_LOG] = "of no consequence",
    [VIGIL_MCE_LATER] = "memory is bad",
    [VIGIL_MCE_ACTION] = "bad memory was used",
    [VIGIL_MCE_KILL] = "guest lost",
    [VIGIL_MCE_FATAL] = "fatal",
};

static const char *const actions[] = {
    [VIGIL_MCE_DID_NOTHING] = "nothing done",
    [VIGIL_MCE_DID_OFFLINE] = "frame out of service",
    [VIGIL_MCE_DID_VMCE] = "owner told",
    [VIGIL_MCE_DID_KILL] = "guest killed",
    [VIGIL_MCE_DID_DEGRADED] = "hypervisor's memory, marked",
    [VIGIL_MCE_DID_MARK] = "frame leaves service when let go",
};

int mce_next(const void *data, size_t bytes, uint64_t after,
             struct vigil_mce_record *ret_record)
{
    const uint8_t *at = data;
    struct vigil_mce_record r;
    int found = 0;

    for (; bytes >= sizeof(r); at += sizeof(r), bytes -= sizeof(r)) {
        memcpy(&r, at, sizeof(r));
        if (r.seq > after && r.banks <= VIGIL_MCE_BANKS &&
            (!found || r.seq < ret_record->seq)) {
            *ret_record = r;
            found = 1;
        }
    }
    return found;
}

unsigned int mce_count(const void *data, size_t bytes)
{
    struct vigil_mce_record r;
    unsigned int n = 0;
    uint64_t seq = 0;

    while (mce_next(data, bytes, seq, &r)) {
        seq = r.seq;
        n++;
    }
    return n;
}

static const char *origin(uint16_t where)
{
    switch (where) {
    case VIGIL_MCE_IN_HYPERVISOR:
        return "in hypervisor";
    case VIGIL_MCE_IN_GUEST:
        return "in guest";
    case VIGIL_MCE_POLLED:
        return "found by looking";
    case VIGIL_MCE_LEFT_OVER:
        return "left from before the boot";
    default:
        return "?";
    }
}

static void write_record(FILE *out, const struct vigil_mce_record *r)
{
    fprintf(out, "%" PRIu64 ": cpu %u %s", r->seq, r->cpu, origin(r->where));
    if (r->domid != VIGIL_MCE_NO_DOMAIN) {
        fprintf(out, ", d%uv%u", r->domid, r->vcpu);
    }
    fprintf(out,
            ", rip %04x:%016" PRIx64 " MCG_STATUS 0x%" PRIx64 " TSC %" PRIu64
            ": %s\n",
            r->cs, r->rip, r->mcg_status, r->tsc, WORD(grades, r->grade));
    for (unsigned int i = 0; i < r->banks; i++) {
        const struct vigil_mce_bank *b = &r->bank[i];

        fprintf(out,
                "   bank %u status 0x%016" PRIx64 " addr 0x%" PRIx64
                " misc 0x%" PRIx64 ": %s, %s",
                b->bank, b->status, b->addr, b->misc, WORD(grades, b->grade),
                WORD(actions, b->action));
        if (b->owner != VIGIL_MCE_NO_DOMAIN) {
            fprintf(out, ", memory of d%u", b->owner);
        }
        fputc('\n', out);
    }
}

void mce_write_text(FILE *out, const void *data, size_t bytes)
{
    struct vigil_mce_record r;
    uint64_t seq = 0;

    while (mce_next(data, bytes, seq, &r)) {
        seq = r.seq;
        write_record(out, &r);
    }
}
