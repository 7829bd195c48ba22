/* SPDX-License-Identifier: MIT */
/*
 * efi - the control domain asks UEFI firmware through the hypervisor.
 *
 * Claim: XENPF_firmware_info and XENPF_efi_runtime_call answer with what the
 * firmware says, refuse what is malformed, and a fault in firmware ends
 * runtime services, not the machine.  On a machine without UEFI both refuse.
 * Plan:
 *   1. Version, vendor, configuration table, memory: they agree.
 *   2. The clock is read twice.
 *   3. A variable is written, read, found among the others, deleted.
 *   4. Malformed calls.
 *   5. FPU state survives a call.
 *   6. `fault` on the command line: firmware faults, then refusals.
 *   `no-rs` on it, as efi=no-rs on the hypervisor's: 1 and refusals only.
 * With `hold` it stays, blocked, after its verdict.
 */
#include "stub.h"

#include <vigil/vigil_op.h>
#include <xen/platform.h>

const char stub_name[] = "efi";

#define EFI_ERROR        (1UL << 63)
#define EFI_NOT_FOUND    (EFI_ERROR | 14)
#define EFI_TOO_SMALL    (EFI_ERROR | 5)
#define EFI_INVALID      (EFI_ERROR | 2)
#define EFI_RUNTIME_DATA 6
#define ATTRIBUTES       7 /* non-volatile, boot service and runtime access */

static struct xen_platform_op op;
static uint16_t text[512];
static unsigned char data[8192];

static const uint16_t name[] = {'V', 'i', 'g', 'i', 'l', 'T', 'e', 's', 't', 0};
static const struct xenpf_efi_guid guid = {
    0x7669676c, 0x1234, 0x5678, {1, 2, 3, 4, 5, 6, 7, 8}};

static long call(unsigned int cmd)
{
    op.cmd = cmd;
    op.interface_version = XENPF_INTERFACE_VERSION;
    return hypercall2(__HYPERVISOR_platform_op, (unsigned long)&op, 0);
}

static long info(unsigned int index)
{
    op.u.firmware_info.type = XEN_FW_EFI_INFO;
    op.u.firmware_info.index = index;
    return call(XENPF_firmware_info);
}

static long runtime(unsigned int function)
{
    op.u.efi_runtime_call.function = function;
    return call(XENPF_efi_runtime_call);
}

static struct xenpf_efi_runtime_call *fresh(void)
{
    memset(&op, 0, sizeof(op));
    return &op.u.efi_runtime_call;
}

static void check_info(void)
{
    union xenpf_efi_info *efi = &op.u.firmware_info.u.efi_info;
    uint64_t tables;
    uint32_t version;
    long rc;

    rc = info(XEN_FW_EFI_VERSION);
    version = efi->version;
    CHECK(rc == 0 && version >> 16 == 2, "version: %ld, %x", rc, version);
    if (!cmdline_has("no-rs")) {
        rc = info(XEN_FW_EFI_RT_VERSION);
        CHECK(rc == 0 && efi->version >> 16 == 2, "runtime version: %ld, %x",
              rc, efi->version);
    }
    rc = info(XEN_FW_EFI_CONFIG_TABLE);
    tables = efi->cfg.addr;
    CHECK(rc == 0 && tables != 0 && efi->cfg.nent > 3, "tables: %ld, %u", rc,
          efi->cfg.nent);

    efi->mem.addr = tables;
    efi->mem.size = ~0UL;
    rc = info(XEN_FW_EFI_MEM_INFO);
    CHECK(rc == 0 && efi->mem.type == EFI_RUNTIME_DATA &&
              efi->mem.size < 1UL << 30,
          "the tables lie in memory of type %u: %ld", efi->mem.type, rc);
    efi->mem.addr = 1UL << 51;
    rc = info(XEN_FW_EFI_MEM_INFO);
    CHECK(rc == -XEN_ESRCH, "memory nobody has: %ld", rc);

    efi->vendor.bufsz = sizeof(text);
    set_xen_guest_handle(efi->vendor.name, text);
    rc = info(XEN_FW_EFI_VENDOR);
    CHECK(rc == 0 && text[0] == 'E' && text[1] == 'D' && text[2] == 'K',
          "vendor: %ld", rc);
    text[2] = 0x5555;
    efi->vendor.bufsz = 5; /* two characters and a half */
    rc = info(XEN_FW_EFI_VENDOR);
    CHECK(rc == 0 && text[1] == 'D' && text[2] == 0x5555, "vendor cut: %ld",
          rc);
    CHECK(info(XEN_FW_EFI_PCI_ROM) == -XEN_ENOENT, "a PCI ROM");
    CHECK(info(XEN_FW_EFI_APPLE_PROPERTIES) == -XEN_ENODATA, "properties");
    CHECK(info(1000) == -XEN_EINVAL, "index 1000 is known");
    print("efi: version %x, tables at %lx\n", version, tables);
}

static void check_time(void)
{
    struct xenpf_efi_runtime_call *r = fresh();
    struct xenpf_efi_time first;
    long rc = runtime(XEN_EFI_get_time);

    first = r->u.get_time.time;
    CHECK(rc == 0 && r->status == 0 && first.year >= 2020 && first.month >= 1 &&
              first.month <= 12 && first.hour < 24,
          "clock: %ld, status %lx, year %u", rc, r->status, first.year);
    print("efi: clock says %u-%u-%u %u:%u:%u\n", first.year, first.month,
          first.day, first.hour, first.min, first.sec);
    time_sleep_ns(1200 * NS_PER_MS);
    fresh();
    rc = runtime(XEN_EFI_get_time);
    CHECK(rc == 0 && memcmp(&first, &r->u.get_time.time, sizeof(first)) != 0,
          "the clock stands still");
    /* Set to what it says: the firmware looks at each member. */
    first = r->u.get_time.time;
    fresh()->u.set_time = first;
    rc = runtime(XEN_EFI_set_time);
    CHECK(rc == 0 && r->status == 0, "set the clock: %ld, %lx", rc, r->status);
    first.month = 13;
    fresh()->u.set_time = first;
    rc = runtime(XEN_EFI_set_time);
    CHECK(rc == 0 && r->status == EFI_INVALID, "month 13: %ld, %lx", rc,
          r->status);
    fresh()->misc = 1;
    CHECK(runtime(XEN_EFI_get_time) == -XEN_EINVAL, "get_time with flags");
}

static long variable(unsigned int function, uint32_t misc, unsigned long size)
{
    struct xenpf_efi_runtime_call *r = fresh();

    r->misc = misc;
    r->u.get_variable.size = size;
    r->u.get_variable.vendor_guid = guid;
    set_xen_guest_handle(r->u.get_variable.name, (void *)(unsigned long)name);
    set_xen_guest_handle(r->u.get_variable.data, data);
    return runtime(function);
}

static bool is_among_the_others(void)
{
    struct xenpf_efi_runtime_call *r = &op.u.efi_runtime_call;
    struct xenpf_efi_guid vendor = {0};

    memset(text, 0, sizeof(text));
    for (unsigned int n = 0; n < 1000; n++) {
        fresh()->u.get_next_variable_name.size = sizeof(text);
        r->u.get_next_variable_name.vendor_guid = vendor;
        set_xen_guest_handle(r->u.get_next_variable_name.name, text);
        if (runtime(XEN_EFI_get_next_variable_name) != 0 || r->status != 0) {
            CHECK(r->status == EFI_NOT_FOUND, "the list ends with %lx",
                  r->status);
            print("efi: %u variables\n", n);
            return false;
        }
        vendor = r->u.get_next_variable_name.vendor_guid;
        if (!memcmp(&vendor, &guid, sizeof(guid)) &&
            !memcmp(text, name, sizeof(name))) {
            return true;
        }
    }
    return false;
}

static void check_variables(void)
{
    struct xenpf_efi_runtime_call *r = &op.u.efi_runtime_call;
    long rc;

    memset(data, 0x5a, 100);
    rc = variable(XEN_EFI_set_variable, ATTRIBUTES, 100);
    CHECK(rc == 0 && r->status == 0, "set: %ld, %lx", rc, r->status);
    memset(data, 0, sizeof(data));
    rc = variable(XEN_EFI_get_variable, 0, sizeof(data));
    CHECK(rc == 0 && r->status == 0 && r->u.get_variable.size == 100 &&
              r->misc == ATTRIBUTES && data[0] == 0x5a && data[99] == 0x5a &&
              data[100] == 0,
          "get: %ld, %lx, %lu bytes, attributes %x", rc, r->status,
          r->u.get_variable.size, r->misc);
    rc = variable(XEN_EFI_get_variable, 0, 10);
    CHECK(rc == 0 && r->status == EFI_TOO_SMALL &&
              r->u.get_variable.size == 100,
          "get 10: %ld, %lx, %lu bytes", rc, r->status, r->u.get_variable.size);
    CHECK(is_among_the_others(), "it is not in the list");
    rc = variable(XEN_EFI_set_variable, ATTRIBUTES, 0);
    CHECK(rc == 0 && r->status == 0, "delete: %ld, %lx", rc, r->status);
    rc = variable(XEN_EFI_get_variable, 0, sizeof(data));
    CHECK(rc == 0 && r->status == EFI_NOT_FOUND, "get deleted: %ld, %lx", rc,
          r->status);
    CHECK(!is_among_the_others(), "it is still in the list");

    fresh()->u.query_variable_info.attr = 7;
    rc = runtime(XEN_EFI_query_variable_info);
    CHECK(rc == 0 && r->status == 0 &&
              r->u.query_variable_info.max_store_size > 0 &&
              r->u.query_variable_info.max_size <=
                  r->u.query_variable_info.max_store_size,
          "info: %ld, %lx", rc, r->status);
}

static void check_malformed(void)
{
    struct xenpf_efi_runtime_call *r = &op.u.efi_runtime_call;

    CHECK(variable(XEN_EFI_get_variable, 1, 10) == -XEN_EINVAL, "get, flags");
    CHECK(variable(XEN_EFI_get_variable, 0, ~0UL) == -XEN_ENOMEM, "get, size");
    CHECK(variable(XEN_EFI_set_variable, ATTRIBUTES, 1UL << 40) == -XEN_ENOMEM,
          "set, size");
    fresh()->u.get_variable.size = 1;
    set_xen_guest_handle(r->u.get_variable.name, (void *)0xffff830000000000);
    CHECK(runtime(XEN_EFI_get_variable) == -XEN_EFAULT,
          "a name in the hypervisor");
    fresh()->u.get_variable.size = 1;
    set_xen_guest_handle(r->u.get_variable.name, (void *)8UL);
    CHECK(runtime(XEN_EFI_get_variable) == -XEN_EFAULT, "a name nowhere");
    memset(text, 'x', sizeof(text));
    fresh()->u.get_next_variable_name.size = sizeof(text);
    set_xen_guest_handle(r->u.get_next_variable_name.name, text);
    CHECK(runtime(XEN_EFI_get_next_variable_name) == -XEN_EINVAL,
          "a name without an end");
    fresh()->u.get_next_variable_name.size = 1;
    CHECK(runtime(XEN_EFI_get_next_variable_name) == -XEN_EINVAL,
          "room for half a character");
    fresh();
    CHECK(runtime(XEN_EFI_update_capsule) == -XEN_EOPNOTSUPP, "capsules");
    fresh();
    CHECK(runtime(1000) == -XEN_EINVAL, "function 1000");
}

static void check_fpu(void)
{
    static const uint32_t before[4] = {1, 2, 3, 4};
    uint32_t after[4] = {0}, control = 0x1fa0, now = 0;

    __asm__ volatile("movups %0, %%xmm7\n\tldmxcsr %1"
                     :
                     : "m"(before), "m"(control));
    fresh();
    (void)runtime(XEN_EFI_get_time);
    __asm__ volatile("movups %%xmm7, %0\n\tstmxcsr %1"
                     : "=m"(after), "=m"(now));
    CHECK(!memcmp(before, after, sizeof(before)) && now == control,
          "xmm7 begins with %u, MXCSR is %x", after[0], now);
}

static void check_refused(void)
{
    static const unsigned int functions[] = {
        XEN_EFI_get_time,
        XEN_EFI_set_time,
        XEN_EFI_get_variable,
        XEN_EFI_set_variable,
        XEN_EFI_get_next_variable_name,
        XEN_EFI_query_variable_info,
        XEN_EFI_get_next_high_monotonic_count,
    };

    for (unsigned int i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        long rc;

        fresh();
        rc = runtime(functions[i]);
        CHECK(rc == -XEN_EOPNOTSUPP, "function %u: %ld", functions[i], rc);
    }
    CHECK(info(XEN_FW_EFI_RT_VERSION) == -XEN_EOPNOTSUPP, "their version");
    CHECK(info(XEN_FW_EFI_VERSION) == 0, "EFI is gone");
}

static void check_fault(void)
{
    struct vigil_op_provoke provoke = {.kind = VIGIL_PROVOKE_FIRMWARE};
    long rc =
        hypercall2(VIGIL_HYPERCALL, VIGIL_OP_provoke, (unsigned long)&provoke);

    CHECK(rc == 0, "provoke: %ld", rc);
    check_refused();
    print("efi: a fault in firmware was survived\n");
}

void stub_main(void)
{
    long rc = info(XEN_FW_EFI_CONFIG_TABLE);

    if (rc == -XEN_EOPNOTSUPP) {
        fresh();
        CHECK(runtime(XEN_EFI_get_time) == -XEN_EOPNOTSUPP, "no EFI, a clock");
        report(VERDICT_SUCCESS, "no UEFI here, and none is shown");
        return;
    }
    CHECK(rc == 0, "configuration table: %ld", rc);
    check_info();
    if (cmdline_has("no-rs")) {
        check_refused();
        report(VERDICT_SUCCESS, "nothing of the firmware is called");
        return;
    }
    check_time();
    check_variables();
    check_malformed();
    check_fpu();
    if (cmdline_has("fault")) {
        check_fault();
    }
    report(VERDICT_SUCCESS, "the firmware answers");
    if (cmdline_has("hold")) {
        report_last_line();
        for (;;) {
            hc_sched_op(SCHEDOP_block, NULL);
        }
    }
}
