/* SPDX-License-Identifier: MIT */
/*
 * vigild/deaths.c - record each guest that crashed or was killed.
 *
 * Vigil keeps a record of every death, numbered, whoever made the guest and
 * whatever became of it.  On another hypervisor only guests that still stand
 * there crashed can be seen; those are recorded too.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vigil/vigil_op.h>

#include "lib/consolelog.h"
#include "lib/death.h"
#include "lib/guestnote.h"
#include "lib/place.h"
#include "lib/table.h"
#include "vigild/collector.h"

#define CONSOLE_TAIL_BYTES (64U * 1024)
#define LOG_TAIL_LINES     200

/* A field of struct vigil_death as it is named in registers.json. */
struct register_field {
    const char *name;
    size_t offset;
};

static const struct register_field wide_registers[] = {
#define REGISTER(name)                                                         \
    {                                                                          \
#name, offsetof(struct vigil_death, name)                              \
    }
    REGISTER(rip),     REGISTER(rsp),     REGISTER(rflags),       REGISTER(rax),
    REGISTER(rbx),     REGISTER(rcx),     REGISTER(rdx),          REGISTER(rsi),
    REGISTER(rdi),     REGISTER(rbp),     REGISTER(r8),           REGISTER(r9),
    REGISTER(r10),     REGISTER(r11),     REGISTER(r12),          REGISTER(r13),
    REGISTER(r14),     REGISTER(r15),     REGISTER(cr2),          REGISTER(cr3),
    REGISTER(fs_base), REGISTER(gs_base), REGISTER(gs_base_user),
};

static const struct register_field narrow_registers[] = {
    REGISTER(cs),     REGISTER(ss),         REGISTER(ds),
    REGISTER(es),     REGISTER(fs),         REGISTER(gs),
    REGISTER(vector), REGISTER(error_code), REGISTER(guest_kernel),
#undef REGISTER
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct json_object *registers_json(const struct vigil_death *death)
{
    struct json_object *registers = json_object_new_object();
    struct json_object *stack = json_object_new_array();
    const char *base = (const char *)death;
    uint32_t words = death->stack_words;

    json_add_number(registers, "vcpu", death->vcpu);
    for (size_t i = 0; i < COUNT(wide_registers); i++) {
        uint64_t value;

        memcpy(&value, base + wide_registers[i].offset, sizeof(value));
        json_add_hex(registers, wide_registers[i].name, value);
    }
    for (size_t i = 0; i < COUNT(narrow_registers); i++) {
        uint32_t value;

        memcpy(&value, base + narrow_registers[i].offset, sizeof(value));
        json_add_number(registers, narrow_registers[i].name, value);
    }
    for (uint32_t i = 0; i < words && i < COUNT(death->stack); i++) {
        char text[24];

        snprintf(text, sizeof(text), "0x%016" PRIx64, death->stack[i]);
        json_object_array_add(stack, json_object_new_string(text));
    }
    json_object_object_add(registers, "stack", stack);
    return registers;
}

/* The end of a text, whole lines. */
static const char *tail_lines(const char *text, size_t len, int lines)
{
    const char *at = text + len;

    while (at > text) {
        if (at[-1] == '\n' && at < text + len && --lines == 0) {
            break;
        }
        at--;
    }
    return at;
}

static int add_hypervisor_log(struct collector *collector,
                              struct store_entry *entry, struct fault *fault)
{
    struct fault unread;
    size_t len;
    char *text = console_ring_read(&collector->xen, 0, &len, &unread);
    const char *from;
    int ret;

    if (!text) {
        return store_file(entry, "hypervisor.txt", unread.text,
                          strlen(unread.text), fault);
    }
    from = tail_lines(text, len, LOG_TAIL_LINES);
    ret = store_file(entry, "hypervisor.txt", from, len - (size_t)(from - text),
                     fault);
    free(text);
    return ret;
}

/* Where the words of this run of a guest begin in xenconsoled's log. */
static int64_t console_start(const struct known_guest *known, const char *uuid,
                             uint32_t domid)
{
    int64_t start = guestnote_console_start(uuid, domid);

    return start == CONSOLE_START_UNKNOWN && known->domid == domid
               ? known->console_start
               : start;
}

static int add_console(struct collector *collector,
                       const struct known_guest *known, const char *uuid,
                       uint32_t domid, struct store_entry *entry,
                       struct fault *fault)
{
    int64_t start =
        known ? console_start(known, uuid, domid) : CONSOLE_START_UNKNOWN;
    size_t log_len = 0;
    size_t page_len = 0;
    char *log = known ? console_log_read(known->name, start, CONSOLE_TAIL_BYTES,
                                         &log_len)
                      : NULL;
    char *page = NULL;
    struct store_text text;
    FILE *out = store_text_begin(&text);
    int ret;

    /* A guest that was started anew has the UUID, but another page. */
    if (known && known->domid == domid && known->alive && known->console_mfn) {
        page = console_page_of(&collector->xen, known->domid, known->uuid,
                               known->console_mfn, &page_len);
    }
    if (log) {
        fprintf(out, "== log of xenconsoled, last %zu bytes%s\n", log_len,
                start == CONSOLE_START_UNKNOWN
                    ? ", which earlier guests of that name may have begun"
                    : "");
        fwrite(log, 1, log_len, out);
    }
    if (page) {
        fprintf(out, "%s== console page, last %zu bytes\n",
                log_len && log[log_len - 1] != '\n' ? "\n" : "", page_len);
        fwrite(page, 1, page_len, out);
    }
    if (!log && !page) {
        fprintf(out, "== nothing: no log of xenconsoled, and the console "
                     "page is gone with the guest\n");
    }
    ret = store_text_end(&text, entry, "console.txt", fault);
    free(page);
    free(log);
    return ret;
}

static int add_config(const char *uuid, struct store_entry *entry,
                      struct fault *fault)
{
    size_t len;
    char *text = guestnote_config(uuid, &len);
    int ret;

    if (!text) {
        return 0; /* made by another toolstack, which keeps its own */
    }
    ret = store_file(entry, "config.cfg", text, len, fault);
    free(text);
    return ret;
}

/* What happened, and the hypervisor's details if it gave any. */
static char *death_text(const struct vigil_death *death)
{
    return xasprintf(
        "%s%s%s%s", death_by_guest(death->code) ? "" : "killed by hypervisor: ",
        death_sentence(death->code), death->text[0] ? ": " : "", death->text);
}

static int add_reason(const struct vigil_death *death, const char *name,
                      const char *text, struct store_entry *entry,
                      struct fault *fault)
{
    char where[64] = "";
    char stamp[40];
    char *reason;
    int ret;

    moment_rfc3339(stamp, sizeof(stamp), death->time_ns);
    if (death->maddr) {
        snprintf(where, sizeof(where), ", machine address 0x%" PRIx64,
                 death->maddr);
    }
    reason = xasprintf("guest %s (domain %u, vcpu %u): %s\n"
                       "class %s%s\nat %s\n",
                       name, death->domid, death->vcpu, text,
                       death_class(death->code), where, stamp);
    ret = store_file(entry, "reason.txt", reason, strlen(reason), fault);
    free(reason);
    return ret;
}

static struct json_object *guest_meta(const struct vigil_death *death,
                                      const struct known_guest *known,
                                      const char *uuid, const char *name)
{
    struct json_object *guest = json_object_new_object();

    json_add_text(guest, "name", name);
    json_add_text(guest, "uuid", uuid);
    json_add_number(guest, "domid", death->domid);
    json_add_text(guest, "type", "pv");
    if (known) {
        json_add_number(guest, "vcpus", known->vcpus);
        json_add_number(guest, "memory_kib", known->memory_kib);
    }
    return guest;
}

static int fill_entry(struct collector *collector,
                      const struct vigil_death *death,
                      const struct known_guest *known, const char *uuid,
                      const char *name, const char *text,
                      struct json_object *meta, struct store_entry *entry,
                      struct fault *fault)
{
    struct json_object *registers = registers_json(death);
    int ret = store_json(entry, STORE_BEGUN, meta, fault) ||
              add_reason(death, name, text, entry, fault) ||
              store_json(entry, "registers.json", registers, fault) ||
              add_console(collector, known, uuid, death->domid, entry,
                          fault) ||
              add_hypervisor_log(collector, entry, fault) ||
              add_config(uuid, entry, fault);

    json_object_put(registers);
    return ret ? -1 : 0;
}

/* Write one record; 0 once it is on disk. */
static int record(struct collector *collector, const struct vigil_death *death,
                  struct fault *fault)
{
    struct known_guest *known;
    struct store_entry entry;
    struct json_object *meta;
    char uuid[UUID_CHARS + 1];
    char *sentence;
    char *name;
    char *text;
    int ret;

    uuid_text(uuid, death->uuid);
    known = known_find(collector, uuid, death->domid);
    name = known && known->name[0] ? xstrdup(known->name)
                                   : xasprintf("domain-%u", death->domid);
    text = death_text(death);
    sentence = xasprintf("guest %s (domain %u): %s", name, death->domid, text);
    ret = store_begin(&collector->store, &entry, death->time_ns, "guest", name,
                      fault);
    if (ret) {
        goto out_free;
    }
    meta = meta_new(collector, &entry, death->time_ns, "guest");
    json_object_object_add(meta, "guest", guest_meta(death, known, uuid, name));
    if (death->seq) {
        json_add_number(meta, "death_seq", death->seq);
    }
    if (death->maddr) {
        json_add_hex(meta, "maddr", death->maddr);
    }
    meta_reason(collector, meta, name, death_class(death->code), text,
                death_by_guest(death->code) ? "guest" : "hypervisor");
    ret = fill_entry(collector, death, known, uuid, name, text, meta, &entry,
                     fault);
    if (ret) {
        store_abandon(&entry);
    } else {
        ret = store_commit(&entry, meta, fault);
    }
    if (ret == 0) {
        if (known && known->domid == death->domid) {
            life_tell_started(collector, known);
        }
        event_log(collector, meta, sentence);
    }
    json_object_put(meta);
out_free:
    free(sentence);
    free(text);
    free(name);
    return ret;
}

int deaths_resume(struct collector *collector, struct fault *fault)
{
    struct crash_list list;

    if (store_read(collector->store.path, &list, fault)) {
        return -1;
    }
    for (size_t i = 0; i < list.count; i++) {
        struct json_object *host;
        struct json_object *boot;
        struct json_object *seq;

        if (json_object_object_get_ex(list.crashes[i].meta, "death_seq",
                                      &seq) &&
            json_object_object_get_ex(list.crashes[i].meta, "host", &host) &&
            json_object_object_get_ex(host, "boot_id", &boot) &&
            json_object_is_type(boot, json_type_string) &&
            strcmp(json_object_get_string(boot), collector->boot_id) == 0 &&
            json_object_get_uint64(seq) > collector->death_seq) {
            collector->death_seq = json_object_get_uint64(seq);
        }
    }
    crash_list_free(&list);
    return 0;
}

static int collect_from_vigil(struct collector *collector,
                              struct vigil_op_death *next, struct fault *fault)
{
    for (;;) {
        struct vigil_death *death = &next->death;
        int ret;

        memset(next, 0, sizeof(*next));
        next->after_seq = collector->death_seq;
        ret = vigil_call(&collector->xen, VIGIL_OP_death_next, next,
                         sizeof(*next));
        if (ret == -ENOENT || ret == -ENOSYS) {
            return 0;
        }
        if (ret) {
            return fault_errno(fault, -ret,
                               "the hypervisor does not tell of deaths after "
                               "number %" PRIu64,
                               collector->death_seq);
        }
        if (death->seq <= collector->death_seq) {
            return fault_set(fault, EXIT_FAILED,
                             "the hypervisor told of death %" PRIu64
                             " after %" PRIu64,
                             death->seq, collector->death_seq);
        }
        death->text[sizeof(death->text) - 1] = '\0';
        if (!death->time_ns) {
            death->time_ns = moment_now();
        }
        if (record(collector, death, fault)) {
            return -1;
        }
        if (next->lost) {
            say("warning: %" PRIu64 " deaths were overwritten before they "
                "could be recorded",
                next->lost);
        }
        collector->death_seq = death->seq;
    }
}

static void fill_registers(struct xen *xen, struct vigil_death *death)
{
    vcpu_guest_context_any_t *context = xmalloc(sizeof(*context));
    const struct cpu_user_regs_x86_64 *regs = &context->x64.user_regs;

    if (xc_vcpu_getcontext(xen->xch, death->domid, 0, context) == 0) {
        death->rip = regs->rip;
        death->rsp = regs->rsp;
        death->rflags = regs->rflags;
        death->rax = regs->rax;
        death->rbx = regs->rbx;
        death->rcx = regs->rcx;
        death->rdx = regs->rdx;
        death->rsi = regs->rsi;
        death->rdi = regs->rdi;
        death->rbp = regs->rbp;
        death->r8 = regs->r8;
        death->r9 = regs->r9;
        death->r10 = regs->r10;
        death->r11 = regs->r11;
        death->r12 = regs->r12;
        death->r13 = regs->r13;
        death->r14 = regs->r14;
        death->r15 = regs->r15;
        death->cs = regs->cs;
        death->ss = regs->ss;
        death->cr2 = context->x64.ctrlreg[2];
        death->cr3 = context->x64.ctrlreg[3];
    }
    free(context);
}

/* Did an earlier run of this program, in this boot, record this guest? */
static int is_recorded(const struct crash *crash, const char *boot_id,
                       const struct guest *guest)
{
    struct json_object *host;
    struct json_object *boot;
    struct json_object *who;
    struct json_object *uuid;
    struct json_object *domid;

    return json_object_object_get_ex(crash->meta, "host", &host) &&
           json_object_object_get_ex(host, "boot_id", &boot) &&
           json_object_is_type(boot, json_type_string) &&
           strcmp(json_object_get_string(boot), boot_id) == 0 &&
           json_object_object_get_ex(crash->meta, "guest", &who) &&
           json_object_object_get_ex(who, "uuid", &uuid) &&
           json_object_is_type(uuid, json_type_string) &&
           strcmp(json_object_get_string(uuid), guest->uuid) == 0 &&
           json_object_object_get_ex(who, "domid", &domid) &&
           json_object_get_uint64(domid) == guest->domid;
}

/* 1: on disk already, 0: new, -1: the store does not tell. */
static int look_up(struct collector *collector, const struct guest *guest,
                   struct fault *fault)
{
    struct crash_list list;
    int found = 0;

    if (store_read(collector->store.path, &list, fault)) {
        return -1;
    }
    for (size_t i = 0; i < list.count && !found; i++) {
        found = is_recorded(&list.crashes[i], collector->boot_id, guest);
    }
    crash_list_free(&list);
    return found;
}

/* Not on Vigil: record the guests that stand there crashed. */
static int collect_from_list(struct collector *collector,
                             struct vigil_death *death, struct fault *fault)
{
    for (size_t i = 0; i < collector->guests.count; i++) {
        const struct guest *guest = &collector->guests.guests[i];
        struct known_guest *known =
            known_find(collector, guest->uuid, guest->domid);
        int reason = guest_shutdown_reason(guest);
        int found;

        if (!known || known->noted ||
            (reason != SHUTDOWN_crash && reason != SHUTDOWN_watchdog)) {
            continue;
        }
        found = look_up(collector, guest, fault);
        if (found < 0) {
            return -1;
        }
        if (found) {
            known->noted = 1;
            continue;
        }
        memset(death, 0, sizeof(*death));
        death->time_ns = moment_now();
        death->code =
            reason == SHUTDOWN_crash ? VIGIL_DEATH_NONE : VIGIL_DEATH_WATCHDOG;
        death->domid = (uint16_t)guest->domid;
        memcpy(death->uuid, guest->info.handle, sizeof(death->uuid));
        snprintf(death->text, sizeof(death->text), "%s",
                 reason == SHUTDOWN_crash ? "only Vigil can tell who ended it"
                                          : "");
        fill_registers(&collector->xen, death);
        if (record(collector, death, fault)) {
            return -1;
        }
        known->noted = 1;
    }
    return 0;
}

int deaths_collect(struct collector *collector, struct fault *fault)
{
    struct vigil_op_death *next = xmalloc(sizeof(*next));
    int ret = collector->is_vigil
                  ? collect_from_vigil(collector, next, fault)
                  : collect_from_list(collector, &next->death, fault);

    free(next);
    return ret;
}
