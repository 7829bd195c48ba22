/* SPDX-License-Identifier: MIT */
/*
 * Deaths of guests: each is filed once, in order, and again after the store
 * could not be written, and none twice after the collector was restarted.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include <vigil/vigil_op.h>

#include "tests/unit/tools/played_guests.h"

#define DEATHS_MAX 8

static struct vigil_death deaths[DEATHS_MAX]; /* seq 0: not there */
static int call_error;

/* --- what the hypervisor and xenstore would answer --- */

int vigil_call(struct xen *xen, unsigned int op, void *arg, size_t bytes)
{
    struct vigil_op_death *next = arg;

    (void)xen;
    assert_int_equal(op, VIGIL_OP_death_next);
    assert_int_equal(bytes, sizeof(*next));
    if (call_error) {
        return call_error;
    }
    for (size_t i = 0; i < DEATHS_MAX; i++) {
        if (deaths[i].seq > next->after_seq) {
            next->lost = deaths[i].seq - next->after_seq - 1;
            next->death = deaths[i];
            return 0;
        }
    }
    return -ENOENT;
}

char *console_ring_read(struct xen *xen, int clear, size_t *ret_len,
                        struct fault *why)
{
    (void)xen;
    (void)clear;
    (void)why;
    *ret_len = 12;
    return xstrdup("(XEN) hello\n");
}

char *guestnote_config(const char *uuid, size_t *ret_len)
{
    char *text = xasprintf("uuid = \"%s\"\n", uuid);

    *ret_len = strlen(text);
    return text;
}

const char *shutdown_reason_name(int reason)
{
    return reason < 0 ? "none" : "some";
}

int xc_vcpu_getcontext(xc_interface *xch, uint32_t domid, uint32_t vcpu,
                       vcpu_guest_context_any_t *context)
{
    (void)xch;
    (void)domid;
    (void)vcpu;
    context->x64.user_regs.rip = 0x1234;
    return 0;
}

/* --- the tests --- */

static void die(size_t slot, uint64_t seq, uint32_t code, uint16_t domid,
                const char *text)
{
    memset(&deaths[slot], 0, sizeof(deaths[slot]));
    deaths[slot].seq = seq;
    deaths[slot].code = code;
    deaths[slot].domid = domid;
    deaths[slot].uuid[15] = (uint8_t)domid;
    deaths[slot].time_ns = 1785831323000000000ULL + seq * 1000000000ULL;
    deaths[slot].rip = 0xffffffff81000000ULL;
    deaths[slot].stack_words = 1000; /* hostile: more than there is room */
    strcpy(deaths[slot].text, text);
}

static int begin(void **state)
{
    (void)state;
    if (played_store_new()) {
        return -1;
    }
    memset(deaths, 0, sizeof(deaths));
    collector.is_vigil = 1;
    call_error = 0;
    noted_start = CONSOLE_START_UNKNOWN;
    return 0;
}

static void forget_guests(void)
{
    drop_list();
    known_update(&collector); /* nobody is alive now */
}

static int end(void **state)
{
    (void)state;
    forget_guests();
    known_prune(&collector);
    free(collector.known);
    return played_store_remove();
}

static void read_store(struct crash_list *list, size_t count)
{
    assert_int_equal(store_read(collector.store.path, list, &fault), 0);
    assert_int_equal(list->count, count);
    assert_int_equal(list->damaged, 0);
}

static void test_two_deaths(void **state)
{
    struct crash_list list;
    char *text;

    (void)state;
    live(5, "web1");
    live(6, "\033[2Jevil/../name");
    known_update(&collector);
    die(0, 1, VIGIL_DEATH_GUEST_CRASH, 5, "it asked for it");
    die(1, 2, VIGIL_DEATH_NO_TRAP_HANDLER, 6, "#UD at 0x1000, no handler");
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    assert_int_equal(collector.death_seq, 2);
    read_store(&list, 2);
    assert_string_equal(list.crashes[0].where, "web1");
    assert_string_equal(list.crashes[0].what,
                        "reported its own crash: it asked for it");
    assert_int_equal(
        strncmp(list.crashes[1].what, "killed by hypervisor: raised", 28), 0);
    assert_non_null(strstr(list.crashes[1].what, ": #UD at 0x1000"));
    assert_null(strchr(list.crashes[1].name, '\033'));
    assert_null(strchr(list.crashes[1].name, '/'));
    text = read_file(&list.crashes[0], "console.txt");
    assert_non_null(strstr(text, "page of 5 at 500"));
    free(text);
    text = read_file(&list.crashes[0], "registers.json");
    assert_non_null(strstr(text, "\"rip\":\"0xffffffff81000000\""));
    free(text);
    text = read_file(&list.crashes[0], "hypervisor.txt");
    assert_string_equal(text, "(XEN) hello\n");
    free(text);
    text = read_file(&list.crashes[0], "config.cfg");
    assert_non_null(strstr(text, "uuid = "));
    free(text);
    crash_list_free(&list);
}

static void test_guest_is_gone_already(void **state)
{
    struct crash_list list;
    char *text;

    (void)state;
    live(5, "web1");
    known_update(&collector);
    forget_guests(); /* destroyed between two passes */
    die(0, 1, VIGIL_DEATH_GUEST_CRASH, 5, "");
    die(1, 2, VIGIL_DEATH_TRIPLE_FAULT, 9, ""); /* never seen at all */
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    read_store(&list, 2);
    assert_string_equal(list.crashes[0].where, "web1");
    assert_string_equal(list.crashes[0].what, "reported its own crash");
    assert_string_equal(list.crashes[1].where, "domain-9");
    text = read_file(&list.crashes[1], "console.txt");
    assert_non_null(strstr(text, "== nothing"));
    free(text);
    crash_list_free(&list);
}

static void test_full_disk_loses_nothing(void **state)
{
    struct crash_list list;

    (void)state;
    die(0, 7, VIGIL_DEATH_GUEST_CRASH, 5, "a");
    die(1, 8, VIGIL_DEATH_GUEST_CRASH, 5, "a");
    fail_writes = 1;
    assert_int_equal(deaths_collect(&collector, &fault), -1);
    assert_int_equal(fault.code, EXIT_STORAGE);
    assert_int_equal(collector.death_seq, 0);
    read_store(&list, 0);
    fail_writes = 0;
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    assert_int_equal(collector.death_seq, 8);
    read_store(&list, 2);
    assert_int_equal(list.crashes[0].occurrence, 1);
    assert_int_equal(list.crashes[1].occurrence, 2);
    crash_list_free(&list);
}

static void test_restart_records_nothing_twice(void **state)
{
    struct crash_list list;

    (void)state;
    die(0, 1, VIGIL_DEATH_GUEST_CRASH, 5, "a");
    die(1, 2, VIGIL_DEATH_GUEST_CRASH, 5, "b");
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    collector.death_seq = 0; /* a new process */
    assert_int_equal(deaths_resume(&collector, &fault), 0);
    assert_int_equal(collector.death_seq, 2);
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    read_store(&list, 2);
    crash_list_free(&list);

    /* Another boot counts from 1 again. */
    collector.death_seq = 0;
    strcpy(collector.boot_id, "boot-next");
    assert_int_equal(deaths_resume(&collector, &fault), 0);
    assert_int_equal(collector.death_seq, 0);

    /* A store that cannot be read must not read as an empty one. */
    free(collector.store.path);
    collector.store.path = xstrdup("/dev/null");
    assert_int_equal(deaths_resume(&collector, &fault), -1);
}

/* A UUID names a guest, unless it is that of Dom0 and of all without one. */
static void test_shared_uuids(void **state)
{
    struct crash_list list;
    char *text;

    (void)state;
    live(0, "Domain-0");
    live(7, "web1");
    known_update(&collector);
    die(0, 1, VIGIL_DEATH_GUEST_CRASH, 3, "");
    deaths[0].uuid[15] = 0;
    die(1, 2, VIGIL_DEATH_GUEST_CRASH, 5, "");
    deaths[1].uuid[15] = 7; /* domain 7 is the same guest, started anew */
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    read_store(&list, 2);
    assert_string_equal(list.crashes[0].where, "domain-3");
    assert_string_equal(list.crashes[1].where, "web1");
    text = read_file(&list.crashes[1], "console.txt");
    assert_null(strstr(text, "page of 7"));
    free(text);
    crash_list_free(&list);
}

static void write_console_log(const char *text)
{
    char *dir = place(PLACE_CONSOLE);
    char *path = xasprintf("%s/guest-web1.log", dir);

    assert_int_equal(outfile_make_dirs(dir, 0755, &fault), 0);
    assert_int_equal(outfile_append(path, text, strlen(text), &fault), 0);
    free(path);
    free(dir);
}

/* One number and one name, two guests: nothing of the first in the second. */
static void test_number_and_name_again(void **state)
{
    struct crash_list list;
    char *text;

    (void)state;
    write_console_log("words of the first\n");
    live_as(5, "web1", 1)->info.cpu_time = 7; /* it ran before it was met */
    known_update(&collector);
    die(0, 1, VIGIL_DEATH_GUEST_CRASH, 5, "");
    deaths[0].uuid[15] = 1;
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    drop_list();
    live_as(5, "web1", 2);
    known_update(&collector);
    known_prune(&collector);
    write_console_log("words of the second\n");
    die(1, 2, VIGIL_DEATH_TRIPLE_FAULT, 5, "");
    deaths[1].uuid[15] = 2;
    /* The first one's second death: it is not the guest that lives there. */
    die(2, 3, VIGIL_DEATH_GUEST_CRASH, 5, "");
    deaths[2].uuid[15] = 1;
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    read_store(&list, 3);
    text = read_file(&list.crashes[0], "console.txt");
    assert_non_null(strstr(text, "words of the first"));
    assert_non_null(strstr(text, "earlier guests of that name"));
    free(text);
    assert_string_equal(list.crashes[1].where, "web1");
    text = read_file(&list.crashes[1], "console.txt");
    assert_non_null(strstr(text, "words of the second"));
    assert_null(strstr(text, "words of the first"));
    assert_null(strstr(text, "earlier guests"));
    assert_non_null(strstr(text, "page of 5"));
    free(text);
    assert_string_equal(list.crashes[2].where, "domain-5");
    text = read_file(&list.crashes[2], "console.txt");
    assert_null(strstr(text, "words"));
    assert_null(strstr(text, "page of"));
    free(text);
    crash_list_free(&list);
}

/* The console page of a guest that was replaced after it was listed. */
static void test_page_of_a_successor(void **state)
{
    struct crash_list list;
    char *text;

    (void)state;
    live_as(5, "web1", 1);
    known_update(&collector);
    collector.guests.guests[0].uuid[35] = '2'; /* meanwhile it is another */
    die(0, 1, VIGIL_DEATH_GUEST_CRASH, 5, "");
    deaths[0].uuid[15] = 1;
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    read_store(&list, 1);
    text = read_file(&list.crashes[0], "console.txt");
    assert_null(strstr(text, "page of"));
    free(text);
    crash_list_free(&list);
}

static void test_answers_of_the_hypervisor(void **state)
{
    (void)state;
    call_error = -EPERM;
    assert_int_equal(deaths_collect(&collector, &fault), -1);
    assert_int_equal(fault.code, EXIT_PERMISSION);
    call_error = -ENOSYS;
    assert_int_equal(deaths_collect(&collector, &fault), 0);
}

static void test_not_on_vigil(void **state)
{
    struct crash_list list;

    (void)state;
    collector.is_vigil = 0;
    live(5, "web1");
    live(6, "web2");
    collector.guests.guests[1].info.flags =
        XEN_DOMINF_shutdown | SHUTDOWN_crash << XEN_DOMINF_shutdownshift;
    known_update(&collector);
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    read_store(&list, 1);
    assert_string_equal(list.crashes[0].where, "web2");
    crash_list_free(&list);
    for (size_t i = 0; i < collector.known_count; i++) {
        collector.known[i].noted = 0; /* a new process */
    }
    assert_int_equal(deaths_collect(&collector, &fault), 0);
    read_store(&list, 1);
    crash_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two_deaths, begin, end),
        cmocka_unit_test_setup_teardown(test_guest_is_gone_already, begin, end),
        cmocka_unit_test_setup_teardown(test_full_disk_loses_nothing, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_restart_records_nothing_twice,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_answers_of_the_hypervisor, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_not_on_vigil, begin, end),
        cmocka_unit_test_setup_teardown(test_shared_uuids, begin, end),
        cmocka_unit_test_setup_teardown(test_number_and_name_again, begin, end),
        cmocka_unit_test_setup_teardown(test_page_of_a_successor, begin, end),
    };

    return UNIT_RUN(tests);
}
