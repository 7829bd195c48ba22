/* SPDX-License-Identifier: MIT */
/*
 * ras/decode.c - error codes and interrupted contexts in words.
 *
 * Compound codes are told apart by their highest bit set; the fields below it
 * name level, transaction and request.  Only memory errors are told in
 * detail: they are the ones somebody acts on.
 */
#include "ras/decode.h"

#include "lib/format.h"
#include "cpu/tenant.h"

struct code_name {
    uint16_t mask, value;
    const char *name;
};

/* clang-format off */
static const struct code_name names[] = {
    {0xefff, 0x0000, "no error code"},
    {0xefff, 0x0001, "unclassified error"},
    {0xefff, 0x0002, "microcode ROM parity error"},
    {0xefff, 0x0003, "error signalled by another processor"},
    {0xefff, 0x0004, "functional redundancy check error"},
    {0xefff, 0x0005, "internal parity error"},
    {0xefff, 0x0006, "system management handler error"},
    {0xefff, 0x0400, "internal timer error"},
    {0xefff, 0x0e0b, "I/O error"},
    {0xefff, 0x0134, "cache: data load"},
    {0xefff, 0x0150, "cache: instruction fetch"},
    {0xefff, 0x017a, "cache: write back"},
    {0xeff0, 0x0080, "memory controller: generic"},
    {0xeff0, 0x0090, "memory controller: read"},
    {0xeff0, 0x00a0, "memory controller: write"},
    {0xeff0, 0x00b0, "memory controller: address or command"},
    {0xeff0, 0x00c0, "memory controller: scrub"},
    {0xef80, 0x0080, "memory controller"},
    {0xef80, 0x0280, "memory used as a cache"},
    {0xe800, 0x0800, "bus or interconnect"},
    {0xec00, 0x0400, "internal unclassified error"},
    {0xef00, 0x0100, "cache hierarchy"},
    {0xeff0, 0x0010, "TLB"},
    {0xeffc, 0x000c, "generic cache hierarchy"},
};
/* clang-format on */

NMI_SAFE const char *mce_code_name(uint64_t status)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        if ((status & names[i].mask) == names[i].value) {
            return names[i].name;
        }
    }
    return "error code of no known class";
}

NMI_SAFE const char *describe_context(char *buf, bool from_guest)
{
    return describe_tenant(buf, from_guest, tenant_now());
}

NMI_SAFE const char *describe_tenant(char *buf, bool from_guest,
                                     struct tenant t)
{
    if (t.domid == TENANT_NONE) {
        return from_guest ? "guest" : "hypervisor, idle";
    }
    (void)snprintf(buf, CONTEXT_TEXT_BYTES, "%s d%uv%u",
                   from_guest ? "guest" : "hypervisor for", t.domid, t.vcpu);
    return buf;
}
