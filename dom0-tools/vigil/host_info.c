/* SPDX-License-Identifier: MIT */
/* vigil/host_info.c - vigil info. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <vigil/blackbox.h>
#include <vigil/vigil_op.h>

#include "lib/escape.h"
#include "lib/place.h"
#include "lib/store.h"
#include "lib/table.h"
#include "vigil/commands.h"

#define INFO_SCHEMA  "vigil.info/1"
#define PAGES_TO_KIB 4

/* The counters of the hypervisor, as they are printed. */
static const struct {
    const char *name;
    size_t offset;
} counters[] = {
#define COUNTER(name)                                                          \
    {                                                                          \
#name, offsetof(struct vigil_op_counters, name)                        \
    }
    COUNTER(nmi_total),      COUNTER(nmi_serr),      COUNTER(nmi_iochk),
    COUNTER(nmi_unknown),    COUNTER(nmi_reflected), COUNTER(mce_total),
    COUNTER(mce_corrected),  COUNTER(mce_recovered), COUNTER(mce_lost),
    COUNTER(vmce_delivered), COUNTER(guest_deaths),  COUNTER(log_cells),
    COUNTER(log_lost),       COUNTER(hv_frames),     COUNTER(free_frames),
    COUNTER(dirty_frames),   COUNTER(boot_tsc_khz),  COUNTER(nmi_firmware),
    COUNTER(nmi_left_out),   COUNTER(log_left_out),
#undef COUNTER
};

/* What it holds, the same way. */
static const struct {
    const char *name;
    size_t offset;
} holdings[] = {
#define HOLDING(name)                                                          \
    {                                                                          \
        "held_" #name, offsetof(struct vigil_op_holdings, name)                \
    }
    HOLDING(domains),       HOLDING(vcpus),         HOLDING(ports),
    HOLDING(timers),        HOLDING(grants_in_use), HOLDING(grants_mapped),
    HOLDING(domain_frames), HOLDING(heap_objects),  HOLDING(heap_bytes),
    HOLDING(heap_frames),   HOLDING(free_frames),   HOLDING(other_frames),
#undef HOLDING
};

static void add_xen_text(struct json_object *info, struct xen *xen,
                         const char *key, int what, size_t bytes)
{
    char *text = xmalloc(bytes + 1);

    if (xc_version(xen->xch, what, text) >= 0) {
        json_add_text(info, key, text);
    }
    free(text);
}

static void add_version(struct json_object *info, struct xen *xen)
{
    int version = xc_version(xen->xch, XENVER_version, NULL);
    xen_extraversion_t extra = "";

    if (version >= 0) {
        char *text;

        xc_version(xen->xch, XENVER_extraversion, &extra);
        extra[sizeof(extra) - 1] = '\0';
        text = xasprintf("%d.%d%s", version >> 16, version & 0xffff, extra);
        json_add_number(info, "xen_major", (uint64_t)version >> 16);
        json_add_number(info, "xen_minor", (uint64_t)version & 0xffff);
        json_add_text(info, "xen_version", text);
        free(text);
    }
    add_xen_text(info, xen, "xen_caps", XENVER_capabilities,
                 sizeof(xen_capabilities_info_t));
    add_xen_text(info, xen, "xen_changeset", XENVER_changeset,
                 sizeof(xen_changeset_info_t));
    add_xen_text(info, xen, "xen_commandline", XENVER_commandline,
                 sizeof(xen_commandline_t));
}

static int add_machine(struct json_object *info, struct xen *xen,
                       struct fault *fault)
{
    xc_physinfo_t physical = {.nr_cpus = 0};
    struct utsname names;

    if (xc_physinfo(xen->xch, &physical)) {
        return fault_errno(fault, errno,
                           "the hypervisor does not describe the machine");
    }
    uname(&names);
    json_add_text(info, "host", names.nodename);
    json_add_text(info, "release", names.release);
    json_add_text(info, "machine", names.machine);
    json_add_number(info, "nr_cpus", physical.nr_cpus);
    json_add_number(info, "nr_nodes", physical.nr_nodes);
    json_add_number(info, "cores_per_socket", physical.cores_per_socket);
    json_add_number(info, "threads_per_core", physical.threads_per_core);
    json_add_number(info, "cpu_khz", physical.cpu_khz);
    json_add_number(info, "total_memory_kib",
                    physical.total_pages * PAGES_TO_KIB);
    json_add_number(info, "free_memory_kib",
                    physical.free_pages * PAGES_TO_KIB);
    json_add_number(info, "scrub_memory_kib",
                    physical.scrub_pages * PAGES_TO_KIB);
    return 0;
}

static void add_guest_counts(struct json_object *info, struct xen *xen)
{
    struct guest_list list;
    struct fault ignored;
    uint64_t crashed = 0;

    if (guests_read(xen, &list, &ignored)) {
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        crashed += strcmp(guest_state_word(&list.guests[i]), "crashed") == 0;
    }
    json_add_number(info, "domains", list.count);
    json_add_number(info, "domains_crashed", crashed);
    guests_free(&list);
}

static void add_crash_count(struct json_object *info)
{
    char *path = place(PLACE_CRASHES);
    struct crash_list list;
    struct fault ignored;

    if (store_read(path, &list, &ignored) == 0) {
        json_add_number(info, "crashes_recorded", list.count);
        crash_list_free(&list);
    }
    free(path);
}

static const char *box_state_name(uint32_t state)
{
    static const char *const names[] = {"?", "running", "writing", "sealed",
                                        "taken"};

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

static void add_holdings(struct json_object *info, struct xen *xen)
{
    struct vigil_op_holdings values = {.domains = 0};
    struct json_object *object;

    if (vigil_call(xen, VIGIL_OP_holdings, &values, sizeof(values))) {
        return;
    }
    object = json_object_new_object();
    for (size_t i = 0; i < sizeof(holdings) / sizeof(holdings[0]); i++) {
        uint64_t value;

        memcpy(&value, (const char *)&values + holdings[i].offset,
               sizeof(value));
        json_add_number(object, holdings[i].name, value);
    }
    json_object_object_add(info, "vigil_holdings", object);
}

static void add_watchdog(struct json_object *info, struct xen *xen)
{
    struct vigil_op_watchdog w = {.timeout_ms = 0};

    if (vigil_call(xen, VIGIL_OP_watchdog, &w, sizeof(w))) {
        return;
    }
    w.source[sizeof(w.source) - 1] = '\0';
    json_add_text(info, "watchdog",
                  w.timeout_ms == 0                   ? "off"
                  : !(w.flags & VIGIL_WATCHDOG_PROVED) ? "CPUs watch each other"
                                                       : w.source);
    json_add_number(info, "watchdog_timeout_ms", w.timeout_ms);
    json_add_text(info, "watchdog_policy",
                  w.flags & VIGIL_WATCHDOG_FATAL ? "panic" : "report");
    json_add_number(info, "watchdog_nmis", w.nmis);
    json_add_number(info, "watchdog_stalls", w.stalls);
}

/* What only Vigil knows; on another hypervisor "vigil" says so. */
static void add_vigil(struct json_object *info, struct xen *xen)
{
    struct vigil_op_version version = {.interface_version = 0};
    struct vigil_op_counters values = {.nmi_total = 0};
    struct vigil_op_box_info box = {.bytes = 0};
    struct json_object *object;
    int ret = vigil_call(xen, VIGIL_OP_version, &version, sizeof(version));

    if (ret) {
        json_add_text(info, "vigil_version",
                      ret == -ENOSYS ? "not Vigil" : "no answer");
        return;
    }
    version.text[sizeof(version.text) - 1] = '\0';
    json_add_text(info, "vigil_version", version.text);
    json_add_number(info, "vigil_interface", version.interface_version);
    if (version.interface_version != VIGIL_INTERFACE_VERSION) {
        return; /* the structs below may mean something else there */
    }
    ret = vigil_call(xen, VIGIL_OP_box_info, &box, sizeof(box));
    json_add_text(info, "vigil_box",
                  ret == 0 ? box_state_name(box.state) : "none");
    if (vigil_call(xen, VIGIL_OP_counters, &values, sizeof(values))) {
        return;
    }
    object = json_object_new_object();
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        uint64_t value;

        memcpy(&value, (const char *)&values + counters[i].offset,
               sizeof(value));
        json_add_number(object, counters[i].name, value);
    }
    json_object_object_add(info, "vigil_counters", object);
    add_holdings(info, xen);
    add_watchdog(info, xen);
}

static void print_lines(struct json_object *object)
{
    json_object_object_foreach(object, key, value)
    {
        const char *text;

        if (json_object_is_type(value, json_type_object)) {
            print_lines(value);
        } else if (strcmp(key, "schema")) {
            text = json_object_get_string(value);
            printf("%-22s : ", key);
            escape_print(stdout, text, strlen(text), 0);
            printf("\n");
        }
    }
}

int run_info(const struct invocation *call)
{
    struct json_object *info;
    struct fault fault;
    struct xen xen;

    if (command_open(call, &xen, 0, &fault)) {
        return say_fault(&fault);
    }
    info = json_object_new_object();
    json_add_text(info, "schema", INFO_SCHEMA);
    if (add_machine(info, &xen, &fault)) {
        json_object_put(info);
        xen_close(&xen);
        return say_fault(&fault);
    }
    add_version(info, &xen);
    add_guest_counts(info, &xen);
    add_crash_count(info);
    add_vigil(info, &xen);
    xen_close(&xen);
    if (opts_given(call, 0, "json")) {
        json_print(info);
    } else {
        print_lines(info);
        json_object_put(info);
    }
    return EXIT_DONE;
}
