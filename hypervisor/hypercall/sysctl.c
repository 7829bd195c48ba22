/* SPDX-License-Identifier: MIT */
/*
 * hypercall/sysctl.c - HYPERVISOR_sysctl(op), control domain only.
 *
 * Here: the envelope, the console ring, lists of domains, the scheduler and
 * the one pool of processors.  The rest is in sysctl_host.c,
 * sysctl_policy.c, sysctl_page.c and debug_keys.c; docs/abi.md lists all.
 *
 * Return:  0; -EACCES wrong interface version; -EFAULT; -EINVAL malformed;
 *          -ENOENT no such pool; -ENODEV no such hardware; -EOPNOTSUPP known,
 *          not offered; -ENOSYS no such operation
 */
#include "hypercall/sysctl.h"

#include "lib/assert.h"
#include "log/conring.h"
#include "log/printk.h"
#include "mm/heap.h"
#include "domain/sched.h"
#include "hypercall/debug_keys.h"
#include "hypercall/domctl.h"
#include "hypercall/xenctl_bitmap.h"

STATIC_ASSERT(sizeof(struct xen_sysctl) == 136, "sysctl");
STATIC_ASSERT(sizeof(struct xen_sysctl_physinfo) == 112, "physinfo");
STATIC_ASSERT(sizeof(struct xen_sysctl_readconsole) == 24, "readconsole");
STATIC_ASSERT(sizeof(struct xen_sysctl_cpupool_op) == 40, "cpupool_op");

#define CPU_BITS      64
#define CONSOLE_CHUNK PAGE_SIZE
#define KEYS_MAX      64U

static int64_t readconsole(struct xen_sysctl_readconsole *r)
{
    char *chunk = heap_alloc(CONSOLE_CHUNK);
    uint32_t index = r->index, done = 0;
    bool incremental = r->incremental != 0;
    int64_t rc = 0;

    if (chunk == NULL) {
        return -ENOMEM;
    }
    while (done < r->count) {
        uint32_t room = (uint32_t)MIN(r->count - done, CONSOLE_CHUNK);
        size_t n = conring_read(chunk, room, incremental, index, &index);

        if (n == 0) {
            break;
        }
        if (copy_to_guest(handle_va(r->buffer) + done, chunk, n) != 0) {
            rc = -EFAULT;
            break;
        }
        done += (uint32_t)n;
        incremental = true;
    }
    heap_free(chunk);
    if (rc == 0) {
        if (r->clear != 0 && done != 0) {
            conring_clear(index);
        }
        r->index = index;
        r->count = done;
    }
    return rc;
}

static int64_t domain_list(struct xen_sysctl_getdomaininfolist *l)
{
    struct xen_domctl_getdomaininfo info;
    struct domain *d = NULL;
    uint32_t n = 0;

    if (l->max_domains != 0) {
        d = domain_next(l->first_domain);
    }
    while (d != NULL) {
        domid_t domid = d->domid;

        domctl_info(d, &info);
        domain_put(d);
        if (copy_elem_to_guest(l->buffer, n, &info) != 0) {
            return -EFAULT;
        }
        n++;
        d = n < l->max_domains ? domain_next((domid_t)(domid + 1)) : NULL;
    }
    l->num_domains = n;
    return 0;
}

static int64_t keys(const struct xen_sysctl_debug_keys *k)
{
    uint32_t i;

    if (k->nr_keys > KEYS_MAX) {
        return -E2BIG; /* each may print a lot */
    }
    for (i = 0; i < k->nr_keys; i++) {
        char key;

        if (copy_elem_from_guest(&key, k->keys, i) != 0) {
            return -EFAULT;
        }
        debug_key(key);
    }
    return 0;
}

static uint32_t domain_count(void)
{
    struct domain *d = domain_next(0);
    uint32_t n = 0;

    while (d != NULL) {
        domid_t domid = d->domid;

        n++;
        domain_put(d);
        d = domain_next((domid_t)(domid + 1));
    }
    return n;
}

/* Pool 0 has all processors and all domains. */
static int64_t cpupool(struct xen_sysctl_cpupool_op *p, bool *ret_back)
{
    uint64_t cpus = 0;

    switch (p->op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO:
        if (p->cpupool_id != 0) {
            return -ENOENT; /* ends the tools' walk */
        }
        p->sched_id = XEN_SCHEDULER_CREDIT2;
        p->n_dom = domain_count();
        cpus = sched_cpus_used();
        break;
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
        break;
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
        return p->cpupool_id == 0 ? 0 : -ENOENT;
    case XEN_SYSCTL_CPUPOOL_OP_CREATE:
    case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
    case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
    case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
        return -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
    *ret_back = true;
    return xenctl_bitmap_out(&p->cpumap, &cpus, CPU_BITS);
}

static int64_t scheduler(struct xen_sysctl_scheduler_op *s)
{
    if (s->cpupool_id != 0) {
        return -ENOENT;
    }
    if (s->sched_id != XEN_SCHEDULER_CREDIT2) {
        return -EINVAL;
    }
    switch (s->cmd) {
    case XEN_SYSCTL_SCHEDOP_getinfo:
        s->u.sched_credit2.ratelimit_us = sched_ratelimit_us();
        return 0;
    case XEN_SYSCTL_SCHEDOP_putinfo:
        return sched_set_ratelimit(s->u.sched_credit2.ratelimit_us);
    default:
        return -EINVAL;
    }
}

static int64_t run(struct xen_sysctl *op, bool *ret_back)
{
    int64_t rc;

    switch (op->cmd) {
    case XEN_SYSCTL_readconsole:
        *ret_back = true;
        return readconsole(&op->u.readconsole);
    case XEN_SYSCTL_sched_id:
        op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
        *ret_back = true;
        return 0;
    case XEN_SYSCTL_getdomaininfolist:
        *ret_back = true;
        return domain_list(&op->u.getdomaininfolist);
    case XEN_SYSCTL_debug_keys:
        return keys(&op->u.debug_keys);
    case XEN_SYSCTL_page_offline_op:
        return sysctl_offline_pages(&op->u.page_offline);
    case XEN_SYSCTL_cpupool_op:
        return cpupool(&op->u.cpupool_op, ret_back);
    case XEN_SYSCTL_scheduler_op:
        *ret_back = true;
        return scheduler(&op->u.scheduler_op);
    default:
        rc = sysctl_host(op, ret_back);
        return rc == -ENOSYS ? sysctl_policy(op, ret_back) : rc;
    }
}

int64_t do_sysctl(uint64_t a1, uint64_t a2 UNUSED, uint64_t a3 UNUSED,
                  uint64_t a4 UNUSED, uint64_t a5 UNUSED)
{
    struct xen_sysctl op;
    bool back = false;
    int64_t rc;

    if (copy_from_guest(&op, a1, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION) {
        return -EACCES;
    }
    rc = run(&op, &back);
    if (rc == -ERESTART) { /* cpu_hotplug: the caller itself has to move */
        return hypercall_restart(__HYPERVISOR_sysctl, 1, a1, 0, 0, 0, 0);
    }
    if (rc == -ENOSYS || rc == -EOPNOTSUPP) {
        log_about(LOG_INFO, &current->domain->log, (int)current->vcpu_id,
                  "sysctl %u is not offered", op.cmd);
    }
    /* What an error has to tell is in the structure, too (-ENOBUFS). */
    if (back && (rc == 0 || rc == -ENOBUFS) &&
        copy_to_guest(a1, &op, sizeof(op)) != 0) {
        rc = -EFAULT;
    }
    return rc;
}
