/* SPDX-License-Identifier: MIT */
/*
 * ras/severity_rules.c - the rules, in the order they are tried.
 *
 * Sources: SDM 3B 16.3.2 and 16.6 (software error recovery), APM 2 9.3.
 * tests/unit/ras/test_severity.c hits every row.  The last row takes what is
 * left, so it must be the one that is safe for anything.
 */
#include "ras/mca_regs.h"
#include "ras/severity.h"

#define CHECK (MCE_AT_HV | MCE_AT_GUEST)
#define LIVE  (CHECK | MCE_AT_POLL)
#define ANY   (LIVE | MCE_AT_BOOT)

#define PLAIN     MCE_KIND_PLAIN
#define SER       MCE_KIND_SER
#define SUCCOR    MCE_KIND_SUCCOR
#define EVERYKIND (PLAIN | SER | SUCCOR)

/* Classes of processors with SER_P (SDM 3B table 16-6). */
#define SAR  (MCI_UC | MCI_S | MCI_AR)
#define SRAR (MCI_UC | MCI_S | MCI_AR)
#define SRAO (MCI_UC | MCI_S)
#define UCNA (MCI_UC)

#define IPS (MCG_RIPV | MCG_EIPV)

/* clang-format off */
const struct mce_rule mce_rules[] = {
    /* A #MC handler that finds no bank at all asks with status 0. */
    {MCI_VAL, 0, MCG_RIPV, 0, CHECK, EVERYKIND, MCE_FATAL,
     "no bank says why, and the interrupted code cannot be resumed"},
    {MCI_VAL, 0, 0, 0, ANY, EVERYKIND, MCE_NONE,
     "no bank says why"},

    /* Old errors have had their consequences. */
    {MCI_PCC, MCI_PCC, 0, 0, MCE_AT_BOOT, EVERYKIND, MCE_LOG,
     "processor context corrupt, left from before the reset"},
    {MCI_UC, MCI_UC, 0, 0, MCE_AT_BOOT, EVERYKIND, MCE_LOG,
     "uncorrected error, left from before the reset"},
    {0, 0, 0, 0, MCE_AT_BOOT, EVERYKIND, MCE_LOG,
     "corrected error, left from before the reset"},

    /* What ends the matter whatever the error is. */
    {MCI_PCC, MCI_PCC, 0, 0, CHECK, EVERYKIND, MCE_FATAL,
     "processor context corrupt"},
    {MCI_UC, MCI_UC, IPS, 0, CHECK, EVERYKIND, MCE_FATAL,
     "uncorrected error, neither RIPV nor EIPV"},
    {MCI_UC, MCI_UC, MCG_RIPV, 0, MCE_AT_HV, EVERYKIND, MCE_FATAL,
     "uncorrected error, the hypervisor cannot be resumed"},
    {MCI_PCC, MCI_PCC, 0, 0, MCE_AT_POLL, EVERYKIND, MCE_LOG,
     "processor context corrupt, but no machine check came"},

    /* Nothing lost. */
    {MCI_UC | MCI_DEFERRED, MCI_DEFERRED, 0, 0, LIVE, SUCCOR, MCE_LATER,
     "deferred error: poison found, not consumed"},
    {MCI_UC | MCI_THRESHOLD, MCI_THRESHOLD_HIT, 0, 0, LIVE, EVERYKIND, MCE_LOG,
     "corrected error, the bank has seen too many"},
    {MCI_UC, 0, 0, 0, LIVE, EVERYKIND, MCE_LOG,
     "corrected error"},

    /* From here on: uncorrected, and the processor's state is sound. */
    {0, 0, 0, 0, CHECK, PLAIN, MCE_FATAL,
     "uncorrected error, and this processor offers no recovery"},
    {MCI_EN, 0, 0, 0, LIVE, SER, MCE_LOG,
     "uncorrected error the bank was told not to report"},
    {0, 0, 0, 0, MCE_AT_POLL, EVERYKIND, MCE_LATER,
     "uncorrected error, no machine check came"},
    {0, 0, MCG_RIPV, 0, MCE_AT_GUEST, EVERYKIND, MCE_KILL,
     "uncorrected error, the guest cannot be resumed"},

    /* With software error recovery. */
    {SAR, UCNA, 0, 0, CHECK, SER, MCE_LATER,
     "uncorrected error, no action required"},
    {SAR | MCI_OVER, SRAO | MCI_OVER, 0, 0, CHECK, SER, MCE_LATER,
     "action optional, and an earlier error was lost"},
    {SAR | MCI_CODE_SCRUB_MASK, SRAO | MCI_CODE_SCRUB, 0, 0, CHECK, SER,
     MCE_LATER, "action optional: the memory scrubber found poison"},
    {SAR | MCI_CODE, SRAO | MCI_CODE_WRITEBACK, 0, 0, CHECK, SER,
     MCE_LATER, "action optional: poison written back from a cache"},
    {SAR, SRAO, 0, 0, CHECK, SER, MCE_LATER,
     "action optional"},
    {SAR | MCI_OVER, SRAR | MCI_OVER, 0, 0, CHECK, SER, MCE_FATAL,
     "action required, and an earlier error was lost"},
    {SAR, SRAR, MCG_EIPV, 0, CHECK, SER, MCE_LATER,
     "action required, but not of the interrupted code"},
    {SAR, SRAR, 0, 0, MCE_AT_HV, SER, MCE_FATAL,
     "action required: the hypervisor consumed poison"},
    {SAR | MCI_ADDRV, SRAR, 0, 0, MCE_AT_GUEST, SER, MCE_KILL,
     "action required, no address: the guest consumed poison"},
    {SAR | MCI_CODE, SRAR | MCI_CODE_LOAD, 0, 0, MCE_AT_GUEST, SER,
     MCE_ACTION, "action required: the guest loaded poison"},
    {SAR | MCI_CODE, SRAR | MCI_CODE_FETCH, 0, 0, MCE_AT_GUEST, SER,
     MCE_ACTION, "action required: the guest executed poison"},

    /* AMD: signalled means consumed, for what waits is deferred. */
    {0, 0, 0, 0, MCE_AT_HV, SUCCOR, MCE_FATAL,
     "uncorrected error, consumed by the hypervisor"},
    {MCI_TCC, MCI_TCC, 0, 0, MCE_AT_GUEST, SUCCOR, MCE_KILL,
     "uncorrected error, the guest's context is corrupt"},
    {MCI_ADDRV, 0, 0, 0, MCE_AT_GUEST, SUCCOR, MCE_KILL,
     "uncorrected error, no address: the guest consumed poison"},
    {0, 0, 0, 0, MCE_AT_GUEST, SUCCOR, MCE_ACTION,
     "uncorrected error, consumed by the guest"},

    {0, 0, 0, 0, ANY, EVERYKIND, MCE_FATAL,
     "uncorrected error of a kind the manuals do not define"},
};
/* clang-format on */

const unsigned int mce_rule_count = ARRAY_SIZE(mce_rules);
