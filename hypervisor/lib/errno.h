/* SPDX-License-Identifier: MIT */
/*
 * lib/errno.h - error names, with the values of Xen's public <xen/errno.h>.
 * Functions return 0 or a negative one of these.
 */
#ifndef VIGIL_LIB_ERRNO_H
#define VIGIL_LIB_ERRNO_H

#ifndef VIGIL_HOST_TEST
#define XEN_ERRNO(name, value) name = value,
enum vigil_errno {
#include <xen/errno.h>
};
#undef XEN_ERRNO
#else
#include <errno.h>
#endif

/* Internal only: stop here, run the hypercall again.  Never reaches a guest. */
#ifndef ERESTART
#define ERESTART 85
#endif

#endif
