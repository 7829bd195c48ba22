/* SPDX-License-Identifier: MIT */
/*
 * pv/build_dom0.c - build the control domain from the loader's modules.
 *
 * In this order, so that a small machine suffices: unpack the kernel, choose
 * Dom0's size, create it, populate what the kernel starts with, load it, give
 * modules and scratch back, populate the rest, validate the page tables.
 *
 * Sources: public xen.h (start of day), elfnote.h.
 */
#include "pv/build_dom0.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/xen_abi.h"
#include "log/printk.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"
#include "domain/rights.h"
#include "domain/vcpu.h"
#include "pv/bzimage.h"
#include "pv/dom0_memory.h"
#include "pv/domain_pv.h"
#include "pv/elf.h"
#include "pv/elfnote.h"
#include "pv/hypercall_page.h"
#include "pv/layout_dom0.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"
#include "pv/pv.h"
#include "pv/xz.h"

#define MIB_PAGES           (1UL << (20 - PAGE_SHIFT))
/* Kept back for our own needs, whatever dom0_mem= says. */
#define KEEP_MIN_PAGES      (8 * MIB_PAGES)
/* Kept back when nothing was said: 1/16, but at most this. */
#define KEEP_MAX_PAGES      (128 * MIB_PAGES)
#define VIDEO_UNIT          65536U /* of the size of a frame buffer */
#define PAGES_TO_MIB(pages) ((pages) / MIB_PAGES)
#define WHY_BYTES           160

static char why_text[WHY_BYTES];

struct build {
    const struct dom0_params *p;
    struct frame *unpacked; /* ELF file taken out of xz, or NULL */
    uint64_t unpacked_pages;
    struct elf_file elf;
    struct xen_notes notes;
    struct dom0_layout layout;
    uint64_t nr_pages;
    struct domain *d;
    struct dom0_memory mem;
};

static INIT_TEXT int unpack(struct build *b,
                            const struct kernel_payload *payload,
                            const char **ret_why)
{
    void *out;

    b->unpacked_pages = DIV_ROUND_UP(payload->unpacked_bytes, PAGE_SIZE);
    b->unpacked = page_alloc_exact(b->unpacked_pages);
    if (b->unpacked == NULL) {
        *ret_why = "not enough memory to unpack the kernel";
        return -ENOMEM;
    }
    out = mfn_to_ptr(frame_mfn(b->unpacked));
    pr_info("Dom0: unpacking the kernel: %lu KiB to %lu KiB",
            payload->bytes >> 10, payload->unpacked_bytes >> 10);
    return xz_unpack(payload->data, payload->bytes, out,
                     payload->unpacked_bytes, ret_why);
}

static INIT_TEXT int read_kernel(struct build *b, const char **ret_why)
{
    struct kernel_payload payload;
    int rc;

    if (b->p->kernel_bytes == 0) {
        *ret_why = "the boot loader gave no kernel (first module)";
        return -ENOENT;
    }
    rc = bzimage_find(maddr_to_ptr(b->p->kernel), b->p->kernel_bytes, &payload,
                      ret_why);
    if (rc == 0 && payload.is_xz) {
        rc = unpack(b, &payload, ret_why);
        payload.data = rc == 0 ? mfn_to_ptr(frame_mfn(b->unpacked)) : NULL;
        payload.bytes = payload.unpacked_bytes;
    }
    if (rc != 0) {
        return rc;
    }
    rc = elf_open(payload.data, payload.bytes, &b->elf, ret_why);
    if (rc != 0) {
        return rc;
    }
    if (elfnote_read(&b->elf, &b->notes) != 0) {
        *ret_why = "the kernel has no Xen notes (built without CONFIG_XEN_PV?)";
        return -EINVAL;
    }
    return elfnote_check_dom0(&b->notes, ret_why);
}

/* Whole pages of a module, all that can be given back. */
static INIT_TEXT uint64_t module_pages(maddr_t start, uint64_t bytes)
{
    maddr_t from = ALIGN_UP(start, PAGE_SIZE);
    maddr_t to = ALIGN_DOWN(start + bytes, PAGE_SIZE);

    return bytes != 0 && to > from ? (to - from) >> PAGE_SHIFT : 0;
}

static INIT_TEXT void module_free(maddr_t start, uint64_t bytes)
{
    uint64_t pages = module_pages(start, bytes);

    if (pages != 0) {
        page_alloc_add(maddr_to_mfn(ALIGN_UP(start, PAGE_SIZE)), pages);
    }
}

static INIT_TEXT int choose_size(struct build *b, const char **ret_why)
{
    const struct dom0_params *p = b->p;
    struct page_alloc_stats stats;
    uint64_t all, most, wanted;

    page_alloc_stats(&stats);
    all = stats.free_frames + b->unpacked_pages +
          module_pages(p->kernel, p->kernel_bytes) +
          module_pages(p->initrd, p->initrd_bytes);
    if (all <= KEEP_MIN_PAGES) {
        *ret_why = "the machine has too little memory";
        return -ENOMEM;
    }
    most = all - KEEP_MIN_PAGES;
    wanted = MAX(p->nr_pages, p->min_pages);
    if (wanted > most) {
        snprintf(why_text, sizeof(why_text),
                 "dom0_mem= asks for %lu MiB, but only %lu MiB are available",
                 PAGES_TO_MIB(wanted), PAGES_TO_MIB(most));
        *ret_why = why_text;
        return -ENOMEM;
    }
    b->nr_pages = p->nr_pages;
    if (b->nr_pages == 0) {
        b->nr_pages = all - MAX(MIN(all / 16, KEEP_MAX_PAGES), KEEP_MIN_PAGES);
    }
    b->nr_pages = MAX(b->nr_pages, p->min_pages);
    if (p->max_pages != 0) {
        b->nr_pages = MIN(b->nr_pages, p->max_pages);
    }
    b->nr_pages = MIN(b->nr_pages, (uint64_t)UINT32_MAX);
    return 0;
}

static INIT_TEXT int choose_layout(struct build *b, const char **ret_why)
{
    struct dom0_layout_in in = {
        .virt_base = b->notes.virt_base,
        .paddr_offset = b->notes.paddr_offset,
        .entry = b->notes.entry,
        .initrd_bytes = b->p->initrd_bytes,
        .initrd_by_pfn = b->notes.mod_start_pfn != 0,
        .p2m_elsewhere = elfnote_has(&b->notes, XEN_ELFNOTE_INIT_P2M),
        .init_p2m = b->notes.init_p2m,
        .nr_pages = b->nr_pages,
    };

    if (!elf_load_range(&b->elf, &in.load_start, &in.load_end)) {
        *ret_why = "the kernel has nothing to load";
        return -EINVAL;
    }
    return layout_dom0(&in, &b->layout, ret_why);
}

static INIT_TEXT int create(struct build *b, const char **ret_why)
{
    unsigned int vcpus = MIN(MAX(b->p->max_vcpus, 1u), (unsigned int)MAX_VCPUS);
    struct xen_domctl_createdomain config = {
        .max_vcpus = vcpus,
        .max_evtchn_port = UINT32_MAX,
        .max_grant_frames = 64,
        .max_maptrack_frames = 1024,
        .grant_opts = XEN_DOMCTL_GRANT_version(2),
    };
    struct vcpu *v;
    int rc = pv_domain_create(0, &config, true, &b->d);

    for (unsigned int i = 0; rc == 0 && i < vcpus; i++) {
        rc = pv_vcpu_create(b->d, i, &v);
    }
    if (rc != 0) {
        *ret_why = "the domain could not be created";
        return rc;
    }
    b->d->max_pages = UINT32_MAX;
    if (b->p->max_pages != 0 && b->p->max_pages < UINT32_MAX) {
        b->d->max_pages = (uint32_t)MAX(b->p->max_pages, b->nr_pages);
    }
    rights_init_control(b->d);
    return 0;
}

static INIT_TEXT int load_segments(struct build *b)
{
    struct elf_segment s;

    for (unsigned int i = 0; elf_segment(&b->elf, i, &s); i++) {
        int rc;

        if (s.type != ELF_PT_LOAD) {
            continue;
        }
        /* The rest of mem_bytes is zero: new frames are clean. */
        rc = dom0_memory_copy(&b->mem, s.paddr - b->notes.paddr_offset, s.data,
                              s.file_bytes);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static INIT_TEXT int load(struct build *b)
{
    const struct dom0_layout *l = &b->layout;
    int rc = dom0_memory_init(&b->mem, b->d, l, b->nr_pages);

    if (rc == 0) {
        rc = dom0_memory_populate(&b->mem, 0, l->rest_pfn);
    }
    if (rc == 0) {
        rc = load_segments(b);
    }
    if (rc == 0 && b->p->initrd_bytes != 0) {
        rc = dom0_memory_copy(&b->mem, l->initrd_pfn << PAGE_SHIFT,
                              maddr_to_ptr(b->p->initrd), b->p->initrd_bytes);
    }
    return rc;
}

static INIT_TEXT void fill_text(const struct fbcon_mode *m,
                                dom0_vga_console_info_t *video)
{
    video->video_type = XEN_VGATYPE_TEXT_MODE_3;
    video->u.text_mode_3.font_height = 16;
    video->u.text_mode_3.cursor_y = (uint16_t)(m->height - 1);
    video->u.text_mode_3.rows = (uint16_t)m->height;
    video->u.text_mode_3.columns = (uint16_t)m->width;
}

static INIT_TEXT void fill_pixels(const struct fbcon_mode *m, bool is_efi,
                                  dom0_vga_console_info_t *video)
{
    unsigned int coloured = m->red_bits + m->green_bits + m->blue_bits;
    uint64_t bytes = (uint64_t)m->pitch * m->height;

    video->video_type = is_efi ? XEN_VGATYPE_EFI_LFB : XEN_VGATYPE_VESA_LFB;
    video->u.vesa_lfb.width = (uint16_t)m->width;
    video->u.vesa_lfb.height = (uint16_t)m->height;
    video->u.vesa_lfb.bytes_per_line = (uint16_t)m->pitch;
    video->u.vesa_lfb.bits_per_pixel = m->bits;
    video->u.vesa_lfb.lfb_base = (uint32_t)m->start;
    video->u.vesa_lfb.ext_lfb_base = (uint32_t)(m->start >> 32);
    video->u.vesa_lfb.lfb_size = (uint32_t)DIV_ROUND_UP(bytes, VIDEO_UNIT);
    video->u.vesa_lfb.red_pos = m->red_at;
    video->u.vesa_lfb.red_size = m->red_bits;
    video->u.vesa_lfb.green_pos = m->green_at;
    video->u.vesa_lfb.green_size = m->green_bits;
    video->u.vesa_lfb.blue_pos = m->blue_at;
    video->u.vesa_lfb.blue_size = m->blue_bits;
    if (m->bits == 32 && coloured == 24) {
        video->u.vesa_lfb.rsvd_pos = 24;
        video->u.vesa_lfb.rsvd_size = 8;
    }
}

static INIT_TEXT void fill_video(struct build *b, start_info_t *si)
{
    dom0_vga_console_info_t *video = (void *)(si + 1);
    const struct fbcon_mode *m = b->p->screen;

    /* Linux reads video_type even when the size is 0. */
    si->console.dom0.info_off = sizeof(*si);
    if (m->kind == FBCON_NONE || m->pitch > UINT16_MAX) {
        return;
    }
    si->console.dom0.info_size = sizeof(*video);
    if (m->kind == FBCON_TEXT) {
        fill_text(m, video);
    } else {
        fill_pixels(m, b->p->is_efi, video);
    }
}

static INIT_TEXT void fill_start_info(struct build *b)
{
    const struct dom0_layout *l = &b->layout;
    start_info_t *si = dom0_memory_page(
        &b->mem, (l->start_info_va - l->virt_base) >> PAGE_SHIFT);

    memset(si, 0, PAGE_SIZE);
    strlcpy(si->magic, "xen-3.0-x86_64p", sizeof(si->magic));
    si->nr_pages = b->nr_pages;
    si->shared_info = mfn_to_maddr(b->d->shared_info_mfn);
    si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
    si->pt_base = l->pt_va;
    si->nr_pt_frames = l->pt_pages;
    si->mfn_list = l->p2m_va;
    if (l->p2m_table_pages != 0) {
        si->first_p2m_pfn = l->p2m_pfn;
        si->nr_p2m_frames = l->p2m_pages + l->p2m_table_pages;
    }
    if (b->p->initrd_bytes != 0) {
        si->mod_len = b->p->initrd_bytes;
        if (b->notes.mod_start_pfn != 0) {
            si->mod_start = l->initrd_pfn;
            si->flags |= SIF_MOD_START_PFN;
        } else {
            si->mod_start = l->initrd_va;
        }
    }
    if (b->p->cmdline != NULL) {
        size_t len =
            strlcpy((char *)si->cmd_line, b->p->cmdline, sizeof(si->cmd_line));

        if (len >= sizeof(si->cmd_line)) {
            pr_warn("Dom0: command line cut to %zu bytes",
                    sizeof(si->cmd_line) - 1);
        }
    }
    fill_video(b, si);
}

static INIT_TEXT void fill_hypercall_page(struct build *b)
{
    uint64_t va = b->notes.hypercall_page;
    void *page;

    if (!elfnote_has(&b->notes, XEN_ELFNOTE_HYPERCALL_PAGE) ||
        va < b->layout.virt_base || !IS_ALIGNED(va, PAGE_SIZE)) {
        return;
    }
    page = dom0_memory_page(&b->mem, (va - b->layout.virt_base) >> PAGE_SHIFT);
    if (page != NULL) {
        hypercall_page_fill(page);
    }
}

static INIT_TEXT int set_context(struct build *b)
{
    const struct dom0_layout *l = &b->layout;
    struct vcpu *v = b->d->vcpu[0];
    struct cpu_regs *regs = vcpu_regs(v);
    struct frame *f; /* nobody has pinned it before */
    int rc = pagetype_pin(b->mem.l4, b->d->domid, PAGETYPE_L4, NULL, &f);

    if (rc == 0) {
        rc = pv_set_base(v, b->mem.l4);
    }
    if (rc != 0) {
        return rc;
    }
    memset(regs, 0, sizeof(*regs));
    regs->rip = b->notes.entry;
    regs->cs = SEL_GUEST_CS64;
    regs->rflags = RFLAGS_IF | RFLAGS_FIXED;
    regs->rsp = l->stack_va + PAGE_SIZE;
    regs->ss = SEL_GUEST_DS;
    regs->rsi = l->start_info_va;
    v->pv->kernel_sp = regs->rsp;
    v->pv->kernel_ss = regs->ss;
    v->pv->guest_kernel = true;
    v->is_initialised = true;
    return 0;
}

static INIT_TEXT void release_input(struct build *b)
{
    if (b->unpacked != NULL) {
        page_free_exact(b->unpacked, b->unpacked_pages);
    }
    module_free(b->p->kernel, b->p->kernel_bytes);
    module_free(b->p->initrd, b->p->initrd_bytes);
}

static INIT_TEXT int build_memory(struct build *b, const char **ret_why)
{
    const struct dom0_layout *l = &b->layout;
    int rc = load(b);

    *ret_why = "not enough memory for Dom0's kernel and initrd";
    if (rc != 0) {
        return rc;
    }
    *ret_why = "Dom0's first page tables do not fit its layout";
    rc = dom0_memory_map(&b->mem, l);
    if (rc != 0) {
        return rc;
    }
    fill_hypercall_page(b);
    fill_start_info(b);
    release_input(b); /* the ELF file is gone from here on */

    *ret_why = "not enough memory for Dom0";
    return dom0_memory_populate(&b->mem, l->rest_pfn,
                                b->nr_pages - l->rest_pfn);
}

INIT_TEXT int build_dom0(const struct dom0_params *p, const char **ret_why)
{
    static struct build b;
    int rc;

    b = (struct build){.p = p};
    rc = read_kernel(&b, ret_why);
    if (rc == 0) {
        rc = choose_size(&b, ret_why);
    }
    if (rc == 0) {
        rc = choose_layout(&b, ret_why);
    }
    if (rc == 0) {
        rc = create(&b, ret_why);
    }
    if (rc == 0) {
        rc = build_memory(&b, ret_why);
    }
    if (rc != 0) {
        return rc;
    }
    rc = set_context(&b);
    if (rc != 0) {
        snprintf(why_text, sizeof(why_text),
                 "its first page tables were refused (error %d)", -rc);
        *ret_why = why_text;
        return rc;
    }
    dom0_memory_done(&b.mem);
    domain_set_state(b.d, DOMAIN_RUNNING);
    pr_info("Dom0: %s %s, %lu MiB, %u vcpu(s), kernel %#lx-%#lx, entry %#lx",
            b.notes.guest_os, b.notes.guest_version, PAGES_TO_MIB(b.nr_pages),
            b.d->max_vcpus, b.layout.virt_base, b.layout.end_va, b.notes.entry);
    return 0;
}
