/* SPDX-License-Identifier: MIT */
/*
 * hypercall/platform_op.c - HYPERVISOR_platform_op(op), control domain only.
 *
 *   offered   settime32 17, settime64 62, get_cpu_version 48,
 *             efi_runtime_call 49 and the part of firmware_info 50 that is about
 *             EFI (efi_op.c), keyboard flags 50, enter_acpi_sleep 51 (S5), getidletime 53,
 *             get_cpuinfo 55, get_symbol 63
 *   refused   firmware_info of disks: nobody asked the BIOS;
 *             everything else below
 *
 * Return:  0; -EACCES wrong interface version; -EFAULT; -EINVAL malformed;
 *          -ENOENT no such record; -EOPNOTSUPP known, not offered; -ENODEV
 *          no sleep registers; -ENOSYS no such op
 */
#include "lib/bits.h"
#include "lib/string.h"
#include "lib/xen_abi.h"
#include "x86/image.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/features.h"
#include "cpu/smp.h"
#include "crash/reboot.h"
#include "crash/symbols.h"
#include "dev/acpi.h"
#include "domain/sched.h"
#include "domain/vclock.h"
#include "hypercall/call.h"
#include "hypercall/cpu_hotplug.h"
#include "hypercall/efi_op.h"
#include "hypercall/xenctl_bitmap.h"

#define NS_PER_S    1000000000ULL
#define ACPI_S5     5
/* Beyond this 64 bits of nanoseconds since 1970 overflow (year 2554). */
#define SECONDS_MAX (~0ULL / NS_PER_S - 1)

static int64_t set_time(uint64_t secs, uint32_t nsecs, uint64_t system_time)
{
    if (secs > SECONDS_MAX || nsecs >= NS_PER_S) {
        return -EINVAL;
    }
    clock_set_wall(secs * NS_PER_S + nsecs, system_time);
    vclock_update_wall_all();
    return 0;
}

static int64_t settime64(const struct xenpf_settime64 *t)
{
    return t->mbz != 0 ? -EINVAL : set_time(t->secs, t->nsecs, t->system_time);
}

static int64_t firmware_info(struct xenpf_firmware_info *f)
{
    switch (f->type) {
    case XEN_FW_DISK_INFO:
    case XEN_FW_DISK_MBR_SIGNATURE:
        return -ENOENT;
    case XEN_FW_KBD_SHIFT_FLAGS:
        if (f->index != 0) {
            return -ENOENT;
        }
        f->u.kbd_shift_flags = 0;
        return 0;
    case XEN_FW_EFI_INFO:
        return efi_firmware_info(f->index, &f->u.efi_info);
    case XEN_FW_VBEDDC_INFO:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

static int64_t enter_acpi_sleep(const struct xenpf_enter_acpi_sleep *s)
{
    if (s->sleep_state != ACPI_S5 || s->flags != 0) {
        return -EOPNOTSUPP;
    }
    /* There is no way back from where the other CPUs are stopped. */
    if (acpi_fixed()->pm1a_cnt == 0) {
        return -ENODEV;
    }
    pr_notice("platform: the control domain switches the machine off");
    machine_close("power off by the control domain");
    (void)acpi_enter_sleep(s->val_a, s->val_b);
    machine_poweroff(); /* by the firmware's tables; or halt */
}

static int64_t get_cpuinfo(struct xenpf_pcpuinfo *p)
{
    p->max_present = smp_cpu_count() - 1;
    p->apic_id = p->acpi_id = ~0U;
    if (p->xen_cpuid >= smp_cpu_count()) {
        p->flags = XEN_PCPU_FLAGS_INVALID;
        return 0;
    }
    p->flags = smp_is_online(p->xen_cpuid) ? XEN_PCPU_FLAGS_ONLINE : 0;
    p->apic_id = smp_cpu(p->xen_cpuid)->apic_id;
    p->acpi_id = smp_cpu(p->xen_cpuid)->acpi_id;
    return 0;
}

static int64_t get_cpu_version(struct xenpf_pcpu_version *p)
{
    p->max_present = smp_cpu_count() - 1;
    if (p->xen_cpuid >= smp_cpu_count()) {
        memset(p->vendor_id, 0, sizeof(p->vendor_id));
        p->family = p->model = p->stepping = 0;
        return 0;
    }
    memcpy(p->vendor_id, cpu_features.vendor_id, sizeof(p->vendor_id));
    p->family = cpu_features.family;
    p->model = cpu_features.model;
    p->stepping = cpu_features.stepping;
    return 0;
}

/* One word of the set: who of these CPUs is there, and its time; others' is 0. */
static int64_t idle_word(const struct xenpf_getidletime *g, uint32_t first,
                         uint64_t *map)
{
    for (uint64_t left = *map; left != 0; left &= left - 1) {
        unsigned int bit = bit_lowest(left);
        cpu_t cpu = first + bit;
        bool is_there = sched_cpu_is_used(cpu);
        uint64_t idle = is_there ? sched_idle_ns(cpu) : 0;

        if (copy_elem_to_guest(g->idletime, cpu, &idle) != 0) {
            return -EFAULT;
        }
        if (!is_there) {
            *map &= ~(1UL << bit);
        }
    }
    return 0;
}

static int64_t getidletime(struct xenpf_getidletime *g)
{
    uint32_t bits = g->cpumap_nr_cpus;

    if (bits > XENCTL_BITMAP_BITS_MAX) {
        return -EINVAL;
    }
    g->now = clock_now_ns();
    for (uint32_t first = 0; first < bits; first += 64) {
        uint32_t here = MIN(bits - first, 64U);
        uint64_t va = handle_va(g->cpumap_bitmap) + first / 8;
        uint64_t map = 0, asked;

        if (copy_from_guest(&map, va, DIV_ROUND_UP(here, 8)) != 0) {
            return -EFAULT;
        }
        asked = map &= MASK_BITS(here);
        if (idle_word(g, first, &map) != 0 ||
            copy_to_guest(va, &map, DIV_ROUND_UP(here, 8)) != 0) {
            return -EFAULT;
        }
        /* The next try finds these bits clear, and so gets further. */
        if (map != asked && hypercall_should_stop()) {
            return -ERESTART;
        }
    }
    return 0;
}

static int64_t get_symbol(struct xenpf_symdata *s)
{
    const char *name;
    uint32_t len, room = s->namelen;

    if (s->symnum >= symbol_count) {
        s->namelen = 0;
        s->address = 0;
        return 0;
    }
    name = symbol_names + symbol_table[s->symnum].name;
    len = (uint32_t)strlen(name);
    s->namelen = len;
    s->type = 't';
    s->address = image_start() + symbol_table[s->symnum].offset;
    s->symnum++;
    if (room == 0) {
        return 0;
    }
    if (len >= room) {
        len = room - 1;
    }
    if (copy_to_guest(handle_va(s->name), name, len) != 0 ||
        clear_guest(handle_va(s->name) + len, 1) != 0) {
        return -EFAULT;
    }
    return 0;
}

static int64_t run(struct xen_platform_op *op, bool *ret_give_back)
{
    *ret_give_back = true;
    switch (op->cmd) {
    case XENPF_settime32:
        return set_time(op->u.settime32.secs, op->u.settime32.nsecs,
                        op->u.settime32.system_time);
    case XENPF_settime64:
        return settime64(&op->u.settime64);
    case XENPF_firmware_info:
        return firmware_info(&op->u.firmware_info);
    case XENPF_efi_runtime_call:
        return efi_runtime_op(&op->u.efi_runtime_call);
    case XENPF_enter_acpi_sleep:
        *ret_give_back = false;
        return enter_acpi_sleep(&op->u.enter_acpi_sleep);
    case XENPF_getidletime:
        return getidletime(&op->u.getidletime);
    case XENPF_get_cpuinfo:
        return get_cpuinfo(&op->u.pcpu_info);
    case XENPF_cpu_online:
        return cpu_hotplug_online(op->u.cpu_ol.cpuid);
    case XENPF_cpu_offline:
        return smp_cpu_down(op->u.cpu_ol.cpuid);
    case XENPF_get_cpu_version:
        return get_cpu_version(&op->u.pcpu_version);
    case XENPF_get_symbol:
        return get_symbol(&op->u.symdata);
    case XENPF_set_processor_pminfo:
        /* The answer Linux takes in silence: no power management. */
        return -ENOSYS;
    case XENPF_add_memtype:
    case XENPF_del_memtype:
    case XENPF_read_memtype:
    case XENPF_microcode_update:
    case XENPF_platform_quirk:
    case XENPF_change_freq:
    case XENPF_cpu_hotadd:
    case XENPF_mem_hotadd:
    case XENPF_core_parking:
    case XENPF_resource_op:
        return -EOPNOTSUPP;
    default:
        return -ENOSYS;
    }
}

int64_t do_platform_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5)
{
    struct xen_platform_op op;
    bool give_back;
    int64_t rc;

    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    if (copy_from_guest(&op, a1, sizeof(op)) != 0) {
        return -EFAULT;
    }
    if (op.interface_version != XENPF_INTERFACE_VERSION) {
        return -EACCES;
    }
    rc = run(&op, &give_back);
    /* cpu_offline: the caller itself has to move; getidletime: a large set */
    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_platform_op, 1, a1, 0, 0, 0, 0);
    }
    if (rc == 0 && give_back && copy_to_guest(a1, &op, sizeof(op)) != 0) {
        rc = -EFAULT;
    }
    return rc;
}
