/* SPDX-License-Identifier: MIT */
/*
 * dev/uart16550.c - 16550 serial line, polled.
 */
#include "dev/uart16550.h"

#include "lib/errno.h"
#include "x86/io.h"
#include "log/sink.h"

/* Registers, as offsets from the base port. */
#define REG_DATA       0 /* DLAB clear: receive, transmit */
#define REG_DIVISOR    0 /* DLAB set: low byte            */
#define REG_IER        1 /* DLAB clear                    */
#define REG_DIVISOR_HI 1
#define REG_FCR        2
#define REG_LCR        3
#define REG_MCR        4
#define REG_LSR        5
#define REG_SCRATCH    7

#define IER_RX           0x01
#define FCR_ENABLE_CLEAR 0x07 /* FIFO on, both directions emptied */
#define LCR_DLAB         0x80
#define MCR_DTR_RTS_OUT2 0x0b /* OUT2 gates the interrupt on a PC */
#define LSR_DATA         0x01
#define LSR_THRE         0x20

#define TX_FIFO_BYTES 16
/* An emptying FIFO takes 0.5 s at 300 baud; a port read about 1 us. */
#define TX_WAIT_READS 600000U
/* A chip that never empties is given up after that many waits. */
#define TX_STUCK_MAX  4

#define UART_CLOCK_HZ 1843200U

static struct uart_config line; /* base 0: none */
static unsigned int tx_stuck;

/*
 * Producer: uart_rx_poll(), consumer: uart_rx_read().  Both run on a main
 * stack and are not preempted; the counters run freely.
 */
static char rx_ring[UART_RX_RING_BYTES];
static uint32_t rx_put, rx_got;
static uint32_t rx_dropped;

static uint8_t reg_read(unsigned int reg)
{
    return inb((uint16_t)(line.base + reg));
}

static void reg_write(unsigned int reg, uint8_t v)
{
    outb((uint16_t)(line.base + reg), v);
}

/* A number in decimal or 0x-hexadecimal; advances *@s; false: none there. */
static bool parse_number(const char **s, uint32_t *ret)
{
    const char *p = *s;
    uint32_t base = 10, v = 0;
    unsigned int digits = 0;

    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    }
    for (;; p++, digits++) {
        uint32_t d;

        if (*p >= '0' && *p <= '9') {
            d = (uint32_t)(*p - '0');
        } else if (base == 16 && *p >= 'a' && *p <= 'f') {
            d = (uint32_t)(*p - 'a') + 10;
        } else if (base == 16 && *p >= 'A' && *p <= 'F') {
            d = (uint32_t)(*p - 'A') + 10;
        } else {
            break;
        }
        if (v > (0xffffffffU - d) / base) {
            return false;
        }
        v = v * base + d;
    }
    *s = p;
    *ret = v;
    return digits != 0;
}

static bool parse_frame_format(const char **s, struct uart_config *c)
{
    const char *p = *s;

    if (p[0] < '5' || p[0] > '8') {
        return false;
    }
    c->data_bits = (uint8_t)(p[0] - '0');
    switch (p[1]) {
    case 'n':
    case 'o':
    case 'e':
    case 'm':
    case 's':
        c->parity = p[1];
        break;
    default:
        return false;
    }
    if (p[2] != '1' && p[2] != '2') {
        return false;
    }
    c->stop_bits = (uint8_t)(p[2] - '0');
    *s = p + 3;
    return true;
}

int uart_parse(unsigned int number, const char *value,
               struct uart_config *ret_config)
{
    struct uart_config c = {
        .baud = 115200,
        .data_bits = 8,
        .parity = 'n',
        .stop_bits = 1,
        .base = number == 2 ? 0x2f8 : 0x3f8,
        .irq = number == 2 ? 3 : 4,
    };
    const char *p = value;
    uint32_t n;

    if (number != 1 && number != 2) {
        return -EINVAL;
    }
    if (p[0] == 'a' && p[1] == 'u' && p[2] == 't' && p[3] == 'o') {
        c.baud = 0;
        p += 4;
    } else if (*p != '\0' && *p != ',') {
        if (!parse_number(&p, &c.baud) || c.baud == 0 ||
            c.baud > UART_CLOCK_HZ / 16) {
            return -EINVAL;
        }
    }
    if (*p == '/') { /* clock of the chip: accepted for the usual one only */
        p++;
        if (!parse_number(&p, &n) || n != UART_CLOCK_HZ) {
            return -EINVAL;
        }
    }
    if (*p == ',' && p[1] != ',' && p[1] != '\0') {
        p++;
        if (!parse_frame_format(&p, &c)) {
            return -EINVAL;
        }
    } else if (*p == ',') {
        p++;
    }
    if (*p == ',' && p[1] != ',' && p[1] != '\0') {
        p++;
        if (!parse_number(&p, &n) || n == 0 || n > 0xfff8) {
            return -EINVAL; /* memory-mapped and PCI chips are not known */
        }
        c.base = (uint16_t)n;
    } else if (*p == ',') {
        p++;
    }
    if (*p == ',' && p[1] != '\0') {
        p++;
        if (!parse_number(&p, &n) || n > 15) {
            return -EINVAL;
        }
        c.irq = (int)n;
    }
    if (*p != '\0' && *p != ',') {
        return -EINVAL;
    }
    *ret_config = c;
    return 0;
}

/* Room in the transmit FIFO?  Bounded; false: the chip does not move. */
static bool wait_tx_empty(void)
{
    for (unsigned int i = 0; i < TX_WAIT_READS; i++) {
        if (reg_read(REG_LSR) & LSR_THRE) {
            tx_stuck = 0;
            return true;
        }
    }
    tx_stuck++;
    return false;
}

static void uart_write(const char *text, size_t len)
{
    size_t i = 0;

    if (line.base == 0 || tx_stuck >= TX_STUCK_MAX) {
        return;
    }
    while (i < len) {
        if (!wait_tx_empty()) {
            return;
        }
        for (unsigned int n = 0; n < TX_FIFO_BYTES && i < len; n++) {
            reg_write(REG_DATA, (uint8_t)text[i++]);
        }
    }
}

/* Empty means room for a whole FIFO.  A chip that is stuck takes anything. */
static size_t uart_room(void)
{
    if (line.base == 0 || tx_stuck >= TX_STUCK_MAX ||
        (reg_read(REG_LSR) & LSR_THRE)) {
        return TX_FIFO_BYTES;
    }
    return 0;
}

static struct log_sink uart_sink = {
    .name = "uart",
    .crlf = true,
    .write = uart_write,
    /* The normal path polls, too, and holds no lock of its own. */
    .emergency_write = uart_write,
    .room = uart_room,
};

static bool chip_answers(void)
{
    static const uint8_t probes[] = {0x5a, 0xa5};

    for (unsigned int i = 0; i < ARRAY_SIZE(probes); i++) {
        reg_write(REG_SCRATCH, probes[i]);
        if (reg_read(REG_SCRATCH) != probes[i]) {
            return false;
        }
    }
    return true;
}

static uint8_t line_control(const struct uart_config *c)
{
    uint8_t v = (uint8_t)(c->data_bits - 5);

    if (c->stop_bits == 2) {
        v |= 0x04;
    }
    switch (c->parity) {
    case 'o':
        v |= 0x08;
        break;
    case 'e':
        v |= 0x18;
        break;
    case 'm':
        v |= 0x28;
        break;
    case 's':
        v |= 0x38;
        break;
    default:
        break;
    }
    return v;
}

int uart_init(unsigned int number, const char *value)
{
    struct uart_config c;
    int rc;

    if (line.base != 0) {
        return -EBUSY;
    }
    rc = uart_parse(number, value, &c);
    if (rc != 0) {
        return rc;
    }
    line = c;
    if (!chip_answers()) {
        line.base = 0;
        return -ENODEV;
    }
    /* DLAB clear first: the firmware may have left it set. */
    reg_write(REG_LCR, line_control(&c));
    reg_write(REG_IER, 0);
    if (c.baud != 0) {
        uint32_t divisor = UART_CLOCK_HZ / (16 * c.baud);

        reg_write(REG_LCR, LCR_DLAB);
        reg_write(REG_DIVISOR, (uint8_t)divisor);
        reg_write(REG_DIVISOR_HI, (uint8_t)(divisor >> 8));
    }
    reg_write(REG_LCR, line_control(&c));
    reg_write(REG_FCR, FCR_ENABLE_CLEAR);
    reg_write(REG_MCR, MCR_DTR_RTS_OUT2);
    log_sink_register(&uart_sink);
    return 0;
}

unsigned int uart_irq_line(void)
{
    return line.base != 0 && line.irq > 0 ? (unsigned int)line.irq : 0;
}

uint16_t uart_port_base(void)
{
    return line.base;
}

void uart_rx_irq_enable(void)
{
    if (line.base != 0) {
        reg_write(REG_IER, IER_RX);
    }
}

unsigned int uart_rx_poll(void)
{
    unsigned int arrived = 0;

    if (line.base == 0) {
        return 0;
    }
    /* A chip that was unplugged reads all ones for ever: hence the bound. */
    while (arrived < UART_RX_RING_BYTES && (reg_read(REG_LSR) & LSR_DATA)) {
        char c = (char)reg_read(REG_DATA);

        arrived++;
        if (rx_put - rx_got == UART_RX_RING_BYTES) {
            rx_dropped++;
            continue;
        }
        rx_ring[rx_put % UART_RX_RING_BYTES] = c;
        rx_put++;
    }
    return arrived;
}

size_t uart_rx_read(char *buf, size_t max)
{
    size_t n = 0;

    while (n < max && rx_got != rx_put) {
        buf[n++] = rx_ring[rx_got % UART_RX_RING_BYTES];
        rx_got++;
    }
    return n;
}
