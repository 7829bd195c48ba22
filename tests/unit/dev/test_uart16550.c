/* SPDX-License-Identifier: MIT */
/*
 * dev/uart16550.c: the option, a chip that answers, one that does not, one
 * that is stuck; the input ring.
 */
#include "tests/unit/unit.h"

#include "lib/errno.h"
#include "log/sink.h"
#include "dev/uart16550.h"
#include "fake_hw.h"

static struct log_sink *sink;
static uint8_t regs[8];
static char sent[256];
static size_t sent_len;
static const char *input;
static bool is_stuck, is_absent;
static unsigned int reads;

void log_sink_register(struct log_sink *s)
{
    sink = s;
}

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    assert_int_equal(bytes, 1);
    assert_in_range(port, 0x3f8, 0x3ff);
    reads++;
    if (is_absent) {
        return 0xff;
    }
    switch (port - 0x3f8) {
    case 0:
        return (uint8_t)*input++;
    case 5:
        return (is_stuck ? 0U : 0x20U) | (*input != '\0' ? 1U : 0);
    default:
        return regs[port - 0x3f8];
    }
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    assert_int_equal(bytes, 1);
    assert_in_range(port, 0x3f8, 0x3ff);
    regs[port - 0x3f8] = (uint8_t)v;
    if (port == 0x3f8 && !(regs[3] & 0x80) && sent_len < sizeof(sent)) {
        sent[sent_len++] = (char)v;
    }
}

static void option(void **state)
{
    static const char *const bad[] = {"x",
                                      "0",
                                      "230400",
                                      "115200,9n1",
                                      "115200,8x1",
                                      "115200,8n3",
                                      "115200,8n1,0xfffff",
                                      "115200,8n1,0x3f8,16",
                                      "115200,8n1,pci",
                                      "115200/1,8n1"};
    struct uart_config c;

    (void)state;
    assert_int_equal(uart_parse(1, "115200,8n1", &c), 0);
    assert_int_equal(c.baud, 115200);
    assert_int_equal(c.base, 0x3f8);
    assert_int_equal(c.irq, 4);
    assert_int_equal(uart_parse(2, "9600,7e2", &c), 0);
    assert_int_equal(c.base, 0x2f8);
    assert_int_equal(c.parity, 'e');
    assert_int_equal(c.data_bits, 7);
    assert_int_equal(c.stop_bits, 2);
    assert_int_equal(uart_parse(1, "auto,8n1,0x2f8,3", &c), 0);
    assert_int_equal(c.baud, 0);
    assert_int_equal(c.base, 0x2f8);
    assert_int_equal(c.irq, 3);
    assert_int_equal(uart_parse(1, "", &c), 0);
    assert_int_equal(uart_parse(1, "115200,8n1,,0", &c), 0);
    assert_int_equal(c.irq, 0);
    assert_int_equal(uart_parse(3, "115200", &c), -EINVAL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(uart_parse(1, bad[i], &c), -EINVAL);
    }
}

static void line(void **state)
{
    char buf[16], many[5000];

    (void)state;
    fake_hw_reset();
    fake_in_hook = port_in;
    fake_out_hook = port_out;
    input = "";
    is_absent = true;
    assert_int_equal(uart_init(1, "115200,8n1"), -ENODEV);
    assert_int_equal(uart_port_base(), 0);
    assert_int_equal(uart_rx_poll(), 0);
    is_absent = false;
    assert_int_equal(uart_init(1, "57600,8n1"), 0);
    assert_int_equal(uart_init(1, "57600,8n1"), -EBUSY);
    assert_int_equal(uart_irq_line(), 4);
    assert_int_equal(uart_port_base(), 0x3f8);
    assert_int_equal(regs[3], 3);
    assert_non_null(sink);
    sent_len = 0;
    sink->write("hello, line of more than sixteen bytes", 38);
    assert_int_equal(sent_len, 38);
    assert_memory_equal(sent, "hello, line of more than sixteen bytes", 38);

    input = "keys";
    assert_int_equal(uart_rx_poll(), 4);
    assert_int_equal(uart_rx_read(buf, 2), 2);
    assert_memory_equal(buf, "ke", 2);
    assert_int_equal(uart_rx_read(buf, sizeof(buf)), 2);
    assert_memory_equal(buf, "ys", 2);
    assert_int_equal(uart_rx_read(buf, sizeof(buf)), 0);
    /* More than the ring holds: the rest is dropped, nothing overwritten. */
    memset(many, 'm', sizeof(many));
    many[sizeof(many) - 1] = '\0';
    input = many;
    while (uart_rx_poll() != 0) {
    }
    assert_int_equal(uart_rx_read(many, sizeof(many)), UART_RX_RING_BYTES);

    /* A chip that never empties is given up. */
    is_stuck = true;
    for (unsigned int i = 0; i < 10; i++) {
        sink->emergency_write("x", 1);
    }
    reads = 0;
    sink->emergency_write("x", 1);
    assert_int_equal(reads, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option),
        cmocka_unit_test(line),
    };

    return UNIT_RUN(tests);
}
