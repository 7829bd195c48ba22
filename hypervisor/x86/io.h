/* SPDX-License-Identifier: MIT */
/*
 * x86/io.h - port and memory-mapped I/O.
 */
#ifndef VIGIL_X86_IO_H
#define VIGIL_X86_IO_H

#include "lib/types.h"

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;

    asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;

    asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;

    asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void outb(uint16_t port, uint8_t v)
{
    asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t v)
{
    asm volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t v)
{
    asm volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint16_t mmio_read16(const volatile void *p)
{
    return *(const volatile uint16_t *)p;
}

static inline void mmio_write16(volatile void *p, uint16_t v)
{
    *(volatile uint16_t *)p = v;
}

static inline uint32_t mmio_read32(const volatile void *p)
{
    return *(const volatile uint32_t *)p;
}

static inline void mmio_write32(volatile void *p, uint32_t v)
{
    *(volatile uint32_t *)p = v;
}

/*
 * PCI configuration space in memory: AMD's processors of family 10h want al, ax
 * or eax and a plain MOV there (BKDG, "MMIO configuration coding").
 */
static inline uint32_t ecam_read(const volatile void *p, unsigned int bytes)
{
    uint32_t v;

    if (bytes == 1) {
        asm volatile("movb %1, %%al; movzbl %%al, %%eax"
                     : "=&a"(v)
                     : "m"(*(const volatile uint8_t *)p));
    } else if (bytes == 2) {
        asm volatile("movw %1, %%ax; movzwl %%ax, %%eax"
                     : "=&a"(v)
                     : "m"(*(const volatile uint16_t *)p));
    } else {
        asm volatile("movl %1, %%eax"
                     : "=a"(v)
                     : "m"(*(const volatile uint32_t *)p));
    }
    return v;
}

static inline void ecam_write(volatile void *p, unsigned int bytes, uint32_t v)
{
    if (bytes == 1) {
        asm volatile("movb %%al, %0"
                     : "=m"(*(volatile uint8_t *)p)
                     : "a"(v));
    } else if (bytes == 2) {
        asm volatile("movw %%ax, %0"
                     : "=m"(*(volatile uint16_t *)p)
                     : "a"(v));
    } else {
        asm volatile("movl %%eax, %0"
                     : "=m"(*(volatile uint32_t *)p)
                     : "a"(v));
    }
}

#endif
