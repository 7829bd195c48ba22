/* SPDX-License-Identifier: MIT */
/* lib/hosted/string.h - for headers of libraries that include <string.h>. */
#include "lib/string.h"
