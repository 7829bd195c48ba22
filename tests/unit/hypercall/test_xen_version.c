/* SPDX-License-Identifier: MIT */
/*
 * hypercall/xen_version: each sub-op, for the control domain and for others.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/xen_abi.h"
#include "hypercall/call.h"
#include "hypercall/xen_version.h"
#include "fake_hw.h"

/* The note a linker writes: name size, 3 bytes of id, type 3, "GNU", id. */
__asm__(".section .rodata\n"
        ".globl __build_id_start, __build_id_end\n"
        "__build_id_start:\n"
        ".long 4, 3, 3\n"
        ".asciz \"GNU\"\n"
        ".byte 0xab, 0xcd, 0x01, 0\n"
        "__build_id_end:\n"
        ".previous\n");

static struct domain d;
static struct vcpu v;
static bool bad_memory;

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    if (bad_memory) {
        return -EFAULT;
    }
    memcpy(dst, (const void *)va, bytes);
    return 0;
}

int copy_to_guest(uint64_t va, const void *src, size_t bytes)
{
    if (bad_memory) {
        return -EFAULT;
    }
    memcpy((void *)va, src, bytes);
    return 0;
}

int clear_guest(uint64_t va, size_t bytes)
{
    if (bad_memory) {
        return -EFAULT;
    }
    memset((void *)va, 0, bytes);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(&d, 0, sizeof(d));
    memset(&v, 0, sizeof(v));
    v.domain = &d;
    d.is_privileged = true;
    this_cpu()->current_vcpu = &v;
    bad_memory = false;
    return 0;
}

static int64_t call(uint64_t cmd, void *arg)
{
    return do_xen_version(cmd, (uint64_t)arg, 0, 0, 0);
}

static void numbers(void **state)
{
    xen_platform_parameters_t p;

    (void)state;
    assert_int_equal(call(XENVER_version, NULL), 4 << 16 | 17);
    assert_int_equal(call(XENVER_pagesize, NULL), 4096);
    assert_int_equal(call(XENVER_pagesize, &p), -EINVAL);
    assert_int_equal(call(XENVER_platform_parameters, &p), 0);
    assert_int_equal(p.virt_start, 0xffff800000000000UL);
    assert_int_equal(call(11, NULL), -ENOSYS);
}

static void texts(void **state)
{
    static char text[1024];
    struct xen_compile_info info;
    char all[120];

    (void)state;
    xen_version_set_cmdline("com1=115200,8n1 dom0_mem=512M");
    assert_int_equal(call(XENVER_extraversion, text), 0);
    assert_string_equal(text, ".0-vigil");
    assert_int_equal(call(XENVER_capabilities, text), 0);
    assert_non_null(strstr(text, "xen-3.0-x86_64"));
    assert_null(strstr(text, "hvm"));
    assert_int_equal(call(XENVER_changeset, text), 0);
    assert_int_equal(call(XENVER_compile_info, &info), 0);
    assert_true(strlen(info.compiler) > 0);
    assert_int_equal(call(XENVER_commandline, text), 0);
    assert_string_equal(text, "com1=115200,8n1 dom0_mem=512M");
    d.is_privileged = false;
    assert_int_equal(call(XENVER_commandline, text), 0);
    assert_string_equal(text, "<denied>");
    bad_memory = true;
    assert_int_equal(call(XENVER_capabilities, text), -EFAULT);
    (void)xen_version_text(all, sizeof(all));
    assert_string_equal(all, "Vigil 4.17.0-vigil build-id abcd01");
}

static uint32_t features(void)
{
    struct xen_feature_info info = {.submap_idx = 0};

    assert_int_equal(call(XENVER_get_features, &info), 0);
    return info.submap;
}

static void feature_bits(void **state)
{
    struct xen_feature_info info = {.submap_idx = 1};

    (void)state;
    assert_int_equal(call(XENVER_get_features, &info), -EINVAL);
    /* Linux panics without 5 and 7, and takes wrong paths with 0, 2, 3. */
    assert_int_equal(features() & 0xff, 0xe0);
    assert_true(features() & 1 << XENFEAT_dom0);
    d.is_privileged = false;
    assert_false(features() & 1 << XENFEAT_dom0);
    d.vm_assist = 1 << VMASST_TYPE_pae_extended_cr3;
    assert_int_equal(features() & 0xff, 0xf0);
}

static void build_id(void **state)
{
    static union {
        uint32_t len;
        uint8_t bytes[16];
    } arg;

    (void)state;
    assert_int_equal(call(XENVER_build_id, NULL), 3);
    arg.len = 0;
    assert_int_equal(call(XENVER_build_id, &arg), -EINVAL);
    arg.len = 2;
    assert_int_equal(call(XENVER_build_id, &arg), -ENOBUFS);
    arg.len = 12;
    assert_int_equal(call(XENVER_build_id, &arg), 3);
    assert_memory_equal(arg.bytes + 4, "\xab\xcd\x01", 3);
    d.is_privileged = false;
    assert_int_equal(call(XENVER_build_id, NULL), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers, set_up),
        cmocka_unit_test_setup(texts, set_up),
        cmocka_unit_test_setup(feature_bits, set_up),
        cmocka_unit_test_setup(build_id, set_up),
    };

    return UNIT_RUN(tests);
}
