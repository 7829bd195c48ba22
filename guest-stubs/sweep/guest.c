/* SPDX-License-Identifier: MIT */
/*
 * guest.c - a guest that does its worst each time it is let run.
 *
 * Dom0 tells it an act, sends it an event and sleeps.  The guest does it: goes to
 * user mode with a stack pointer, flags, a selector or an address of the
 * hypervisor's; takes an exception or an event where no frame can be written; has
 * an exception go nowhere; sets breakpoints where it may not.  Then it compares the
 * registers that none of that may change, and answers.  What cannot end well kills
 * it, and nothing else: Dom0 is woken, finds it crashed, and makes another one.
 *
 * Its code goes where bench/tiny.c puts code; the data page follows, which Dom0
 * maps as well, then the shared page.
 */
#include "../bench/tiny.h"

#include "guest.h"

#define GUEST_VA   0xffffffff80000000UL /* tiny's */
#define GUEST_DATA (GUEST_VA + PAGE_SIZE)
#define DATA       1U /* of struct tiny's frames */
#define L4         5U
#define DOMID      1U

#define FLAG_TF       0x100UL
#define FLAG_DF       0x400UL
#define FLAG_NT       0x4000UL
#define FLAG_AC       0x40000UL
#define FLAGS_USER    0x202UL
#define BAD_SELECTOR  0x1003UL
#define NOT_CANONICAL 0x8000000000000000UL
#define NOT_MAPPED    0x5000UL
#define WAITS_NS      1000000UL
#define TRIES         1000U

/* Of the guest: what it does. */
enum act {
    ACT_USER,  /* iret to user mode              */
    ACT_INT3,  /* with a handler and an rsp      */
    ACT_UD2,   /* with an rsp                    */
    ACT_CALL,  /* a hypercall with an rsp        */
    ACT_EVENT, /* an event comes with that rsp   */
    ACT_STACK, /* user mode faults, its kernel's stack is there */
    ACT_NONE,  /* int3, and there are no handlers */
    ACT_DEBUG, /* breakpoints                    */
};

/* How it ends: a vector, or these. */
#define BY_CALL 33U
#define DIES    64U

/* In the data page, behind what tiny has there.  The code knows the offsets. */
struct visit {
    uint64_t act, rip, cs, flags, rsp; /* 64 ..                          */
    uint64_t number, done;             /* 104: of this visit, of the last */
    uint64_t bad;                      /* 120: registers that differ      */
    uint64_t trap;                     /* 128: how it ended               */
    struct mmuext_op user_table;       /* 136                            */
    struct trap_info gate[2];          /* 160: of int3                    */
    uint64_t hypervisor;               /* 192: an address there           */
    uint64_t pattern[16];              /* 200: of registers               */
    char watched[64];                  /* 328                            */
};
#define OF_TINY 64U
static union {
    struct {
        char of_tiny[OF_TINY];
        struct visit visit;
    } as;
    char page[PAGE_SIZE];
} data __page_aligned;
#define AT(member) offsetof(struct visit, member) + OF_TINY
_Static_assert(ACT_DEBUG == 7 && AT(number) == 104 && AT(done) == 112 &&
                   AT(bad) == 120 && AT(trap) == 128 && AT(user_table) == 136 &&
                   AT(gate) == 160 && AT(hypervisor) == 192 &&
                   AT(pattern) == 200 && AT(watched) == 328 &&
                   sizeof(struct trap_info) == 16,
               "what the guest's code knows");

#define D "guest_code+4096"
#define S "guest_code+8192"
#define GATE(vector)                                                           \
    ".byte " #vector ", 7\n" /* user mode may; masks events */                 \
    ".word 0xe033\n"                                                           \
    ".long 0\n"                                                                \
    ".quad 0xffffffff80000000 + guest_trap" #vector " - guest_code\n"
#define TRAP(vector)                                                           \
    "guest_trap" #vector ": movq $" #vector ", " D "+128(%rip)\n"              \
    "jmp guest_over\n"
#define KEEP(word, reg) "mov " D "+200+8*" #word "(%rip), %" #reg "\n"
#define KEPT(word, reg)                                                        \
    "cmp " D "+200+8*" #word "(%rip), %" #reg "\n"                             \
    "setne %al\n"                                                              \
    "add %rax, " D "+120(%rip)\n"

/* clang-format off: one instruction a line */
__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    "guest_code:\n"
    "lea " S "(%rip), %rsp\n"
    "xor %eax, %eax\n" /* set_trap_table */
    "lea guest_gates(%rip), %rdi\n"
    "syscall\n"
    "mov $26, %eax\n" /* mmuext_op */
    "lea " D "+136(%rip), %rdi\n"
    "mov $1, %esi\n"
    "xor %edx, %edx\n"
    "mov $0x7ff0, %r10d\n"
    "syscall\n"
    "mov $30, %eax\n" /* callback_op: register */
    "xor %edi, %edi\n"
    "lea guest_callback(%rip), %rsi\n"
    "syscall\n"
    /* Sleeps until it is sent an event. */
    "guest_sleep:\n"
    "lea " S "(%rip), %rsp\n"
    "mov $29, %eax\n" /* sched_op: block */
    "mov $1, %edi\n"
    "xor %esi, %esi\n"
    "syscall\n"
    "jmp guest_sleep\n"
    "guest_upcall:\n" /* does not return */
    "movb $0, " S "(%rip)\n"
    "movq $0, " S "+8(%rip)\n"
    "xor %ebx, %ebx\n"
    "xchg %rbx, " S "+2048(%rip)\n"
    "bt $1, %rbx\n" /* TINY_PORT_ECHO */
    "jnc guest_sleep\n"
    KEEP(0, rbx)
    KEEP(1, rbp)
    KEEP(2, r8)
    KEEP(3, r9)
    KEEP(4, r12)
    KEEP(5, r13)
    KEEP(6, r14)
    KEEP(7, r15)
    "mov " D "+64(%rip), %eax\n"
    "cmp $0, %eax\n"
    "je act_user\n"
    "cmp $1, %eax\n"
    "je act_int3\n"
    "cmp $2, %eax\n"
    "je act_ud2\n"
    "cmp $3, %eax\n"
    "je act_call\n"
    "cmp $4, %eax\n"
    "je act_event\n"
    "cmp $5, %eax\n"
    "je act_stack\n"
    "cmp $7, %eax\n"
    "je act_debug\n"
    "xor %eax, %eax\n"
    "xor %edi, %edi\n"
    "syscall\n"
    "int3\n"
    "ud2\n"
    "act_stack:\n"
    "mov $3, %eax\n" /* stack_switch */
    "mov $0xe02b, %edi\n"
    "mov " D "+96(%rip), %rsi\n"
    "syscall\n"
    "act_user:\n"
    "push $0xe02b\n"
    "push " D "+96(%rip)\n"
    "push " D "+88(%rip)\n"
    "push " D "+80(%rip)\n"
    "push " D "+72(%rip)\n"
    TRAP_IRET("0x100") /* VGCF_in_syscall */
    "act_int3:\n"
    "xor %eax, %eax\n"
    "lea " D "+160(%rip), %rdi\n"
    "syscall\n"
    "mov " D "+96(%rip), %rsp\n"
    "int3\n"
    "ud2\n"
    "act_ud2:\n"
    "mov " D "+96(%rip), %rsp\n"
    "ud2\n"
    "act_call:\n"
    "mov " D "+96(%rip), %rsp\n"
    "mov $17, %eax\n" /* xen_version */
    "xor %edi, %edi\n"
    "syscall\n"
    "guest_called:\n"
    "movq $33, " D "+128(%rip)\n"
    "jmp guest_over\n"
    /* Pending for itself, then not masked: it comes at the next way back. */
    "act_event:\n"
    "mov " D "+96(%rip), %rsp\n"
    "movb $1, " S "(%rip)\n"
    "movb $0, " S "+1(%rip)\n"
    "mov $17, %eax\n"
    "xor %edi, %edi\n"
    "syscall\n"
    "ud2\n"
    /* A breakpoint in the hypervisor is refused, and DR7 cleaned of what may not
     * be; a watchpoint on what a hypercall writes is for our own read. */
    "act_debug:\n"
    "mov $8, %eax\n" /* set_debugreg */
    "xor %edi, %edi\n"
    "mov " D "+192(%rip), %rsi\n"
    "syscall\n"
    "cmp $1, %rax\n"
    "adcq $0, " D "+120(%rip)\n" /* it was taken */
    "mov $8, %eax\n"
    "xor %edi, %edi\n"
    "lea " D "+328(%rip), %rsi\n"
    "syscall\n"
    "mov $8, %eax\n"
    "mov $7, %edi\n"
    "mov $0xb2701, %esi\n" /* DR0: 8 bytes, reads and writes; GD, too */
    "syscall\n"
    "mov $8, %eax\n"
    "mov $7, %edi\n"
    "mov $0xb0401, %esi\n"
    "syscall\n"
    "mov $17, %eax\n"
    "mov $1, %edi\n" /* extraversion */
    "lea " D "+328(%rip), %rsi\n"
    "syscall\n"
    "mov " D "+328(%rip), %rax\n"
    "ud2\n"
    "guest_over:\n"
    "lea " S "(%rip), %rsp\n"
    "xor %eax, %eax\n"
    KEPT(0, rbx)
    KEPT(1, rbp)
    KEPT(2, r8)
    KEPT(3, r9)
    KEPT(4, r12)
    KEPT(5, r13)
    KEPT(6, r14)
    KEPT(7, r15)
    "cmpl $7, " D "+64(%rip)\n"
    "jne 1f\n"
    "mov $8, %eax\n"
    "mov $7, %edi\n"
    "xor %esi, %esi\n"
    "syscall\n"
    "1: mov " D "+104(%rip), %rax\n"
    "mov %rax, " D "+112(%rip)\n"
    "mov $32, %eax\n" /* event_channel_op: send */
    "mov $4, %edi\n"
    "lea " D "+16(%rip), %rsi\n" /* tiny's echo */
    "syscall\n"
    "jmp guest_sleep\n"
    TRAP(1)
    TRAP(3)
    TRAP(6)
    TRAP(13)
    TRAP(14)
    "guest_user_call: syscall\n"
    "guest_user_ud2: ud2\n"
    "guest_user_nops: nop\n"
    "nop\n"
    "guest_fault: jmp guest_trap14\n"
    ".balign 16\n"
    "guest_callback:\n"
    ".word 2, 0\n" /* CALLBACKTYPE_syscall */
    ".long 0\n"
    ".quad 0xffffffff80000000 + guest_called - guest_code\n"
    ".balign 16\n"
    "guest_gates:\n"
    GATE(1)
    GATE(3)
    GATE(6)
    GATE(13)
    GATE(14)
    ".quad 0, 0\n"
    "guest_end:\n"
    ".popsection\n"
    /* Of Dom0.  r12: the ports, a bit each; r13: for SCHEDOP_poll. */
    ".text\n"
    ".globl op_visit\n"
    "op_visit:\n"
    "syscall\n"
    "1: test %r12, shared_info_area+2048(%rip)\n"
    "jnz 2f\n"
    "mov $29, %eax\n"
    "mov $3, %edi\n"
    "mov %r13, %rsi\n"
    "syscall\n"
    "jmp 1b\n"
    "2: xor %edi, %edi\n"
    "xor %esi, %esi\n"
    "xor %ecx, %ecx\n"
    "xor %r11d, %r11d\n"
    "xor %eax, %eax\n"
    "jmp shot_done\n");
/* clang-format on */
extern const char guest_code[], guest_upcall[], guest_fault[], guest_end[],
    guest_user_call[], guest_user_ud2[], guest_user_nops[], guest_trap3[];

static const struct tiny_code code = {
    .begin = guest_code,
    .end = guest_end,
    .upcall = guest_upcall,
    .fault = guest_fault,
};

/* Addresses of the hypervisor's: in a block of stacks, or by the command line. */
enum where {
    THERE, /* the number itself */
    STACK, /* as many bytes behind the processor's block, `block=` */
    GAP,   /* what `gap=`, `hlt=`, `iret=` say */
    HLT,
    IRET,
    CODE, /* of the guest */
};

struct place {
    enum where where;
    uint64_t number;
    const char *label;
};
#define AT_NUMBER(n)                                                           \
    {                                                                          \
        THERE, n, NULL                                                         \
    }
#define AT_STACK(n)                                                            \
    {                                                                          \
        STACK, n, NULL                                                         \
    }
#define AT_CODE(l)                                                             \
    {                                                                          \
        CODE, 0, l                                                             \
    }

static const struct {
    const char *name;
    enum act act;
    struct place rip, rsp, gate;
    uint64_t cs, flags;
    unsigned int ends;
} acts[] = {
    {"SYSCALL in the NMI stack", ACT_USER, AT_CODE(guest_user_call),
     AT_STACK(0x9fc0), .ends = BY_CALL},
    {"SYSCALL in the other NMI stack", ACT_USER, AT_CODE(guest_user_call),
     AT_STACK(0x7fc0), .ends = BY_CALL},
    {"SYSCALL in the #MC stack", ACT_USER, AT_CODE(guest_user_call),
     AT_STACK(0x5fc0), .ends = BY_CALL},
    {"SYSCALL in the main stack", ACT_USER, AT_CODE(guest_user_call),
     AT_STACK(0xfbc0), .ends = BY_CALL},
    {"SYSCALL with a stack nowhere", ACT_USER, AT_CODE(guest_user_call),
     AT_NUMBER(NOT_CANONICAL), .ends = BY_CALL},
    {"iret to nowhere", ACT_USER, AT_NUMBER(NOT_CANONICAL), AT_STACK(0x9fc0),
     .ends = TRAP_GP},
    {"iret to the gap",
     ACT_USER,
     {GAP, 0, NULL},
     AT_STACK(0x9fc0),
     .ends = TRAP_PF},
    {"iret to the IRET",
     ACT_USER,
     {IRET, 0, NULL},
     AT_STACK(0x9fc0),
     .ends = TRAP_PF},
    {"iret to the HLT with flags",
     ACT_USER,
     {HLT, 0, NULL},
     AT_STACK(0x9fc0),
     .flags = FLAG_TF | FLAG_NT | FLAG_AC | FLAG_DF,
     .ends = TRAP_PF},
    {"iret with a bad selector", ACT_USER, AT_CODE(guest_user_call),
     AT_STACK(0x9fc0), .cs = BAD_SELECTOR, .ends = TRAP_GP},
    {"iret with flags", ACT_USER, AT_CODE(guest_user_nops), AT_STACK(0x9fc0),
     .flags = FLAG_TF | FLAG_NT | FLAG_AC | FLAG_DF, .ends = TRAP_DB},
    {"int3 to nowhere", ACT_INT3, .rsp = AT_NUMBER(GUEST_DATA + PAGE_SIZE),
     .gate = AT_NUMBER(NOT_CANONICAL), .ends = TRAP_BP}, /* is refused */
    {"int3 to the hypervisor", ACT_INT3,
     .rsp = AT_NUMBER(GUEST_DATA + PAGE_SIZE), .gate = {GAP, 0, NULL},
     .ends = TRAP_BP},
    {"int3 to no page", ACT_INT3, .rsp = AT_NUMBER(GUEST_DATA + PAGE_SIZE),
     .gate = AT_NUMBER(NOT_MAPPED), .ends = TRAP_PF},
    {"int3 without a stack", ACT_INT3, .rsp = AT_NUMBER(NOT_MAPPED),
     .gate = AT_CODE(guest_trap3), .ends = DIES},
    {"int3 in the NMI stack", ACT_INT3, .rsp = AT_STACK(0x9fc0),
     .gate = AT_CODE(guest_trap3), .ends = DIES},
    {"ud2 with a stack nowhere", ACT_UD2, .rsp = AT_NUMBER(NOT_CANONICAL),
     .ends = DIES},
    {"a hypercall in the NMI stack", ACT_CALL, .rsp = AT_STACK(0x9fc0),
     .ends = BY_CALL},
    {"an event without a stack", ACT_EVENT, .rsp = AT_NUMBER(NOT_MAPPED),
     .ends = DIES},
    {"a kernel without a stack", ACT_STACK, AT_CODE(guest_user_ud2),
     AT_NUMBER(NOT_MAPPED), .ends = DIES},
    {"int3 without a handler", ACT_NONE, .ends = DIES},
    {"breakpoints", ACT_DEBUG, .ends = TRAP_DB},
};
_Static_assert(ARRAY_SIZE(acts) == GUEST_ACTS, "");

static struct tiny guest = {.code = &code, .number = DOMID};
static bool is_made;
static uint64_t number; /* of visits */
static evtchn_port_t echo_port, death_port;
static struct evtchn_send send_echo;
static evtchn_port_t ports[2];
static struct sched_poll poll;

static uint64_t address(const struct place *p)
{
    static const char *const keys[] = {
        [GAP] = "gap", [HLT] = "hlt", [IRET] = "iret"};

    switch (p->where) {
    case THERE:
        return p->number;
    case STACK:
        return cmdline_number("block", 0xffff82d080200000UL) + p->number;
    case CODE:
        return GUEST_VA + (uint64_t)(p->label - guest_code);
    default:
        return cmdline_number(keys[p->where], 0xffff82d080200000UL);
    }
}

static bool is_alive(void)
{
    struct xen_domctl_getdomaininfo info;

    return is_made && tiny_info(DOMID, &info) == 0 && info.domain == DOMID &&
           !(info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying));
}

static bool is_crashed(void)
{
    struct xen_domctl_getdomaininfo info;

    return tiny_info(DOMID, &info) == 0 && info.domain == DOMID &&
           (info.flags & XEN_DOMINF_shutdown) &&
           (info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask) ==
               SHUTDOWN_crash;
}

static void unmake(void)
{
    struct evtchn_close closed = {.port = echo_port};

    if (!is_made) {
        return;
    }
    (void)hc_evtchn_op(EVTCHNOP_close, &closed);
    CHECK(mm_protect(&data, 0) == 0, "let go of its page");
    CHECK(tiny_destroy(&guest) == 0, "destroy it");
    is_made = false;
}

/* Its number may be in use for a moment longer. */
static long build(void)
{
    unsigned int tries;
    long rc = -1;

    for (tries = 0; rc && tries < TRIES; tries++) {
        rc = tiny_build(&guest, TINY_STAYS);
        if (rc) {
            time_sleep_ns(WAITS_NS);
        }
    }
    return rc;
}

static bool make(void)
{
    struct evtchn_alloc_unbound theirs = {.remote_dom = 0};
    struct evtchn_bind_interdomain ours = {.remote_port = TINY_PORT_ECHO};
    long rc = build();

    if (!CHECK(rc == 0, "no guest: %ld", rc)) {
        return false;
    }
    print("sweep: guest's tables at 0x%lx\n", guest.frame[L4] << PAGE_SHIFT);
    is_made = true;
    theirs.dom = DOMID;
    ours.remote_dom = DOMID;
    rc = hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                    (unsigned long)&data,
                    guest.frame[DATA] << PAGE_SHIFT | PTE_FLAGS_DATA,
                    UVMF_INVLPG, DOMID, 0);
    rc = rc ? rc : hc_evtchn_op(EVTCHNOP_alloc_unbound, &theirs);
    rc = rc ? rc : hc_evtchn_op(EVTCHNOP_bind_interdomain, &ours);
    if (!CHECK(rc == 0 && theirs.port == TINY_PORT_ECHO, "port %u: %ld",
               theirs.port, rc)) {
        return false;
    }
    data.as.visit.user_table = (struct mmuext_op){
        .cmd = MMUEXT_NEW_USER_BASEPTR,
        .arg1.mfn = guest.frame[L4],
    };
    echo_port = ours.local_port;
    rc = tiny_unpause(&guest);
    /* It begins, and sleeps. */
    time_sleep_ns(WAITS_NS);
    return CHECK(rc == 0 && echo_port < 64, "port %u: %ld", echo_port, rc);
}

bool guest_begin(void)
{
    struct evtchn_bind_virq virq = {.virq = VIRQ_DOM_EXC, .vcpu = 0};
    long rc;

    if (death_port) {
        return true;
    }
    rc = hc_evtchn_op(EVTCHNOP_bind_virq, &virq);
    death_port = virq.port;
    tiny_window_open();
    return CHECK(rc == 0 && death_port < 64, "no event of deaths: %ld", rc);
}

static void tell(void)
{
    struct visit *v = &data.as.visit;
    unsigned int i;

    v->act = acts[path_variant].act;
    v->rip = address(&acts[path_variant].rip);
    v->rsp = address(&acts[path_variant].rsp);
    v->cs = acts[path_variant].cs ? acts[path_variant].cs : FLAT_USER_CS;
    v->flags = FLAGS_USER | acts[path_variant].flags;
    v->gate[0] = (struct trap_info){
        .vector = TRAP_BP,
        .flags = 7,
        .cs = FLAT_KERNEL_CS,
        .address = address(&acts[path_variant].gate),
    };
    v->hypervisor = cmdline_number("gap", 0xffff82d080200000UL);
    v->number = ++number;
    v->bad = 0;
    v->trap = 0;
    for (i = 0; i < ARRAY_SIZE(v->pattern); i++) {
        v->pattern[i] = number * 0x9e3779b97f4a7c15UL + i;
    }
}

void guest_prepare(struct shot_regs *in)
{
    if (!is_alive()) {
        unmake();
        if (!make()) {
            is_made = false;
            return;
        }
    }
    tell();
    ports[0] = echo_port;
    ports[1] = death_port;
    send_echo.port = echo_port;
    poll.nr_ports = 2;
    set_xen_guest_handle(poll.ports, ports);
    WRITE_ONCE(vcpu_info0->evtchn_upcall_mask, 1);
    barrier();
    evtchn_clear(echo_port);
    evtchn_clear(death_port);
    WRITE_ONCE(vcpu_info0->evtchn_pending_sel, 0);
    WRITE_ONCE(vcpu_info0->evtchn_upcall_pending, 0);
    in->r12 = 1UL << echo_port | 1UL << death_port;
    in->r13 = (unsigned long)&poll;
    in->rax = __HYPERVISOR_event_channel_op;
    in->rdi = EVTCHNOP_send;
    in->rsi = (unsigned long)&send_echo;
}

const char *guest_check(void)
{
    const struct visit *v = &data.as.visit;
    bool dies = acts[path_variant].ends == DIES;
    unsigned int i;

    if (!is_made) {
        return "no guest";
    }
    if (dies || !is_alive()) {
        return !dies                  ? "the guest is dead"
               : !is_crashed()        ? "the guest lives, or has not crashed"
               : v->done == v->number ? "the guest had answered"
                                      : NULL;
    }
    if (v->done != v->number || v->trap != acts[path_variant].ends) {
        print("sweep: %s: visit %lu of %lu, trap %lu\n",
              acts[path_variant].name, v->done, v->number, v->trap);
        return "the guest's end of it";
    }
    for (i = 0; i < ARRAY_SIZE(v->pattern); i++) {
        if (v->pattern[i] != number * 0x9e3779b97f4a7c15UL + i) {
            return "the guest's memory";
        }
    }
    return v->bad ? "the guest's registers" : NULL;
}
