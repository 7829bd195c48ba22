/* SPDX-License-Identifier: MIT */
/*
 * mm/scrub.c - zero dirty free frames while there is nothing else to do.
 */
#include "mm/scrub.h"

#include "lib/string.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"

#define FRAMES_PER_STEP 16

/*
 * Look before writing: most memory of a machine just started is zero, and a
 * page nobody has written costs its host, if it has one, no memory until
 * somebody does.
 */
void scrub_page(mfn_t m)
{
    uint64_t *w = mfn_to_ptr(m);

    for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*w); i += 8) {
        if ((w[i] | w[i + 1] | w[i + 2] | w[i + 3] | w[i + 4] | w[i + 5] |
             w[i + 6] | w[i + 7]) != 0) {
            memset(&w[i], 0, PAGE_SIZE - i * sizeof(*w));
            return;
        }
    }
}

bool scrub_idle_step(void)
{
    return page_alloc_scrub_some(FRAMES_PER_STEP);
}
