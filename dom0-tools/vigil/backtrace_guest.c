/* SPDX-License-Identifier: MIT */
/*
 * vigil/backtrace_guest.c - vigil backtrace GUEST: where its vcpus are.
 *
 * The guest stands while it is looked at, and nothing of it is changed.  Its
 * memory is read through its own page tables.  What stands on a kernel stack and
 * lies in a function of the kernel is shown with a "?": a return address, or one
 * that was left there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/escape.h"
#include "lib/guests.h"
#include "lib/ksyms.h"
#include "lib/table.h"
#include "vigil/commands.h"

/* After xenctrl.h, which asks for the tools' part of the same headers. */
#include <xenforeignmemory.h>

#define PAGE_BYTES   4096UL
#define PAGE_ENTRIES 512U
#define PTE_PRESENT  1UL
#define PTE_LARGE    0x80UL
#define PTE_FRAME    0x000ffffffffff000UL
#define LEVELS       4

/* Linux's stacks are that large, and lie at a multiple of it. */
#define STACK_BYTES 16384UL
#define FRAMES_MAX  64U
#define KERNEL_HALF 0xffff800000000000UL
#define NOTE_BEGINS "OSRELEASE="
#define CACHE       64U

struct memory {
    xenforeignmemory_handle *handle;
    uint32_t domid;
    xen_pfn_t cr3; /* frame of the top table */
    struct cached {
        xen_pfn_t frame;
        void *page; /* NULL: free */
    } cache[CACHE];
};

/* ---- memory ---------------------------------------------------------------- */

static void *page_of(struct memory *m, xen_pfn_t frame)
{
    struct cached *c = &m->cache[frame % CACHE];

    if (c->page && c->frame == frame) {
        return c->page;
    }
    if (c->page) {
        xenforeignmemory_unmap(m->handle, c->page, 1);
    }
    c->page =
        xenforeignmemory_map(m->handle, m->domid, PROT_READ, 1, &frame, NULL);
    c->frame = frame;
    return c->page;
}

/* Frame of a virtual address; 0: not mapped. */
static xen_pfn_t frame_of(struct memory *m, uint64_t address)
{
    xen_pfn_t frame = m->cr3;

    for (int level = LEVELS; level > 0; level--) {
        const uint64_t *table = page_of(m, frame);
        unsigned int shift = 12 + 9 * (unsigned int)(level - 1);
        uint64_t entry;

        if (!table) {
            return 0;
        }
        entry = table[address >> shift & (PAGE_ENTRIES - 1)];
        if (!(entry & PTE_PRESENT) || (level > 1 && (entry & PTE_LARGE))) {
            return 0;
        }
        frame = (entry & PTE_FRAME) >> 12;
    }
    return frame;
}

static int read_memory(void *who, uint64_t address, void *buf, size_t len)
{
    char *to = buf;

    while (len > 0) {
        size_t offset = address % PAGE_BYTES, part = PAGE_BYTES - offset;
        xen_pfn_t frame = frame_of(who, address);
        const char *page = frame ? page_of(who, frame) : NULL;

        if (!page) {
            return -1;
        }
        part = part < len ? part : len;
        memcpy(to, page + offset, part);
        to += part;
        address += part;
        len -= part;
    }
    return 0;
}

/* ---- the kernel's note ------------------------------------------------------- */

/* Frames that are mapped at a time. */
struct batch {
    uint64_t table[PAGE_ENTRIES]; /* as the guest has them */
    xen_pfn_t list[PAGE_ENTRIES]; /* those that are its own */
    int errors[PAGE_ENTRIES];
};

/* Is one of the first @count frames the note's?  Else NULL. */
static char *look_in(struct memory *m, struct batch *b, size_t count)
{
    size_t used = 0;
    char *pages, *note = NULL;

    for (size_t i = 0; i < count; i++) {
        /* Bit 63: no frame, 62: another's. */
        if (b->table[i] && !(b->table[i] >> 62)) {
            b->list[used++] = b->table[i];
        }
    }
    pages = used ? xenforeignmemory_map(m->handle, m->domid, PROT_READ, used,
                                        b->list, b->errors)
                 : NULL;
    if (!pages) {
        return NULL;
    }
    for (size_t i = 0; i < used && !note; i++) {
        const char *page = pages + i * PAGE_BYTES;

        if (!b->errors[i] &&
            memcmp(page, NOTE_BEGINS, strlen(NOTE_BEGINS)) == 0 &&
            memmem(page, PAGE_BYTES, "SYMBOL(", 7)) {
            note = xmalloc(PAGE_BYTES + 1);
            memcpy(note, page, PAGE_BYTES);
        }
    }
    xenforeignmemory_unmap(m->handle, pages, used);
    return note;
}

/* Through the table of frames that its kernel has told in shared info. */
static char *find_note(struct memory *m, uint64_t table, uint64_t count)
{
    struct batch *b = xmalloc(sizeof(*b));
    char *note = NULL;

    for (uint64_t i = 0; table && i < count && !note; i += PAGE_ENTRIES) {
        uint64_t left = count - i;

        if (read_memory(m, table + i * sizeof(b->table[0]), b->table,
                        sizeof(b->table)) == 0) {
            note = look_in(m, b, left < PAGE_ENTRIES ? left : PAGE_ENTRIES);
        }
    }
    free(b);
    return note;
}

static int load_symbols(struct memory *m, const struct guest *guest,
                        struct ksyms *syms, struct fault *fault)
{
    const shared_info_t *shared = page_of(m, guest->info.shared_info_frame);
    char *note;
    int rc;

    if (!shared) {
        return fault_errno(fault, errno, "the guest's memory cannot be read");
    }
    note = find_note(m, shared->arch.p2m_vaddr, shared->arch.max_pfn);
    if (!note) {
        return fault_set(fault, EXIT_FAILED,
                         "no kernel of Linux is found in the guest");
    }
    rc = ksyms_from_kernel(note, read_memory, m, syms, fault);
    free(note);
    return rc;
}

/* ---- what is printed ----------------------------------------------------------- */

static char *address_text(const struct ksyms *syms, uint64_t address,
                          const char *mark)
{
    uint64_t offset;
    const char *name = ksyms_find(syms, address, &offset);

    if (!name) {
        return xasprintf("[<%016lx>]", address);
    }
    return xasprintf("[<%016lx>] %s%s+0x%lx", address, mark, name, offset);
}

static void add_stack(struct memory *m, const struct ksyms *syms, uint64_t rsp,
                      struct json_object *frames)
{
    uint64_t top = (rsp | (STACK_BYTES - 1)) + 1, word, offset;
    unsigned int found = 0;

    for (uint64_t at = rsp & ~7UL; at < top && found < FRAMES_MAX; at += 8) {
        if (read_memory(m, at, &word, sizeof(word))) {
            break;
        }
        /* A return address is behind a call, never at a function's start. */
        if (word >= KERNEL_HALF && ksyms_find(syms, word, &offset) &&
            offset != 0) {
            char *text = address_text(syms, word, "? ");

            json_object_array_add(frames, json_object_new_string(text));
            free(text);
            found++;
        }
    }
}

/* Its registers; @any is large, and used for one vcpu after the other. */
static int add_vcpu(struct xen *xen, struct memory *m,
                    const struct ksyms *syms, unsigned int vcpu,
                    vcpu_guest_context_any_t *any, struct json_object *list)
{
    struct json_object *object, *frames;
    const vcpu_guest_context_x86_64_t *c = &any->x64;
    xc_vcpuinfo_t info;
    char *text;
    int in_kernel;

    if (xc_vcpu_getinfo(xen->xch, m->domid, vcpu, &info) || !info.online ||
        xc_vcpu_getcontext(xen->xch, m->domid, vcpu, any)) {
        return -1;
    }
    in_kernel = (c->flags & VGCF_in_kernel) != 0;
    object = json_object_new_object();
    frames = json_object_new_array();
    json_add_number(object, "vcpu", vcpu);
    json_add_text(object, "mode", in_kernel ? "kernel" : "user");
    json_add_text(object, "state", info.running   ? "running"
                                   : info.blocked ? "blocked"
                                                  : "waiting");
    text = address_text(syms, c->user_regs.rip, "");
    json_add_text(object, "rip", text);
    free(text);
    text = xasprintf("%016lx", (unsigned long)c->user_regs.rsp);
    json_add_text(object, "rsp", text);
    free(text);
    m->cr3 = xen_cr3_to_pfn(c->ctrlreg[3]);
    if (in_kernel) {
        add_stack(m, syms, c->user_regs.rsp, frames);
    }
    json_object_object_add(object, "frames", frames);
    json_object_array_add(list, object);
    return 0;
}

static const char *text_in(struct json_object *object, const char *key)
{
    return json_object_get_string(json_object_object_get(object, key));
}

static void print_line(const char *text)
{
    escape_print(stdout, text, strlen(text), 0); /* names are the guest's */
    printf("\n");
}

static void print_vcpus(struct json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *object = json_object_array_get_idx(list, i);
        struct json_object *frames = json_object_object_get(object, "frames");

        printf("vcpu %s: %s, in %s mode, rsp %s\n", text_in(object, "vcpu"),
               text_in(object, "state"), text_in(object, "mode"),
               text_in(object, "rsp"));
        printf("   ");
        print_line(text_in(object, "rip"));
        for (size_t n = 0; n < json_object_array_length(frames); n++) {
            printf("   ");
            print_line(json_object_get_string(
                json_object_array_get_idx(frames, n)));
        }
    }
}

/* ---- the verb --------------------------------------------------------------------- */

static int look_at(const struct invocation *call, struct xen *xen,
                   struct memory *m, const struct guest *guest,
                   struct fault *fault)
{
    const char *map = opts_given(call, 0, "symbols");
    vcpu_guest_context_any_t *any = xmalloc(sizeof(*any));
    struct ksyms syms = {.count = 0};
    struct json_object *list;
    struct fault why = {.code = EXIT_DONE};

    if (xc_vcpu_getcontext(xen->xch, m->domid, 0, any)) {
        fault_errno(fault, errno, "the guest's registers cannot be read");
        free(any);
        return -1;
    }
    m->cr3 = xen_cr3_to_pfn(any->x64.ctrlreg[3]);
    if (map && ksyms_from_file(map, &syms, fault)) {
        free(any);
        return -1;
    }
    if (!map && load_symbols(m, guest, &syms, &why)) {
        say_fault(&why); /* numbers are better than nothing */
    }
    list = json_object_new_array();
    for (unsigned int vcpu = 0; vcpu <= guest->info.max_vcpu_id; vcpu++) {
        (void)add_vcpu(xen, m, &syms, vcpu, any, list);
    }
    free(any);
    ksyms_free(&syms);
    if (opts_given(call, 0, "json")) {
        struct json_object *top = json_object_new_object();

        json_add_text(top, "schema", "vigil.backtrace/1");
        json_add_text(top, "name", guest->name);
        json_object_object_add(top, "vcpus", list);
        json_print(top);
    } else {
        print_vcpus(list);
        json_object_put(list);
    }
    return 0;
}

int backtrace_guest(const struct invocation *call)
{
    const struct guest *guest;
    struct guest_list list;
    struct memory *m;
    struct fault fault;
    struct xen xen;
    int rc = -1, stopped;

    if (command_guest(call, &xen, &list, &guest, &fault)) {
        return say_fault(&fault);
    }
    m = xmalloc(sizeof(*m));
    m->domid = guest->domid;
    m->handle = xenforeignmemory_open(NULL, 0);
    if (guest->domid == 0) {
        fault_set(&fault, EXIT_USAGE, "Dom0 cannot look at itself while it "
                                      "stands; say: vigil backtrace host");
    } else if (!m->handle) {
        fault_errno(&fault, errno, "guests' memory cannot be mapped");
    } else {
        stopped = xc_domain_pause(xen.xch, guest->domid) == 0;
        rc = look_at(call, &xen, m, guest, &fault);
        if (stopped) {
            xc_domain_unpause(xen.xch, guest->domid);
        }
    }
    for (unsigned int i = 0; m->handle && i < CACHE; i++) {
        if (m->cache[i].page) {
            xenforeignmemory_unmap(m->handle, m->cache[i].page, 1);
        }
    }
    if (m->handle) {
        xenforeignmemory_close(m->handle);
    }
    free(m);
    guests_free(&list);
    xen_close(&xen);
    return rc ? say_fault(&fault) : EXIT_DONE;
}
