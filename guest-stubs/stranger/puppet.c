/* SPDX-License-Identifier: MIT */
/*
 * stranger/puppet.c - the guest that does what it is told, and Dom0's end.
 *
 * Its code goes where bench/tiny.c puts code; its data page follows, ours from
 * JOB on, then its shared page.  At each event of TINY_PORT_ECHO it does the
 * job and sends the event back; other events are kept in `seen`.
 */
#include "puppet.h"

#define DATA       1U /* of struct tiny's frames */
#define JOB        256U
#define GUEST_DATA 0xffffffff80001000UL

struct job {
    uint64_t nr, arg[5]; /* asked for */
    int64_t result;
    uint64_t seen;
    char buffer[1024];
};
_Static_assert(offsetof(struct job, result) == 48 &&
                   offsetof(struct job, seen) == 56,
               "puppet_code knows them");

#define D "puppet_code+4096+256" /* struct job */
#define S "puppet_code+8192"     /* the shared page */

__asm__(".pushsection .rodata\n"
        "    .balign 16\n"
        "puppet_code:\n"
        "1:  lea " S "(%rip), %rsp\n"
        "    mov $29, %eax\n" /* sched_op: block */
        "    mov $1, %edi\n"
        "    xor %esi, %esi\n"
        "    syscall\n"
        "    jmp 1b\n"
        "puppet_upcall:\n" /* does not return: the loop begins anew */
        "    movb $0, " S "(%rip)\n"
        "    movq $0, " S "+8(%rip)\n"
        "    xor %ebx, %ebx\n"
        "    xchg %rbx, " S "+2048(%rip)\n"
        "    or %rbx, " D "+56(%rip)\n"
        "    bt $1, %rbx\n" /* TINY_PORT_ECHO */
        "    jnc 1b\n"
        "    mov " D "(%rip), %rax\n"
        "    mov " D "+8(%rip), %rdi\n"
        "    mov " D "+16(%rip), %rsi\n"
        "    cmp $0x1000, %rax\n"
        "    jae 2f\n"
        "    mov " D "+24(%rip), %rdx\n"
        "    mov " D "+32(%rip), %r10\n"
        "    mov " D "+40(%rip), %r8\n"
        "    syscall\n"
        "    jmp 8f\n"
        "2:  mov %rdi, %rdx\n"
        "    mov %rax, %rcx\n"
        "    xor %eax, %eax\n"
        "    cmp $0x1000, %rcx\n"
        "    jne 3f\n"
        "    inb %dx, %al\n"
        "    jmp 8f\n"
        "3:  cmp $0x1001, %rcx\n"
        "    jne 4f\n"
        "    inw %dx, %ax\n"
        "    jmp 8f\n"
        "4:  cmp $0x1004, %rcx\n"
        "    jne 5f\n"
        "    mov (%rdi), %eax\n"
        "    jmp 8f\n"
        "5:  mov %rsi, %rax\n"
        "    cmp $0x1002, %rcx\n"
        "    jne 6f\n"
        "    outb %al, %dx\n"
        "    xor %eax, %eax\n"
        "    jmp 8f\n"
        "6:  outw %ax, %dx\n"
        "    xor %eax, %eax\n"
        "    jmp 8f\n"
        "puppet_fault:\n"
        "    mov $-4096, %rax\n" /* PUPPET_FAULT */
        "8:  mov %rax, " D "+48(%rip)\n"
        "    mov $32, %eax\n" /* event_channel_op: send */
        "    mov $4, %edi\n"
        "    lea puppet_code+4096+16(%rip), %rsi\n" /* tiny's echo */
        "    syscall\n"
        "    jmp 1b\n"
        "puppet_end_of_code:\n"
        "    .popsection\n");
extern const char puppet_code[], puppet_upcall[], puppet_fault[],
    puppet_end_of_code[];

static const struct tiny_code code = {
    .begin = puppet_code,
    .end = puppet_end_of_code,
    .upcall = puppet_upcall,
    .fault = puppet_fault,
};

static union {
    struct {
        char of_tiny[JOB];
        struct job job;
    } as;
    char page[PAGE_SIZE];
} data __page_aligned;

static struct tiny guest = {.code = &code};
static evtchn_port_t port;

bool puppet_make(void)
{
    struct evtchn_alloc_unbound alloc = {.remote_dom = 0};
    struct evtchn_bind_interdomain bind = {.remote_port = TINY_PORT_ECHO};
    long rc;

    tiny_window_open();
    rc = tiny_build(&guest, TINY_STAYS);
    if (!CHECK(rc == 0, "make a guest: %ld", rc)) {
        return false;
    }
    alloc.dom = guest.domid;
    bind.remote_dom = guest.domid;
    rc = hypercall5(__HYPERVISOR_update_va_mapping_otherdomain,
                    (unsigned long)&data,
                    guest.frame[DATA] << PAGE_SHIFT | PTE_FLAGS_DATA,
                    UVMF_INVLPG, guest.domid, 0);
    return CHECK(rc == 0, "map its page: %ld", rc) &&
           CHECK(hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc) == 0 &&
                     alloc.port == TINY_PORT_ECHO &&
                     hc_evtchn_op(EVTCHNOP_bind_interdomain, &bind) == 0,
                 "its channel") &&
           CHECK((port = bind.local_port) != 0 && tiny_unpause(&guest) == 0,
                 "unpause it");
}

long puppet_do(unsigned long nr, unsigned long a1, unsigned long a2,
               unsigned long a3, unsigned long a4)
{
    struct job *job = &data.as.job;

    job->nr = nr;
    job->arg[0] = a1;
    job->arg[1] = a2;
    job->arg[2] = a3;
    job->arg[3] = a4;
    job->arg[4] = 0;
    (void)evtchn_clear(port);
    (void)hc_evtchn_send(port);
    tiny_await(port);
    return READ_ONCE(job->result);
}

long puppet_op(unsigned long nr, unsigned long cmd, void *arg, size_t size)
{
    struct job *job = &data.as.job;
    long rc;

    memcpy(job->buffer, arg, size);
    rc = puppet_do(nr, cmd, GUEST_DATA + JOB + offsetof(struct job, buffer), 1,
                   0);
    memcpy(arg, job->buffer, size);
    return rc;
}

uint64_t puppet_seen(void)
{
    uint64_t seen = READ_ONCE(data.as.job.seen);

    WRITE_ONCE(data.as.job.seen, 0);
    return seen;
}

domid_t puppet_domid(void)
{
    return guest.domid;
}

void puppet_end(void)
{
    CHECK(mm_protect(&data, 0) == 0, "let go of its page");
    CHECK(tiny_destroy(&guest) == 0, "destroy it");
}
