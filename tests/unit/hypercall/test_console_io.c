/* SPDX-License-Identifier: MIT */
/*
 * hypercall/console_io: whose text goes where, lines of guests, restarts.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/xen_abi.h"
#include "log/printk.h"
#include "dev/uart16550.h"
#include "hypercall/call.h"
#include "fake_hw.h"

static struct domain d;
static struct vcpu v;
static char seen[4096], lines[4096], typed[1000];
static size_t seen_len, typed_len;
static unsigned int stop_after;
static uint64_t restart_count, restart_va;
static bool bad_memory;

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    if (bad_memory) {
        return -EFAULT;
    }
    memcpy(dst, (const void *)va, bytes);
    return 0;
}

int copy_to_guest(uint64_t va, const void *src, size_t bytes)
{
    if (bad_memory) {
        return -EFAULT;
    }
    memcpy((void *)va, src, bytes);
    return 0;
}

bool hypercall_should_stop(void)
{
    return stop_after != 0 && --stop_after == 0;
}

int64_t hypercall_restart(uint64_t nr, unsigned int args, uint64_t a1,
                          uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a4;
    (void)a5;
    assert_int_equal(nr, __HYPERVISOR_console_io);
    assert_int_equal(args, 3);
    assert_int_equal(a1, CONSOLEIO_write);
    restart_count = a2;
    restart_va = a3;
    return -12345;
}

void log_console_write(const char *text, size_t len)
{
    memcpy(seen + seen_len, text, len);
    seen_len += len;
}

void log_guest_line(struct log_guest *guest, const char *text, size_t len)
{
    size_t at = strlen(lines);

    snprintf(lines + at, sizeof(lines) - at, "%u:%.*s|", guest->domid, (int)len,
             text);
}

size_t uart_rx_read(char *buf, size_t max)
{
    size_t n = typed_len < max ? typed_len : max;

    memcpy(buf, typed, n);
    memmove(typed, typed + n, typed_len - n);
    typed_len -= n;
    return n;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(&d, 0, sizeof(d));
    memset(&v, 0, sizeof(v));
    memset(lines, 0, sizeof(lines));
    v.domain = &d;
    d.log.domid = 5;
    this_cpu()->current_vcpu = &v;
    seen_len = typed_len = 0;
    stop_after = 0;
    bad_memory = false;
    return 0;
}

static int64_t call(uint64_t cmd, uint64_t count, const void *buffer)
{
    return do_console_io(cmd, count, (uint64_t)buffer, 0, 0);
}

static void dom0_bytes(void **state)
{
    static const char text[] = "raw \x1b[0m\r\nbytes";

    (void)state;
    d.is_privileged = true;
    assert_int_equal(call(CONSOLEIO_write, sizeof(text), text), 0);
    assert_int_equal(seen_len, sizeof(text));
    assert_memory_equal(seen, text, sizeof(text));
    assert_int_equal(call(CONSOLEIO_write, 0, text), 0);
    bad_memory = true;
    assert_int_equal(call(CONSOLEIO_write, 1, text), -EFAULT);
}

static void guest_lines(void **state)
{
    (void)state;
    assert_int_equal(call(CONSOLEIO_write, 4, "hell"), 0);
    assert_string_equal(lines, "");
    assert_int_equal(call(CONSOLEIO_write, 10, "o\nw\x1b\x80orld\n"), 0);
    assert_string_equal(lines, "5:hello|5:world|");
    assert_int_equal(seen_len, 0);
}

static void long_guest_line(void **state)
{
    char text[300];

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_int_equal(call(CONSOLEIO_write, sizeof(text), text), 0);
    assert_int_equal(strlen(lines), 2 * (128 + 3));
    assert_int_equal(d.console_len, 300 - 256);
}

static void restarted(void **state)
{
    static char text[1000];

    (void)state;
    d.is_privileged = true;
    memset(text, 'y', sizeof(text));
    stop_after = 2;
    assert_int_equal(call(CONSOLEIO_write, sizeof(text), text), -12345);
    assert_int_equal(restart_count, 1000 - 512);
    assert_int_equal(restart_va, (uint64_t)text + 512);
    assert_int_equal(seen_len, 512);
}

static void reading(void **state)
{
    char buf[1000] = {0};

    (void)state;
    assert_int_equal(call(CONSOLEIO_read, sizeof(buf), buf), -EPERM);
    d.is_privileged = true;
    assert_int_equal(call(CONSOLEIO_read, sizeof(buf), buf), 0);
    memset(typed, 'z', 700);
    typed_len = 700;
    assert_int_equal(call(CONSOLEIO_read, 600, buf), 600);
    assert_int_equal(call(CONSOLEIO_read, 600, buf), 100);
    typed_len = 1;
    bad_memory = true;
    assert_int_equal(call(CONSOLEIO_read, 1, buf), -EFAULT);
}

static void malformed(void **state)
{
    (void)state;
    assert_int_equal(call(2, 1, NULL), -ENOSYS);
    assert_int_equal(call(CONSOLEIO_write, 0x80000000, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dom0_bytes, set_up),
        cmocka_unit_test_setup(guest_lines, set_up),
        cmocka_unit_test_setup(long_guest_line, set_up),
        cmocka_unit_test_setup(restarted, set_up),
        cmocka_unit_test_setup(reading, set_up),
        cmocka_unit_test_setup(malformed, set_up),
    };

    return UNIT_RUN(tests);
}
