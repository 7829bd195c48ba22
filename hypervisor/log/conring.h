/* SPDX-License-Identifier: MIT */
/*
 * log/conring.h - the console ring behind XEN_SYSCTL_readconsole (xl dmesg).
 *
 * A ring of bytes: everything the hypervisor printed, oldest first, as it was
 * printed.  Positions are free-running 32-bit counters; the oldest bytes are
 * overwritten.  The record ring (log/ring.h) is the evidence; this is the
 * convenience Xen's tools know.
 */
#ifndef VIGIL_LOG_CONRING_H
#define VIGIL_LOG_CONRING_H

#include "lib/compiler.h"
#include "lib/types.h"

#define CONRING_BYTES (128U * 1024)

/**
 * conring_put() - append bytes
 * @text: bytes
 * @len:  number of bytes
 *
 * Context: the holder of the sink lock, or dying.
 * Return:  nothing.
 */
void conring_put(const char *text, size_t len);

/**
 * conring_read() - copy out a piece, with the semantics of readconsole
 * @buf:         destination, hypervisor memory
 * @size:        bytes wanted
 * @incremental: true: begin at *@ret_index; false: at the oldest byte
 * @start:       where to begin if @incremental; positions that were
 *               overwritten, or never were, are moved into the ring
 * @ret_index:   position after the last byte copied
 *
 * Reads nothing away; conring_clear() does.
 *
 * Context: any but NMI/#MC.
 * Return:  bytes copied, 0 at the end
 */
size_t conring_read(char *buf, size_t size, bool incremental, uint32_t start,
                    uint32_t *ret_index);

/**
 * conring_clear() - forget everything before a position
 * @index: from conring_read()
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void conring_clear(uint32_t index);

#endif
