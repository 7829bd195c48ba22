/* SPDX-License-Identifier: MIT */
/*
 * crash/reboot: the order of attempts, bounded waits, the box closed first.
 */
#include "tests/unit/unit.h"

#include "log/printk.h"
#include "log/sink.h"
#include "cpu/clock.h"
#include "crash/blackbox.h"
#include "crash/panic.h"
#include "crash/reboot.h"
#include "crash/stop.h"
#include "fake_hw.h"
#include "fake_printk.h"

static bool dying;
static char trail[4096];
static jmp_buf out;

bool crash_in_progress(void)
{
    return dying;
}

static void step(const char *text)
{
    strcat(trail, text);
    strcat(trail, " ");
}

void blackbox_clean(const char *reason)
{
    (void)reason;
    step("clean");
}

void log_flush(void)
{
}

static bool held;

void log_hold(void)
{
    assert_false(held);
    held = true;
}

void log_release(void)
{
    assert_true(held);
    held = false;
}

static unsigned int silent;

uint64_t clock_tsc_khz(void)
{
    return 2000000;
}

/* Nobody is stopped who has a sink's lock. */
unsigned int crash_stop_others(uint64_t tsc_khz)
{
    assert_int_equal(tsc_khz, 2000000);
    assert_true(held);
    step("stop");
    return silent;
}

static void gone(void);

void crash_stop_park(const struct cpu_regs *regs)
{
    assert_null(regs);
    step("park");
    gone();
    abort();
}

unsigned int log_linger_ms(void)
{
    return 3;
}

/* The keyboard controller: so many looks find it busy, by default all. */
static unsigned int kbd_busy, kbd_looks;

static uint32_t ports_in(uint16_t port, unsigned int bytes)
{
    assert_int_equal(bytes, 1);
    if (port == 0x64) {
        return kbd_looks++ < kbd_busy ? 0xff : 0xfd;
    }
    assert_int_equal(port, 0x80);
    return 0xff;
}

static void ports_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    char text[32];

    assert_int_equal(bytes, 1);
    snprintf(text, sizeof(text), "%x=%x", port, v);
    step(text);
}

static void gone(void)
{
    step("gone");
    longjmp(out, 1);
}

static void acpi(void)
{
    step("acpi");
}

static const struct reboot_ops ops = {acpi, acpi};
static const struct reboot_ops no_ops = {NULL, NULL};

static void watchdog_off(void)
{
    step("watchdog");
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_in_hook = ports_in;
    fake_out_hook = ports_out;
    fake_triple_fault_hook = gone;
    fake_halt_hook = gone;
    dying = false;
    silent = 0;
    kbd_busy = UINT32_MAX;
    kbd_looks = 0;
    fake_cpu = 0;
    this_cpu()->context = 0;
    trail[0] = '\0';
    reboot_register(&no_ops);
    reboot_set_noreboot(false);
    return 0;
}

#define LEAVE_BY(call)                                                         \
    do {                                                                       \
        if (setjmp(out) == 0) {                                                \
            call;                                                              \
        }                                                                      \
    } while (0)

static void tries_everything_in_order(void **state)
{
    (void)state;
    LEAVE_BY(machine_restart());
    assert_string_equal(trail, "clean stop cf9=2 cf9=6 64=fe gone ");
    assert_false(fake_irqs_on);
    trail[0] = '\0';
    reboot_register(&ops);
    LEAVE_BY(machine_restart());
    assert_string_equal(trail, "clean stop acpi cf9=2 cf9=6 64=fe gone ");
}

/* The way asked for comes first, the others follow in their order. */
static void option_chooses(void **state)
{
    static const struct {
        const char *option, *trail;
    } cases[] = {
        {"kbd", "clean stop 64=fe acpi cf9=2 cf9=6 gone "},
        {"k", "clean stop 64=fe acpi cf9=2 cf9=6 gone "},
        {"t", "clean stop gone "},
        {"triple,warm", "clean stop gone "},
        {"pci", "clean stop cf9=2 cf9=6 acpi 64=fe gone "},
        {"c,Power", "clean stop cf9=a cf9=e acpi 64=fe gone "},
        {"acpi", "clean stop acpi cf9=a cf9=e 64=fe gone "},
    };

    (void)state;
    reboot_register(&ops);
    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        trail[0] = '\0';
        assert_int_equal(reboot_set_option(cases[i].option), 0);
        LEAVE_BY(machine_restart());
        assert_string_equal(trail, cases[i].trail);
    }
    assert_int_equal(reboot_set_option(""), -22);
    assert_int_equal(reboot_set_option("efi"), -22);
    assert_int_equal(reboot_set_option("kbdd"), -22);
    assert_int_equal(reboot_set_option("a-word-that-is-far-too-long"), -22);
}

/* The last test: there is no way back from it. */
static void option_no(void **state)
{
    (void)state;
    reboot_register(&ops);
    assert_int_equal(reboot_set_option("no"), 0);
    LEAVE_BY(machine_restart());
    assert_string_equal(trail, "clean stop gone ");
    assert_true(fake_printk_said("the option reboot=no was given"));
    /* What is said after it, as a second option too, does not take it back. */
    assert_int_equal(reboot_set_option("kbd,warm"), 0);
    trail[0] = '\0';
    LEAVE_BY(machine_restart());
    assert_string_equal(trail, "clean stop gone ");
}

static void a_crash_is_not_called_clean(void **state)
{
    (void)state;
    dying = true;
    this_cpu()->context = CTX_CRASH;
    LEAVE_BY(machine_leave());
    assert_string_equal(trail, "cf9=2 cf9=6 64=fe gone ");
}

/* Two want to leave: the first does.  One dies meanwhile: it does. */
static void one_leaves(void **state)
{
    (void)state;
    silent = 2;
    LEAVE_BY(machine_restart());
    assert_true(fake_printk_said("2 CPUs did not stop"));
    fake_cpu = 1;
    fake_cpu_blocks[1].cpu_id = 1;
    trail[0] = '\0';
    LEAVE_BY(machine_poweroff());
    assert_string_equal(trail, "park gone ");
    dying = true;
    this_cpu()->context = CTX_CRASH;
    trail[0] = '\0';
    LEAVE_BY(machine_leave());
    assert_string_equal(trail, "cf9=2 cf9=6 64=fe gone ");
    fake_cpu = 0;
    trail[0] = '\0';
    LEAVE_BY(machine_restart());
    assert_string_equal(trail, "park gone ");
}

static void bios_flag(void **state)
{
    static const struct {
        const char *option;
        uint16_t flag;
    } cases[] = {{NULL, 0},       {"warm", 0x1234}, {"w,kbd", 0x1234},
                 {"kbd", 0x1234}, {"warm,cold", 0}, {"c", 0}};
    volatile uint16_t word;

    (void)state;
    reboot_set_bios_flag(&word);
    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        word = 0xffff;
        if (cases[i].option != NULL) {
            assert_int_equal(reboot_set_option(cases[i].option), 0);
        }
        LEAVE_BY(machine_restart());
        assert_int_equal(word, cases[i].flag);
    }
    reboot_set_bios_flag(NULL);
    word = 0xffff;
    LEAVE_BY(machine_restart());
    assert_int_equal(word, 0xffff);
}

static void nmi_after_a_reset(void **state)
{
    static const uint8_t vector[] = {0xfc, 0x01, 0, 0};
    static uint8_t ivt[1024], before[1024];

    (void)state;
    /* Nobody has set it: an IRET, and nothing else is touched. */
    reboot_catch_nmi(ivt);
    assert_memory_equal(ivt + 8, vector, 4);
    assert_int_equal(ivt[0x1fc], 0xcf);
    for (size_t i = 0; i < sizeof(ivt); i++) {
        assert_true(ivt[i] == 0 || (i >= 8 && i < 12) || i == 0x1fc);
    }
    /* What a BIOS has set stays, and so does what is in the spare one. */
    for (size_t i = 0; i < 2; i++) {
        memset(ivt, 0, sizeof(ivt));
        ivt[i == 0 ? 11 : 0x1fd] = 0xf0;
        memcpy(before, ivt, sizeof(ivt));
        reboot_catch_nmi(ivt);
        assert_memory_equal(ivt, before, sizeof(ivt));
    }
}

static void noreboot_halts(void **state)
{
    (void)state;
    dying = true;
    this_cpu()->context = CTX_CRASH;
    reboot_set_noreboot(true);
    LEAVE_BY(machine_leave());
    assert_string_equal(trail, "gone ");
}

static void poweroff_falls_back_to_halt(void **state)
{
    (void)state;
    reboot_register(&ops);
    LEAVE_BY(machine_poweroff());
    assert_string_equal(trail, "clean stop acpi clean stop gone ");
}

static void poweroff_stands(const struct reboot_ops *with)
{
    reboot_register(with);
    trail[0] = '\0';
    fake_printk_forget();
    LEAVE_BY(machine_poweroff());
    assert_string_equal(trail, "clean stop clean stop gone ");
    assert_true(fake_printk_said("power off did not work; halted"));
}

/* No ACPI: nothing of it is tried, or said to be. */
static void without_acpi(void **state)
{
    (void)state;
    reboot_register(NULL);
    fake_printk_forget();
    LEAVE_BY(machine_restart());
    assert_string_equal(trail, "clean stop cf9=2 cf9=6 64=fe gone ");
    assert_false(fake_printk_said("ACPI"));
    assert_true(fake_printk_said("reset by port 0xcf9\n"));
    poweroff_stands(NULL);
    poweroff_stands(&no_ops);
}

/* The controller takes the command as soon as it has read the last one. */
static void keyboard_is_waited_for(void **state)
{
    (void)state;
    kbd_busy = 3;
    LEAVE_BY(machine_restart());
    assert_int_equal(kbd_looks, 4);
    assert_string_equal(trail, "clean stop cf9=2 cf9=6 64=fe gone ");
    /* One that never does is waited for 10 ms. */
    kbd_busy = UINT32_MAX;
    kbd_looks = 0;
    trail[0] = '\0';
    LEAVE_BY(machine_restart());
    assert_int_equal(kbd_looks, 10000);
    assert_string_equal(trail, "clean stop cf9=2 cf9=6 64=fe gone ");
}

/* Standing for good: its hardware watchdog would reset it.  A restart wants that. */
static void watchdog_lets_it_stand(void **state)
{
    (void)state;
    reboot_set_hardware_watchdog(watchdog_off);
    LEAVE_BY(machine_halt());
    assert_string_equal(trail, "clean stop watchdog gone ");
    trail[0] = '\0';
    LEAVE_BY(machine_restart());
    assert_string_equal(trail, "clean stop cf9=2 cf9=6 64=fe gone ");
    reboot_set_hardware_watchdog(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tries_everything_in_order, setup),
        cmocka_unit_test_setup(one_leaves, setup),
        cmocka_unit_test_setup(a_crash_is_not_called_clean, setup),
        cmocka_unit_test_setup(noreboot_halts, setup),
        cmocka_unit_test_setup(poweroff_falls_back_to_halt, setup),
        cmocka_unit_test_setup(without_acpi, setup),
        cmocka_unit_test_setup(keyboard_is_waited_for, setup),
        cmocka_unit_test_setup(watchdog_lets_it_stand, setup),
        cmocka_unit_test_setup(option_chooses, setup),
        cmocka_unit_test_setup(bios_flag, setup),
        cmocka_unit_test_setup(option_no, setup),
        cmocka_unit_test_setup(nmi_after_a_reset, setup),
    };

    return UNIT_RUN(tests);
}
