/* SPDX-License-Identifier: MIT */
/*
 * vigild/box.c - record what the previous boot left in the black box.
 *
 * The hypervisor kept a copy of the zone.  It is fetched, taken apart, filed
 * as one crash of kind "host" or "dom0", and only then acknowledged: if this
 * program or the machine stops in between, the next start files it, and the
 * identity of the box keeps it from being filed twice.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vigil/context.h>
#include <vigil/vigil_op.h>

#include "lib/blackbox_decode.h"
#include "lib/checksum.h"
#include "lib/escape.h"
#include "lib/log_decode.h"
#include "lib/mce_decode.h"
#include "lib/table.h"
#include "vigild/collector.h"

/* A field of struct vigil_box_regs as it is named in registers.json. */
static const struct {
    const char *name;
    size_t offset;
    size_t bytes;
} registers[] = {
#define REGISTER(name)                                                         \
    {                                                                          \
#name, offsetof(struct vigil_box_regs, name),                          \
            sizeof(((struct vigil_box_regs *)NULL)->name)                      \
    }
    REGISTER(cpu),     REGISTER(domid),      REGISTER(vcpu),
    REGISTER(vector),  REGISTER(error_code), REGISTER(rip),
    REGISTER(rsp),     REGISTER(rflags),     REGISTER(rax),
    REGISTER(rbx),     REGISTER(rcx),        REGISTER(rdx),
    REGISTER(rsi),     REGISTER(rdi),        REGISTER(rbp),
    REGISTER(r8),      REGISTER(r9),         REGISTER(r10),
    REGISTER(r11),     REGISTER(r12),        REGISTER(r13),
    REGISTER(r14),     REGISTER(r15),        REGISTER(cr0),
    REGISTER(cr2),     REGISTER(cr3),        REGISTER(cr4),
    REGISTER(fs_base), REGISTER(gs_base),    REGISTER(kernel_gs_base),
    REGISTER(cs),      REGISTER(ss),         REGISTER(ds),
    REGISTER(es),      REGISTER(fs),         REGISTER(gs),
#undef REGISTER
};

/* What is filed: the bytes, and what could be made of them. */
struct boxed {
    const void *data;
    size_t bytes;
    enum box_verdict verdict;
    struct box_view view; /* meaningful when verdict is BOX_OK */
};

static struct json_object *registers_json(const struct box_section *section)
{
    struct json_object *object = json_object_new_object();

    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        uint64_t value = 0;

        /* x86: the low bytes come first, whatever the width. */
        memcpy(&value, section->data + registers[i].offset, registers[i].bytes);
        if (registers[i].bytes == sizeof(uint64_t)) {
            json_add_hex(object, registers[i].name, value);
        } else {
            json_add_number(object, registers[i].name, value);
        }
    }
    json_add_text(object, "trust", box_trust_text(section->trust));
    return object;
}

static int add_registers(const struct box_view *view, struct store_entry *entry,
                         struct fault *fault)
{
    const struct box_section *section =
        box_section_find(view, VIGIL_BOX_SECT_REGS);
    struct json_object *object;
    int ret;

    if (!section || section->bytes < sizeof(struct vigil_box_regs)) {
        return 0;
    }
    object = registers_json(section);
    ret = store_json(entry, "registers.json", object, fault);
    json_object_put(object);
    return ret;
}

/* The @at-th CPU of the box. */
static int cpu_of(const struct box_view *view, size_t at,
                  struct vigil_box_cpu *ret_cpu)
{
    const struct box_section *section =
        box_section_find(view, VIGIL_BOX_SECT_CPUS);

    if (!section || at >= section->bytes / sizeof(*ret_cpu)) {
        return 0;
    }
    memcpy(ret_cpu, section->data + at * sizeof(*ret_cpu), sizeof(*ret_cpu));
    return 1;
}

/*
 * The first CPU from @at on that a reset found in the middle of an NMI or #MC,
 * in a box that nobody finished; -1: none
 */
static int reset_cpu(const struct box_view *view, size_t at,
                     uint32_t *ret_context)
{
    const struct box_section *section =
        box_section_find(view, VIGIL_BOX_SECT_CONTEXTS);

    if (!section || view->header.state != VIGIL_BOX_RUNNING) {
        return -1;
    }
    for (; at < section->bytes / sizeof(*ret_context); at++) {
        memcpy(ret_context, section->data + at * sizeof(*ret_context),
               sizeof(*ret_context));
        if (*ret_context) {
            return (int)at;
        }
    }
    return -1;
}

static const char *cpu_state_name(uint32_t state)
{
    static const char *const names[] = {"?", "died", "stopped", "did not stop",
                                        "did not stop, was sent INIT"};

    return names[state < sizeof(names) / sizeof(names[0]) ? state : 0];
}

/* What each CPU was in the middle of. */
static int add_cpus(const struct box_view *view, struct store_entry *entry,
                    struct fault *fault)
{
    char words[VIGIL_CTX_TEXT_BYTES];
    struct vigil_box_cpu cpu;
    struct store_text text;
    uint32_t context;
    FILE *out;

    if (!cpu_of(view, 0, &cpu) && reset_cpu(view, 0, &context) < 0) {
        return 0;
    }
    out = store_text_begin(&text);
    for (size_t i = 0; cpu_of(view, i, &cpu); i++) {
        vigil_context_words(cpu.context, words, sizeof(words));
        fprintf(out, "cpu %u %s, in %s", cpu.cpu, cpu_state_name(cpu.state),
                words);
        if (cpu.state != VIGIL_BOX_CPU_SILENT &&
            cpu.state != VIGIL_BOX_CPU_INIT) {
            fprintf(out, ", rip %04x:%016" PRIx64 " rsp %016" PRIx64, cpu.cs,
                    cpu.rip, cpu.rsp);
        }
        fprintf(out, "\n");
    }
    for (int at = -1; (at = reset_cpu(view, at + 1, &context)) >= 0;) {
        vigil_context_words(context, words, sizeof(words));
        fprintf(out, "cpu %d was reset, in %s\n", at, words);
    }
    return store_text_end(&text, entry, "cpus.txt", fault);
}

/* In words, what the CPU that failed was in the middle of; false: unknown */
static int died_in(const struct boxed *box, char *words, size_t size)
{
    struct vigil_box_cpu cpu;

    if (box->verdict != BOX_OK || !cpu_of(&box->view, 0, &cpu) ||
        cpu.state != VIGIL_BOX_CPU_DIED) {
        return 0;
    }
    vigil_context_words(cpu.context, words, size);
    return 1;
}

/* A section that is text: escaped, and marked if it is not verified. */
static int add_text(const struct box_view *view, uint32_t type,
                    const char *file, struct store_entry *entry,
                    struct fault *fault)
{
    const struct box_section *section = box_section_find(view, type);
    char *plain;
    char *text;
    int ret;

    if (!section || section->bytes == 0) {
        return 0;
    }
    plain = escape_dup((const char *)section->data,
                       strnlen((const char *)section->data, section->bytes),
                       ESCAPE_KEEP_LINES);
    text = xasprintf(
        "%s%s%s%s", section->trust == BOX_VERIFIED ? "" : "[",
        section->trust == BOX_VERIFIED ? "" : box_trust_text(section->trust),
        section->trust == BOX_VERIFIED ? "" : "]\n", plain);
    ret = store_file(entry, file, text, strlen(text), fault);
    free(text);
    free(plain);
    return ret;
}

static int add_log(const struct box_view *view, struct store_entry *entry,
                   struct fault *fault)
{
    const struct box_section *section =
        box_section_find(view, VIGIL_BOX_SECT_LOG);
    struct store_text text;
    struct log_decoded log;

    if (!section) {
        return 0;
    }
    log_decode(section->data, section->bytes, view->header.boot_id, &log);
    log_write_text(store_text_begin(&text), &log, view->header.tsc_khz);
    log_decoded_free(&log);
    return store_text_end(&text, entry, "hypervisor.txt", fault);
}

static unsigned int machine_checks(const struct box_view *view)
{
    const struct box_section *s = box_section_find(view, VIGIL_BOX_SECT_MCE);

    return s ? mce_count(s->data, s->bytes) : 0;
}

static int add_machine_checks(const struct box_view *view,
                              struct store_entry *entry, struct fault *fault)
{
    const struct box_section *section =
        box_section_find(view, VIGIL_BOX_SECT_MCE);
    struct store_text text;

    if (machine_checks(view) == 0) {
        return 0;
    }
    mce_write_text(store_text_begin(&text), section->data, section->bytes);
    return store_text_end(&text, entry, "machine-checks.txt", fault);
}

/* Nobody panicked: what there is besides the log. */
static char *what_reset(const struct box_view *view)
{
    unsigned int count = machine_checks(view);
    char left[64] = "only the log is left";
    char words[VIGIL_CTX_TEXT_BYTES];
    uint32_t context;
    int cpu = reset_cpu(view, 0, &context);

    if (count) {
        snprintf(left, sizeof(left), "%u machine check%s had not been collected",
                 count, count == 1 ? "" : "s");
    }
    if (cpu < 0) {
        return xasprintf("the machine was reset and nothing panicked before: %s",
                         left);
    }
    vigil_context_words(context, words, sizeof(words));
    return xasprintf("the machine was reset while cpu %d was in %s, and nothing "
                     "panicked before: %s",
                     cpu, words, left);
}

static char *what_happened(const struct boxed *box)
{
    const struct vigil_box_header *header = &box->view.header;
    const char *prefix = "hypervisor panic: ";
    char incomplete[64] = "";
    char again[64] = "";

    if (box->verdict != BOX_OK) {
        return xasprintf("black box found, but %s",
                         box_verdict_text(box->verdict));
    }
    if (header->kind == VIGIL_BOX_KIND_RESET) {
        return what_reset(&box->view);
    }
    if (header->state == VIGIL_BOX_WRITING) {
        snprintf(incomplete, sizeof(incomplete),
                 " (record incomplete, stage %s)",
                 box_stage_name(header->stage));
    }
    if (header->depth) {
        snprintf(again, sizeof(again), " (and %u more while panicking)",
                 header->depth);
    }
    if (header->kind == VIGIL_BOX_KIND_DOM0) {
        /* The hypervisor's reason already says who crashed. */
        prefix = header->reason[0] ? "" : "control domain crashed: ";
    }
    return xasprintf("%s%s%s%s", prefix,
                     header->reason[0] ? header->reason : "no reason given",
                     again, incomplete);
}

static const char *class_of(const struct boxed *box)
{
    if (box->verdict != BOX_OK) {
        return "box_unreadable";
    }
    switch (box->view.header.kind) {
    case VIGIL_BOX_KIND_HYPERVISOR:
        return "hypervisor_panic";
    case VIGIL_BOX_KIND_DOM0:
        return "dom0_crash";
    default:
        return "reset";
    }
}

static void add_box_meta(struct json_object *meta, const struct boxed *box)
{
    const struct vigil_box_header *header = &box->view.header;
    struct json_object *object = json_object_new_object();
    char words[VIGIL_CTX_TEXT_BYTES];

    json_add_number(object, "bytes", box->bytes);
    json_add_number(object, "crc32", checksum_crc32(box->data, box->bytes));
    json_add_text(object, "verdict", box_verdict_text(box->verdict));
    if (box->verdict == BOX_OK) {
        json_add_hex(object, "boot_id", header->boot_id);
        json_add_number(object, "generation", header->generation);
        json_add_number(object, "state", header->state);
        json_add_text(object, "stage", box_stage_name(header->stage));
        json_add_number(object, "depth", header->depth);
        json_add_number(object, "cpu", header->cpu);
        if (died_in(box, words, sizeof(words))) {
            json_add_text(object, "context", words);
        }
        json_add_text(object, "build", header->build);
        json_add_text(object, "header", box_trust_text(box->view.header_trust));
        json_add_number(object, "sections_rejected", box->view.rejected_count);
        json_add_text(object, "time_from",
                      box_time_ns(header) ? "box" : "collection");
    }
    json_object_object_add(meta, "box", object);
}

/* Is @object's @key this text? */
static int has_text(struct json_object *object, const char *key,
                    const char *wanted)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value) &&
           json_object_is_type(value, json_type_string) &&
           strcmp(json_object_get_string(value), wanted) == 0;
}

static int has_number(struct json_object *object, const char *key,
                      uint64_t wanted)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value) &&
           json_object_is_type(value, json_type_int) &&
           json_object_get_uint64(value) == wanted;
}

/*
 * Does @meta describe this box?  One that cannot say who it is, is known by
 * its bytes and by the boot that found it.
 */
static int is_same_box(struct collector *collector, struct json_object *meta,
                       const struct boxed *box)
{
    const struct vigil_box_header *header = &box->view.header;
    struct json_object *object;
    struct json_object *host;
    char boot_id[24];

    if (!json_object_object_get_ex(meta, "box", &object)) {
        return 0;
    }
    if (box->verdict == BOX_OK && header->boot_id) {
        snprintf(boot_id, sizeof(boot_id), "0x%016" PRIx64, header->boot_id);
        return has_text(object, "boot_id", boot_id) &&
               has_number(object, "generation", header->generation);
    }
    return json_object_object_get_ex(meta, "host", &host) &&
           has_text(host, "boot_id", collector->boot_id) &&
           has_number(object, "bytes", box->bytes) &&
           has_number(object, "crc32", checksum_crc32(box->data, box->bytes));
}

/* Was this very box filed by an earlier run of this program?  -1: no telling */
static int is_filed(struct collector *collector, const struct boxed *box,
                    struct fault *fault)
{
    struct crash_list list;
    int found = 0;

    if (store_read(collector->store.path, &list, fault)) {
        return -1;
    }
    for (size_t i = 0; i < list.count && !found; i++) {
        found = is_same_box(collector, list.crashes[i].meta, box);
    }
    crash_list_free(&list);
    return found;
}

static int add_reason(const struct boxed *box, const char *what,
                      struct store_entry *entry, struct fault *fault)
{
    const struct vigil_box_header *header = &box->view.header;
    char words[VIGIL_CTX_TEXT_BYTES] = "?";
    char where[VIGIL_CTX_TEXT_BYTES + 32] = "";
    char *text;
    int ret;

    if (box->verdict == BOX_OK) {
        int known = died_in(box, words, sizeof(words));

        /* Where nobody panicked no CPU did it. */
        if (header->kind != VIGIL_BOX_KIND_RESET) {
            snprintf(where, sizeof(where), "on cpu %u%s%s, ", header->cpu,
                     known ? ", in " : "", known ? words : "");
        }
        text = xasprintf("%s\n%s%s\nrecord %s, boot %" PRIu64 "\n", what,
                         where, header->build,
                         box_trust_text(box->view.header_trust),
                         header->generation);
    } else {
        text = xasprintf("%s\n%zu bytes kept in box.bin\n", what, box->bytes);
    }
    ret = store_file(entry, "reason.txt", text, strlen(text), fault);
    free(text);
    return ret;
}

static int fill_entry(const struct boxed *box, const char *what,
                      struct json_object *meta, struct store_entry *entry,
                      struct fault *fault)
{
    const struct box_view *view = &box->view;

    if (store_json(entry, STORE_BEGUN, meta, fault) ||
        add_reason(box, what, entry, fault)) {
        return -1;
    }
    if (box->verdict == BOX_OK) {
        if (add_registers(view, entry, fault) ||
            add_cpus(view, entry, fault) ||
            add_text(view, VIGIL_BOX_SECT_BACKTRACE, "backtrace.txt", entry,
                     fault) ||
            add_text(view, VIGIL_BOX_SECT_NOTES, "notes.txt", entry, fault) ||
            add_machine_checks(view, entry, fault) ||
            add_log(view, entry, fault)) {
            return -1;
        }
    }
    return store_file(entry, "box.bin", box->data, box->bytes, fault);
}

static int file_box(struct collector *collector, const struct boxed *box,
                    struct fault *fault)
{
    int dom0 =
        box->verdict == BOX_OK && box->view.header.kind == VIGIL_BOX_KIND_DOM0;
    uint64_t time_ns =
        box->verdict == BOX_OK ? box_time_ns(&box->view.header) : 0;
    const char *kind = dom0 ? "dom0" : "host";
    char *what = what_happened(box);
    struct store_entry entry;
    struct json_object *meta;
    int ret;

    time_ns = time_ns ? time_ns : moment_now();
    ret = store_begin(&collector->store, &entry, time_ns, kind,
                      dom0 ? "Domain-0" : collector->host, fault);
    if (ret) {
        free(what);
        return -1;
    }
    meta = meta_new(collector, &entry, time_ns, kind);
    if (dom0) {
        struct json_object *guest = json_object_new_object();

        json_add_text(guest, "name", "Domain-0");
        json_add_number(guest, "domid", 0);
        json_object_object_add(meta, "guest", guest);
    }
    add_box_meta(meta, box);
    meta_reason(collector, meta, dom0 ? "Domain-0" : "", class_of(box), what,
                "hypervisor");
    ret = fill_entry(box, what, meta, &entry, fault);
    if (ret) {
        store_abandon(&entry);
    } else {
        ret = store_commit(&entry, meta, fault);
    }
    if (ret == 0) {
        char *sentence = xasprintf("previous boot: %s", what);

        event_log(collector, meta, sentence);
        free(sentence);
    }
    json_object_put(meta);
    free(what);
    return ret;
}

/* An orderly end needs no record, if the box is believed and nothing is left. */
static int is_clean(const struct boxed *box)
{
    return box->verdict == BOX_OK &&
           box->view.header.kind == VIGIL_BOX_KIND_CLEAN &&
           machine_checks(&box->view) == 0 &&
           box->view.header_trust == BOX_VERIFIED;
}

int box_collect(struct collector *collector, struct fault *fault)
{
    struct boxed *box = xmalloc(sizeof(*box));
    void *data = NULL;
    int ret = vigil_box_fetch(&collector->xen, &data, &box->bytes);

    if (ret) {
        free(box);
        if (ret == -ENOENT || ret == -ENOSYS) {
            collector->box_is_done = 1;
            return 0;
        }
        return fault_errno(fault, -ret,
                           "the previous boot's black box "
                           "cannot be fetched");
    }
    box->data = data;
    box->verdict = box_decode(data, box->bytes, &box->view);
    if (!is_clean(box)) {
        ret = is_filed(collector, box, fault);
        if (ret == 0) {
            ret = file_box(collector, box, fault);
        }
        ret = ret < 0 ? -1 : 0;
    }
    if (ret == 0) {
        ret = vigil_call(&collector->xen, VIGIL_OP_box_ack, NULL, 0);
        collector->box_is_done = 1;
        if (ret) {
            say("warning: the black box cannot be acknowledged: %s",
                strerror(-ret));
        }
        ret = 0;
    }
    free(data);
    free(box);
    return ret;
}
