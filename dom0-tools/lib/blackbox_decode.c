/* SPDX-License-Identifier: MIT */
/* lib/blackbox_decode.c - from the bytes of a black box to its parts. */
#include "lib/blackbox_decode.h"

#include <string.h>

#include "lib/checksum.h"

/* A wall clock before 2020 or after 2100 is not one. */
#define EARLIEST_NS (1577836800ULL * 1000000000ULL)
#define LATEST_NS   (4102444800ULL * 1000000000ULL)

const char *box_verdict_text(enum box_verdict verdict)
{
    switch (verdict) {
    case BOX_OK:
        return "readable";
    case BOX_TOO_SHORT:
        return "shorter than it claims to be";
    case BOX_BAD_MAGIC:
        return "not a black box (magic differs)";
    case BOX_BAD_VERSION:
        return "written by another version of the format";
    case BOX_BAD_SIZE:
        return "sizes out of range";
    case BOX_BAD_STATE:
        return "state or kind unknown";
    }
    return "?";
}

const char *box_trust_text(enum box_trust trust)
{
    switch (trust) {
    case BOX_VERIFIED:
        return "verified";
    case BOX_UNSEALED:
        return "unsealed";
    case BOX_DISAGREES:
        return "damaged";
    }
    return "?";
}

const char *box_stage_name(uint32_t stage)
{
    static const char *const names[] = {"none",  "claim", "stop", "quiet",
                                        "notes", "seal",  "leave"};

    return stage < sizeof(names) / sizeof(names[0]) ? names[stage] : "?";
}

static enum box_trust header_trust(const struct vigil_box_header *header)
{
    /* Too big for the stack budget, and callers are single threaded. */
    static struct vigil_box_header copy;

    if (header->state == VIGIL_BOX_RUNNING ||
        header->state == VIGIL_BOX_WRITING) {
        return BOX_UNSEALED;
    }
    copy = *header;
    copy.crc32 = 0;
    if (checksum_crc32(&copy, sizeof(copy)) == header->crc32) {
        return BOX_VERIFIED;
    }
    /* The taker may have changed the state and nothing else. */
    copy.state = VIGIL_BOX_SEALED;
    if (checksum_crc32(&copy, sizeof(copy)) == header->crc32) {
        return BOX_VERIFIED;
    }
    return BOX_DISAGREES;
}

static enum box_trust section_trust(const struct box_view *view,
                                    const struct vigil_box_section *section,
                                    const uint8_t *data)
{
    if (section->type == VIGIL_BOX_SECT_LOG ||
        section->type == VIGIL_BOX_SECT_CONTEXTS ||
        checksum_crc32(data, section->bytes) == section->crc32) {
        return BOX_VERIFIED;
    }
    return view->header_trust == BOX_UNSEALED ? BOX_UNSEALED : BOX_DISAGREES;
}

static void take_section(struct box_view *view, const uint8_t *zone,
                         const struct vigil_box_section *section)
{
    uint64_t zone_bytes = view->header.zone_bytes;
    struct box_section *taken;

    if (section->type == VIGIL_BOX_SECT_NONE) {
        return;
    }
    if (section->offset < sizeof(view->header) ||
        section->offset > zone_bytes ||
        section->bytes > zone_bytes - section->offset) {
        view->rejected_count++;
        return;
    }
    taken = &view->sections[view->section_count++];
    taken->type = section->type;
    taken->data = zone + section->offset;
    taken->bytes = section->bytes;
    taken->trust = section_trust(view, section, taken->data);
}

enum box_verdict box_decode(const void *data, size_t bytes,
                            struct box_view *ret_view)
{
    struct vigil_box_header *header = &ret_view->header;

    memset(ret_view, 0, sizeof(*ret_view));
    if (bytes < sizeof(*header)) {
        return BOX_TOO_SHORT;
    }
    memcpy(header, data, sizeof(*header));
    if (header->magic != VIGIL_BOX_MAGIC) {
        return BOX_BAD_MAGIC;
    }
    if (header->version != VIGIL_BOX_VERSION) {
        return BOX_BAD_VERSION;
    }
    if (header->header_bytes != sizeof(*header) ||
        header->zone_bytes < sizeof(*header)) {
        return BOX_BAD_SIZE;
    }
    if (header->zone_bytes > bytes) {
        return BOX_TOO_SHORT;
    }
    if (header->state < VIGIL_BOX_RUNNING || header->state > VIGIL_BOX_TAKEN) {
        return BOX_BAD_STATE;
    }
    /* While running nobody has died yet: the kind is not valid then. */
    if (header->state == VIGIL_BOX_RUNNING) {
        header->kind = VIGIL_BOX_KIND_RESET;
    } else if (header->kind < VIGIL_BOX_KIND_HYPERVISOR ||
               header->kind > VIGIL_BOX_KIND_CLEAN) {
        return BOX_BAD_STATE;
    }
    ret_view->header_trust = header_trust(header);
    header->build[sizeof(header->build) - 1] = '\0';
    header->reason[sizeof(header->reason) - 1] = '\0';
    for (unsigned int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        take_section(ret_view, data, &header->section[i]);
    }
    return BOX_OK;
}

const struct box_section *box_section_find(const struct box_view *view,
                                           uint32_t type)
{
    for (unsigned int i = 0; i < view->section_count; i++) {
        if (view->sections[i].type == type) {
            return &view->sections[i];
        }
    }
    return NULL;
}

uint64_t box_time_ns(const struct vigil_box_header *header)
{
    uint64_t since_ns;
    uint64_t time_ns;

    if (header->wallclock_ns < EARLIEST_NS || header->tsc_khz == 0) {
        return 0;
    }
    since_ns = (uint64_t)((__uint128_t)header->tsc * 1000000 / header->tsc_khz);
    if (since_ns > LATEST_NS || header->wallclock_ns > LATEST_NS) {
        return 0;
    }
    time_ns = header->wallclock_ns + since_ns;
    return time_ns <= LATEST_NS ? time_ns : 0;
}
