/* SPDX-License-Identifier: MIT */
/*
 * pv/elf.c - read a 64-bit ELF executable that may be anything.
 * Source: System V ABI, ELF-64 object file format; x86-64 supplement.
 */
#include "pv/elf.h"

#include "lib/errno.h"
#include "lib/string.h"

#define EHDR_BYTES 64
#define PHDR_BYTES 56
#define PHDR_MAX   64
#define ET_EXEC    2
#define ET_DYN     3
#define EM_X86_64  62

static uint64_t field(const uint8_t *p, unsigned int offset, unsigned int bytes)
{
    uint64_t v = 0;

    memcpy(&v, p + offset, bytes); /* little endian, any alignment */
    return v;
}

static void segment_read(const struct elf_file *elf, unsigned int idx,
                         struct elf_segment *out, uint64_t *ret_offset)
{
    const uint8_t *p = elf->data + elf->ph_offset + (uint64_t)idx * PHDR_BYTES;

    out->type = (uint32_t)field(p, 0, 4);
    *ret_offset = field(p, 8, 8);
    out->vaddr = field(p, 16, 8);
    out->paddr = field(p, 24, 8);
    out->file_bytes = field(p, 32, 8);
    out->mem_bytes = field(p, 40, 8);
    out->data = NULL;
}

static const char *segment_fault(const struct elf_file *elf, unsigned int idx)
{
    struct elf_segment s;
    uint64_t offset;

    segment_read(elf, idx, &s, &offset);
    if (s.type != ELF_PT_LOAD && s.type != ELF_PT_NOTE) {
        return NULL;
    }
    if (offset > elf->bytes || s.file_bytes > elf->bytes - offset) {
        return "ELF file is truncated: a segment lies beyond its end";
    }
    if (s.type == ELF_PT_LOAD) {
        if (s.file_bytes > s.mem_bytes) {
            return "ELF segment is bigger in the file than in memory";
        }
        if (s.paddr + s.mem_bytes < s.paddr) {
            return "ELF segment wraps around the address space";
        }
    }
    return NULL;
}

int elf_open(const void *data, uint64_t bytes, struct elf_file *ret_elf,
             const char **ret_why)
{
    const uint8_t *p = data;
    struct elf_file elf = {.data = p, .bytes = bytes};
    uint64_t type;

    if (bytes < EHDR_BYTES || memcmp(p, "\177ELF", 4) != 0) {
        *ret_why = "not an ELF file";
        return -EINVAL;
    }
    type = field(p, 16, 2);
    /* 64-bit, little endian, version 1 */
    if (p[4] != 2 || p[5] != 1 || p[6] != 1 || field(p, 18, 2) != EM_X86_64 ||
        (type != ET_EXEC && type != ET_DYN)) {
        *ret_why = "not a 64-bit x86 ELF executable";
        return -EINVAL;
    }
    elf.entry = field(p, 24, 8);
    elf.ph_offset = field(p, 32, 8);
    elf.ph_count = (unsigned int)field(p, 56, 2);
    if (field(p, 54, 2) != PHDR_BYTES || elf.ph_count == 0 ||
        elf.ph_count > PHDR_MAX) {
        *ret_why = "ELF file without usable program headers";
        return -EINVAL;
    }
    if (elf.ph_offset > bytes ||
        (uint64_t)elf.ph_count * PHDR_BYTES > bytes - elf.ph_offset) {
        *ret_why = "ELF file is truncated: no room for its program headers";
        return -EINVAL;
    }
    for (unsigned int i = 0; i < elf.ph_count; i++) {
        const char *fault = segment_fault(&elf, i);

        if (fault != NULL) {
            *ret_why = fault;
            return -EINVAL;
        }
    }
    *ret_elf = elf;
    return 0;
}

bool elf_segment(const struct elf_file *elf, unsigned int idx,
                 struct elf_segment *ret_segment)
{
    uint64_t offset;

    if (idx >= elf->ph_count) {
        return false;
    }
    segment_read(elf, idx, ret_segment, &offset);
    if (ret_segment->type == ELF_PT_LOAD || ret_segment->type == ELF_PT_NOTE) {
        ret_segment->data = elf->data + offset;
    } else {
        ret_segment->file_bytes = 0; /* not checked, so nothing to read */
    }
    return true;
}

bool elf_load_range(const struct elf_file *elf, uint64_t *ret_start,
                    uint64_t *ret_end)
{
    struct elf_segment s;
    uint64_t start = ~0ULL, end = 0;

    for (unsigned int i = 0; elf_segment(elf, i, &s); i++) {
        if (s.type == ELF_PT_LOAD && s.mem_bytes != 0) {
            start = MIN(start, s.paddr);
            end = MAX(end, s.paddr + s.mem_bytes);
        }
    }
    *ret_start = start;
    *ret_end = end;
    return start < end;
}
