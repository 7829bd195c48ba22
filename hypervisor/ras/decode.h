/* SPDX-License-Identifier: MIT */
/*
 * ras/decode.h - the error code of a bank in words.
 */
#ifndef VIGIL_RAS_DECODE_H
#define VIGIL_RAS_DECODE_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * mce_code_name() - what kind of error a status register tells of
 * @status: the register; only the architectural code is looked at
 *
 * Context: any, #MC included.
 * Return:  static string
 * Source:  SDM 3B 16.9 (simple and compound error codes)
 */
NMI_SAFE const char *mce_code_name(uint64_t status);

#endif
