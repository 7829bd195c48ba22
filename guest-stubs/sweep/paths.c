/* SPDX-License-Identifier: MIT */
/*
 * paths.c - what each path needs before its operation, and what must be true
 * after it.
 */
#include "../bench/tiny.h"

#include "guest.h"
#include "hostile.h"
#include "moves.h"
#include "ops.h"
#include "paths.h"
#include "vcpus.h"

#include <vigil/vigil_op.h>

#define NOT_MAPPED   0x1000UL
#define EFER         0xc0000080UL
#define BAD_SELECTOR 0x1003UL
#define SLEEP_NS     3000UL
#define SPIN_NS      800UL
#define SOON_NS      256UL
#define APART_NS     32UL /* interrupts are off for 35 at a time */
#define NS_PER_US    1000UL

unsigned int path_variant;

/* ---- gates --------------------------------------------------------------- */

bool path_gate(unsigned int vector, const char *entry)
{
    long rc = trap_register_at(vector, 3, entry);

    return CHECK(rc == 0, "gate for vector %u: %ld", vector, rc);
}

static bool kernel_gates(void)
{
    return path_gate(TRAP_BP, skip0) && path_gate(TRAP_UD, skip2) &&
           path_gate(TRAP_PF, code_skip2);
}

bool path_user_gates(void)
{
    return path_gate(TRAP_BP, user_done) && path_gate(TRAP_PF, user_done_code) &&
           path_gate(TRAP_GP, user_done_code);
}

/* ---- user mode ----------------------------------------------------------- */

/* Copied to USER_VA, one routine every 16 bytes. */
extern const char user_image[], user_image_end[];
__asm__(".pushsection .rodata\n"
        "user_image:\n"
        "syscall\n"
        ".balign 16\n"
        "int3\n"
        ".balign 16\n"
        "mov (%r8), %eax\n"
        ".balign 16\n"
        ".skip 64, 0x90\n"
        "syscall\n"
        ".balign 16\n"
        "user_image_end:\n"
        ".popsection\n");

/* A code segment of our own: NMI and #MC do not trust IRET with it. */
#define OWN_CS       0x000bUL
#define CODE_64_DPL3 0x00affb000000ffffUL

static uint64_t gdt[512] __page_aligned;

static bool begin_segment(void)
{
    unsigned long frame = mm_mfn(gdt);
    long rc;

    if (gdt[OWN_CS / 8]) {
        return true;
    }
    gdt[OWN_CS / 8] = CODE_64_DPL3;
    rc = mm_protect(gdt, PTE_FLAGS_RO);
    rc = rc ? rc : hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, 512);
    return CHECK(rc == 0, "set_gdt: %ld", rc);
}

static bool build_user(void)
{
    long rc;

    if (!user_build(user_image, (size_t)(user_image_end - user_image), 0)) {
        return false;
    }
    rc = hc_callback_register(CALLBACKTYPE_syscall, CALLBACKF_mask_events,
                              user_done);
    return CHECK(rc == 0, "callback_register: %ld", rc);
}

const uint64_t *path_frame(void)
{
    return &user_trap_stack[512 - 5];
}

/* ---- events -------------------------------------------------------------- */

static evtchn_port_t ipi, timer_port, echo_port;
static struct evtchn_send send_ipi, send_echo;
static struct sched_poll poll_echo;
static struct tiny tiny;

/* Nothing has happened yet, and what comes is taken by `upcall`. */
static void calm(evtchn_port_t port, bool masked)
{
    WRITE_ONCE(vcpu_info0->evtchn_upcall_mask, 1);
    barrier();
    evtchn_clear(port);
    WRITE_ONCE(vcpu_info0->evtchn_pending_sel, 0);
    WRITE_ONCE(vcpu_info0->evtchn_upcall_pending, 0);
    path_upcalls = 0;
    barrier();
    WRITE_ONCE(vcpu_info0->evtchn_upcall_mask, masked);
    barrier();
}

static bool bind_ports(void)
{
    struct evtchn_bind_ipi bind = {.vcpu = 0};
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER, .vcpu = 0};
    long rc = hc_evtchn_op(EVTCHNOP_bind_ipi, &bind);

    rc |= hc_evtchn_op(EVTCHNOP_bind_virq, &virq);
    hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    ipi = bind.port;
    timer_port = virq.port;
    send_ipi.port = ipi;
    evtchn_clear(timer_port);
    rc |= evtchn_unmask(ipi) | evtchn_unmask(timer_port);
    rc |= hc_callback_register(CALLBACKTYPE_event, CALLBACKF_mask_events,
                               upcall);
    return CHECK(rc == 0, "ports: %ld", rc);
}

/* A guest that answers, and the port between. */
static bool begin_switch(void)
{
    struct evtchn_alloc_unbound theirs = {.remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain ours = {0};
    long rc;

    if (echo_port) {
        return true;
    }
    tiny_window_open();
    rc = tiny_build(&tiny, TINY_STAYS);
    if (!CHECK(rc == 0, "no guest: %ld", rc)) {
        return false;
    }
    theirs.dom = tiny.domid;
    rc = hc_evtchn_op(EVTCHNOP_alloc_unbound, &theirs);
    ours.remote_dom = tiny.domid;
    ours.remote_port = theirs.port;
    rc |= hc_evtchn_op(EVTCHNOP_bind_interdomain, &ours);
    rc |= tiny_unpause(&tiny);
    if (!CHECK(rc == 0 && theirs.port == TINY_PORT_ECHO, "port %u: %ld",
               theirs.port, rc)) {
        return false;
    }
    echo_port = ours.local_port;
    send_echo.port = echo_port;
    poll_echo.nr_ports = 1;
    set_xen_guest_handle(poll_echo.ports, &echo_port);
    /* It begins, and sleeps. */
    time_sleep_ns(1000 * NS_PER_US);
    return CHECK(echo_port < 64, "port %u", echo_port);
}

bool path_begin_idle(void)
{
    struct vigil_op_counters c = {.dirty_frames = 1};
    unsigned int tries;

    for (tries = 0; tries < 1000 && c.dirty_frames != 0; tries++) {
        time_sleep_ns(1000 * NS_PER_US);
        if (hypercall2(VIGIL_HYPERCALL, VIGIL_OP_counters, (unsigned long)&c)) {
            break;
        }
    }
    return CHECK(c.dirty_frames == 0, "%lu frames to clean", c.dirty_frames);
}

/* A hypercall, for op_call and the others that begin with one. */
void path_call(struct shot_regs *in, unsigned long nr, unsigned long a1,
               unsigned long a2, unsigned long a3)
{
    in->rax = nr;
    in->rdi = a1;
    in->rsi = a2;
    in->rdx = a3;
}

/* ---- another processor --------------------------------------------------- */

static evtchn_port_t far_port;
static struct evtchn_send send_far;
static volatile unsigned int far_wakes;

/* On vcpu 1: sleeps until it is sent to, and counts. */
static void far_sleeper(unsigned int id)
{
    struct sched_poll poll = {.nr_ports = 1};

    (void)id;
    set_xen_guest_handle(poll.ports, &far_port);
    for (;;) {
        hc_sched_op(SCHEDOP_poll, &poll);
        if (evtchn_clear(far_port)) {
            far_wakes++;
        }
    }
}

static bool begin_far(void)
{
    struct evtchn_bind_ipi bind = {.vcpu = 1};
    long rc;

    if (far_port) {
        return true;
    }
    if (!CHECK(vcpus_there() >= 2, "no second vcpu")) {
        return false;
    }
    rc = hc_evtchn_op(EVTCHNOP_bind_ipi, &bind);
    far_port = bind.port;
    send_far.port = far_port;
    rc = rc ? rc : vcpu_start(1, far_sleeper);
    time_sleep_ns(1000 * NS_PER_US);
    return CHECK(rc == 0, "vcpu 1: %ld", rc);
}

static void prepare_far(struct shot_regs *in)
{
    far_wakes = 0;
    path_call(in, __HYPERVISOR_event_channel_op, EVTCHNOP_send,
              (unsigned long)&send_far, 0);
}

/* It sleeps again before the next shot, so that it is sent an interrupt. */
static const char *check_far(void)
{
    unsigned int tries;

    for (tries = 0; tries < 100 && !far_wakes; tries++) {
        time_sleep_ns(10 * NS_PER_US);
    }
    time_sleep_ns(20 * NS_PER_US);
    return far_wakes == 1 ? NULL : "not one wake-up of the other vcpu";
}

static const char *one_upcall(void)
{
    const char *wrong = path_upcalls == 1 ? NULL : "not one upcall";

    WRITE_ONCE(vcpu_info0->evtchn_upcall_mask, 1);
    return wrong;
}

/* ---- before each shot ---------------------------------------------------- */

void path_version(struct shot_regs *in)
{
    path_call(in, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
}

static void prepare_unknown(struct shot_regs *in)
{
    path_call(in, 4000, 0, 0, 0);
}

static void prepare_yield(struct shot_regs *in)
{
    path_call(in, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
}

static void prepare_write(struct shot_regs *in)
{
    static const char text[] = "~~~~~~~\n";

    path_call(in, __HYPERVISOR_console_io, CONSOLEIO_write, sizeof(text) - 1,
              (unsigned long)text);
}

static uint64_t page[512] __page_aligned;

static void prepare_pte(struct shot_regs *in)
{
    path_call(in, __HYPERVISOR_update_va_mapping, (unsigned long)page,
              mm_maddr(page) | PTE_FLAGS_DATA, UVMF_INVLPG);
}

static const char *check_pte(void)
{
    WRITE_ONCE(page[7], page[7] + 1);
    return mm_pte(page, 1) == (mm_maddr(page) | PTE_FLAGS_DATA)
               ? NULL
               : "its page table";
}

static struct multicall_entry calls[3];

static void prepare_multicall(struct shot_regs *in)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(calls); i++) {
        calls[i] = (struct multicall_entry){
            .op = __HYPERVISOR_xen_version,
            .result = 1,
            .args = {XENVER_version, 0},
        };
    }
    path_call(in, __HYPERVISOR_multicall, (unsigned long)calls, ARRAY_SIZE(calls),
              0);
}

static const char *check_multicall(void)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(calls); i++) {
        if (calls[i].result != (4UL << 16 | 17)) {
            return "results";
        }
    }
    return NULL;
}

static void prepare_fault(struct shot_regs *in)
{
    WRITE_ONCE(vcpu_info0->arch.cr2, 0);
    in->rcx = NOT_MAPPED;
}

static const char *check_fault(void)
{
    return vcpu_info0->arch.cr2 == NOT_MAPPED ? NULL : "the fault's address";
}

static void prepare_rdmsr(struct shot_regs *in)
{
    in->rcx = EFER;
}

static void prepare_nothing(struct shot_regs *in)
{
    (void)in;
}

static void prepare_event(struct shot_regs *in)
{
    calm(ipi, false);
    path_call(in, __HYPERVISOR_event_channel_op, EVTCHNOP_send,
              (unsigned long)&send_ipi, 0);
}

static void prepare_idle(struct shot_regs *in)
{
    calm(timer_port, true);
    path_call(in, __HYPERVISOR_set_timer_op, time_now_ns() + SLEEP_NS, 0, 0);
}

/* It fires in the call that sets it, with interrupts on or off, or after it. */
static void prepare_timer(struct shot_regs *in)
{
    prepare_idle(in);
    in->rdi += SOON_NS - SLEEP_NS + path_variant * APART_NS;
}

/* It fires while the guest runs, at one of its instructions or the next. */
static void prepare_spin(struct shot_regs *in)
{
    calm(timer_port, false);
    path_call(in, __HYPERVISOR_set_timer_op,
              time_now_ns() + SPIN_NS + path_variant, 0, 0);
}

static void prepare_switch(struct shot_regs *in)
{
    calm(echo_port, true);
    in->r12 = echo_port;
    in->r13 = (unsigned long)&poll_echo;
    path_call(in, __HYPERVISOR_event_channel_op, EVTCHNOP_send,
              (unsigned long)&send_echo, 0);
}

void path_user(struct shot_regs *in, uint64_t at)
{
    memset(&user_trap_stack[512 - 5], 0, 5 * sizeof(user_trap_stack[0]));
    in->rbx = at;
    in->rdx = in->rflags;
    in->rbp = USER_STACK;
    in->r8 = NOT_MAPPED;
    in->r12 = FLAT_USER_CS;
}

static void prepare_user_syscall(struct shot_regs *in)
{
    path_user(in, USER_SYSCALL);
}

static void prepare_user_int3(struct shot_regs *in)
{
    path_user(in, USER_INT3);
}

static void prepare_user_read(struct shot_regs *in)
{
    prepare_fault(in);
    path_user(in, USER_READ);
}

static void prepare_segment(struct shot_regs *in)
{
    path_user(in, USER_NOPS);
    in->r12 = OWN_CS;
}

/* The hypervisor's own iret faults, and it leaves that fault by its RET. */
static void prepare_bad_iret(struct shot_regs *in)
{
    path_user(in, USER_SYSCALL);
    in->r12 = BAD_SELECTOR;
}

const struct path paths[] = {
    {.name = "hypercall", .prepare = path_version, .op = op_call},
    {.name = "unknown", .prepare = prepare_unknown, .op = op_call},
    {.name = "multicall", .is_preempted = true, .prepare = prepare_multicall,
     .check = check_multicall, .op = op_call},
    {.name = "iret", .prepare = prepare_nothing, .op = op_iret},
    {.name = "int3", .begin = kernel_gates, .prepare = prepare_nothing,
     .op = op_int3},
    {.name = "ud2", .begin = kernel_gates, .prepare = prepare_nothing,
     .op = op_ud2},
    {.name = "fault", .begin = kernel_gates, .prepare = prepare_fault,
     .check = check_fault, .op = op_pf},
    {.name = "rdmsr", .prepare = prepare_rdmsr, .op = op_rdmsr},
    {.name = "table", .prepare = prepare_pte, .check = check_pte,
     .op = op_call},
    {.name = "event", .prepare = prepare_event, .check = one_upcall,
     .op = op_call},
    {.name = "yield", .prepare = prepare_yield, .op = op_call},
    {.name = "write", .prepare = prepare_write, .op = op_call},
    {.name = "idle", .begin = path_begin_idle, .prepare = prepare_idle, .check = one_upcall,
     .op = op_idle},
    {.name = "timer", .variants = 8, .prepare = prepare_timer, .check = one_upcall,
     .op = op_idle},
    {.name = "spin", .variants = 6, .prepare = prepare_spin,
     .check = one_upcall, .op = op_spin},
    {.name = "switch", .begin = begin_switch, .prepare = prepare_switch,
     .op = op_switch},
    {.name = "ipi", .is_asked_for = true, .begin = begin_far,
     .prepare = prepare_far, .check = check_far, .op = op_call},
    {.name = "move", .is_asked_for = true, .has_others = true,
     .variants = MOVES_CPUS,
     .begin = moves_begin, .prepare = moves_prepare, .check = moves_check,
     .end = moves_end, .op = op_move},
    {.name = "move-there", .is_asked_for = true, .has_others = true,
     .variants = MOVES_CPUS, .begin = moves_begin_there,
     .prepare = moves_prepare, .check = moves_check, .end = moves_end,
     .op = op_move},
    {.name = "visit", .is_asked_for = true, .variants = GUEST_ACTS,
     .variants_differ = true, .begin = guest_begin, .prepare = guest_prepare,
     .check = guest_check, .op = op_visit},
    {.name = "user-syscall", .begin = path_user_gates,
     .prepare = prepare_user_syscall, .op = op_user},
    {.name = "user-int3", .begin = path_user_gates, .prepare = prepare_user_int3,
     .op = op_user},
    {.name = "user-fault", .begin = path_user_gates, .prepare = prepare_user_read,
     .check = check_fault, .op = op_user},
    {.name = "user-rsp", .variants = HOSTILE_RSPS,
     .variants_differ = true, .begin = path_user_gates, .prepare = hostile_user_rsp,
     .op = op_user},
    {.name = "kernel-rsp", .is_asked_for = true, .variants = HOSTILE_RSPS,
     .variants_differ = true,
     .prepare = hostile_kernel_rsp, .op = op_rsp},
    {.name = "user-tf", .begin = hostile_begin_tf, .prepare = hostile_tf,
     .op = op_user},
    {.name = "user-tf-call", .begin = hostile_begin_tf, .prepare = hostile_tf_syscall,
     .op = op_user},
    {.name = "watch", .begin = hostile_begin_watch, .prepare = hostile_watch,
     .check = hostile_check_watch, .op = op_watch},
    {.name = "user-rip", .variants = HOSTILE_RIPS, .variants_differ = true,
     .begin = path_user_gates, .prepare = hostile_user_rip, .op = op_user},
    {.name = "user-dr", .variants = 2, .variants_differ = true,
     .begin = hostile_begin_dr, .prepare = hostile_dr,
     .check = hostile_check_dr, .op = op_user},
    {.name = "bad-iret", .begin = path_user_gates, .prepare = prepare_bad_iret,
     .op = op_user},
    {.name = "user-segment", .begin = begin_segment,
     .prepare = prepare_segment, .op = op_user},
    /* An NMI while its user mode runs NOPs, which it leaves by the main stack. */
    {.name = "nmi-by-main", .has_first = true, .first = 250,
     .begin = begin_segment, .prepare = prepare_segment, .op = op_user},
    {.name = "nmi-in-guest", .has_first = true, .first = 24,
     .prepare = prepare_nothing, .op = op_wait},
    /* While the line about the first is written, by a timer. */
    {.name = "nmi-note", .has_first = true, .first = 24, .from = 21000,
     .prepare = prepare_nothing, .op = op_long_wait},
    {.name = "nmi-in-call", .has_first = true, .first = 24,
     .firsts = 140,
     .prepare = path_version, .op = op_call},
};
const unsigned int path_count = ARRAY_SIZE(paths);

bool paths_init(void)
{
    return build_user() && bind_ports();
}
