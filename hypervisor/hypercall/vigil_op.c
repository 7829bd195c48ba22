/* SPDX-License-Identifier: MIT */
/*
 * hypercall/vigil_op.c - HYPERVISOR_vigil_op(op, arg): what Vigil adds to the
 * Xen ABI (<vigil/vigil_op.h>).
 *
 *   version      anybody
 *   box_info, box_read, box_ack, death_next, provoke, counters, holdings,
 *   domain_times, backtrace, watchdog, log_window
 *                control domain only
 *
 * Return:  0; -EFAULT; -EPERM not the control domain, or provoke without the
 *          boot option; -ENOENT no box, no newer death, no window; -EINVAL
 *          offset beyond the box, no such provocation; -EBUSY backtraces are
 *          being written; -ENOSYS no such op
 */
#include "hypercall/vigil_op.h"

#include <vigil/blackbox.h>
#include <vigil/vigil_op.h>

#include "lib/string.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/timer.h"
#include "crash/blackbox.h"
#include "crash/dump.h"
#include "crash/harvest.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "ras/mce.h"
#include "ras/record.h"
#include "ras/watchdog.h"
#include "domain/death.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/vcpu.h"
#include "hypercall/call.h"
#include "hypercall/xen_version.h"

/* Written once at boot. */
static bool provoke_allowed;

void vigil_op_allow_provoke(bool allow)
{
    provoke_allowed = allow;
}

static int64_t op_version(uint64_t arg)
{
    struct vigil_op_version v = {.interface_version = VIGIL_INTERFACE_VERSION};

    (void)xen_version_text(v.text, sizeof(v.text));
    return copy_to_guest(arg, &v, sizeof(v));
}

static int64_t op_box_info(uint64_t arg)
{
    struct vigil_op_box_info info = {0};
    struct vigil_box_header header;
    size_t bytes;
    const void *box = harvest_get(&bytes);

    if (box == NULL || bytes < sizeof(header)) {
        return -ENOENT;
    }
    memcpy(&header, box, sizeof(header));
    info.bytes = bytes;
    info.state = header.state;
    info.kind = header.kind;
    return copy_to_guest(arg, &info, sizeof(info));
}

static int64_t op_box_read(uint64_t arg)
{
    struct vigil_op_box_read r;
    size_t bytes;
    const char *box = harvest_get(&bytes);

    if (box == NULL) {
        return -ENOENT;
    }
    if (copy_from_guest(&r, arg, sizeof(r)) != 0) {
        return -EFAULT;
    }
    if (r.offset > bytes) {
        return -EINVAL;
    }
    if (r.bytes > bytes - r.offset) {
        r.bytes = bytes - r.offset;
    }
    if (copy_to_guest(r.buffer, box + r.offset, r.bytes) != 0 ||
        copy_to_guest(arg, &r, sizeof(r)) != 0) {
        return -EFAULT;
    }
    return 0;
}

static int64_t op_death_next(uint64_t arg)
{
    /* Too large for the stack, with the bounce frames below it. */
    struct vigil_op_death *op = heap_alloc(sizeof(*op));
    int64_t rc;

    if (op == NULL) {
        return -ENOMEM;
    }
    if (copy_from_guest(&op->after_seq, arg, sizeof(op->after_seq)) != 0) {
        rc = -EFAULT;
        goto out_free;
    }
    rc = domain_death_next(op->after_seq, &op->death, &op->lost);
    if (rc == 0) {
        rc = copy_to_guest(arg, op, sizeof(*op));
    }
out_free:
    heap_free(op);
    return rc;
}

static int64_t op_provoke(uint64_t arg)
{
    struct vigil_op_provoke p;

    if (!provoke_allowed) {
        return -EPERM;
    }
    if (copy_from_guest(&p, arg, sizeof(p)) != 0) {
        return -EFAULT;
    }
    return provoke_failure(p.kind);
}

static void add_domain(struct vigil_op_holdings *h, struct domain *d)
{
    unsigned int mapped;

    h->domains++;
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        h->vcpus += d->vcpu[i] != NULL;
    }
    h->ports += evtchn_count(d);
    h->grants_in_use += grant_count(d, &mapped);
    h->grants_mapped += mapped;
}

/* Call @each, unless NULL, for every domain.  Return: frames they own. */
static uint64_t all_domains(struct vigil_op_holdings *h,
                            void (*each)(struct vigil_op_holdings *h,
                                         struct domain *d))
{
    uint64_t frames = 0;
    struct domain *d = domain_next(0);

    while (d != NULL) {
        domid_t domid = d->domid;

        frames += d->tot_pages;
        if (each != NULL) {
            each(h, d);
        }
        domain_put(d);
        d = domain_next((domid_t)(domid + 1));
    }
    return frames;
}

static void count_memory(struct vigil_op_counters *c)
{
    struct page_alloc_stats mem;
    uint64_t used;

    page_alloc_stats(&mem);
    c->free_frames = mem.free_frames;
    c->dirty_frames = mem.dirty_frames;
    used = mem.free_frames + all_domains(NULL, NULL);
    c->hv_frames = mem.total_frames > used ? mem.total_frames - used : 0;
}

static int64_t op_counters(uint64_t arg)
{
    struct vigil_op_counters c = {0};
    struct log_stats log;

    log_get_stats(&log);
    c.log_cells = log.cells;
    c.log_lost = log.lost;
    c.log_left_out = log.limited;
    c.nmi_total = ras_counters.nmi_total;
    c.nmi_serr = ras_counters.nmi_serr;
    c.nmi_iochk = ras_counters.nmi_iochk;
    c.nmi_unknown = ras_counters.nmi_unknown;
    c.nmi_firmware = ras_counters.nmi_firmware;
    c.nmi_left_out = ras_counters.nmi_left_out;
    c.nmi_reflected = ras_counters.nmi_reflected;
    c.mce_total = ras_counters.mce_total;
    c.mce_corrected = ras_counters.mce_corrected;
    c.mce_recovered = ras_counters.mce_recovered;
    c.mce_lost = record_lost();
    c.vmce_delivered = ras_counters.vmce_delivered;
    c.guest_deaths = death_count();
    c.boot_tsc_khz = clock_tsc_khz();
    count_memory(&c);
    return copy_to_guest(arg, &c, sizeof(c));
}

static int64_t op_holdings(uint64_t arg)
{
    struct vigil_op_holdings h = {0};
    struct page_alloc_stats mem;
    struct heap_stats heap;

    h.domain_frames = all_domains(&h, add_domain);
    h.timers = timer_count();
    heap_get_stats(&heap);
    h.heap_objects = heap.objects;
    h.heap_bytes = heap.bytes;
    h.heap_frames = heap.frames;
    page_alloc_stats(&mem);
    h.free_frames = mem.free_frames;
    h.other_frames =
        mem.total_frames - h.free_frames - h.heap_frames - h.domain_frames;
    return copy_to_guest(arg, &h, sizeof(h));
}

static void add_times(struct vigil_op_domain_times *t, struct vcpu *v)
{
    vcpu_runstate_info_t info;

    vcpu_runstate_get(v, &info);
    t->vcpus++;
    t->running_ns += info.time[RUNSTATE_running];
    t->runnable_ns += info.time[RUNSTATE_runnable];
    t->blocked_ns += info.time[RUNSTATE_blocked];
    t->offline_ns += info.time[RUNSTATE_offline];
}

static int64_t op_domain_times(uint64_t arg)
{
    struct vigil_op_domain_times t = {0};
    struct domain *d;

    if (copy_from_guest(&t.domid, arg, sizeof(t.domid)) != 0) {
        return -EFAULT;
    }
    d = t.domid < DOMID_FIRST_RESERVED ? domain_get((domid_t)t.domid) : NULL;
    if (d == NULL) {
        return -ESRCH;
    }
    memcpy(t.uuid, d->handle, sizeof(t.uuid));
    t.instance = d->instance;
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        if (d->vcpu[i] != NULL) {
            add_times(&t, d->vcpu[i]);
        }
    }
    domain_put(d);
    return copy_to_guest(arg, &t, sizeof(t));
}

static int64_t op_backtrace(uint64_t arg)
{
    struct vigil_op_backtrace b;

    pr_notice(VIGIL_BACKTRACE_BEGIN);
    b.silent = dump_cpus(LOG_NOTICE, NULL, DUMP_PATIENT_NS);
    return b.silent == DUMP_NOT_NOW ? -EBUSY
                                    : copy_to_guest(arg, &b, sizeof(b));
}

static int64_t op_watchdog(uint64_t arg)
{
    struct vigil_op_watchdog w = {0};
    struct watchdog_state s;

    watchdog_get_state(&s);
    w.timeout_ms = s.timeout_ms;
    w.flags = (s.is_proved ? VIGIL_WATCHDOG_PROVED : 0) |
              (s.is_fatal ? VIGIL_WATCHDOG_FATAL : 0);
    w.nmis = s.nmis;
    w.stalls = s.stalls;
    strlcpy(w.source, s.source, sizeof(w.source));
    return copy_to_guest(arg, &w, sizeof(w));
}

static int64_t op_log_window(uint64_t arg)
{
    struct vigil_op_log_window w;
    size_t bytes;
    const void *zone = blackbox_zone(&bytes);

    if (zone == NULL) {
        return -ENOENT;
    }
    w.mfn = mfn_x(ptr_to_mfn(zone));
    w.frames = bytes / PAGE_SIZE;
    return copy_to_guest(arg, &w, sizeof(w));
}

int64_t do_vigil_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                    uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    if (a1 == VIGIL_OP_version) {
        return op_version(a2);
    }
    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    switch (a1) {
    case VIGIL_OP_box_info:
        return op_box_info(a2);
    case VIGIL_OP_box_read:
        return op_box_read(a2);
    case VIGIL_OP_box_ack:
        return harvest_ack();
    case VIGIL_OP_death_next:
        return op_death_next(a2);
    case VIGIL_OP_provoke:
        return op_provoke(a2);
    case VIGIL_OP_counters:
        return op_counters(a2);
    case VIGIL_OP_holdings:
        return op_holdings(a2);
    case VIGIL_OP_domain_times:
        return op_domain_times(a2);
    case VIGIL_OP_backtrace:
        return op_backtrace(a2);
    case VIGIL_OP_watchdog:
        return op_watchdog(a2);
    case VIGIL_OP_log_window:
        return op_log_window(a2);
    default:
        return -ENOSYS;
    }
}
