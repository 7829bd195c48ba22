/* SPDX-License-Identifier: MIT */
/* The keys of a configuration file, and what was probably meant. */
#include "tests/unit/unit.h"

#include "lib/cfgscan.h"
#include "lib/guestaction.h"

static struct cfg_keys keys;

static void scan(const char *text)
{
    cfg_scan(text, strlen(text), &keys);
}

static int release(void **state)
{
    (void)state;
    cfg_keys_free(&keys);
    return 0;
}

static void expect(size_t at, const char *name, unsigned int line, int empty)
{
    assert_true(at < keys.count);
    assert_string_equal(keys.keys[at].name, name);
    assert_int_equal(keys.keys[at].line, line);
    assert_int_equal(keys.keys[at].empty, empty);
}

static void test_plain_file(void **state)
{
    (void)state;
    scan("# a comment with name = \"x\"\n"
         "name = \"web1\"\n"
         "memory=16; vcpus =1\n"
         "\n"
         "extra += 'console=hvc0 # no comment'\t# one\n");
    assert_int_equal(keys.count, 4);
    expect(0, "name", 2, 0);
    expect(1, "memory", 3, 0);
    expect(2, "vcpus", 3, 0);
    expect(3, "extra", 5, 0);
}

static void test_lists(void **state)
{
    (void)state;
    scan("disk = [ 'a=b, c=d',\n"
         "  \"key = value\", # e = f\n"
         "  [ 'nested = x' ],\n"
         "]\n"
         "vif = []\n"
         "pci = [ \n ]\n"
         "name = \"\"\n"
         "on_crash = 'destroy'\n");
    assert_int_equal(keys.count, 5);
    expect(0, "disk", 1, 0);
    expect(1, "vif", 5, 1);
    expect(2, "pci", 6, 1);
    expect(3, "name", 8, 1);
    expect(4, "on_crash", 9, 0);
}

static void test_broken_files(void **state)
{
    static const char *const texts[] = {
        "",     "=",        "name",         "name =",   "name = \"open",
        "[[[[", "a = [[[[", "]]]]",         "a = ]]]]", "a = 'b\nc = 1",
        "\\",   "a = \"\\", "a = \"\\\"\n", "+=+=+=",   "a +",
        "#",    "a = #",    "a == b == c",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        scan(texts[i]);
        cfg_keys_free(&keys);
    }
    scan("a = 'open\nb = 1\n");
    assert_int_equal(keys.count, 2);
    expect(1, "b", 2, 0);
}

static void test_long_key(void **state)
{
    char text[300];

    (void)state;
    memset(text, 'k', sizeof(text));
    memcpy(text + 290, " = 1\n", 6);
    scan(text);
    assert_int_equal(keys.count, 1);
    assert_int_equal(strlen(keys.keys[0].name), CFG_KEY_BYTES - 1);
    assert_int_equal(cfg_key_support(keys.keys[0].name), CFG_UNKNOWN);
    assert_null(cfg_key_nearest(keys.keys[0].name));
}

static void test_support(void **state)
{
    (void)state;
    assert_int_equal(cfg_key_support("memory"), CFG_USED);
    assert_int_equal(cfg_key_support("on_crash"), CFG_USED);
    assert_int_equal(cfg_key_support("vendor_device"), CFG_IGNORED);
    assert_int_equal(cfg_key_support("seclabel"), CFG_KNOWN);
    assert_non_null(strstr(cfg_key_reason("seclabel"), "XSM"));
    assert_int_equal(cfg_key_support("firmware"), CFG_KNOWN);
    assert_int_equal(cfg_key_support("disk"), CFG_USED);
    assert_int_equal(cfg_key_support("pci"), CFG_KNOWN);
    assert_int_equal(cfg_key_support("vnc"), CFG_KNOWN);
    assert_non_null(strstr(cfg_key_reason("pci"), "IOMMU"));
    assert_non_null(strstr(cfg_key_reason("hap"), "HVM"));
    assert_int_equal(cfg_key_support("memry"), CFG_UNKNOWN);
    assert_int_equal(cfg_key_support(""), CFG_UNKNOWN);
}

static void test_did_you_mean(void **state)
{
    (void)state;
    assert_string_equal(cfg_key_nearest("memry"), "memory");
    assert_string_equal(cfg_key_nearest("vcpu"), "vcpus");
    assert_string_equal(cfg_key_nearest("on_poweorff"), "on_poweroff");
    assert_string_equal(cfg_key_nearest("kernal"), "kernel");
    assert_null(cfg_key_nearest("colour_of_the_sky"));
}

static void test_actions(void **state)
{
    enum guest_action action = ACTION_PRESERVE;

    (void)state;
    assert_int_equal(guest_action_parse("destroy", &action), 0);
    assert_int_equal(action, ACTION_DESTROY);
    assert_int_equal(guest_action_parse("coredump-restart", &action), 0);
    assert_int_equal(action, ACTION_COREDUMP_RESTART);
    assert_int_equal(guest_action_parse("preserve", &action), 0);
    assert_int_equal(action, ACTION_PRESERVE);
    assert_int_equal(guest_action_parse("rename-restart", &action), 0);
    assert_int_equal(action, ACTION_RENAME_RESTART);
    assert_string_equal(guest_action_name(action), "rename-restart");
    action = ACTION_RESTART;
    assert_int_equal(guest_action_parse("coredump-rename-restart", &action),
                     -1);
    assert_int_equal(guest_action_parse("coredump-preserve", &action), -1);
    assert_int_equal(guest_action_parse("", &action), -1);
    assert_int_equal(action, ACTION_RESTART);
    assert_string_equal(guest_action_name(ACTION_DESTROY), "destroy");
    for (int i = ACTION_DESTROY; i <= (int)ACTION_COREDUMP_RESTART; i++) {
        const char *name = guest_action_name((enum guest_action)i);

        assert_int_equal(guest_action_parse(name, &action), 0);
        assert_int_equal(action, i);
        assert_int_equal(guest_action_cores(action),
                         strncmp(name, "coredump", 8) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_plain_file, release),
        cmocka_unit_test_teardown(test_lists, release),
        cmocka_unit_test_teardown(test_broken_files, release),
        cmocka_unit_test_teardown(test_long_key, release),
        cmocka_unit_test(test_support),
        cmocka_unit_test(test_did_you_mean),
        cmocka_unit_test(test_actions),
    };

    return UNIT_RUN(tests);
}
