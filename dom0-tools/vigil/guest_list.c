/* SPDX-License-Identifier: MIT */
/* vigil/guest_list.c - vigil list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/table.h"
#include "vigil/commands.h"

#define NS_PER_S 1e9

static uint64_t memory_kib(const struct guest *guest)
{
    return (guest->info.tot_pages + guest->info.outstanding_pages) * 4;
}

static void add_row(struct libscols_table *table, const struct guest *guest)
{
    char domid[16];
    char memory[24];
    char vcpus[16];
    char state[7];
    char seconds[32];
    const char *cells[] = {guest->name, domid, memory, vcpus, state, seconds};

    snprintf(domid, sizeof(domid), "%u", guest->domid);
    snprintf(memory, sizeof(memory), "%llu",
             (unsigned long long)(memory_kib(guest) / 1024));
    snprintf(vcpus, sizeof(vcpus), "%u", guest->info.nr_online_vcpus);
    guest_state_letters(guest, state);
    snprintf(seconds, sizeof(seconds), "%.1f",
             (double)guest->info.cpu_time / NS_PER_S);
    table_row(table, cells);
}

static struct json_object *guest_json(const struct guest *guest)
{
    struct json_object *object = json_object_new_object();
    int reason = guest_shutdown_reason(guest);
    char letters[7];

    guest_state_letters(guest, letters);
    json_add_text(object, "name", guest->name);
    json_add_number(object, "domid", guest->domid);
    json_add_text(object, "uuid", guest->uuid);
    json_add_text(object, "type",
                  guest->info.flags & XEN_DOMINF_hvm_guest ? "hvm" : "pv");
    json_add_number(object, "memory_kib", memory_kib(guest));
    json_add_number(object, "max_memory_kib", guest->info.max_pages * 4);
    json_add_number(object, "vcpus", guest->info.nr_online_vcpus);
    json_add_text(object, "state", guest_state_word(guest));
    json_add_text(object, "state6", letters);
    if (reason >= 0) {
        json_add_text(object, "shutdown_reason", shutdown_reason_name(reason));
    }
    json_object_object_add(
        object, "cpu_seconds",
        json_object_new_double((double)guest->info.cpu_time / NS_PER_S));
    return object;
}

static void print_json(const struct guest *const *guests, size_t count)
{
    struct json_object *top = json_object_new_object();
    struct json_object *array = json_object_new_array();

    json_add_text(top, "schema", "vigil.list/1");
    for (size_t i = 0; i < count; i++) {
        json_object_array_add(array, guest_json(guests[i]));
    }
    json_object_object_add(top, "guests", array);
    json_print(top);
}

static void print_table(const struct guest *const *guests, size_t count)
{
    /* The headings of xl list, and its columns. */
    static const char *const columns[] = {"Name",  ">ID",      ">Mem", ">VCPUs",
                                          "State", ">Time(s)", NULL};
    struct libscols_table *table = table_new(columns);

    for (size_t i = 0; i < count; i++) {
        add_row(table, guests[i]);
    }
    table_print(table);
}

int run_list(const struct invocation *call)
{
    const struct guest **wanted;
    struct guest_list list;
    struct fault fault;
    int code = EXIT_DONE;
    size_t count = 0;
    struct xen xen;

    if (command_open(call, &xen, 0, &fault)) {
        return say_fault(&fault);
    }
    if (guests_read(&xen, &list, &fault)) {
        xen_close(&xen);
        return say_fault(&fault);
    }
    wanted =
        xmalloc((list.count + (size_t)call->operand_count) * sizeof(*wanted));
    for (size_t i = 0; call->operand_count == 0 && i < list.count; i++) {
        wanted[count++] = &list.guests[i];
    }
    for (int i = 0; i < call->operand_count; i++) {
        const struct guest *guest =
            guests_find(&list, call->operands[i], &fault);

        if (guest) {
            wanted[count++] = guest;
        } else {
            code = say_fault(&fault);
        }
    }
    if (code && count) {
        code = EXIT_PARTIAL;
    }
    if (opts_given(call, 0, "json")) {
        print_json(wanted, count);
    } else if (count || !code) {
        print_table(wanted, count);
    }
    free(wanted);
    guests_free(&list);
    xen_close(&xen);
    return code;
}
