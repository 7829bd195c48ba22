/* SPDX-License-Identifier: MIT */
/*
 * pv/xz.c - unpack an xz stream with the build machine's liblzma.a.
 *
 * The library's own declarations come from <lzma.h>, which wants a libc; the
 * few we need are repeated here.  They are the stable ABI of liblzma 5.
 */
#include "pv/xz.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/hosted/stdlib.h"
#include "x86/cr.h"
#include "x86/irqflags.h"
#include "x86/msr.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"

#define LZMA_OK             0
#define LZMA_MEM_ERROR      5
#define LZMA_MEMLIMIT_ERROR 6
#define LZMA_FORMAT_ERROR   7
#define LZMA_OPTIONS_ERROR  8
#define LZMA_CHECK_CRC32    1
#define STREAM_HEADER_BYTES 12
#define MEMORY_LIMIT        (192UL << 20)
#define FS_PAGE_CANARY      0x28

struct lzma_allocator {
    void *(*alloc)(void *opaque, size_t nmemb, size_t size);
    void (*free)(void *opaque, void *p);
    void *opaque;
};

extern int lzma_stream_buffer_decode(uint64_t *memlimit, uint32_t flags,
                                     const struct lzma_allocator *allocator,
                                     const uint8_t *in, size_t *in_pos,
                                     size_t in_size, uint8_t *out,
                                     size_t *out_pos, size_t out_size);

/* What liblzma.a wants from a libc, beyond lib/string and lib/hosted. */
void __stack_chk_fail(void) NORETURN;

/* Never called: xz_unpack() always passes an allocator. */
void *malloc(size_t bytes)
{
    (void)bytes;
    return NULL;
}

void *calloc(size_t count, size_t bytes)
{
    (void)count;
    (void)bytes;
    return NULL;
}

void free(void *p)
{
    (void)p;
}

void __stack_chk_fail(void)
{
    panic("the xz decoder overran its stack");
}

/*
 * Whole pages behind a one-page header with the count: a handful of calls,
 * one of them for the dictionary, so nothing finer is worth it.
 */
static void *scratch_alloc(void *opaque, size_t nmemb, size_t size)
{
    struct frame *f;
    uint64_t pages;
    uint64_t *header;

    (void)opaque;
    if (size != 0 && nmemb > MEMORY_LIMIT / size) {
        return NULL;
    }
    pages = DIV_ROUND_UP(nmemb * size, PAGE_SIZE) + 1;
    f = page_alloc_exact(pages);
    if (f == NULL) {
        return NULL;
    }
    header = mfn_to_ptr(frame_mfn(f));
    *header = pages;
    return (uint8_t *)header + PAGE_SIZE;
}

static void scratch_free(void *opaque, void *p)
{
    (void)opaque;
    if (p != NULL) {
        uint64_t *header = (void *)((uint8_t *)p - PAGE_SIZE);

        page_free_exact(frame_of(ptr_to_mfn(header)), *header);
    }
}

/*
 * The boot stack need not be aligned as the ABI asks, and the library's SSE
 * stores to its stack fault if it is not.
 */
static __attribute__((force_align_arg_pointer)) NOINLINE int
decode(const uint8_t *in, uint64_t in_bytes, uint8_t *out, uint64_t out_bytes,
       size_t *ret_out_pos)
{
    const struct lzma_allocator allocator = {scratch_alloc, scratch_free, NULL};
    uint64_t limit = MEMORY_LIMIT;
    size_t in_pos = 0;

    *ret_out_pos = 0;
    return lzma_stream_buffer_decode(&limit, 0, &allocator, in, &in_pos,
                                     in_bytes, out, ret_out_pos, out_bytes);
}

static const char *decode_fault(int rc)
{
    switch (rc) {
    case LZMA_MEM_ERROR:
    case LZMA_MEMLIMIT_ERROR:
        return "not enough memory to unpack the kernel";
    case LZMA_FORMAT_ERROR:
        return "the kernel's payload is not an xz stream";
    case LZMA_OPTIONS_ERROR:
        return "the kernel's xz stream uses unknown options";
    default:
        return "the kernel's xz stream is corrupt";
    }
}

int xz_unpack(const void *in, uint64_t in_bytes, void *out, uint64_t out_bytes,
              const char **ret_why)
{
    const uint8_t *stream = in;
    uint64_t flags, fs_base;
    uint8_t *fs_page;
    size_t out_pos;
    int rc;

    /*
     * The library finds its CRC-64 code in a constructor, which nobody runs
     * here.  Kernels are always packed with CRC-32.
     */
    if (in_bytes < STREAM_HEADER_BYTES || stream[7] != LZMA_CHECK_CRC32) {
        *ret_why = "the kernel's xz stream is not protected by CRC-32";
        return -EINVAL;
    }
    fs_page = hv_page_alloc();
    if (fs_page == NULL) {
        *ret_why = decode_fault(LZMA_MEM_ERROR);
        return -ENOMEM;
    }
    fs_page[FS_PAGE_CANARY] = 0xa5;

    flags = irq_save();
    fs_base = rdmsr(MSR_FS_BASE);
    wrmsr(MSR_FS_BASE, (uint64_t)fs_page);
    clts();
    rc = decode(in, in_bytes, out, out_bytes, &out_pos);
    wrmsr(MSR_FS_BASE, fs_base);
    irq_restore(flags);

    hv_page_free(fs_page);
    if (rc != LZMA_OK) {
        *ret_why = decode_fault(rc);
        return rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR ? -ENOMEM
                                                                 : -EINVAL;
    }
    if (out_pos != out_bytes) {
        *ret_why = "the kernel's xz stream is shorter than it claims";
        return -EINVAL;
    }
    return 0;
}
