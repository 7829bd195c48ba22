/* SPDX-License-Identifier: MIT */
/*
 * lib/format.h - printf-style formatting into a bounded buffer.
 *
 * Understood: %d %i %u %x %X %o %c %s %p %%, the lengths hh h l ll z t j, the
 * flags - 0 + space #, a width and a precision (both also as *).  No floating
 * point, no %n.  %p prints 0x and 16 hexadecimal digits.  An unknown
 * conversion is copied to the output as it stands, so the mistake is visible.
 *
 * No lock, no shared buffer, no allocation: usable in NMI and #MC context.
 */
#ifndef VIGIL_LIB_FORMAT_H
#define VIGIL_LIB_FORMAT_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * vsnprintf() - format into a buffer, ISO C return value
 * @buf:  destination; NUL-terminated afterwards unless @size is 0
 * @size: bytes in @buf; 0 only measures, @buf may then be NULL
 * @fmt:  format, see above
 * @args: its arguments
 *
 * Context: any.
 * Return:  length the whole text would have, without the NUL
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
    PRINTF_LIKE(3, 0);

/**
 * snprintf() - format into a buffer, ISO C return value
 * @buf:  destination; NUL-terminated afterwards unless @size is 0
 * @size: bytes in @buf
 * @fmt:  format, see above
 *
 * Context: any.
 * Return:  length the whole text would have, without the NUL
 */
int snprintf(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

/**
 * vscnprintf() - format into a buffer, return what was really stored
 * @buf:  destination; NUL-terminated afterwards unless @size is 0
 * @size: bytes in @buf
 * @fmt:  format, see above
 * @args: its arguments
 *
 * Context: any.
 * Return:  bytes in @buf before the NUL; 0 if @size is 0
 */
size_t vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
    PRINTF_LIKE(3, 0);

/**
 * scnprintf() - format into a buffer, return what was really stored
 * @buf:  destination; NUL-terminated afterwards unless @size is 0
 * @size: bytes in @buf
 * @fmt:  format, see above
 *
 * The form for text built in steps: at += scnprintf(buf + at, size - at, ...).
 *
 * Context: any.
 * Return:  bytes in @buf before the NUL; 0 if @size is 0
 */
size_t scnprintf(char *buf, size_t size, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
