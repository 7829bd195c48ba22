/* SPDX-License-Identifier: MIT */
/*
 * boot/cmdline.c - the table of options.
 */
#include "boot/cmdline.h"

#include "boot/loader.h"
#include "boot/selfcheck.h"
#include "cpu/spec_ctrl.h"
#include "crash/reboot.h"
#include "dev/irq.h"
#include "dev/platform_timer.h"
#include "dev/efi_runtime.h"
#include "dev/uart16550.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "log/printk.h"
#include "ras/nmi.h"
#include "ras/nmi_storm.h"
#include "ras/watchdog.h"
#include "x86/percpu.h"

#define ITEM_BYTES 256

struct boot_options boot_options = {
    .dom0_max_bytes = INT64_MAX,
    .maxcpus = NR_CPUS,
    .screen = true,
};

static char saved[LOADER_CMDLINE_BYTES];

static int set_uart1(const char *v)
{
    int rc = uart_init(1, v);

    return rc == -ENODEV || rc == -EBUSY ? 0 : rc;
}

static int set_uart2(const char *v)
{
    int rc = uart_init(2, v);

    return rc == -ENODEV || rc == -EBUSY ? 0 : rc;
}

/* console=com1,vga: serial lines are sinks as soon as com1= sets them up. */
static int set_console(const char *v)
{
    char item[ITEM_BYTES];

    boot_options.screen = false;
    while (parse_next(&v, ',', item, sizeof(item))) {
        if (strcmp(item, "vga") == 0) {
            boot_options.screen = true;
        } else if (strncmp(item, "com", 3) != 0 && strcmp(item, "none") != 0) {
            return -EINVAL;
        }
    }
    return 0;
}

/* vga=<mode>,keep: the mode is the one the boot loader has set. */
static int set_vga(const char *v)
{
    char item[ITEM_BYTES];

    while (parse_next(&v, ',', item, sizeof(item))) {
        if (strcmp(item, "keep") == 0) {
            boot_options.screen_kept = true;
        } else if (strcmp(item, "current") != 0) {
            pr_warn("boot: vga=%s: the boot loader sets the mode", item);
        }
    }
    return 0;
}

static int set_efi(const char *v)
{
    char item[ITEM_BYTES];

    while (parse_next(&v, ',', item, sizeof(item))) {
        if (strcmp(item, "no-rs") == 0) {
            efi_runtime_forbid();
        } else if (strcmp(item, "rs") != 0) {
            return -EINVAL;
        }
    }
    return 0;
}

static int set_loglvl(const char *v)
{
    return log_set_levels(false, v);
}

static int set_guest_loglvl(const char *v)
{
    return log_set_levels(true, v);
}

static int set_noreboot(const char *v)
{
    bool on = true;
    int rc = *v == '\0' ? 0 : parse_bool(v, &on);

    if (rc == 0) {
        reboot_set_noreboot(on);
    }
    return rc;
}

static int set_sync_console(const char *v)
{
    boot_options.sync_console = true;
    return *v == '\0' ? 0 : parse_bool(v, &boot_options.sync_console);
}

static int set_provoke(const char *v)
{
    return parse_bool(v, &boot_options.provoke);
}

static int parse_signed_size(const char *v, int64_t *ret_bytes)
{
    bool negative = *v == '-';
    uint64_t bytes;
    int rc = parse_size(negative ? v + 1 : v, &bytes);

    if (rc != 0 || bytes > INT64_MAX) {
        return -EINVAL;
    }
    *ret_bytes = negative ? -(int64_t)bytes : (int64_t)bytes;
    return 0;
}

/* dom0_mem=<size>,min:<size>,max:<size> */
static int set_dom0_mem(const char *v)
{
    struct boot_options *o = &boot_options;
    char item[ITEM_BYTES];

    while (parse_next(&v, ',', item, sizeof(item))) {
        int rc;

        if (strncmp(item, "min:", 4) == 0) {
            rc = parse_signed_size(item + 4, &o->dom0_min_bytes);
        } else if (strncmp(item, "max:", 4) == 0) {
            rc = parse_signed_size(item + 4, &o->dom0_max_bytes);
        } else {
            rc = parse_signed_size(item, &o->dom0_mem_bytes);
            o->has_dom0_mem = true;
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* N, or MIN-MAX, either of which may be left out: as many as CPUs, within that. */
static int set_dom0_max_vcpus(const char *v)
{
    struct boot_options *o = &boot_options;
    unsigned int least = 0, most = 0;
    char item[ITEM_BYTES];
    const char *rest = strchr(v, '-');
    int rc = 0;

    if (rest == NULL) {
        rc = parse_uint(v, NR_CPUS, &least);
        most = least;
    } else if ((size_t)(rest - v) >= sizeof(item)) {
        return -EINVAL;
    } else {
        strlcpy(item, v, (size_t)(rest - v) + 1);
        if (*item != '\0') {
            rc = parse_uint(item, NR_CPUS, &least);
        }
        if (rc == 0 && rest[1] != '\0') {
            rc = parse_uint(rest + 1, NR_CPUS, &most);
        }
        if (rc == 0 && most != 0 && least > most) {
            return -EINVAL;
        }
    }
    if (rc == 0) {
        o->dom0_min_vcpus = least;
        o->dom0_max_vcpus = most;
    }
    return rc;
}

static int set_dom0_vcpus_pin(const char *v)
{
    boot_options.dom0_vcpus_pin = true;
    return *v == '\0' ? 0 : parse_bool(v, &boot_options.dom0_vcpus_pin);
}

static int set_maxcpus(const char *v)
{
    return parse_uint(v, NR_CPUS, &boot_options.maxcpus);
}

static int set_nmi(const char *v)
{
    return nmi_set_policy(v);
}

/* Which CPU has the machine's NMI line. */
static int set_nmi_cpu(const char *v)
{
    return parse_uint(v, NR_CPUS - 1, &boot_options.nmi_cpu);
}

/* NMIs of one source in a second; 0: as many as there are. */
static int set_nmi_ratelimit(const char *v)
{
    unsigned int count;
    int rc = parse_uint(v, 1000000, &count);

    if (rc == 0) {
        nmi_storm_set_rate(count);
    }
    return rc;
}

/* Interrupts of one source in 10 ms; 0: as many as there are. */
static int set_irq_ratelimit(const char *v)
{
    unsigned int count;
    int rc = parse_uint(v, 1000000, &count);

    if (rc == 0) {
        irq_set_ratelimit(count);
    }
    return rc;
}

/* Options of Xen that ask for what Vigil does anyway, or has no use for. */
static int ignore(const char *v)
{
    (void)v;
    return 0;
}

static const struct {
    const char *name;
    int (*set)(const char *value);
} options[] = {
    {"com1", set_uart1},
    {"com2", set_uart2},
    {"console", set_console},
    {"vga", set_vga},
    {"efi", set_efi},
    {"loglvl", set_loglvl},
    {"guest_loglvl", set_guest_loglvl},
    {"noreboot", set_noreboot},
    {"reboot", reboot_set_option},
    {"clocksource", platform_timer_option},
    {"nmi", set_nmi},
    {"nmi_cpu", set_nmi_cpu},
    {"nmi_ratelimit", set_nmi_ratelimit},
    {"watchdog", watchdog_option},
    {"watchdog_hw", watchdog_hardware_option},
    {"watchdog_timeout", watchdog_timeout_option},
    {"dom0_mem", set_dom0_mem},
    {"dom0_max_vcpus", set_dom0_max_vcpus},
    {"dom0_vcpus_pin", set_dom0_vcpus_pin},
    {"maxcpus", set_maxcpus},
    {"sync_console", set_sync_console},
    {"spec-ctrl", spec_set_option},
    {"xpti", spec_set_pti_option},
    {"pv-l1tf", spec_set_l1tf_option},
    {"tsx", spec_set_tsx_option},
    {"irq_ratelimit", set_irq_ratelimit},
    {"vigil_provoke", set_provoke},
    {"vigil_selfcheck", selfcheck_set_option},
    {"no-real-mode", ignore},
    {"edd", ignore},
};

static void apply(char *item)
{
    char *value = strchr(item, '=');
    unsigned int i;

    if (value != NULL) {
        *value++ = '\0';
    }
    for (i = 0; i < ARRAY_SIZE(options); i++) {
        if (strcmp(options[i].name, item) == 0) {
            if (options[i].set(value != NULL ? value : "") != 0) {
                pr_warn("boot: option %s: value \"%s\" not understood", item,
                        value != NULL ? value : "");
            }
            return;
        }
    }
    pr_warn("boot: unknown option \"%s\"", item);
}

static const char *skip_spaces(const char *p)
{
    while (*p == ' ') {
        p++;
    }
    return p;
}

static const char *skip_word(const char *p)
{
    while (*p != ' ' && *p != '\0') {
        p++;
    }
    return skip_spaces(p);
}

const char *cmdline_strip(const char *text)
{
    const char *p = skip_spaces(text);

    /* Multiboot 1: always; GRUB's scripts for multiboot 2: a placeholder. */
    if (loader_info.is_multiboot1 || *p == '/' ||
        (strncmp(p, "placeholder", 11) == 0 &&
         (p[11] == ' ' || p[11] == '\0'))) {
        return skip_word(p);
    }
    return p;
}

void cmdline_parse(const char *text)
{
    char item[ITEM_BYTES];
    const char *cursor;

    strlcpy(saved, cmdline_strip(text), sizeof(saved));
    cursor = saved;
    while (parse_next(&cursor, ' ', item, sizeof(item))) {
        if (item[0] != '\0') {
            apply(item);
        }
    }
}

const char *cmdline_text(void)
{
    return saved;
}
