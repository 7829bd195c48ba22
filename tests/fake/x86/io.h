/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/io.h - ports answered by the test's hooks.
 */
#ifndef VIGIL_FAKE_X86_IO_H
#define VIGIL_FAKE_X86_IO_H

#include "lib/types.h"
#include "fake_hw.h"

static inline uint8_t inb(uint16_t port)
{
    return (uint8_t)fake_in(port, 1);
}

static inline uint16_t inw(uint16_t port)
{
    return (uint16_t)fake_in(port, 2);
}

static inline uint32_t inl(uint16_t port)
{
    return fake_in(port, 4);
}

static inline void outb(uint16_t port, uint8_t v)
{
    fake_out(port, 1, v);
}

static inline void outw(uint16_t port, uint16_t v)
{
    fake_out(port, 2, v);
}

static inline void outl(uint16_t port, uint32_t v)
{
    fake_out(port, 4, v);
}

static inline uint16_t mmio_read16(const volatile void *p)
{
    return fake_mmio_in_hook != NULL ? (uint16_t)fake_mmio_in_hook(p)
                                     : *(const volatile uint16_t *)p;
}

static inline void mmio_write16(volatile void *p, uint16_t v)
{
    if (fake_mmio_out_hook != NULL) {
        fake_mmio_out_hook(p, v);
    } else {
        *(volatile uint16_t *)p = v;
    }
}

static inline uint32_t mmio_read32(const volatile void *p)
{
    return fake_mmio_in_hook != NULL ? fake_mmio_in_hook(p)
                                     : *(const volatile uint32_t *)p;
}

static inline void mmio_write32(volatile void *p, uint32_t v)
{
    if (fake_mmio_out_hook != NULL) {
        fake_mmio_out_hook(p, v);
    } else {
        *(volatile uint32_t *)p = v;
    }
}

static inline uint32_t ecam_read(const volatile void *p, unsigned int bytes)
{
    return bytes == 1   ? *(const volatile uint8_t *)p
           : bytes == 2 ? *(const volatile uint16_t *)p
                        : *(const volatile uint32_t *)p;
}

static inline void ecam_write(volatile void *p, unsigned int bytes, uint32_t v)
{
    if (bytes == 1) {
        *(volatile uint8_t *)p = (uint8_t)v;
    } else if (bytes == 2) {
        *(volatile uint16_t *)p = (uint16_t)v;
    } else {
        *(volatile uint32_t *)p = v;
    }
}

#endif
