/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_bert.h - the error that ended the previous boot, if the firmware
 * caught it: a status block in memory (UEFI's common platform error record,
 * without the record's head).
 */
#ifndef VIGIL_DEV_ACPI_BERT_H
#define VIGIL_DEV_ACPI_BERT_H

#include "dev/acpi.h"

#define ERROR_SECTIONS_MAX 8

/* Severities, in the firmware's numbers. */
enum error_severity {
    ERROR_RECOVERABLE = 0,
    ERROR_FATAL = 1,
    ERROR_CORRECTED = 2,
    ERROR_NONE = 3, /* informational; also what no number below means */
};

struct error_section {
    const char *kind; /* "memory", ... or "of a kind not known" */
    enum error_severity severity;
    bool has_address; /* a memory section that names one        */
    maddr_t address;
};

struct error_block {
    enum error_severity severity;
    unsigned int section_count; /* kept in section[]                        */
    unsigned int dropped;       /* beyond that, or malformed                */
    struct error_section section[ERROR_SECTIONS_MAX];
};

/**
 * acpi_bert_parse() - read a BERT
 * @table:     table whose length and checksum were verified
 * @ret_at:    machine address of the region with the status block
 * @ret_bytes: its length
 *
 * Pure.  Context: any.
 * Return:  true: it names a region that can be
 */
bool acpi_bert_parse(const struct acpi_header *table, maddr_t *ret_at,
                     uint32_t *ret_bytes);

/**
 * error_block_parse() - read a generic error status block
 * @block:     bytes, any alignment
 * @bytes:     how many may be read
 * @ret_block: set when true is returned
 *
 * Pure.  Context: any.
 * Return:  true: there is an error in it; false: none, or nonsense
 */
bool error_block_parse(const uint8_t *block, size_t bytes,
                       struct error_block *ret_block);

/**
 * error_severity_text() - a severity in words
 * @severity: any
 *
 * Context: any.
 * Return:  static text
 */
const char *error_severity_text(enum error_severity severity);

/**
 * acpi_bert_init() - report the error of the previous boot
 *
 * Context: boot; acpi_init() calls it.
 * Return:  nothing.
 */
void acpi_bert_init(void);

/**
 * acpi_bert() - the error of the previous boot
 *
 * Context: any, after acpi_init(); constant.
 * Return:  it; NULL: none
 */
const struct error_block *acpi_bert(void);

#endif
