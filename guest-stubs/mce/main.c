/* SPDX-License-Identifier: MIT */
/*
 * mce - a memory error in a guest's page becomes its virtual machine check.
 *
 * Claim: an uncorrected error in a frame of this domain is delivered as trap
 * 18 once, even with events masked, with the record in the virtual banks and
 * the address in the guest's own (pseudo-physical) numbers; clearing the bank
 * and MCIP re-arms it.
 * Plan:
 *   1. MCG_CAP says at least one bank; all banks and MCG_STATUS start empty
 *      and can be read and cleared without #GP.
 *   2. Print `mce: ready maddr=0x.. pfn=0x..` of a page filled with a pattern
 *      and wait for `wait=N` (default 1) machine checks; at each print
 *      `mce: #MC bank=.. status=.. addr=.. misc=.. mcg=..`.
 *   3. Each record is valid, and its address is that page's.
 * `nohandler` leaves vector 18 unregistered: then the hypervisor must kill
 * this domain, alone.  `anyaddr` accepts an error at any address.
 */
#include "stub.h"

const char stub_name[] = "mce";

#define MSR_MCG_CAP      0x179U
#define MSR_MCG_STATUS   0x17aU
#define MSR_MC_STATUS(b) (0x401U + 4 * (b))
#define MSR_MC_ADDR(b)   (0x402U + 4 * (b))
#define MSR_MC_MISC(b)   (0x403U + 4 * (b))
#define MCG_STATUS_MCIP  (1UL << 2)
#define MC_STATUS_VAL    (1UL << 63)
#define MC_STATUS_UC     (1UL << 61)
#define MC_STATUS_MISCV  (1UL << 59)
#define MC_STATUS_ADDRV  (1UL << 58)
#define MC_STATUS_DEFERRED (1UL << 44)

#define RECORDS 16U

struct mc_record {
    unsigned int bank;
    uint64_t status, addr, misc, mcg;
};

/* A ring filled by the handler, emptied by the waiting code. */
static struct mc_record records[RECORDS];
static volatile unsigned int produced, without_record, checks_taken;
static unsigned int bank_count;

static uint64_t poison_page[PAGE_SIZE / 8] __page_aligned;

static bool on_machine_check(struct trap_regs *regs)
{
    uint64_t mcg = rdmsr(MSR_MCG_STATUS);
    unsigned int bank, found = 0;

    (void)regs;
    for (bank = 0; bank < bank_count; bank++) {
        uint64_t status = rdmsr(MSR_MC_STATUS(bank));
        struct mc_record *record = &records[produced % RECORDS];

        if (!(status & MC_STATUS_VAL)) {
            continue;
        }
        record->bank = bank;
        record->status = status;
        record->addr = status & MC_STATUS_ADDRV ? rdmsr(MSR_MC_ADDR(bank)) : 0;
        record->misc = status & MC_STATUS_MISCV ? rdmsr(MSR_MC_MISC(bank)) : 0;
        record->mcg = mcg;
        wrmsr(MSR_MC_STATUS(bank), 0);
        barrier();
        produced++;
        found++;
    }
    if (!found) {
        without_record++;
    }
    checks_taken++;
    /* Last: from here on another one may come. */
    wrmsr(MSR_MCG_STATUS, 0);
    return true;
}

static void check_banks_empty(void)
{
    uint64_t cap = rdmsr(MSR_MCG_CAP);
    unsigned int bank;

    bank_count = (unsigned int)(cap & 0xff);
    print("mce: MCG_CAP=0x%lx\n", cap);
    CHECK(bank_count >= 1 && bank_count <= 32, "%u banks", bank_count);
    CHECK(!(rdmsr(MSR_MCG_STATUS) & MCG_STATUS_MCIP), "MCIP set at boot");
    for (bank = 0; bank < bank_count; bank++) {
        uint64_t status = rdmsr(MSR_MC_STATUS(bank));

        CHECK(status == 0, "bank %u has status %lx at boot", bank, status);
        wrmsr(MSR_MC_STATUS(bank), 0);
    }
    wrmsr(MSR_MCG_STATUS, 0);
}

static void check_record(const struct mc_record *record)
{
    print("mce: #MC bank=%u status=0x%lx addr=0x%lx misc=0x%lx mcg=0x%lx\n",
          record->bank, record->status, record->addr, record->misc,
          record->mcg);
    /* AMD's guests are told of poison nobody has used as a deferred error. */
    CHECK(record->status & (MC_STATUS_UC | MC_STATUS_DEFERRED),
          "a #MC for a corrected error");
    CHECK(record->mcg & MCG_STATUS_MCIP, "MCIP was not set in the handler");
    if (cmdline_has("anyaddr")) {
        return;
    }
    CHECK(record->status & MC_STATUS_ADDRV, "no address");
    CHECK(record->addr >> PAGE_SHIFT == mm_pfn(poison_page),
          "address %lx is not pfn %lx%s", record->addr, mm_pfn(poison_page),
          record->addr >> PAGE_SHIFT == mm_mfn(poison_page)
              ? " but the machine frame: a guest wants its own numbers"
              : "");
}

void stub_main(void)
{
    unsigned long wanted = cmdline_number("wait", 1), i;
    unsigned int consumed = 0;
    bool handled = !cmdline_has("nohandler");

    for (i = 0; i < ARRAY_SIZE(poison_page); i++) {
        poison_page[i] = 0x5649474c00000000UL + i;
    }
    check_banks_empty();
    if (handled) {
        long rc;

        trap_handle(TRAP_MC, on_machine_check);
        rc = trap_register(TRAP_MC, 0);
        if (!CHECK(rc == 0, "vector 18 refused: %ld", rc)) {
            return;
        }
    }
    print("mce: ready maddr=0x%lx pfn=0x%lx%s\n", mm_maddr(poison_page),
          mm_pfn(poison_page), handled ? "" : " nohandler");
    while (consumed < wanted) {
        if (consumed == produced && !without_record) {
            time_sleep_ns(20 * NS_PER_MS);
            continue;
        }
        if (!CHECK(!without_record, "a #MC with no valid bank")) {
            return;
        }
        check_record(&records[consumed % RECORDS]);
        consumed++;
    }
    CHECK(checks_taken == produced, "%u machine checks, %u records",
          checks_taken, produced);
    CHECK(!(rdmsr(MSR_MCG_STATUS) & MCG_STATUS_MCIP), "MCIP does not clear");
    report(VERDICT_SUCCESS, "%u machine checks taken", checks_taken);
}
