/* SPDX-License-Identifier: MIT */
/*
 * lib/build.c - make a PV guest from a configuration.
 *
 * The order of the hypercalls is that of libxl: create, limits, event
 * channels, CPUID policy, load and boot image, xenstore.
 */
#include "lib/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xenguest.h>

#include "lib/destroy.h"

/* Slack above maxmem, for what the hypervisor accounts to the guest. */
#define MEMORY_SLACK_KIB 1024

static int step_failed(struct fault *fault, const struct guest_config *config,
                       const char *step)
{
    return fault_errno(fault, errno ? errno : EIO,
                       "guest %s: cannot %s; run `vigil -v create` for each "
                       "step and `vigil dmesg` for what the hypervisor says",
                       config->name, step);
}

/* Say so before anything is built: afterwards the numbers are not clear. */
static int check_memory(struct xen *xen, const struct guest_config *config,
                        struct fault *fault)
{
    xc_physinfo_t machine = {.free_pages = 0};
    uint64_t free_mib;

    if (xc_physinfo(xen->xch, &machine)) {
        return 0; /* creating it will tell */
    }
    free_mib = (machine.free_pages + machine.scrub_pages) * 4 / 1024;
    if ((uint64_t)config->memory_mib <= free_mib) {
        return 0;
    }
    return fault_set(fault, EXIT_FAILED,
                     "guest %s: memory = %ld MiB, but only %llu MiB are free; "
                     "give it less, or end another guest",
                     config->name, config->memory_mib,
                     (unsigned long long)free_mib);
}

static int create_domain(struct xen *xen, const struct guest_config *config,
                         uint32_t *ret_domid, struct fault *fault)
{
    struct xen_domctl_createdomain create = {
        .flags = 0, /* PV: neither HVM nor hardware paging */
        .max_vcpus = (uint32_t)config->maxvcpus,
        .max_evtchn_port = (uint32_t)config->event_channels,
        .max_grant_frames = (int32_t)config->grant_frames,
        .max_maptrack_frames = (int32_t)config->maptrack_frames,
        .grant_opts = XEN_DOMCTL_GRANT_version((uint32_t)config->grant_version),
        .arch = {.emulation_flags = 0},
    };
    uint32_t domid = 0; /* the hypervisor picks the next free one */

    memcpy(create.handle, config->uuid, sizeof(create.handle));
    if (xc_domain_create(xen->xch, &domid, &create)) {
        return step_failed(fault, config, "create the domain");
    }
    *ret_domid = domid;
    return 0;
}

static int set_cpuid(struct xen *xen, uint32_t domid,
                     const struct guest_config *config, struct fault *fault)
{
    if (xc_cpuid_apply_policy(xen->xch, domid, false, NULL, 0, true, false,
                              false, NULL, NULL) == 0) {
        return 0;
    }
    if (errno == ENOSYS || errno == EOPNOTSUPP) {
        say("warning: guest %s gets the hypervisor's own CPUID policy: it "
            "takes none from tools",
            config->name);
        return 0;
    }
    return step_failed(fault, config, "set the CPUID policy");
}

static int open_ports(struct xen *xen, uint32_t domid,
                      const struct guest_config *config,
                      struct guest_rings *rings, struct fault *fault)
{
    int store = xc_evtchn_alloc_unbound(xen->xch, domid, 0);
    int console = store < 0 ? -1 : xc_evtchn_alloc_unbound(xen->xch, domid, 0);

    if (console < 0) {
        return step_failed(fault, config,
                           "open the event channels of console and store");
    }
    rings->store_port = (uint32_t)store;
    rings->console_port = (uint32_t)console;
    return 0;
}

static int set_limits(struct xen *xen, uint32_t domid,
                      const struct guest_config *config, struct fault *fault)
{
    uint64_t kib = (uint64_t)config->maxmem_mib * 1024 + MEMORY_SLACK_KIB;

    if (xc_domain_max_vcpus(xen->xch, domid, (unsigned int)config->maxvcpus)) {
        return step_failed(fault, config, "give it its vcpus");
    }
    if (xc_domain_setmaxmem(xen->xch, domid, kib)) {
        return step_failed(fault, config, "set its memory limit");
    }
    if (xc_domain_set_tsc_info(xen->xch, domid, (uint32_t)config->tsc_mode, 0,
                               0, 0)) {
        return step_failed(fault, config, "set its time stamp mode");
    }
    return 0;
}

static int load_files(struct xc_dom_image *image,
                      const struct guest_config *config, struct fault *fault)
{
    if (xc_dom_kernel_file(image, config->kernel)) {
        return fault_errno(fault, errno ? errno : EIO,
                           "guest %s: cannot load kernel %s", config->name,
                           config->kernel);
    }
    if (config->ramdisk && xc_dom_module_file(image, config->ramdisk, NULL)) {
        return fault_errno(fault, errno ? errno : EIO,
                           "guest %s: cannot load ramdisk %s", config->name,
                           config->ramdisk);
    }
    return 0;
}

static int boot_image(struct xen *xen, uint32_t domid,
                      struct xc_dom_image *image,
                      const struct guest_config *config, struct fault *fault)
{
    unsigned int memory_mib = (unsigned int)config->memory_mib;

    errno = 0;
    if (xc_dom_boot_xen_init(image, xen->xch, domid)) {
        return step_failed(fault, config,
                           "ask the hypervisor for its "
                           "version");
    }
    if (xc_dom_parse_image(image)) {
        return fault_set(fault, EXIT_FAILED,
                         "guest %s: kernel %s is not one a PV guest can "
                         "start from (no ELF, or no Xen notes); `vigil -v "
                         "create` says more",
                         config->name, config->kernel);
    }
    if (xc_dom_mem_init(image, memory_mib)) {
        return step_failed(fault, config, "lay out its memory");
    }
    if (xc_dom_boot_mem_init(image)) {
        return step_failed(fault, config, "get its memory");
    }
    if (xc_dom_build_image(image)) {
        return fault_set(fault, EXIT_FAILED,
                         "guest %s: kernel %s does not fit into memory = %ld "
                         "MiB, or the hypervisor refused a mapping; `vigil "
                         "-v create` says which",
                         config->name, config->kernel, config->memory_mib);
    }
    if (xc_dom_boot_image(image)) {
        return step_failed(fault, config, "start from its page tables");
    }
    if (xc_dom_gnttab_init(image)) {
        return step_failed(fault, config, "set up its grant table");
    }
    return 0;
}

static int load_guest(struct xen *xen, uint32_t domid,
                      const struct guest_config *config,
                      struct guest_rings *rings, struct fault *fault)
{
    struct xc_dom_image *image = xc_dom_allocate(
        xen->xch, config->cmdline,
        config->features && config->features[0] ? config->features : NULL);
    int ret = -1;

    if (!image) {
        return step_failed(fault, config, "prepare its image");
    }
    image->container_type = XC_DOM_PV_CONTAINER;
    image->flags = 0;
    image->console_evtchn = rings->console_port;
    image->console_domid = 0;
    image->xenstore_evtchn = rings->store_port;
    image->xenstore_domid = 0;
    image->max_vcpus = (unsigned int)config->maxvcpus;
    if (load_files(image, config, fault) == 0 &&
        boot_image(xen, domid, image, config, fault) == 0) {
        rings->console_mfn = xc_dom_p2m(image, image->console_pfn);
        rings->store_mfn = xc_dom_p2m(image, image->xenstore_pfn);
        ret = 0;
    }
    xc_dom_release(image);
    return ret;
}

static int check_stop(const volatile sig_atomic_t *stop,
                      const struct guest_config *config, struct fault *fault)
{
    if (*stop) {
        return fault_set(fault, exit_code_of_signal(*stop),
                         "guest %s: interrupted, nothing is left of it",
                         config->name);
    }
    return 0;
}

static int fill_domain(struct xen *xen, uint32_t domid,
                       const struct guest_config *config,
                       const volatile sig_atomic_t *stop, struct fault *fault)
{
    struct guest_rings rings = {.console_port = 0};

    if (nodes_write_identity(xen, domid, config, fault) ||
        set_limits(xen, domid, config, fault) ||
        open_ports(xen, domid, config, &rings, fault) ||
        set_cpuid(xen, domid, config, fault) ||
        check_stop(stop, config, fault) ||
        load_guest(xen, domid, config, &rings, fault) ||
        nodes_write_rings(xen, domid, config, &rings, fault)) {
        return -1;
    }
    if (!xs_introduce_domain(xen->xs, domid, rings.store_mfn,
                             rings.store_port)) {
        return step_failed(fault, config, "introduce it to xenstored");
    }
    return check_stop(stop, config, fault);
}

int guest_build(struct xen *xen, const struct guest_config *config,
                const volatile sig_atomic_t *stop, uint32_t *ret_domid,
                struct fault *fault)
{
    struct fault second;
    uint32_t domid = 0;
    char uuid[UUID_CHARS + 1];

    errno = 0;
    if (check_memory(xen, config, fault) ||
        create_domain(xen, config, &domid, fault)) {
        return -1;
    }
    if (fill_domain(xen, domid, config, stop, fault)) {
        uuid_text(uuid, config->uuid);
        if (guest_destroy(xen, domid, uuid, &second)) {
            say("warning: %s", second.text);
        }
        return -1;
    }
    *ret_domid = domid;
    return 0;
}
