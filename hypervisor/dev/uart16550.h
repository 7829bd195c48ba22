/* SPDX-License-Identifier: MIT */
/*
 * dev/uart16550.h - the serial line: a log sink and the console's keyboard.
 *
 * Output is polled, so that it works while dying.  Input is polled as well
 * (uart_rx_poll(), from the console softirq) into a 4 KiB ring from which the
 * control domain reads; the interrupt of the line only raises that softirq.
 * Belongs to the hypervisor: no domain may use its ports.
 */
#ifndef VIGIL_DEV_UART16550_H
#define VIGIL_DEV_UART16550_H

#include "lib/compiler.h"
#include "lib/types.h"

#define UART_PORT_COUNT    8
#define UART_RX_RING_BYTES 4096U

struct uart_config {
    uint32_t baud;     /* 0: leave the divisor as the firmware set it */
    uint8_t data_bits; /* 5 .. 8                                      */
    char parity;       /* one of n o e m s                            */
    uint8_t stop_bits; /* 1 or 2                                      */
    uint16_t base;     /* first port                                  */
    int irq;           /* interrupt line, 0: none, input is polled    */
};

/**
 * uart_parse() - understand the value of com1= or com2=
 * @number: 1 or 2: gives the usual base and interrupt as defaults
 * @value:  "<baud>|auto[/<clock_hz>][,DPS[,<base>[,<irq>]]]", NUL-terminated
 * @ret_config: what it means
 *
 * DPS: data bits, parity letter, stop bits, as in 8n1.  Nothing but the
 * arguments is touched.
 *
 * Context: any.
 * Return:  0; -EINVAL: not understood
 */
int uart_parse(unsigned int number, const char *value,
               struct uart_config *ret_config) MUST_CHECK;

/**
 * uart_init() - set up a serial line and register it as log sink
 * @number: 1 or 2
 * @value:  option value as for uart_parse()
 *
 * Only the first line that answers is used.
 *
 * Context: boot; needs nothing but port I/O and the log.
 * Return:  0; -EINVAL not understood; -ENODEV no such chip; -EBUSY there is
 *          one already
 */
int uart_init(unsigned int number, const char *value) MUST_CHECK;

/**
 * uart_irq_line() - the line's interrupt, for the interrupt floor
 *
 * Context: any.
 * Return:  ISA interrupt number; 0: no serial line, or no interrupt
 */
unsigned int uart_irq_line(void);

/**
 * uart_port_base() - ports no domain may use
 *
 * Context: any.
 * Return:  first of UART_PORT_COUNT ports; 0: no serial line
 */
uint16_t uart_port_base(void);

/**
 * uart_rx_irq_enable() - let the chip interrupt when a byte has arrived
 *
 * Context: boot, after its interrupt has a handler.
 * Return:  nothing.
 */
void uart_rx_irq_enable(void);

/**
 * uart_rx_poll() - move received bytes into the input ring
 *
 * Bytes that find the ring full are counted and dropped.
 *
 * Context: console softirq.
 * Return:  number of bytes that arrived, 0 at most times
 */
unsigned int uart_rx_poll(void);

/**
 * uart_rx_read() - take bytes out of the input ring
 * @buf: destination, hypervisor memory
 * @max: its size
 *
 * Context: any but NMI/#MC; interrupts on.
 * Return:  bytes stored; 0: nothing there
 */
size_t uart_rx_read(char *buf, size_t max);

#endif
