/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi_storm.c - a meter for each source of NMIs on each CPU.
 */
#include "ras/nmi_storm.h"

#include "lib/bucket.h"
#include "x86/atomic.h"
#include "x86/percpu.h"

#define NS_PER_S     1000000000ULL
#define RATE_DEFAULT 50

/*
 * Legend: n  only the NMI handler of its CPU
 *         s  only the softirq that looks
 *         a  atomic, both
 */
static struct meter {
    struct bucket bucket; /* n; capacity 0: no NMI yet               */
    uint64_t begun_ns;    /* n; while there is a storm it is constant */
    bool is_storm;        /* a: set by NMI, cleared by the softirq   */
    uint64_t left_out;    /* a: NMIs in storms since boot            */
    uint64_t looked_ns;   /* s: time of the last look                */
    uint64_t last_look;   /* s: left_out then                        */
    uint64_t reported;    /* s: left_out at the end of the last storm */
} meters[NR_CPUS][NMI_SOURCES];

static unsigned int rate = RATE_DEFAULT; /* c after boot */

void nmi_storm_set_rate(unsigned int per_second)
{
    rate = per_second;
}

static NMI_SAFE bool within_rate(struct meter *m, uint64_t now_ns)
{
    if (rate == 0) {
        return true;
    }
    if (m->bucket.capacity == 0) {
        bucket_init(&m->bucket, rate, NS_PER_S / rate, now_ns);
    }
    return bucket_take(&m->bucket, now_ns);
}

NMI_SAFE bool nmi_storm_counts(enum nmi_source source)
{
    struct meter *m = &meters[this_cpu_id()][source];

    if (!atomic_load(&m->is_storm)) {
        return false;
    }
    (void)atomic_add(&m->left_out, 1);
    return true;
}

NMI_SAFE enum nmi_admission nmi_storm_admit(enum nmi_source source,
                                            uint64_t now_ns)
{
    struct meter *m = &meters[this_cpu_id()][source];

    if (nmi_storm_counts(source)) {
        return NMI_IN_STORM;
    }
    if (within_rate(m, now_ns)) {
        return NMI_ADMITTED;
    }
    m->begun_ns = now_ns;
    (void)atomic_add(&m->left_out, 1);
    atomic_store(&m->is_storm, true);
    return NMI_STORM_BEGINS;
}

bool nmi_storm_look(cpu_t cpu, uint64_t now_ns, struct nmi_storm *ret_storm)
{
    for (unsigned int i = 0; i < NMI_SOURCES; i++) {
        struct meter *m = &meters[cpu][i];
        uint64_t left_out, begun;

        if (!atomic_load(&m->is_storm)) {
            continue;
        }
        left_out = atomic_load(&m->left_out);
        begun = m->begun_ns;
        if (now_ns - MAX(begun, m->looked_ns) < NS_PER_S) {
            continue;
        }
        m->looked_ns = now_ns;
        if (left_out - m->last_look > rate) {
            m->last_look = left_out;
            continue;
        }
        /* One that comes before the second line is of this storm, or begins
         * another one and is counted here all the same: once, in any case. */
        atomic_store(&m->is_storm, false);
        left_out = atomic_load(&m->left_out);
        *ret_storm = (struct nmi_storm){.source = (enum nmi_source)i,
                                        .count = left_out - m->reported,
                                        .duration_ns = now_ns - begun};
        m->reported = left_out;
        m->last_look = left_out;
        return true;
    }
    return false;
}

bool nmi_storm_goes_on(cpu_t cpu)
{
    for (unsigned int i = 0; i < NMI_SOURCES; i++) {
        if (atomic_load(&meters[cpu][i].is_storm)) {
            return true;
        }
    }
    return false;
}
