/* SPDX-License-Identifier: MIT */
/*
 * sent.c - VCPUOP_send_nmi to vcpu 1, which moves to CPU 0 and back.
 *
 * vcpu 0 lets it begin and sleeps until a moment that is a nanosecond later each
 * time, which under -icount shift=0 is an instruction.  The timer of CPU 0 fires
 * then, and QEMU lets CPU 0 run between two instructions of CPU 1, until it halts.
 */
#include "sent.h"
#include "stub.h"
#include "vcpus.h"

#define SETTLED_NS 30000U /* until all that a step has begun is over */
/* Later than the end of the move; while both are on CPU 0 one waits for the other. */
#define AFTER      4000U
#define STEPS_MAX  50000U
#define WRONG_MAX  8U

static evtchn_port_t port;
static volatile unsigned long moves, refused;
static volatile uint64_t told[2]; /* by CPU */

/* Frame at entry: rcx r11 rip cs rflags rsp ss. */
extern const char sent_nmi_entry[];
__asm__(".text\n"
        ".balign 16\n"
        "sent_nmi_entry:\n"
        "push %rax\n"
        "push %rbx\n"
        "push %rdx\n"
        "mov $1, %eax\n"
        "cpuid\n"
        "shr $24, %ebx\n" /* the number of its local APIC */
        "incq told(,%rbx,8)\n"
        "pop %rdx\n"
        "pop %rbx\n"
        "pop %rax\n"
        "pop %rcx\n"
        "pop %r11\n" TRAP_IRET("0"));

static unsigned int this_cpu(void)
{
    uint32_t a = 1, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b >> 24;
}

/* On vcpu 1: sleeps until it is sent to, and moves there and back. */
static void mover(unsigned int id)
{
    struct sched_pin_override there = {.pcpu = 0}, back = {.pcpu = -1};
    struct sched_poll poll = {.nr_ports = 1};

    (void)id;
    set_xen_guest_handle(poll.ports, &port);
    refused += trap_register_at(TRAP_NMI, 0, sent_nmi_entry) != 0;
    for (;;) {
        hc_sched_op(SCHEDOP_poll, &poll);
        if (!evtchn_clear(port)) {
            continue;
        }
        refused += hc_sched_op(SCHEDOP_pin_override, &there) != 0;
        refused += this_cpu() != 0;
        refused += hc_sched_op(SCHEDOP_pin_override, &back) != 0;
        refused += this_cpu() != 1;
        moves++;
    }
}

static bool begin(void)
{
    struct evtchn_bind_ipi bind = {.vcpu = 1};
    long rc;

    if (!CHECK(vcpus_there() >= 2, "no second vcpu")) {
        return false;
    }
    rc = hc_evtchn_op(EVTCHNOP_bind_ipi, &bind);
    port = bind.port;
    rc = rc ? rc : vcpu_start(1, mover);
    time_sleep_ns(NS_PER_MS);
    return CHECK(rc == 0, "vcpu 1: %ld", rc);
}

/* Return: the move was over when it was sent. */
static bool step_once(unsigned int step, unsigned int *wrong)
{
    struct evtchn_send send = {.port = port};
    unsigned long moved = moves;
    uint64_t before = told[0] + told[1], taken;
    uint64_t at = time_now_ns() + step;
    struct sched_poll poll = {.nr_ports = 0, .timeout = at};
    bool is_over;

    hc_evtchn_op(EVTCHNOP_send, &send);
    hc_sched_op(SCHEDOP_poll, &poll);
    is_over = moves != moved;
    hc_vcpu_op(VCPUOP_send_nmi, 1, NULL);
    time_sleep_ns(SETTLED_NS);
    taken = told[0] + told[1] - before;
    if (taken != 1 || moves != moved + 1 || refused != 0) {
        report(VERDICT_FAILURE,
               "sent, step %u: taken %lu, moved %lu, refused %lu", step, taken,
               moves - moved, refused);
        ++*wrong;
    }
    return is_over;
}

void sent_sweep(void)
{
    unsigned int by = (unsigned int)cmdline_number("by", 1);
    unsigned int step, after = 0, steps = 0, wrong = 0;

    if (!begin()) {
        return;
    }
    for (step = 0; after < AFTER && wrong < WRONG_MAX && step < STEPS_MAX;
         step += by) {
        after = step_once(step, &wrong) ? after + by : 0;
        steps++;
    }
    print("sweep: sent steps=%u wrong=%u length=%u told=%lu there=%lu\n", steps,
          wrong, step, told[0] + told[1], told[0]);
    CHECK(after >= AFTER || wrong != 0, "the move does not end");
    report(VERDICT_SUCCESS, "%lu NMIs sent", told[0] + told[1]);
}
