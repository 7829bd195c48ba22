/* SPDX-License-Identifier: MIT */
/* lib/xen.c - handles on the hypervisor and on xenstore. */
#include "lib/xen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/io/console.h>
#include <xenforeignmemory.h>
#include <xenstore_lib.h>

#include <vigil/blackbox.h>
#include <vigil/vigil_op.h>

#define RING_CHUNK    16384U
#define RING_MAX      (4U * 1024 * 1024)
#define BOX_CHUNK     65536U
#define BOX_BYTES_MAX (16ULL * VIGIL_BOX_BYTES)
/* How often a console page is looked at. */
#define CONSOLE_STEP_MS 10U

int xen_open(struct xen *xen, int verbose, struct fault *fault)
{
    xentoollog_logger *log;
    int err;

    memset(xen, 0, sizeof(*xen));
    xen->log = xtl_createlogger_stdiostream(
        stderr, verbose ? XTL_DEBUG : XTL_CRITICAL, 0);
    log = (xentoollog_logger *)xen->log;
    xen->xch = xc_interface_open(log, log, 0);
    if (!xen->xch) {
        goto out_close;
    }
    xen->call = xencall_open(log, 0);
    if (!xen->call) {
        goto out_close;
    }
    return 0;

out_close:
    err = errno;
    xen_close(xen);
    if (err == EPERM || err == EACCES) {
        return fault_set(fault, EXIT_PERMISSION,
                         "the hypervisor's device may not be opened; run this "
                         "as root in the control domain");
    }
    return fault_set(fault, EXIT_NOT_VIGIL,
                     "no hypervisor to talk to (%s): /dev/xen/privcmd is "
                     "missing or does not answer; this runs in the control "
                     "domain of Vigil or Xen only, with the module "
                     "xen-privcmd loaded",
                     strerror(err));
}

int xen_need_store(struct xen *xen, struct fault *fault)
{
    const char *socket = xs_daemon_socket();

    if (xen->xs) {
        return 0;
    }
    if (access(socket, F_OK)) {
        /* Not by errno: ENOENT would read as "no such guest". */
        return fault_set(fault, errno == EACCES ? EXIT_PERMISSION : EXIT_FAILED,
                         "xenstored does not run: no socket %s (%s); start it "
                         "(on Debian: service xen start)",
                         socket, strerror(errno));
    }
    xen->xs = xs_open(0);
    if (!xen->xs) {
        return fault_set(fault, errno == EACCES ? EXIT_PERMISSION : EXIT_FAILED,
                         "xenstored does not answer on %s (%s)", socket,
                         strerror(errno));
    }
    return 0;
}

void xen_close(struct xen *xen)
{
    if (xen->xs) {
        xs_close(xen->xs);
    }
    if (xen->call) {
        xencall_close(xen->call);
    }
    if (xen->xch) {
        xc_interface_close(xen->xch);
    }
    if (xen->log) {
        xtl_logger_destroy((xentoollog_logger *)xen->log);
    }
    memset(xen, 0, sizeof(*xen));
}

int vigil_call(struct xen *xen, unsigned int op, void *arg, size_t bytes)
{
    void *buffer = NULL;
    int err = 0;

    if (bytes) {
        /* Pages of a heap could be swapped or copied on write meanwhile. */
        buffer = xencall_alloc_buffer(xen->call, bytes);
        if (!buffer) {
            return -ENOMEM;
        }
        memcpy(buffer, arg, bytes);
    }
    if (xencall2(xen->call, VIGIL_HYPERCALL, op, (uintptr_t)buffer) < 0) {
        err = errno ? errno : EIO;
    }
    if (buffer) {
        if (!err) {
            memcpy(arg, buffer, bytes);
        }
        xencall_free_buffer(xen->call, buffer);
    }
    return -err;
}

static int box_read_all(struct xen *xen, uint8_t *data, size_t bytes,
                        void *chunk)
{
    size_t done = 0;

    while (done < bytes) {
        struct vigil_op_box_read read = {
            .offset = done,
            .bytes = bytes - done < BOX_CHUNK ? bytes - done : BOX_CHUNK,
            .buffer = (uintptr_t)chunk,
        };
        uint64_t asked = read.bytes;
        int ret = vigil_call(xen, VIGIL_OP_box_read, &read, sizeof(read));

        if (ret) {
            return ret;
        }
        if (read.bytes == 0 || read.bytes > asked) {
            return -EIO;
        }
        memcpy(data + done, chunk, read.bytes);
        done += read.bytes;
    }
    return 0;
}

int vigil_box_fetch(struct xen *xen, void **ret_data, size_t *ret_bytes)
{
    struct vigil_op_box_info info = {.bytes = 0};
    int ret = vigil_call(xen, VIGIL_OP_box_info, &info, sizeof(info));
    void *chunk;
    void *data;

    if (ret) {
        return ret;
    }
    if (info.bytes > BOX_BYTES_MAX) {
        return -E2BIG;
    }
    chunk = xencall_alloc_buffer(xen->call, BOX_CHUNK);
    if (!chunk) {
        return -ENOMEM;
    }
    data = xmalloc(info.bytes);
    ret = box_read_all(xen, data, info.bytes, chunk);
    xencall_free_buffer(xen->call, chunk);
    if (ret) {
        free(data);
        return ret;
    }
    *ret_data = data;
    *ret_bytes = info.bytes;
    return 0;
}

int vigil_missing(struct fault *fault, const char *what)
{
    return fault_set(fault, EXIT_NOT_VIGIL,
                     "%s: this hypervisor does not know Vigil's hypercall "
                     "(%u), so it is not Vigil; only Vigil can answer this",
                     what, VIGIL_HYPERCALL);
}

char *console_ring_read(struct xen *xen, int clear, size_t *ret_len,
                        struct fault *fault)
{
    char *text = xmalloc(RING_CHUNK + 1);
    uint32_t index = 0;
    size_t len = 0;

    for (;;) {
        unsigned int chars = RING_CHUNK;

        /* Only what was read is cleared: nothing is lost in between. */
        if (xc_readconsolering(xen->xch, text + len, &chars, clear, 1,
                               &index)) {
            fault_errno(fault, errno,
                        "the hypervisor's console ring cannot be read");
            free(text);
            return NULL;
        }
        if (chars == 0 || len >= RING_MAX) {
            break;
        }
        len += chars;
        text = xrealloc(text, len + RING_CHUNK + 1);
    }
    text[len] = '\0';
    *ret_len = len;
    return text;
}

/* A guest's console page for reading; errno when NULL. */
static void *console_page_map(uint32_t domid, unsigned long mfn,
                              xenforeignmemory_handle **ret_memory)
{
    xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
    xen_pfn_t frame = mfn;
    void *page;
    int err;

    if (!memory) {
        return NULL;
    }
    page = xenforeignmemory_map(memory, domid, PROT_READ, 1, &frame, NULL);
    if (!page) {
        err = errno;
        xenforeignmemory_close(memory);
        errno = err;
        return NULL;
    }
    *ret_memory = memory;
    return page;
}

static void console_page_unmap(void *page, xenforeignmemory_handle *memory)
{
    xenforeignmemory_unmap(memory, page, 1);
    xenforeignmemory_close(memory);
}

char *console_page_read(uint32_t domid, unsigned long mfn, size_t *ret_len)
{
    xenforeignmemory_handle *memory;
    const volatile struct xencons_interface *ring;
    uint32_t size = sizeof(((struct xencons_interface *)NULL)->out);
    uint32_t produced;
    uint32_t len;
    char *text;
    void *page = console_page_map(domid, mfn, &memory);

    if (!page) {
        return NULL;
    }
    ring = page;
    produced = ring->out_prod;
    len = produced < size ? produced : size;
    text = xmalloc(len + 1UL);
    for (uint32_t i = 0; i < len; i++) {
        text[i] = ring->out[(produced - len + i) & (size - 1)];
    }
    console_page_unmap(page, memory);
    *ret_len = len;
    return text;
}

void console_page_await(uint32_t domid, unsigned long mfn, unsigned int ms)
{
    xenforeignmemory_handle *memory;
    const volatile struct xencons_interface *ring;
    const struct timespec step = {.tv_nsec = CONSOLE_STEP_MS * 1000000L};
    void *page = console_page_map(domid, mfn, &memory);

    if (!page) {
        return;
    }
    ring = page;
    for (unsigned int waited = 0;
         ring->out_cons != ring->out_prod && waited < ms;
         waited += CONSOLE_STEP_MS) {
        nanosleep(&step, NULL);
    }
    console_page_unmap(page, memory);
}
