/* SPDX-License-Identifier: MIT */
/*
 * What Vigil makes of an xl.cfg file, without a hypervisor to ask.  That xl
 * makes the same of it is for tests/system/test_vigil_guests.py.
 */
#include <fcntl.h>
#include <libxl_utils.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "lib/guestcfg.h"
#include "lib/guestdev.h"
#include "lib/place.h"

#define LEAST "name='g'\nkernel='/dev/null'\n"

static char dir[] = "/tmp/test_guestcfg.XXXXXX";
static libxl_domain_config config;
static struct fault fault;

static void write_file(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static int load_with(const char *text, char *const *more, int count, int strict)
{
    char *path = xasprintf("%s/g.cfg", dir);
    int ret;

    write_file("g.cfg", text);
    ret = guestcfg_load(NULL, path, more, count, strict, &config, &fault);
    free(path);
    return ret;
}

static void load(const char *text)
{
    if (load_with(text, NULL, 0, 1)) {
        fail_msg("'%s' is refused: %s", text, fault.text);
    }
}

static void drop(void)
{
    /* libxl never frees this one: it is const in its interface. */
    free((void *)(uintptr_t)config.b_info.u.pv.features);
    libxl_domain_config_dispose(&config);
}

/* @text is refused with @code, and the fault speaks of @word. */
static void refuse(const char *text, enum exit_code code, const char *word)
{
    if (load_with(text, NULL, 0, 1) == 0) {
        fail_msg("'%s' was taken", text);
    }
    if (fault.code != code || !strstr(fault.text, word)) {
        fail_msg("'%s': code %d, %s", text, (int)fault.code, fault.text);
    }
}

static int make_dir(void **state)
{
    char *path;

    (void)state;
    assert_non_null(mkdtemp(dir));
    place_set_root(dir);
    path = xasprintf("mkdir -p %s/etc/xen", dir);
    assert_int_equal(system(path), 0);
    free(path);
    return 0;
}

static int remove_dir(void **state)
{
    char *command = xasprintf("rm -r %s", dir);

    (void)state;
    assert_int_equal(system(command), 0);
    free(command);
    return 0;
}

static void test_least(void **state)
{
    (void)state;
    load(LEAST "on_soft_reset='soft-reset'\n");
    assert_int_equal(config.on_soft_reset, LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET);
    drop();
    load(LEAST "on_soft_reset='preserve'\n");
    assert_int_equal(config.on_soft_reset, LIBXL_ACTION_ON_SHUTDOWN_PRESERVE);
    drop();
    load(LEAST);
    assert_int_equal(config.on_soft_reset, LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET);
    assert_string_equal(config.c_info.name, "g");
    assert_int_equal(config.c_info.type, LIBXL_DOMAIN_TYPE_PV);
    assert_int_equal(config.c_info.domid, GUEST_DOMID_ANY);
    assert_string_equal(config.b_info.kernel, "/dev/null");
    assert_null(config.b_info.cmdline);
    assert_int_equal(config.b_info.max_memkb, LIBXL_MEMKB_DEFAULT);
    assert_int_equal(config.b_info.max_vcpus, 0);
    assert_int_equal(config.num_disks + config.num_nics, 0);
    assert_int_equal(guestcfg_action(config.on_poweroff), ACTION_DESTROY);
    assert_int_equal(guestcfg_action(config.on_reboot), ACTION_RESTART);
    assert_int_equal(guestcfg_action(config.on_crash), ACTION_DESTROY);
    assert_true(libxl_defbool_val(config.b_info.claim_mode));
    drop();
}

static void test_most(void **state)
{
    char uuid[UUID_CHARS + 1];

    (void)state;
    load(LEAST "uuid='8c4ec2a0-16a0-4b8c-9f2e-0a5d7f1c2e11'\nmemory=64\n"
               "maxmem=128\nvcpus=2\nmaxvcpus=4\ncpus='0-1,^0'\n"
               "cpu_weight=512\ncap=50\nroot='/dev/xvda'\nextra='quiet'\n"
               "features='!auto_translated_physmap'\nmax_event_channels=100\n"
               "on_crash='coredump-restart'\non_reboot='rename-restart'\n"
               "tsc_mode='native'\npool='p'\n"
               "disk=['/dev/a,raw,xvda,rw']\n"
               "vif=['bridge=br0,mac=00:16:3e:00:00:01,rate=1Mb/s','']\n");
    guestcfg_uuid(&config, uuid);
    assert_string_equal(uuid, "8c4ec2a0-16a0-4b8c-9f2e-0a5d7f1c2e11");
    assert_int_equal(config.b_info.target_memkb, 65536);
    assert_int_equal(config.b_info.max_memkb, 131072);
    assert_int_equal(libxl_bitmap_count_set(&config.b_info.avail_vcpus), 2);
    assert_int_equal(config.b_info.max_vcpus, 4);
    assert_int_equal(config.b_info.num_vcpu_hard_affinity, 4);
    assert_false(libxl_bitmap_test(&config.b_info.vcpu_hard_affinity[3], 0));
    assert_true(libxl_bitmap_test(&config.b_info.vcpu_hard_affinity[3], 1));
    assert_int_equal(config.b_info.sched_params.weight, 512);
    assert_int_equal(config.b_info.sched_params.cap, 50);
    assert_int_equal(config.b_info.event_channels, 100);
    assert_string_equal(config.b_info.cmdline, "root=/dev/xvda quiet");
    assert_int_equal(config.on_crash,
                     LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART);
    assert_int_equal(guestcfg_action(config.on_crash), ACTION_COREDUMP_RESTART);
    assert_int_equal(config.on_reboot, LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME);
    assert_int_equal(guestcfg_action(config.on_reboot), ACTION_RENAME_RESTART);
    assert_string_equal(config.disks[0].pdev_path, "/dev/a");
    assert_string_equal(config.disks[0].vdev, "xvda");
    assert_int_equal(config.num_nics, 2);
    assert_string_equal(config.nics[0].bridge, "br0");
    assert_int_equal(config.nics[0].mac[5], 1);
    assert_int_equal(config.nics[0].rate_bytes_per_interval, 6250);
    assert_int_equal(config.nics[1].devid, 1);
    drop();
}

static void test_refused(void **state)
{
    (void)state;
    refuse("kernel='/dev/null'\n", EXIT_USAGE, "no name");
    refuse("name='g'\n", EXIT_USAGE, "no kernel");
    refuse("name='17'\nkernel='/dev/null'\n", EXIT_USAGE, "digits only");
    refuse("name='a/b'\nkernel='/dev/null'\n", EXIT_USAGE, "no slash");
    refuse("name='g'\nkernel='/no/kernel'\n", EXIT_NOT_FOUND,
           "g.cfg:2: kernel");
    refuse(LEAST "type='pvh'\n", EXIT_UNSUPPORTED, "g.cfg:3: type = pvh");
    refuse(LEAST "type='hvm'\n", EXIT_UNSUPPORTED, "runs PV guests");
    refuse(LEAST "builder='hvm'\n", EXIT_UNSUPPORTED, "g.cfg:3: builder");
    refuse(LEAST "uuid='12'\n", EXIT_USAGE, "g.cfg:3: uuid = 12");
    refuse(LEAST "memory='much'\n", EXIT_USAGE, "g.cfg:3: memory is not a num");
    refuse(LEAST "memory=1\n", EXIT_USAGE, "out of range");
    refuse(LEAST "memory=64\nmaxmem=32\n", EXIT_USAGE, "g.cfg:4: maxmem = 32");
    refuse(LEAST "vcpus=2\nmaxvcpus=1\n", EXIT_USAGE, "g.cfg:4: maxvcpus");
    refuse(LEAST "vcpus=129\n", EXIT_USAGE, "1 to 128");
    refuse(LEAST "vcpus=[1]\n", EXIT_USAGE, "vcpus");
    refuse(LEAST "cpu_weight=0\n", EXIT_USAGE, "cpu_weight = 0");
    refuse(LEAST "cpus='many'\n", EXIT_USAGE, "g.cfg:3: cpus = many");
    refuse(LEAST "cpus='200'\n", EXIT_USAGE, "none of these CPUs");
    refuse(LEAST "cpus='node:0'\n", EXIT_USAGE, "cpus = node:0");
    refuse(LEAST "cpus=[['0']]\n", EXIT_USAGE, "item 1 of cpus");
    refuse(LEAST "tsc_mode='fast'\n", EXIT_UNSUPPORTED,
           "g.cfg:3: tsc_mode = fast is not offered; give default, always");
    refuse(LEAST "tsc_mode='native_paravirt'\n", EXIT_UNSUPPORTED,
           "g.cfg:3: tsc_mode = native_paravirt");
    refuse(LEAST "on_crash='rename-destroy'\n", EXIT_UNSUPPORTED,
           "g.cfg:3: on_crash");
    refuse(LEAST "on_crash='soft-reset'\n", EXIT_UNSUPPORTED,
           "g.cfg:3: on_crash");
    refuse(LEAST "name=['g']\n", EXIT_USAGE, "name is a list");
    refuse(LEAST "extra=\n", EXIT_USAGE, "not an xl.cfg file");
    refuse("name='g'\nbootloader='pygrub'\n", EXIT_USAGE, "no disk");
}

static void test_devices_refused(void **state)
{
    (void)state;
    refuse(LEAST "disk='/dev/a,raw,xvda,rw'\n", EXIT_USAGE,
           "disk is not a list");
    refuse(LEAST "disk=['/dev/a,raw,xvda,rw,colour=red']\n", EXIT_USAGE,
           "g.cfg:3: disk '/dev/a");
    refuse(LEAST "disk=['/dev/a']\n", EXIT_USAGE,
           "g.cfg:3: disk '/dev/a': no vdev specified");
    refuse(LEAST "\n\nvif=['bridge']\n", EXIT_USAGE, "g.cfg:5: vif 'bridge'");
    refuse(LEAST "vif=['mac=00:16:3e:00:00']\n", EXIT_USAGE, "vif mac=");
    refuse(LEAST "vif=['mac=00:16:3e:00:00:100']\n", EXIT_USAGE, "vif mac=");
    refuse(LEAST "vif=['rate=fast']\n", EXIT_USAGE, "vif rate=fast");
    refuse(LEAST "vif=['mtu=9']\n", EXIT_USAGE, "vif mtu=9");
    refuse(LEAST "vif=['devid=x']\n", EXIT_USAGE, "vif devid=x");
    refuse(LEAST "vif=['type=ioemu']\n", EXIT_UNSUPPORTED, "vif type=ioemu");
    refuse(LEAST "vif=['colour=red']\n", EXIT_UNSUPPORTED, "vif colour=");
}

static void test_keys(void **state)
{
    (void)state;
    refuse(LEAST "\npci=['01:00.0']\n", EXIT_UNSUPPORTED,
           "g.cfg:4: pci is not offered by Vigil: no device can be given");
    refuse(LEAST "memry=64\n", EXIT_UNSUPPORTED,
           "g.cfg:3: memry is not a key of xl.cfg; did you mean memory?");
    refuse(LEAST "hap=1\n", EXIT_UNSUPPORTED, "HVM and PVH");
    /* Empty: nothing was asked for.  Not strict: a warning. */
    load(LEAST "pci=[]\nvfb=[]\n");
    drop();
    assert_int_equal(load_with(LEAST "memry=64\n", NULL, 0, 0), 0);
    drop();
}

static void test_command_line(void **state)
{
    char *more[] = {(char *)(uintptr_t) "memory=32",
                    (char *)(uintptr_t) "extra=a \"b\" c",
                    (char *)(uintptr_t) "vif=['bridge=x']"};
    char *bad[] = {(char *)(uintptr_t) "memory"};
    char *wrong[] = {(char *)(uintptr_t) "memory=1"};

    (void)state;
    assert_int_equal(load_with(LEAST "memory=64", more, 3, 1), 0);
    assert_int_equal(config.b_info.max_memkb, 32768);
    assert_string_equal(config.b_info.cmdline, "a \"b\" c");
    assert_string_equal(config.nics[0].bridge, "x");
    drop();
    assert_int_equal(load_with(LEAST, bad, 1, 1), -1);
    assert_int_equal(fault.code, EXIT_USAGE);
    assert_int_equal(load_with(LEAST, wrong, 1, 1), -1);
    assert_non_null(strstr(fault.text, "the command line: memory = 1"));
}

static void test_xl_conf(void **state)
{
    (void)state;
    write_file("etc/xen/xl.conf",
               "vif.default.bridge=\"br9\"\nvif.default.script=\"vif-x\"\n"
               "vif.default.gatewaydev=\"eth9\"\nclaim_mode=0\n"
               "max_grant_frames=48\nblkdev_start=\"xvdb\"\n");
    load(LEAST "vif=['', 'bridge=br0']\n");
    assert_string_equal(config.nics[0].bridge, "br9");
    assert_string_equal(config.nics[0].script, "vif-x");
    assert_string_equal(config.nics[0].gatewaydev, "eth9");
    assert_string_equal(config.nics[1].bridge, "br0");
    assert_false(libxl_defbool_val(config.b_info.claim_mode));
    assert_int_equal(config.b_info.max_grant_frames, 48);
    assert_string_equal(config.b_info.blkdev_start, "xvdb");
    drop();
    write_file("etc/xen/xl.conf", "claim_mode=7\n");
    refuse(LEAST, EXIT_USAGE, "xl.conf");
    write_file("etc/xen/xl.conf", "");
}

static void test_domid(void **state)
{
    static const char *const bad[] = {
        "", "0", "-1", "x", "32752", "5x", "99999999999999999999"};
    libxl_domid domid = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(guestcfg_domid_parse(bad[i], &domid, &fault), -1);
        assert_int_equal(fault.code, EXIT_USAGE);
    }
    assert_int_equal(domid, 7);
    assert_int_equal(guestcfg_domid_parse("32751", &domid, &fault), 0);
    assert_int_equal(domid, 32751);
    assert_int_equal(guestcfg_domid_parse(NULL, &domid, &fault), 0);
    assert_int_equal(domid, GUEST_DOMID_ANY);
}

/* What comes as JSON, from a saved image, is looked at, too. */
static void test_check(void **state)
{
    static const char *const modes[] = {"0", "'always_emulate'", "2"};
    char text[128];

    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        (void)snprintf(text, sizeof(text), LEAST "tsc_mode=%s\n", modes[mode]);
        load(text);
        assert_int_equal(config.b_info.tsc_mode, mode);
        assert_int_equal(guestcfg_check("it", &config, &fault), 0);
        drop();
    }
    load(LEAST);
    assert_int_equal(guestcfg_check("it", &config, &fault), 0);
    free(config.c_info.name);
    config.c_info.name = NULL;
    assert_int_equal(guestcfg_check("it", &config, &fault), -1);
    assert_int_equal(fault.code, EXIT_USAGE);
    assert_non_null(strstr(fault.text, "it has no name"));
    drop();
}

static void test_hostile_files(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "[",
        "{}",
        "[]",
        "[{}]",
        "null",
        "{\"c_info\":1}",
        "{\"config\":{}}",
        "=",
        "name",
        "name='g",
        "\1\2\3",
        "name='g'\nkernel='/dev/null'\ndisk=[",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(load_with(texts[i], NULL, 0, 1), -1);
        assert_int_equal(fault.code, EXIT_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least),   cmocka_unit_test(test_most),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_devices_refused),
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_command_line),
        cmocka_unit_test(test_xl_conf), cmocka_unit_test(test_domid),
        cmocka_unit_test(test_check),   cmocka_unit_test(test_hostile_files),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
