/* SPDX-License-Identifier: MIT */
/*
 * pv/hypercall_page.c - the page of call stubs older kernels ask for.
 *
 * SYSCALL destroys rcx and r11, which C callers may be using; the stub saves
 * them.  The iret stub also leaves rax on the stack, as that call's frame
 * wants, and never comes back.
 */
#include "pv/hypercall_page.h"

#include "lib/string.h"
#include "lib/types.h"
#include "lib/xen_abi.h"

#define STUB_BYTES 32
#define OP_INT3    0xcc

void hypercall_page_fill(void *page)
{
    /* push rcx; push r11; mov eax, n; syscall; pop r11; pop rcx; ret */
    static const uint8_t call[] = {0x51, 0x41, 0x53, 0xb8, 0,    0,    0,
                                   0,    0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
    /* push rcx; push r11; push rax; mov eax, n; syscall */
    static const uint8_t iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 0,
                                   0,    0,    0,    0x0f, 0x05};

    memset(page, OP_INT3, PAGE_SIZE);
    for (uint32_t n = 0; n < PAGE_SIZE / STUB_BYTES; n++) {
        uint8_t *stub = (uint8_t *)page + (size_t)n * STUB_BYTES;

        if (n == __HYPERVISOR_iret) {
            memcpy(stub, iret, sizeof(iret));
            memcpy(stub + 5, &n, sizeof(n));
        } else {
            memcpy(stub, call, sizeof(call));
            memcpy(stub + 4, &n, sizeof(n));
        }
    }
}
