/* SPDX-License-Identifier: MIT */
/*
 * bench/tiny.c - making the smallest PV guest by domctl.
 *
 * Dom0 fills the guest's pages through a window of its own: as many pages of
 * bss with the guest's frames mapped over them for the while.
 */
#include "tiny.h"

#define TINY_VA 0xffffffff80000000UL
#define CODE    0
#define DATA    1
#define L1      2 /* L2, L3 and L4 follow */
#define L4      5
#define SHARED  2 /* the page of TINY_VA where the shared page goes */

#define FLAGS_TABLE (PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D)

/*
 * What the guest runs, at TINY_VA.  Its data page follows: the mode in the
 * first word, the arguments of its hypercalls, how long it works, the stack
 * from the top.  Then the shared page: vcpu_info 0 at 0, pending bits at 2048.
 */
__asm__(".pushsection .rodata\n"
        "    .balign 16\n"
        "tiny_code:\n"
        "    cmpl $0, tiny_code+4096(%rip)\n"
        "    je 3f\n"
        "    cmpl $2, tiny_code+4096(%rip)\n"
        "    je 4f\n"
        "    cmpl $4, tiny_code+4096(%rip)\n"
        "    jne 1f\n"
        "    mov $20, %eax\n" /* grant_table_op: set_version */
        "    mov $8, %edi\n"
        "    lea tiny_code+4096+24(%rip), %rsi\n"
        "    mov $1, %edx\n"
        "    syscall\n"
        "1:  lea tiny_code+8192(%rip), %rsp\n"
        "    mov $29, %eax\n" /* sched_op: block */
        "    mov $1, %edi\n"
        "    xor %esi, %esi\n"
        "    syscall\n"
        "    jmp 1b\n"
        "tiny_upcall:\n" /* does not return: the loop begins anew */
        "    movb $0, tiny_code+8192(%rip)\n"
        "    movq $0, tiny_code+8192+8(%rip)\n"
        "    xor %ebx, %ebx\n"
        "    xchg %rbx, tiny_code+8192+2048(%rip)\n"
        "    cmpl $3, tiny_code+4096(%rip)\n"
        "    je 5f\n"
        "    bt $1, %rbx\n" /* TINY_PORT_ECHO */
        "    jnc 1b\n"
        "    mov $32, %eax\n" /* event_channel_op: send */
        "    mov $4, %edi\n"
        "    lea tiny_code+4096+16(%rip), %rsi\n"
        "    syscall\n"
        "    jmp 1b\n"
        "3:  mov $29, %eax\n" /* sched_op: shutdown */
        "    mov $2, %edi\n"
        "    lea tiny_code+4096+8(%rip), %rsi\n"
        "    syscall\n"
        "    jmp 3b\n"
        "4:  jmp 4b\n" /* no pause: QEMU counts them dear */
        "5:  rdtsc\n"
        "    shl $32, %rdx\n"
        "    lea (%rdx,%rax), %rbx\n"
        "    add tiny_code+4096+24(%rip), %rbx\n"
        "6:  rdtsc\n"
        "    shl $32, %rdx\n"
        "    or %rax, %rdx\n"
        "    cmp %rbx, %rdx\n"
        "    jb 6b\n"
        "    jmp 1b\n"
        "tiny_code_end:\n"
        "    .popsection\n");
extern const char tiny_code[], tiny_upcall[], tiny_code_end[];

struct tiny_data {
    uint32_t mode;
    uint32_t unused;
    struct sched_shutdown shutdown;
    uint32_t unused2;
    struct evtchn_send echo;
    uint32_t unused3;
    uint64_t work_tsc;
};

static char window[TINY_PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct vcpu_guest_context context;

long tiny_domctl(domid_t domid, struct xen_domctl *op, uint32_t cmd)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    return hypercall2(__HYPERVISOR_domctl, (unsigned long)op, 0);
}

static unsigned int vcpus_of(const struct tiny *t)
{
    return t->vcpus ? t->vcpus : 1;
}

long tiny_create(struct tiny *t)
{
    struct xen_domctl op = {
        .u.createdomain =
            {
                .max_vcpus = vcpus_of(t),
                .max_evtchn_port = 1023,
                .max_grant_frames = 64,
                .max_maptrack_frames = 1024,
                .grant_opts = XEN_DOMCTL_GRANT_version(2),
            },
    };
    long rc;

    if (t->wide) {
        op.u.createdomain.max_evtchn_port = TINY_WIDE_PORTS - 1;
        op.u.createdomain.max_grant_frames = TINY_WIDE_FRAMES;
        op.u.createdomain.max_maptrack_frames = 65536;
    }
    if (t->tag != 0) {
        memset(op.u.createdomain.handle, t->tag,
               sizeof(op.u.createdomain.handle));
    }
    rc = tiny_domctl((domid_t)t->number, &op, XEN_DOMCTL_createdomain);
    t->domid = op.domain;
    return rc;
}

long tiny_max_vcpus(const struct tiny *t)
{
    struct xen_domctl op = {.u.max_vcpus.max = vcpus_of(t)};

    return tiny_domctl(t->domid, &op, XEN_DOMCTL_max_vcpus);
}

long tiny_max_mem(const struct tiny *t, unsigned long pages)
{
    struct xen_domctl op = {.u.max_mem.max_memkb = pages * 4};

    return tiny_domctl(t->domid, &op, XEN_DOMCTL_max_mem);
}

long tiny_populate(const struct tiny *t, xen_pfn_t *list, unsigned long count,
                   unsigned int order)
{
    struct xen_memory_reservation r = {
        .nr_extents = count,
        .extent_order = order,
        .domid = t->domid,
    };

    set_xen_guest_handle(r.extent_start, list);
    return hc_memory_op(XENMEM_populate_physmap, &r);
}

static long window_set(unsigned int page, uint64_t pte, domid_t owner)
{
    return hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                      (unsigned long)window[page], pte,
                      pte ? UVMF_NONE : UVMF_INVLPG, owner, 0);
}

void tiny_window_open(void)
{
    unsigned int page;

    for (page = 0; page < TINY_PAGES; page++) {
        mm_protect(window[page], 0);
    }
}

static void write_code(const struct tiny *t)
{
    const char *begin = t->code ? t->code->begin : tiny_code;
    const char *end = t->code ? t->code->end : tiny_code_end;

    memcpy(window[CODE], begin, (size_t)(end - begin));
}

static void write_page(const struct tiny *t, unsigned int page,
                       enum tiny_mode mode, uint64_t shared)
{
    uint64_t *pte = (uint64_t *)window[page];
    struct tiny_data *data = (struct tiny_data *)window[page];

    switch (page) {
    case CODE:
        write_code(t);
        break;
    case DATA:
        data->mode = mode;
        data->shutdown.reason = SHUTDOWN_poweroff;
        data->echo.port = TINY_PORT_ECHO;
        data->work_tsc = t->work_tsc;
        break;
    case L1:
        pte[CODE] = t->frame[CODE] << PAGE_SHIFT | PTE_FLAGS_DATA;
        pte[DATA] = t->frame[DATA] << PAGE_SHIFT | PTE_FLAGS_DATA;
        if (shared) {
            pte[SHARED] = shared << PAGE_SHIFT | PTE_FLAGS_DATA;
        }
        break;
    default: /* the one entry of an L2, L3 or L4 on the way to TINY_VA */
        pte[(TINY_VA >> (PAGE_SHIFT + 9 * (page - L1))) & 511] =
            t->frame[page - 1] << PAGE_SHIFT | FLAGS_TABLE;
        break;
    }
}

/* Does the guest find its shared page?  Only one that stays needs it. */
static uint64_t shared_frame(const struct tiny *t, enum tiny_mode mode)
{
    struct xen_domctl_getdomaininfo info;

    if (mode == TINY_SHUTS_DOWN || tiny_info(t->domid, &info)) {
        return 0;
    }
    return info.shared_info_frame;
}

static long fill(const struct tiny *t, enum tiny_mode mode)
{
    uint64_t shared = shared_frame(t, mode);
    unsigned int page;
    long rc = 0;

    for (page = 0; page < TINY_PAGES && !rc; page++) {
        rc = window_set(page, t->frame[page] << PAGE_SHIFT | PTE_FLAGS_DATA,
                        t->domid);
        if (!rc) {
            write_page(t, page, mode, shared);
            rc = window_set(page, 0, DOMID_SELF);
        }
    }
    return rc;
}

static long pin(const struct tiny *t)
{
    struct mmuext_op op = {
        .cmd = MMUEXT_PIN_L4_TABLE,
        .arg1.mfn = t->frame[L4],
    };

    return hypercall5(__HYPERVISOR_mmuext_op, (unsigned long)&op, 1, 0,
                      t->domid, 0);
}

/* Entry points of other code than ours. */
static void other_code(const struct tiny_code *code)
{
    static const uint8_t vectors[] = {TRAP_GP, TRAP_PF};

    context.event_callback_eip =
        TINY_VA + (unsigned long)(code->upcall - code->begin);
    for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++) {
        context.trap_ctxt[vectors[i]] = (struct trap_info){
            .vector = vectors[i],
            .cs = FLAT_KERNEL_CS,
            .address = TINY_VA + (unsigned long)(code->fault - code->begin),
        };
    }
}

static long set_context(const struct tiny *t, unsigned int vcpu)
{
    struct xen_domctl op = {.u.vcpucontext.vcpu = vcpu};

    context.flags = VGCF_in_kernel | VGCF_online;
    context.user_regs.rip = TINY_VA;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.user_regs.rsp = TINY_VA + (DATA + 1) * PAGE_SIZE;
    context.user_regs.rflags = 0x200;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.kernel_sp = context.user_regs.rsp;
    context.ctrlreg[3] = xen_pfn_to_cr3(t->frame[L4]);
    context.event_callback_eip =
        TINY_VA + (unsigned long)(tiny_upcall - tiny_code);
    if (t->code) {
        other_code(t->code);
    }
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    return tiny_domctl(t->domid, &op, XEN_DOMCTL_setvcpucontext);
}

static long set_contexts(const struct tiny *t)
{
    long rc = 0;

    for (unsigned int vcpu = 0; vcpu < vcpus_of(t) && !rc; vcpu++) {
        rc = set_context(t, vcpu);
    }
    return rc;
}

static long populate(struct tiny *t)
{
    unsigned int page;

    for (page = 0; page < TINY_PAGES; page++) {
        t->frame[page] = page;
    }
    return tiny_populate(t, t->frame, TINY_PAGES, 0) == TINY_PAGES ? 0 : -1;
}

static long vcpu_and_limit(const struct tiny *t)
{
    long rc = tiny_max_vcpus(t);

    return rc ? rc : tiny_max_mem(t, TINY_PAGES);
}

static long build_step(struct tiny *t, enum tiny_step step, enum tiny_mode mode)
{
    switch (step) {
    case TINY_CREATE:
        return tiny_create(t);
    case TINY_VCPU:
        return vcpu_and_limit(t);
    case TINY_POPULATE:
        return populate(t);
    case TINY_FILL:
        return fill(t, mode);
    case TINY_PIN:
        return pin(t);
    default:
        return set_contexts(t);
    }
}

long tiny_build(struct tiny *t, enum tiny_mode mode)
{
    enum tiny_step step;

    for (step = TINY_CREATE; step <= TINY_CONTEXT; step++) {
        uint64_t t0 = bench_tsc();
        long rc = build_step(t, step, mode);

        t->tsc[step] = bench_tsc() - t0;
        if (rc) {
            print("bench: d%u: step %u said %ld\n", t->domid, step, rc);
            if (step != TINY_CREATE) {
                tiny_destroy(t);
            }
            return rc;
        }
    }
    return 0;
}

long tiny_unpause(const struct tiny *t)
{
    struct xen_domctl op = {.cmd = 0};

    return tiny_domctl(t->domid, &op, XEN_DOMCTL_unpausedomain);
}

long tiny_destroy(struct tiny *t)
{
    struct xen_domctl op = {.cmd = 0};
    uint64_t t0 = bench_tsc();
    long rc = tiny_domctl(t->domid, &op, XEN_DOMCTL_destroydomain);

    t->tsc[TINY_DESTROY] = bench_tsc() - t0;
    return rc;
}

long tiny_info(domid_t domid, struct xen_domctl_getdomaininfo *ret_info)
{
    struct xen_domctl op = {.cmd = 0};
    long rc = tiny_domctl(domid, &op, XEN_DOMCTL_getdomaininfo);

    *ret_info = op.u.getdomaininfo;
    return rc;
}

long tiny_set_affinity(domid_t domid, unsigned int vcpu, uint64_t hard,
                       uint64_t soft)
{
    struct xen_domctl op = {
        .u.vcpuaffinity = {
            .vcpu = vcpu,
            .flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT,
            .cpumap_hard.nr_bits = 64,
            .cpumap_soft.nr_bits = 64,
        }};

    set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap,
                         (uint8_t *)&hard);
    set_xen_guest_handle(op.u.vcpuaffinity.cpumap_soft.bitmap,
                         (uint8_t *)&soft);
    return tiny_domctl(domid, &op, XEN_DOMCTL_setvcpuaffinity);
}

static struct xen_sysctl_physinfo physinfo(void)
{
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_physinfo,
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
    };

    hypercall2(__HYPERVISOR_sysctl, (unsigned long)&op, 0);
    return op.u.physinfo;
}

uint64_t tiny_free_pages(void)
{
    return physinfo().free_pages;
}

unsigned int tiny_cpus(void)
{
    return physinfo().nr_cpus;
}

void tiny_await(evtchn_port_t port)
{
    struct sched_poll poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, &port);
    while (!evtchn_clear(port)) {
        hc_sched_op(SCHEDOP_poll, &poll);
    }
}
