/* SPDX-License-Identifier: MIT */
/*
 * pv/elfnote.c - what a kernel's Xen notes say.
 * Source: public elfnote.h; ELF notes: name size, descriptor size, type, then
 * name and descriptor, each padded to 4 bytes.
 */
#include "pv/elfnote.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/xen_abi.h"
#include "x86/layout.h"

#define NOTE_HEADER_BYTES 12

static void copy_text(char *out, const uint8_t *desc, uint32_t bytes)
{
    /* Not always terminated: the descriptor's size counts. */
    uint32_t len = MIN(bytes, (uint32_t)ELFNOTE_TEXT_BYTES - 1);

    memcpy(out, desc, len);
    out[len] = '\0';
}

static void note_take(struct xen_notes *notes, uint32_t type,
                      const uint8_t *desc, uint32_t bytes)
{
    uint64_t number = 0;
    bool is_number = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;

    if (is_number) {
        memcpy(&number, desc, bytes);
    }
    switch (type) {
    case XEN_ELFNOTE_GUEST_OS:
        copy_text(notes->guest_os, desc, bytes);
        break;
    case XEN_ELFNOTE_GUEST_VERSION:
        copy_text(notes->guest_version, desc, bytes);
        break;
    case XEN_ELFNOTE_XEN_VERSION:
        copy_text(notes->xen_version, desc, bytes);
        break;
    case XEN_ELFNOTE_LOADER:
        copy_text(notes->loader, desc, bytes);
        break;
    default:
        if (!is_number && type != XEN_ELFNOTE_FEATURES) {
            return;
        }
        break;
    }
    switch (type) {
    case XEN_ELFNOTE_ENTRY:
        notes->entry = number;
        break;
    case XEN_ELFNOTE_HYPERCALL_PAGE:
        notes->hypercall_page = number;
        break;
    case XEN_ELFNOTE_VIRT_BASE:
        notes->virt_base = number;
        break;
    case XEN_ELFNOTE_PADDR_OFFSET:
        notes->paddr_offset = number;
        break;
    case XEN_ELFNOTE_HV_START_LOW:
        notes->hv_start_low = number;
        break;
    case XEN_ELFNOTE_INIT_P2M:
        notes->init_p2m = number;
        break;
    case XEN_ELFNOTE_MOD_START_PFN:
        notes->mod_start_pfn = number;
        break;
    case XEN_ELFNOTE_SUPPORTED_FEATURES:
        notes->supported_features = number;
        break;
    default:
        break;
    }
    if (type < 64) {
        notes->present |= BIT(type);
    }
}

static void segment_notes(const struct elf_segment *s, struct xen_notes *notes)
{
    uint64_t at = 0;

    while (s->file_bytes - at >= NOTE_HEADER_BYTES) {
        uint32_t header[3]; /* name bytes, descriptor bytes, type */
        uint64_t name_at = at + NOTE_HEADER_BYTES, desc_at, next;

        memcpy(header, s->data + at, sizeof(header));
        desc_at = name_at + ALIGN_UP((uint64_t)header[0], 4);
        next = desc_at + ALIGN_UP((uint64_t)header[1], 4);
        /* The last descriptor's padding may be missing. */
        if (desc_at + header[1] > s->file_bytes) {
            return;
        }
        if (header[0] == 4 && memcmp(s->data + name_at, "Xen", 4) == 0) {
            note_take(notes, header[2], s->data + desc_at, header[1]);
        }
        if (next >= s->file_bytes) {
            return;
        }
        at = next;
    }
}

int elfnote_read(const struct elf_file *elf, struct xen_notes *ret_notes)
{
    struct elf_segment s;

    memset(ret_notes, 0, sizeof(*ret_notes));
    for (unsigned int i = 0; elf_segment(elf, i, &s); i++) {
        if (s.type == ELF_PT_NOTE) {
            segment_notes(&s, ret_notes);
        }
    }
    return ret_notes->present != 0 ? 0 : -ENOENT;
}

bool elfnote_has(const struct xen_notes *notes, unsigned int type)
{
    return type < 64 && (notes->present >> type & 1) != 0;
}

int elfnote_check_dom0(const struct xen_notes *notes, const char **ret_why)
{
    if (strncmp(notes->xen_version, "xen-3.0", 7) != 0) {
        *ret_why = "the kernel's Xen notes do not name interface xen-3.0";
        return -EINVAL;
    }
    if (strcmp(notes->guest_os, "linux") != 0 &&
        strcmp(notes->loader, "generic") != 0) {
        *ret_why = "the kernel's Xen notes name neither OS linux nor loader "
                   "generic";
        return -EINVAL;
    }
    if (!elfnote_has(notes, XEN_ELFNOTE_ENTRY) ||
        !elfnote_has(notes, XEN_ELFNOTE_VIRT_BASE)) {
        *ret_why = "the kernel's Xen notes lack the entry or base address";
        return -EINVAL;
    }
    if (elfnote_has(notes, XEN_ELFNOTE_HV_START_LOW) &&
        notes->hv_start_low > HV_HOLE_START) {
        *ret_why = "the kernel wants addresses that are the hypervisor's";
        return -EINVAL;
    }
    if (elfnote_has(notes, XEN_ELFNOTE_SUPPORTED_FEATURES) &&
        (notes->supported_features & BIT(XENFEAT_dom0)) == 0) {
        *ret_why = "the kernel was built without Dom0 support";
        return -EINVAL;
    }
    return 0;
}
