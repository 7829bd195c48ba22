/* SPDX-License-Identifier: MIT */
/*
 * mm/memmap.h - the machine's memory map, made trustworthy.
 *
 * boot/ feeds it what the loader said (any order, overlaps, nonsense), then
 * says what must be kept out of the allocator.  Order of calls:
 *
 *   memmap_add() ... memmap_finish() ... memmap_reserve(), memmap_hide() ...
 *   then the first boot_alloc call freezes it.
 *
 * Overlaps are resolved toward "not usable".  Regions are whole pages: usable
 * ones are rounded inwards, others outwards.  The first MiB is always kept.
 *
 * Who uses it: boot/, mm/, hypercall/memory_op.c.  One CPU, boot; read-only
 * afterwards.
 */
#ifndef VIGIL_MM_MEMMAP_H
#define VIGIL_MM_MEMMAP_H

#include "lib/compiler.h"
#include "lib/frames.h"

/* The first five are the firmware's (ACPI 15.0) numbers. */
enum memmap_type {
    MEMMAP_RAM = 1,
    MEMMAP_RESERVED = 2,
    MEMMAP_ACPI = 3,
    MEMMAP_NVS = 4,
    MEMMAP_UNUSABLE = 5,
    MEMMAP_KEPT = 16, /* RAM that memmap_reserve() or memmap_hide() took */
};

struct memmap_region {
    maddr_t start, end; /* end: first address after it */
    enum memmap_type type;
};

/* An entry as firmware and XENMEM_machine_memory_map have it. */
struct e820entry {
    uint64_t addr;
    uint64_t size;
    uint32_t type;
} PACKED;

/**
 * memmap_add() - one entry of the loader's memory map
 * @start: machine address, any alignment
 * @bytes: length; an entry that is empty or wraps is ignored
 * @type:  firmware's number; unknown ones count as reserved
 *
 * Entries beyond the room for them are dropped with a message; RAM is the
 * only type that can be lost harmlessly, so the caller adds others first if
 * it can choose.
 * Context: boot, before memmap_finish().
 */
void memmap_add(maddr_t start, uint64_t bytes, uint32_t type);

/**
 * memmap_finish() - sort and resolve what memmap_add() collected
 *
 * Context: boot, once.
 */
void memmap_finish(void);

/**
 * memmap_reserve() - keep a range out of the allocator
 * @start: machine address, any alignment; rounded outwards to pages
 * @bytes: length
 *
 * For the image, modules, loader information.  Stays RAM in the e820 that
 * dom0 reads.  page_alloc_add() can hand it to the allocator later.
 * Context: boot, after memmap_finish(), before the first boot_alloc call.
 */
void memmap_reserve(maddr_t start, uint64_t bytes);

/**
 * memmap_hide() - like memmap_reserve(), and reserved in dom0's e820 too
 * @start: machine address, any alignment; rounded outwards to pages
 * @bytes: length
 *
 * For the black box.
 * Context: boot, after memmap_finish(), before the first boot_alloc call.
 */
void memmap_hide(maddr_t start, uint64_t bytes);

/**
 * memmap_freeze() - no change from here on
 *
 * Context: boot; boot_alloc calls it.
 */
void memmap_freeze(void);

/**
 * memmap_region() - the n-th region, ascending, page aligned, no overlaps
 * @idx:        from 0
 * @ret_region: filled in
 *
 * Context: any, after memmap_finish().
 * Return:  true, or false past the last one
 */
bool memmap_region(unsigned int idx, struct memmap_region *ret_region);

/**
 * memmap_type_at() - what one machine address is
 * @a: machine address
 *
 * Context: any, after memmap_finish().
 * Return:  its type; MEMMAP_RESERVED where the map says nothing
 */
enum memmap_type memmap_type_at(maddr_t a);

/**
 * memmap_top_frame() - number of frames up to the end of the last RAM
 *
 * Context: any, after memmap_finish().
 * Return:  frames; kept RAM counts
 */
uint64_t memmap_top_frame(void);

/**
 * memmap_ram_frames() - how much RAM the machine has
 *
 * Context: any, after memmap_finish().
 * Return:  frames, kept RAM included
 */
uint64_t memmap_ram_frames(void);

/**
 * memmap_machine_e820() - the n-th entry of the map dom0 is shown
 * @idx:       from 0
 * @ret_entry: filled in
 *
 * The firmware's map, sorted and resolved, byte exact; hidden ranges appear
 * as reserved.
 * Context: any, after memmap_finish().
 * Return:  true, or false past the last one
 */
bool memmap_machine_e820(unsigned int idx, struct e820entry *ret_entry);

#endif
