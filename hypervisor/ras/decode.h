/* SPDX-License-Identifier: MIT */
/*
 * ras/decode.h - error codes and interrupted contexts in words.
 */
#ifndef VIGIL_RAS_DECODE_H
#define VIGIL_RAS_DECODE_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "cpu/tenant.h"

/**
 * mce_code_name() - what kind of error a status register tells of
 * @status: the register; only the architectural code is looked at
 *
 * Context: any, #MC included.
 * Return:  static string
 * Source:  SDM 3B 16.9 (simple and compound error codes)
 */
NMI_SAFE const char *mce_code_name(uint64_t status);

/* Enough for describe_context(). */
#define CONTEXT_TEXT_BYTES 40

/**
 * describe_context() - whom an NMI or #MC has interrupted, in words
 * @buf:        CONTEXT_TEXT_BYTES of room
 * @from_guest: a guest was running, not the hypervisor
 *
 * Context: any, NMI and #MC included.
 * Return:  @buf: "guest d1v0", "hypervisor for d1v0", "hypervisor, idle"
 */
NMI_SAFE const char *describe_context(char *buf, bool from_guest);

/**
 * describe_tenant() - the same of what was seen before
 * @buf:        CONTEXT_TEXT_BYTES of room
 * @from_guest: a guest was running, not the hypervisor
 * @t:          tenant_now() of then
 *
 * Context: any, NMI and #MC included.
 * Return:  as above
 */
NMI_SAFE const char *describe_tenant(char *buf, bool from_guest,
                                     struct tenant t);

#endif
