/* SPDX-License-Identifier: MIT */
/*
 * load.c - records from all processors, in all contexts; none torn, none missing.
 *
 * Each vcpu has its processor write records whose every byte is known; NMIs and
 * machine checks come from outside.  vcpu 0 reads all that where it lies, cell by
 * cell, and the others wait when it lags.
 */
#include "load.h"
#include "vcpus.h"

#include <vigil/blackbox.h>
#include <vigil/log.h>
#include <vigil/vigil_op.h>

#define RECORDS    1000000UL /* of each processor; `records=` */
#define AHEAD      256U /* records a processor may be ahead of the reader */
#define TEXT_BYTES (2 * VIGIL_LOG_TEXT_BYTES)
#define CONTEXTS   (VIGIL_LOG_CTX_CRASH + 1)
#define FAILURES   8U

static char window[VIGIL_BOX_BYTES] __page_aligned;
static const struct vigil_log_cell *cells;
static uint64_t cell_count;

/* Of each vcpu: by itself, by the reader. */
static struct {
    uint64_t written, read;
} __attribute__((aligned(64))) load[VCPUS_MAX];
static uint64_t per_vcpu;
static bool is_over; /* no more of them: something has failed */

static uint64_t next; /* number of the cell to be read */
static uint64_t lost, torn, nmis, mcs, others, by_context[CONTEXTS];

static struct {
    char text[TEXT_BYTES];
    size_t len;
} record;

/* ---- the window ---------------------------------------------------------- */

static bool map_window(void)
{
    const struct vigil_box_header *box = (const void *)window;
    struct vigil_op_log_window w;
    unsigned int i;
    long rc =
        hypercall2(VIGIL_HYPERCALL, VIGIL_OP_log_window, (unsigned long)&w);

    for (i = 0; rc == 0 && i < sizeof(window) / PAGE_SIZE; i++) {
        struct mmu_update req = {
            .ptr = mm_pte_maddr(window + i * PAGE_SIZE, 1),
            .val = (w.mfn + i) << PAGE_SHIFT | PTE_FLAGS_RO,
        };

        /* It was writable: nothing of it may be left. */
        rc = mm_protect(window + i * PAGE_SIZE, 0);
        rc = rc ? rc
                : hypercall5(__HYPERVISOR_mmu_update, (unsigned long)&req, 1, 0,
                             DOMID_XEN, 0);
    }
    if (!CHECK(rc == 0 && w.frames == sizeof(window) / PAGE_SIZE,
               "the log's window: %ld", rc)) {
        return false;
    }
    for (i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        if (box->section[i].type == VIGIL_BOX_SECT_LOG) {
            cells = (const void *)(window + box->section[i].offset);
            cell_count = box->section[i].bytes / VIGIL_LOG_CELL_BYTES;
        }
    }
    for (i = 0; i < cell_count; i++) {
        next = cells[i].seq >= next ? cells[i].seq + 1 : next;
    }
    return CHECK(cell_count > VCPUS_MAX * AHEAD, "a log of %lu cells",
                 cell_count);
}

/* ---- the reader ---------------------------------------------------------- */

static void bad(const char *what)
{
    torn++;
    report(VERDICT_FAILURE, "cell %lu: %s: '%s'", next, what, record.text);
    if (torn == FAILURES) {
        WRITE_ONCE(is_over, true);
    }
}

static const char *number(const char *at, uint64_t *ret_number)
{
    for (*ret_number = 0; *at >= '0' && *at <= '9'; at++) {
        *ret_number = *ret_number * 10 + (uint64_t)(*at - '0');
    }
    return *at == ' ' ? at + 1 : NULL;
}

/* Of a processor's records: the one that is due, and each byte of it. */
static void check_load(const char *at)
{
    uint64_t cpu = 0, serial = 0, i;

    at = number(at, &cpu);
    at = at ? number(at, &serial) : NULL;
    if (!at || cpu >= VCPUS_MAX || serial != load[cpu].read) {
        bad("not the one that is due");
        return;
    }
    for (i = (uint64_t)(at - record.text); i < record.len; i++) {
        if (record.text[i] != (char)('a' + (cpu + serial + i) % 26)) {
            bad("another byte in it");
            return;
        }
    }
    if (record.len != (serial % 16 == 0 ? 300 : 100)) {
        bad("its length");
    }
    WRITE_ONCE(load[cpu].read, serial + 1);
}

static bool begins(const char *word)
{
    return record.len >= strlen(word) &&
           memcmp(record.text, word, strlen(word)) == 0;
}

static void take(const struct vigil_log_cell *cell)
{
    if (cell->len > VIGIL_LOG_TEXT_BYTES || cell->context >= CONTEXTS ||
        record.len + cell->len >= sizeof(record.text)) {
        bad("nonsense");
        record.len = 0;
        return;
    }
    memcpy(record.text + record.len, cell->text, cell->len);
    record.len += cell->len;
    record.text[record.len] = '\0';
    if (cell->flags & VIGIL_LOG_F_MORE) {
        return;
    }
    by_context[cell->context]++;
    if (begins("load ")) {
        check_load(record.text + strlen("load "));
    } else if (begins("NMI on CPU ")) {
        nmis++;
    } else if (begins("machine check on CPU ")) {
        mcs++;
    } else {
        others++;
    }
    record.len = 0;
}

/* All cells that are whole by now (log/ring.h). */
static void drain(void)
{
    for (;;) {
        const struct vigil_log_cell *cell = &cells[(next - 1) % cell_count];
        uint64_t seq = __atomic_load_n(&cell->seq, __ATOMIC_ACQUIRE);
        struct vigil_log_cell copy;

        if (seq < next) {
            return;
        }
        memcpy(&copy, cell, sizeof(copy));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&cell->seq, __ATOMIC_RELAXED) != next) {
            lost++;
            record.len = 0;
        } else {
            take(&copy);
        }
        next++;
    }
}

/* ---- the writers --------------------------------------------------------- */

static bool write_some(unsigned int id)
{
    struct vigil_op_provoke p = {.kind = VIGIL_PROVOKE_RECORDS};
    long rc = hypercall2(VIGIL_HYPERCALL, VIGIL_OP_provoke, (unsigned long)&p);

    WRITE_ONCE(load[id].written, load[id].written + VIGIL_PROVOKED_AT_ONCE);
    return rc == 0;
}

static bool is_ahead(unsigned int id)
{
    return load[id].written - READ_ONCE(load[id].read) > AHEAD;
}

static void writer(unsigned int id)
{
    while (load[id].written < per_vcpu && !READ_ONCE(is_over)) {
        if (is_ahead(id)) {
            barrier();
        } else if (!write_some(id)) {
            WRITE_ONCE(is_over, true);
        }
    }
}

/* Return: all of @vcpus have been read. */
static bool all_read(unsigned int vcpus)
{
    unsigned int id;

    for (id = 0; id < vcpus; id++) {
        if (load[id].read < per_vcpu) {
            return false;
        }
    }
    return true;
}

static void write_and_read(unsigned int vcpus)
{
    while (!all_read(vcpus) && !READ_ONCE(is_over)) {
        if (load[0].written < per_vcpu && !is_ahead(0)) {
            if (!CHECK(write_some(0), "no records: vigil_provoke=1?")) {
                break;
            }
        }
        drain();
    }
    WRITE_ONCE(is_over, true);
}

void load_run(void)
{
    struct vigil_op_counters before, after;
    unsigned int vcpus = vcpus_there(), id;

    per_vcpu = cmdline_number("records", RECORDS);
    if (!map_window()) {
        return;
    }
    (void)hypercall2(VIGIL_HYPERCALL, VIGIL_OP_counters,
                     (unsigned long)&before);
    print("logger: load of %u vcpus\n", vcpus);
    for (id = 1; id < vcpus; id++) {
        CHECK(vcpu_start(id, writer) == 0, "vcpu %u does not start", id);
    }
    write_and_read(vcpus);
    time_sleep_ns(100 * NS_PER_MS); /* the last NMI's line is a timer's */
    drain();
    (void)hypercall2(VIGIL_HYPERCALL, VIGIL_OP_counters, (unsigned long)&after);
    print("logger: load records=%lu torn=%lu lost=%lu nmis=%lu of=%lu mcs=%lu "
          "of=%lu others=%lu\n",
          per_vcpu * vcpus, torn, lost, nmis,
          after.nmi_total - before.nmi_total, mcs,
          after.mce_total - before.mce_total, others);
    print("logger: load contexts normal=%lu irq=%lu nmi=%lu mc=%lu\n",
          by_context[VIGIL_LOG_CTX_NORMAL], by_context[VIGIL_LOG_CTX_IRQ],
          by_context[VIGIL_LOG_CTX_NMI], by_context[VIGIL_LOG_CTX_MC]);
    CHECK(all_read(vcpus), "not all records were there");
    report(VERDICT_SUCCESS, "%lu records", next);
}
