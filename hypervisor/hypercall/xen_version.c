/* SPDX-License-Identifier: MIT */
/*
 * hypercall/xen_version.c - HYPERVISOR_xen_version(cmd, arg).
 *
 *   version 0, extraversion 1, compile_info 2, capabilities 3, changeset 4,
 *   platform_parameters 5, get_features 6, pagesize 7, guest_handle 8,
 *   commandline 9 (others than the control domain read "<denied>"),
 *   build_id 10 (control domain only)
 *
 * Return:  version, pagesize: the value; build_id: its length; else 0;
 *          -EFAULT; -EINVAL; -ENOBUFS build_id does not fit; -EPERM;
 *          -ENODATA no build id; -ENOSYS no such cmd
 *
 * The build has no date and no author in it: the same source gives the same
 * bytes, and the build id names them.
 */
#include "hypercall/xen_version.h"

#include "lib/format.h"
#include "lib/string.h"
#include "lib/xen_abi.h"
#include "x86/layout.h"
#include "hypercall/call.h"

#define EXTRAVERSION VIGIL_EXTRAVERSION
#define CAPABILITIES "xen-3.0-x86_64 "
#define CHANGESET    "unavailable"
#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

#define NOTE_TYPE_BUILD_ID 3
#define BUILD_ID_MAX       64

/* Around .note.gnu.build-id (vigil.lds.S). */
extern const char __build_id_start[], __build_id_end[];

struct note_header {
    uint32_t name_bytes, desc_bytes, type;
};

/* Written once at boot. */
static xen_commandline_t cmdline;

void xen_version_set_cmdline(const char *text)
{
    (void)strlcpy(cmdline, text, sizeof(cmdline));
}

/* The id in the linker's note; NULL if the linker made none. */
static const unsigned char *build_id(uint32_t *ret_bytes)
{
    size_t bytes = (size_t)(__build_id_end - __build_id_start);
    struct note_header h;

    if (bytes < sizeof(h)) {
        return NULL;
    }
    memcpy(&h, __build_id_start, sizeof(h));
    if (h.type != NOTE_TYPE_BUILD_ID || h.name_bytes != 4 ||
        h.desc_bytes > BUILD_ID_MAX || sizeof(h) + 4 + h.desc_bytes > bytes) {
        return NULL;
    }
    *ret_bytes = h.desc_bytes;
    return (const unsigned char *)__build_id_start + sizeof(h) + 4;
}

/* NUL-terminated, also when there are none. */
static size_t put_hex(char *buf, size_t size, const unsigned char *id,
                      uint32_t bytes)
{
    size_t at = scnprintf(buf, size, "%s", "");

    for (uint32_t i = 0; i < bytes; i++) {
        at += scnprintf(buf + at, size - at, "%02x", id[i]);
    }
    return at;
}

size_t xen_version_text(char *buf, size_t size)
{
    uint32_t bytes = 0;
    const unsigned char *id = build_id(&bytes);
    size_t at = scnprintf(buf, size, "Vigil %u.%u%s", VIGIL_VERSION_MAJOR,
                          VIGIL_VERSION_MINOR, EXTRAVERSION);

    if (id != NULL) {
        at += scnprintf(buf + at, size - at, " build-id ");
    }
    return at + put_hex(buf + at, size - at, id, bytes);
}

void xen_version_fact(enum xen_version_fact fact, char *buf, size_t size)
{
    uint32_t bytes = 0;
    const unsigned char *id = build_id(&bytes);

    switch (fact) {
    case FACT_BUILD_ID:
        (void)put_hex(buf, size, id, bytes);
        break;
    case FACT_CHANGESET:
        (void)strlcpy(buf, CHANGESET, size);
        break;
    case FACT_COMPILER:
        (void)strlcpy(buf, COMPILER, size);
        break;
    case FACT_EXTRA:
        (void)strlcpy(buf, EXTRAVERSION, size);
        break;
    case FACT_GRANULARITY:
        (void)strlcpy(buf, "cpu", size);
        break;
    }
}

/* Copy a fixed-size text field, zero padded. */
static int64_t give_text(uint64_t arg, const char *text, size_t field_bytes)
{
    size_t len = strlen(text) + 1;

    if (len > field_bytes) {
        len = field_bytes;
    }
    if (clear_guest(arg, field_bytes) != 0 ||
        copy_to_guest(arg, text, len) != 0) {
        return -EFAULT;
    }
    return 0;
}

static int64_t give_compile_info(uint64_t arg)
{
    struct xen_compile_info info = {0};

    (void)strlcpy(info.compiler, COMPILER, sizeof(info.compiler));
    (void)strlcpy(info.compile_by, "vigil", sizeof(info.compile_by));
    return copy_to_guest(arg, &info, sizeof(info));
}

static int64_t give_features(uint64_t arg)
{
    const struct domain *d = current->domain;
    struct xen_feature_info info;

    if (copy_from_guest(&info, arg, sizeof(info)) != 0) {
        return -EFAULT;
    }
    /* There is one submap; a guest stops asking at the first error. */
    if (info.submap_idx != 0) {
        return -EINVAL;
    }
    info.submap =
        1U << XENFEAT_mmu_pt_update_preserve_ad | 1U << XENFEAT_highmem_assist |
        1U << XENFEAT_gnttab_map_avail_bits |
        1U << XENFEAT_memory_op_vnode_supported | 1U << XENFEAT_direct_mapped;
    if (d->vm_assist >> VMASST_TYPE_pae_extended_cr3 & 1) {
        info.submap |= 1U << XENFEAT_pae_pgdir_above_4gb;
    }
    if (d->is_privileged) {
        info.submap |= 1U << XENFEAT_dom0;
    }
    return copy_to_guest(arg, &info, sizeof(info));
}

static int64_t give_build_id(uint64_t arg)
{
    uint32_t bytes, room;
    const unsigned char *id = build_id(&bytes);

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (id == NULL) {
        return -ENODATA;
    }
    if (arg == 0) {
        return bytes;
    }
    if (copy_from_guest(&room, arg, sizeof(room)) != 0) {
        return -EFAULT;
    }
    if (room == 0) {
        return -EINVAL;
    }
    if (room < bytes) {
        return -ENOBUFS;
    }
    if (copy_to_guest(arg + offsetof(xen_build_id_t, buf), id, bytes) != 0) {
        return -EFAULT;
    }
    return bytes;
}

/* All but the plain number, which Linux asks for to have events delivered. */
static NOINLINE int64_t answer(uint32_t cmd, uint64_t a2)
{
    const struct domain *d = current->domain;
    xen_platform_parameters_t params = {.virt_start = HV_HOLE_START};

    switch (cmd) {
    case XENVER_extraversion:
        return give_text(a2, EXTRAVERSION, sizeof(xen_extraversion_t));
    case XENVER_compile_info:
        return give_compile_info(a2);
    case XENVER_capabilities:
        return give_text(a2, CAPABILITIES, sizeof(xen_capabilities_info_t));
    case XENVER_changeset:
        return give_text(a2, CHANGESET, sizeof(xen_changeset_info_t));
    case XENVER_platform_parameters:
        return copy_to_guest(a2, &params, sizeof(params));
    case XENVER_get_features:
        return give_features(a2);
    case XENVER_pagesize:
        return a2 != 0 ? -EINVAL : (int64_t)PAGE_SIZE;
    case XENVER_guest_handle:
        return copy_to_guest(a2, d->handle, sizeof(d->handle));
    case XENVER_commandline:
        return give_text(a2, d->is_privileged ? cmdline : "<denied>",
                         sizeof(xen_commandline_t));
    case XENVER_build_id:
        return give_build_id(a2);
    default:
        return -ENOSYS;
    }
}

int64_t do_xen_version(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    if (likely((uint32_t)a1 == XENVER_version)) {
        return VIGIL_VERSION_MAJOR << 16 | VIGIL_VERSION_MINOR;
    }
    return answer((uint32_t)a1, a2);
}
