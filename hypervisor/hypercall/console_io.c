/* SPDX-License-Identifier: MIT */
/*
 * hypercall/console_io.c - HYPERVISOR_console_io(cmd, count, buffer).
 *
 *   write (0)  control domain: bytes to the machine's console as they are;
 *              others: whole lines into the log, "(dN) " before them
 *   read (1)   control domain: what was typed
 *
 * Return:  write: 0; read: bytes; -EINVAL count beyond 2 GiB; -EFAULT;
 *          -EPERM read by others; -ENOSYS no such cmd
 */
#include "lib/xen_abi.h"
#include "log/printk.h"
#include "dev/uart16550.h"
#include "hypercall/call.h"

#define CHUNK_BYTES 256

static void flush_line(struct domain *d)
{
    log_guest_line(&d->log, d->console_line, d->console_len);
    d->console_len = 0;
}

/* A guest's line is kept until it is whole, so that lines do not mix. */
static void buffer_text(struct domain *d, const char *text, size_t len)
{
    spin_lock(&d->console_lock);
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '\n') {
            flush_line(d);
        } else if ((c >= ' ' && c < 0x7f) || c == '\t') {
            d->console_line[d->console_len] = c;
            d->console_len++;
            if (d->console_len == sizeof(d->console_line)) {
                flush_line(d);
            }
        }
    }
    spin_unlock(&d->console_lock);
}

static int64_t console_write(uint64_t count, uint64_t buffer)
{
    struct domain *d = current->domain;
    char chunk[CHUNK_BYTES] UNINITIALISED;

    while (count != 0) {
        size_t n = count < CHUNK_BYTES ? count : CHUNK_BYTES;

        if (copy_from_guest(chunk, buffer, n) != 0) {
            return -EFAULT;
        }
        if (d->is_privileged) {
            log_console_write(chunk, n);
        } else {
            buffer_text(d, chunk, n);
        }
        count -= n;
        buffer += n;
        if (count != 0 && hypercall_should_stop()) {
            return hypercall_restart(__HYPERVISOR_console_io, 3,
                                     CONSOLEIO_write, count, buffer, 0, 0);
        }
    }
    return 0;
}

static int64_t console_read(uint64_t count, uint64_t buffer)
{
    char chunk[CHUNK_BYTES];
    uint64_t done = 0;

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    while (done < count) {
        uint64_t room = count - done;
        size_t n = uart_rx_read(chunk, room < CHUNK_BYTES ? room : CHUNK_BYTES);

        if (n == 0) {
            break;
        }
        if (copy_to_guest(buffer + done, chunk, n) != 0) {
            return -EFAULT;
        }
        done += n;
    }
    return (int64_t)done;
}

int64_t do_console_io(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    uint32_t count = (uint32_t)a2;

    (void)a4;
    (void)a5;
    if (count > INT32_MAX) {
        return -EINVAL;
    }
    switch ((uint32_t)a1) {
    case CONSOLEIO_write:
        return console_write(count, a3);
    case CONSOLEIO_read:
        return console_read(count, a3);
    default:
        return -ENOSYS;
    }
}
