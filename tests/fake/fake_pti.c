/* SPDX-License-Identifier: MIT */
/* fake_pti.c - no guest is isolated. */
#include "mm/pti.h"

bool pti_on;

void pti_l4_changed(void)
{
}
