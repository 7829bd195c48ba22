/* SPDX-License-Identifier: MIT */
/* A guest that ended gets another name and another UUID, on a played libxl. */
#include "tests/unit/unit.h"

#include <stdarg.h>

#include "lib/lx.h"
#include "lib/preserve.h"

#define UUID "8c4ec2a0-16a0-4b8c-9f2e-0a5d7f1c2e11"

/* 2026-11-30 07:05:09 UTC */
#define NOW 1796022309

static struct guest guests[8];
static struct guest_list played;
static struct xen xen;
static struct fault fault;
static char steps[512]; /* what was asked of libxl, in order */
static char stored[64]; /* libxl's configuration under the present UUID */
static xen_domain_handle_t handle;
static int preserve_answer;
static int handle_answer;

static void step(const char *word)
{
    strncat(steps, word, sizeof(steps) - strlen(steps) - 1);
    strncat(steps, " ", sizeof(steps) - strlen(steps) - 1);
}

int guests_read(struct xen *asked, struct guest_list *ret_list, struct fault *f)
{
    (void)asked;
    (void)f;
    *ret_list = played;
    return 0;
}

void guests_free(struct guest_list *list)
{
    (void)list;
}

const struct guest *guests_by_domid(const struct guest_list *list,
                                    uint32_t domid)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->guests[i].domid == domid) {
            return &list->guests[i];
        }
    }
    return NULL;
}

int lx_open(struct lx *lx, const struct xen *asked, int verbose,
            struct fault *f)
{
    (void)asked;
    (void)verbose;
    (void)f;
    memset(lx, 0, sizeof(*lx));
    return 0;
}

void lx_close(struct lx *lx)
{
    (void)lx;
    step("close");
}

void lx_begin(struct lx *lx, struct lx_op *op)
{
    (void)lx;
    memset(op, 0, sizeof(*op));
}

int lx_wait(struct lx *lx, struct lx_op *op, int rc,
            const volatile sig_atomic_t *stop)
{
    (void)lx;
    (void)op;
    (void)stop;
    return rc;
}

int lx_fault(struct lx *lx, struct fault *f, int rc, const char *fmt, ...)
{
    va_list args;

    (void)lx;
    (void)rc;
    va_start(args, fmt);
    vsnprintf(f->text, sizeof(f->text), fmt, args);
    va_end(args);
    f->code = EXIT_FAILED;
    return -1;
}

libxl_device_disk *libxl_device_disk_list(libxl_ctx *ctx, uint32_t domid,
                                          int *num)
{
    static libxl_device_disk disks[2];

    (void)ctx;
    assert_int_equal(domid, 5);
    *num = 2;
    return disks;
}

void libxl_device_disk_list_free(libxl_device_disk *list, int num)
{
    (void)list;
    assert_int_equal(num, 2);
}

int libxl_device_disk_destroy(libxl_ctx *ctx, uint32_t domid,
                              libxl_device_disk *disk,
                              const libxl_asyncop_how *how)
{
    (void)ctx;
    (void)domid;
    (void)disk;
    (void)how;
    step("disk");
    return 0;
}

int libxl_domain_preserve(libxl_ctx *ctx, uint32_t domid,
                          libxl_domain_create_info *info, const char *suffix,
                          libxl_uuid uuid)
{
    (void)ctx;
    (void)uuid;
    assert_int_equal(domid, 5);
    step(info->name);
    assert_int_equal(suffix[0], '-');
    return preserve_answer;
}

int libxl_userdata_retrieve(libxl_ctx *ctx, uint32_t domid, const char *id,
                            uint8_t **data, int *len)
{
    (void)ctx;
    (void)domid;
    assert_string_equal(id, "libxl-json");
    *data = (uint8_t *)xstrdup(stored);
    *len = (int)strlen(stored);
    return 0;
}

int libxl_userdata_unlink(libxl_ctx *ctx, uint32_t domid, const char *id)
{
    (void)ctx;
    (void)domid;
    (void)id;
    step("unlink");
    stored[0] = '\0';
    return 0;
}

int libxl_userdata_store(libxl_ctx *ctx, uint32_t domid, const char *id,
                         const uint8_t *data, int len)
{
    (void)ctx;
    (void)domid;
    (void)id;
    step("store");
    snprintf(stored, sizeof(stored), "%.*s", len, (const char *)data);
    return 0;
}

int xc_domain_sethandle(xc_interface *xch, uint32_t domid,
                        xen_domain_handle_t uuid)
{
    (void)xch;
    assert_int_equal(domid, 5);
    step("uuid");
    if (handle_answer) {
        errno = handle_answer;
        return -1;
    }
    memcpy(handle, uuid, sizeof(handle));
    return 0;
}

static void live(uint32_t domid, const char *name)
{
    struct guest *guest = &guests[played.count++];

    guest->domid = domid;
    guest->name = (char *)(uintptr_t)name;
    snprintf(guest->uuid, sizeof(guest->uuid), "%s", UUID);
    played.guests = guests;
}

static int begin(void **state)
{
    (void)state;
    played.count = 0;
    steps[0] = '\0';
    snprintf(stored, sizeof(stored), "{}");
    preserve_answer = 0;
    handle_answer = 0;
    memset(handle, 0, sizeof(handle));
    return 0;
}

static void expect_suffix(const char *wanted)
{
    char suffix[PRESERVE_SUFFIX_BYTES];

    preserve_suffix(&played, "web1", NOW, suffix);
    assert_string_equal(suffix, wanted);
}

/* To the minute, as xl; else to the second; else with a number. */
static void test_suffix(void **state)
{
    (void)state;
    expect_suffix("-20261130T0705Z");
    live(1, "web");
    live(2, "web2-20261130T0705Z");
    live(3, "web1-20261130T0705Z9");
    live(4, "web1-20261130T0704Z");
    expect_suffix("-20261130T0705Z");
    live(5, "web1-20261130T0705Z");
    expect_suffix("-20261130T070509Z");
    live(6, "web1-20261130T070509Z");
    expect_suffix("-20261130T070509Z-2");
    live(7, "web1-20261130T070509Z-2");
    expect_suffix("-20261130T070509Z-3");
}

/* Its configuration goes with its UUID. */
static void test_preserve(void **state)
{
    char uuid[UUID_CHARS + 1];
    char now[UUID_CHARS + 1];
    char *name = NULL;

    (void)state;
    live(5, "web1");
    assert_int_equal(guest_preserve(&xen, 5, UUID, &name, uuid, &fault), 0);
    assert_string_equal(steps, "disk disk web1 unlink uuid store close ");
    assert_string_equal(stored, "{}");
    assert_int_equal(strncmp(name, "web1-20", 7), 0);
    uuid_text(now, handle);
    assert_string_equal(uuid, now);
    assert_string_not_equal(uuid, UUID);
    free(name);
}

static void test_failures(void **state)
{
    char uuid[UUID_CHARS + 1];
    char *name = NULL;

    (void)state;
    live(5, "web1");
    /* Another guest has the number meanwhile. */
    assert_int_equal(guest_preserve(&xen, 5,
                                    "8c4ec2a0-16a0-4b8c-9f2e-0a5d7f1c2e12",
                                    &name, uuid, &fault),
                     -1);
    assert_int_equal(fault.code, EXIT_NOT_FOUND);
    assert_int_equal(guest_preserve(&xen, 6, UUID, &name, uuid, &fault), -1);
    assert_string_equal(steps, "");
    /* The hypervisor refuses: libxl finds its configuration as before. */
    handle_answer = EPERM;
    assert_int_equal(guest_preserve(&xen, 5, UUID, &name, uuid, &fault), -1);
    assert_non_null(strstr(fault.text, "keeps its UUID"));
    assert_string_equal(stored, "{}");
    preserve_answer = ERROR_FAIL;
    steps[0] = '\0';
    assert_int_equal(guest_preserve(&xen, 5, UUID, &name, uuid, &fault), -1);
    assert_string_equal(steps, "disk disk web1 close ");
    assert_null(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_suffix, begin),
        cmocka_unit_test_setup(test_preserve, begin),
        cmocka_unit_test_setup(test_failures, begin),
    };

    return UNIT_RUN(tests);
}
