/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/host_names.h - on the host, lib/ functions that libc also has
 * are called hv_*, so that the test runner keeps its own.
 *
 * Force-included when hypervisor sources are compiled for the host.  A test
 * that wants to call ours rather than libc's includes it after <cmocka.h>.
 */
#ifndef VIGIL_FAKE_HOST_NAMES_H
#define VIGIL_FAKE_HOST_NAMES_H

#define memcpy    hv_memcpy
#define memmove   hv_memmove
#define memset    hv_memset
#define memcmp    hv_memcmp
#define memchr    hv_memchr
#define strlen    hv_strlen
#define strnlen   hv_strnlen
#define strcmp    hv_strcmp
#define strncmp   hv_strncmp
#define strchr    hv_strchr
#define strlcpy   hv_strlcpy
#define vsnprintf hv_vsnprintf
#define snprintf  hv_snprintf

#endif
