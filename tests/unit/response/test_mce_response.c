/* SPDX-License-Identifier: MIT */
/*
 * response/mce_response and poison: for each owner of the memory and each
 * grade, who is told, who is killed, and who is left alone.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "fire_alarm.h"
#include "lib/xen_abi.h"
#include "mm/m2p.h"
#include "mm/offline.h"
#include "ras/mca_regs.h"
#include "ras/mce_words.h"
#include "ras/record.h"
#include "domain/death.h"
#include "domain/domain.h"
#include "response/mce_response.h"
#include "response/telemetry.h"
#include "response/vmce.h"

#define ADDR 0x1e345040UL
#define PFN  0x133b9UL
#define SRAO 0xbd000000000000c0UL
#define SRAR 0xbd80000000000134UL

static struct vigil_mce_record data;
static struct mce_record record = {.data = &data};
static unsigned int unread, published, in_words;

/* The one frame there is. */
static enum frame_state frame_state;
static uint8_t frame_flags;
static domid_t frame_owner;
static bool frame_is_ram, frame_is_ours;

static struct domain domains[4];
static unsigned int killed[4];
static uint32_t kill_code;
static char kill_text[160];
static uint64_t kill_maddr, next_maddr;
static int refs;

struct delivered {
    domid_t domid;
    int vcpu;
    bool required;
    uint64_t pfn;
} told[4];
static unsigned int told_count;
static int deliver_rc;

struct mce_record *record_consume(void)
{
    if (unread == 0) {
        return NULL;
    }
    unread--;
    return &record;
}

/* The log says what has come before it says what is done about it. */
void mce_words_say(struct mce_record *r)
{
    assert_ptr_equal(r, &record);
    assert_int_equal(r->data->bank[0].action, VIGIL_MCE_DID_NOTHING);
    assert_int_equal(published, 0);
    in_words++;
}

void telemetry_publish(struct mce_record *r)
{
    assert_ptr_equal(r, &record);
    assert_int_equal(in_words, 1);
    published++;
}

int frame_query(mfn_t m, enum frame_state *ret_state, uint8_t *ret_flags,
                domid_t *ret_owner)
{
    assert_int_equal(mfn_x(m), ADDR >> 12);
    *ret_state = frame_state;
    *ret_flags = frame_flags;
    *ret_owner = frame_owner;
    return 0;
}

int frame_offline(mfn_t m, enum offline_why why, domid_t *ret_owner)
{
    (void)m;
    assert_int_equal(why, OFFLINE_BROKEN);
    if (!frame_is_ram) {
        return -EINVAL;
    }
    if (frame_is_ours) {
        return -EPERM;
    }
    *ret_owner = frame_owner;
    return 0;
}

pfn_t m2p_get(mfn_t m)
{
    (void)m;
    return pfn(PFN);
}

struct domain *domain_get(domid_t domid)
{
    assert_true(domid < 4);
    refs++;
    return &domains[domid];
}

void domain_put(struct domain *d)
{
    (void)d;
    refs--;
}

void death_set_maddr(uint64_t maddr)
{
    next_maddr = maddr;
}

void domain_crash(struct domain *d, uint32_t code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(kill_text, sizeof(kill_text), fmt, args);
    va_end(args);
    kill_code = code;
    kill_maddr = next_maddr;
    killed[d->domid]++;
}

int vmce_deliver(struct domain *d, int vcpu, const struct vmce *e)
{
    if (deliver_rc != 0) {
        return deliver_rc;
    }
    told[told_count++] = (struct delivered){
        .domid = d->domid, .vcpu = vcpu, .required = e->required,
        .pfn = e->pfn};
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    memset(&data, 0, sizeof(data));
    memset(killed, 0, sizeof(killed));
    memset(told, 0, sizeof(told));
    kill_code = 0;
    told_count = published = in_words = 0;
    deliver_rc = 0;
    refs = 0;
    for (domid_t i = 0; i < 4; i++) {
        domains[i] = (struct domain){.domid = i, .state = DOMAIN_RUNNING};
    }
    frame_state = FRAME_INUSE;
    frame_flags = FRAME_F_ALLOCATED;
    frame_owner = 1;
    frame_is_ram = true;
    frame_is_ours = false;
    return 0;
}

static void happen(uint64_t status, enum mce_grade grade, domid_t interrupted)
{
    record.data->mcg_cap = 0x100010a;
    record.data->domid = interrupted;
    record.data->vcpu = 2;
    record.data->banks = 1;
    record.data->bank[0] = (struct vigil_mce_bank){
        .status = status, .addr = ADDR, .misc = 0x8c,
        .owner = VIGIL_MCE_NO_DOMAIN, .grade = (uint8_t)grade};
    unread = 1;
    mce_response_run();
    assert_int_equal(published, 1);
    assert_int_equal(refs, 0);
    assert_int_equal(next_maddr, 0); /* the next death is not about this */
}

static unsigned int deaths(void)
{
    return killed[0] + killed[1] + killed[2] + killed[3];
}

static void logged_only(void **state)
{
    (void)state;
    happen(0x9c00000000000090, MCE_LOG, 1);
    assert_int_equal(told_count + deaths(), 0);
    assert_int_equal(record.data->bank[0].action, VIGIL_MCE_DID_NOTHING);
}

static void free_frame(void **state)
{
    (void)state;
    frame_state = FRAME_FREE;
    frame_owner = DOMID_INVALID;
    happen(SRAO, MCE_LATER, 1);
    assert_int_equal(told_count + deaths(), 0);
    assert_int_equal(record.data->bank[0].action, VIGIL_MCE_DID_OFFLINE);
}

static void owner_is_told(void **state)
{
    (void)state;
    happen(SRAO, MCE_LATER, 2);
    assert_int_equal(told_count, 1);
    assert_int_equal(told[0].domid, 1);
    assert_int_equal(told[0].vcpu, -1);
    assert_int_equal(told[0].pfn, PFN);
    assert_false(told[0].required);
    assert_int_equal(deaths(), 0);
    assert_int_equal(record.data->bank[0].owner, 1);
    assert_int_equal(record.data->bank[0].action, VIGIL_MCE_DID_VMCE);
}

static void owner_consumed_it(void **state)
{
    (void)state;
    happen(SRAR, MCE_ACTION, 1);
    assert_int_equal(told_count, 1);
    assert_int_equal(told[0].vcpu, 2);
    assert_true(told[0].required);
}

/* Somebody else's page, mapped: each is told in its own terms. */
static void another_consumed_it(void **state)
{
    (void)state;
    happen(SRAR, MCE_ACTION, 0);
    assert_int_equal(told_count, 2);
    assert_int_equal(told[0].domid, 1);
    assert_false(told[0].required);
    assert_int_equal(told[1].domid, 0);
    assert_true(told[1].required);
    assert_int_equal(told[1].pfn, M2P_INVALID);
    assert_int_equal(deaths(), 0);
}

static void no_handler(void **state)
{
    (void)state;
    deliver_rc = -ENOENT;
    happen(SRAO, MCE_LATER, 2);
    assert_int_equal(killed[1], 1);
    assert_int_equal(deaths(), 1);
    assert_int_equal(kill_code, VIGIL_DEATH_VMCE_UNHANDLED);
    assert_int_equal(kill_maddr, ADDR);
    assert_non_null(strstr(kill_text, "1e345040"));
    assert_int_equal(record.data->bank[0].action, VIGIL_MCE_DID_KILL);
}

static void overrun(void **state)
{
    (void)state;
    deliver_rc = -EBUSY;
    happen(SRAO, MCE_LATER, 2);
    assert_int_equal(killed[1], 1);
    assert_int_equal(kill_code, VIGIL_DEATH_VMCE_OVERRUN);
}

/* It can do without knowing: nobody has used that memory. */
static void too_many_wait(void **state)
{
    (void)state;
    deliver_rc = -ENOSPC;
    happen(SRAO, MCE_LATER, 2);
    assert_int_equal(deaths(), 0);
    assert_int_equal(record.data->bank[0].action, VIGIL_MCE_DID_MARK);
}

static void owner_does_not_run(void **state)
{
    (void)state;
    domains[1].state = DOMAIN_DYING;
    happen(SRAO, MCE_LATER, 2);
    assert_int_equal(told_count + deaths(), 0);
    assert_int_equal(record.data->bank[0].action, VIGIL_MCE_DID_MARK);
}

static void shared_page(void **state)
{
    (void)state;
    frame_flags = FRAME_F_HV_SHARED;
    happen(SRAO, MCE_LATER, 2);
    assert_int_equal(killed[1], 1);
    assert_int_equal(deaths(), 1);
    assert_int_equal(kill_code, VIGIL_DEATH_MEMORY_ERROR);
}

static void hypervisor_memory(void **state)
{
    (void)state;
    frame_is_ours = true;
    frame_owner = DOMID_XEN;
    happen(SRAO, MCE_LATER, 1);
    assert_int_equal(told_count + deaths(), 0);
    assert_int_equal(record.data->bank[0].action, VIGIL_MCE_DID_DEGRADED);
    /* In use, and nobody's: one of the hypervisor's too. */
    set_up(NULL);
    frame_owner = DOMID_INVALID;
    happen(SRAO, MCE_LATER, 1);
    assert_int_equal(record.data->bank[0].action, VIGIL_MCE_DID_DEGRADED);
    set_up(NULL);
    frame_is_ours = true;
    EXPECT_PANIC(happen(SRAR, MCE_ACTION, 1));
    assert_non_null(strstr(fire_alarm_text, "1e345040"));
}

static void not_memory(void **state)
{
    (void)state;
    frame_is_ram = false;
    happen(SRAO, MCE_LATER, 1);
    assert_int_equal(told_count + deaths(), 0);
    set_up(NULL);
    frame_is_ram = false;
    happen(SRAR, MCE_ACTION, 1);
    assert_int_equal(killed[1], 1);
    assert_int_equal(kill_code, VIGIL_DEATH_MEMORY_ERROR);
}

static void no_usable_address(void **state)
{
    (void)state;
    happen(SRAO & ~MCI_ADDRV, MCE_LATER, 1);
    assert_int_equal(told_count + deaths(), 0);
    set_up(NULL);
    happen(SRAR & ~MCI_ADDRV, MCE_ACTION, 1);
    assert_int_equal(killed[1], 1);
}

static void guest_is_lost(void **state)
{
    (void)state;
    frame_owner = 3;
    happen(SRAO, MCE_KILL, 1);
    assert_int_equal(killed[1], 1);
    assert_int_equal(deaths(), 1);
    assert_int_equal(told_count, 1); /* its owner has bad memory all the same */
    assert_int_equal(told[0].domid, 3);
}

static void nobody_was_running(void **state)
{
    (void)state;
    happen(SRAR & ~MCI_ADDRV, MCE_KILL, VIGIL_MCE_NO_DOMAIN);
    assert_int_equal(told_count + deaths(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(logged_only, set_up),
        cmocka_unit_test_setup(free_frame, set_up),
        cmocka_unit_test_setup(owner_is_told, set_up),
        cmocka_unit_test_setup(owner_consumed_it, set_up),
        cmocka_unit_test_setup(another_consumed_it, set_up),
        cmocka_unit_test_setup(no_handler, set_up),
        cmocka_unit_test_setup(overrun, set_up),
        cmocka_unit_test_setup(owner_does_not_run, set_up),
        cmocka_unit_test_setup(shared_page, set_up),
        cmocka_unit_test_setup(too_many_wait, set_up),
        cmocka_unit_test_setup(hypervisor_memory, set_up),
        cmocka_unit_test_setup(not_memory, set_up),
        cmocka_unit_test_setup(no_usable_address, set_up),
        cmocka_unit_test_setup(guest_is_lost, set_up),
        cmocka_unit_test_setup(nobody_was_running, set_up),
    };

    return UNIT_RUN(tests);
}
