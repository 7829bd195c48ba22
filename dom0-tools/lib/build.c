/* SPDX-License-Identifier: MIT */
/*
 * lib/build.c - make a guest from a configuration, or from a saved image.
 *
 * libxl does it, so that xl can go on with what we began.  What goes wrong
 * often is looked for here first, because libxl can only say that it did.
 */
#include "lib/build.h"

#include <errno.h>

#include "lib/destroy.h"

/* Say so before anything is built: afterwards the numbers are not clear. */
static int check_memory(struct xen *xen, const libxl_domain_config *config,
                        struct fault *fault)
{
    xc_physinfo_t machine = {.free_pages = 0};
    uint64_t want = config->b_info.target_memkb / 1024;
    uint64_t free_mib;

    if (config->b_info.target_memkb == LIBXL_MEMKB_DEFAULT ||
        xc_physinfo(xen->xch, &machine)) {
        return 0; /* creating it will tell */
    }
    free_mib = (machine.free_pages + machine.scrub_pages) * 4 / 1024;
    if (want <= free_mib) {
        return 0;
    }
    return fault_set(fault, EXIT_FAILED,
                     "guest %s: memory = %llu MiB, but only %llu MiB are free; "
                     "give it less, or end another guest",
                     config->c_info.name, (unsigned long long)want,
                     (unsigned long long)free_mib);
}

static int check_domid(struct xen *xen, const libxl_domain_config *config,
                       struct fault *fault)
{
    libxl_domid domid = config->c_info.domid;
    xc_domaininfo_t info;

    if (domid == GUEST_DOMID_ANY ||
        xc_domain_getinfolist(xen->xch, domid, 1, &info) != 1 ||
        info.domain != domid) {
        return 0;
    }
    return fault_set(fault, EXIT_REFUSED,
                     "guest %s cannot be domain %u: that number is taken; "
                     "`vigil list` shows by whom",
                     config->c_info.name, domid);
}

static int start_build(struct lx *lx, struct lx_op *op,
                       libxl_domain_config *config, int image, uint32_t *domid)
{
    libxl_domain_restore_params params;
    int rc;

    if (image < 0) {
        return libxl_domain_create_new(lx->ctx, config, domid, &op->how, NULL);
    }
    libxl_domain_restore_params_init(&params);
    params.checkpointed_stream = LIBXL_CHECKPOINTED_STREAM_NONE;
    params.stream_version = 2;
    rc = libxl_domain_create_restore(lx->ctx, config, domid, image, -1, &params,
                                     &op->how, NULL);
    libxl_domain_restore_params_dispose(&params);
    return rc;
}

int guest_build(struct xen *xen, struct lx *lx, libxl_domain_config *config,
                int image, const volatile sig_atomic_t *stop,
                uint32_t *ret_domid, struct fault *fault)
{
    uint32_t domid = (uint32_t)INVALID_DOMID;
    libxl_domid wanted = config->c_info.domid;
    char uuid[UUID_CHARS + 1];
    struct fault ignored;
    struct lx_op op;
    int rc;

    if (check_memory(xen, config, fault) || check_domid(xen, config, fault)) {
        return -1;
    }
    lx_begin(lx, &op);
    rc = lx_wait(lx, &op, start_build(lx, &op, config, image, &domid), stop);
    progress_end(&lx->log->progress);
    if (rc == 0) {
        *ret_domid = domid;
        return 0;
    }
    if (libxl_domid_valid_guest(domid)) {
        guestcfg_uuid(config, uuid);
        guest_destroy(xen, domid, uuid, &ignored); /* half made */
    }
    if (*stop) {
        return fault_set(fault, exit_code_of_signal(*stop),
                         "guest %s: interrupted, nothing is left of it",
                         config->c_info.name);
    }
    if (wanted != GUEST_DOMID_ANY) {
        lx_fault(lx, fault, rc, "guest %s cannot be made as domain %u",
                 config->c_info.name, wanted);
        fault->code = EXIT_REFUSED;
        return -1;
    }
    return lx_fault(lx, fault, rc, "guest %s cannot be %s", config->c_info.name,
                    image < 0 ? "made" : "restored");
}

int guest_config(struct lx *lx, uint32_t domid, libxl_domain_config *ret_config,
                 struct fault *fault)
{
    struct lx_op op;
    int rc;

    libxl_domain_config_init(ret_config);
    lx_begin(lx, &op);
    rc = libxl_retrieve_domain_configuration(lx->ctx, domid, ret_config,
                                             &op.how);
    rc = lx_wait(lx, &op, rc, NULL);
    if (rc == 0) {
        return 0;
    }
    libxl_domain_config_dispose(ret_config);
    return lx_fault(lx, fault, rc,
                    "libxl has no configuration of domain %u (a guest that "
                    "neither vigil nor xl has made?)",
                    domid);
}
