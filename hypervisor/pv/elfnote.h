/* SPDX-License-Identifier: MIT */
/*
 * pv/elfnote.h - what a kernel's Xen notes say (public elfnote.h).
 * Pure; the notes are as hostile as the file they are in.
 */
#ifndef VIGIL_PV_ELFNOTE_H
#define VIGIL_PV_ELFNOTE_H

#include "pv/elf.h"

#define ELFNOTE_TEXT_BYTES 32

struct xen_notes {
    uint64_t present; /* bit per XEN_ELFNOTE_* type below 64 that was found */
    uint64_t entry;
    uint64_t hypercall_page;
    uint64_t virt_base;
    uint64_t paddr_offset;
    uint64_t hv_start_low;
    uint64_t init_p2m;
    uint64_t mod_start_pfn;      /* not 0: initrd is given by PFN, unmapped */
    uint64_t supported_features; /* bit per XENFEAT_*                       */
    char guest_os[ELFNOTE_TEXT_BYTES];
    char guest_version[ELFNOTE_TEXT_BYTES];
    char xen_version[ELFNOTE_TEXT_BYTES];
    char loader[ELFNOTE_TEXT_BYTES];
};

/**
 * elfnote_read() - collect the notes of owner "Xen"
 * @elf:       opened file
 * @ret_notes: filled in when 0 is returned; absent texts are empty, absent
 *             numbers 0
 *
 * Malformed notes end the walk of their segment; unknown ones are skipped.
 * Context: any.
 * Return:  0; -ENOENT no Xen note at all
 */
int elfnote_read(const struct elf_file *elf, struct xen_notes *ret_notes)
    MUST_CHECK;

/**
 * elfnote_has() - was this note there?
 * @notes: from elfnote_read()
 * @type:  XEN_ELFNOTE_*
 *
 * Context: any.
 * Return:  true or false
 */
bool elfnote_has(const struct xen_notes *notes, unsigned int type);

/**
 * elfnote_check_dom0() - can this kernel run as the control domain here?
 * @notes:   from elfnote_read()
 * @ret_why: one phrase, static, when it cannot
 *
 * Context: any.
 * Return:  0, -EINVAL
 */
int elfnote_check_dom0(const struct xen_notes *notes, const char **ret_why)
    MUST_CHECK;

#endif
