/* SPDX-License-Identifier: MIT */
/*
 * mm/scrub.c - zero dirty free frames while there is nothing else to do.
 */
#include "mm/scrub.h"

#include "lib/string.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"

#define FRAMES_PER_STEP 16

void scrub_page(mfn_t m)
{
    memset(mfn_to_ptr(m), 0, PAGE_SIZE);
}

bool scrub_idle_step(void)
{
    return page_alloc_scrub_some(FRAMES_PER_STEP);
}
