/* SPDX-License-Identifier: MIT */
/*
 * panic_machine.c - two notes, a console, a box, and a child process for each story.
 */
#include "tests/unit/crash/panic_machine.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/child.h"
#include "x86/image.h"
#include "x86/msr_index.h"
#include "log/sink.h"
#include "cpu/clock.h"
#include "crash/notes.h"
#include "crash/reboot.h"
#include "crash/symbols.h"
#include "fake_hw.h"

struct legacy *legacy;

const uint32_t symbol_count = 2;
const struct symbol_entry symbol_table[] = {{0, 0}, {0x100, 5}};
const char symbol_names[] = "head\0guilty_function";

void (*note_hook)(void);

static void first_note(void)
{
    crash_note("first note");
    if (note_hook) {
        note_hook();
    }
}

static void second_note(void)
{
    crash_note("second note");
}

const struct crash_note __crash_notes_start[2] = {{"first", first_note},
                                                  {"second", second_note}};
asm(".globl __crash_notes_end\n"
    ".set __crash_notes_end, __crash_notes_start + 32");

void (*sink_hook)(void);

static void console(const char *text, size_t len)
{
    if (sink_hook) {
        sink_hook();
    }
    memcpy(legacy->console + legacy->console_len, text, len);
    legacy->console_len += len;
}

static struct log_sink sink = {
    .name = "console", .write = console, .emergency_write = console};

void (*leave_hook)(void);

void machine_leave(void)
{
    legacy->left = true;
    legacy->stack = fake_stack_left_for;
    if (leave_hook) {
        leave_hook();
    }
    _exit(0);
}

static void triple_faulted(void)
{
    legacy->fell = true;
    _exit(0);
}

struct vigil_box_header *box(void)
{
    return (struct vigil_box_header *)(void *)legacy->zone;
}

const char *section_text(uint32_t type)
{
    for (int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        if (box()->section[i].type == type && box()->section[i].bytes > 0) {
            return (const char *)legacy->zone + box()->section[i].offset;
        }
    }
    return NULL;
}

uint64_t clock_tsc_khz(void)
{
    return 1000;
}

static void (*death)(void);

static void live_and_die(void)
{
    fake_hw_reset();
    fake_msr_set(MSR_FS_BASE, 1);
    fake_msr_set(MSR_GS_BASE, 2);
    fake_msr_set(MSR_KERNEL_GS_BASE, 3);
    fake_image_start = 0xffff82d080200000;
    fake_image_text_end = 0xffff82d080201000;
    fake_triple_fault_hook = triple_faulted;
    log_sink_register(&sink);
    if (blackbox_init(legacy->zone, ZONE_BYTES, 5, 1, "test") != 0) {
        _exit(9);
    }
    death();
    _exit(8);
}

void die_of(void (*story)(void))
{
    memset(legacy, 0, sizeof(*legacy));
    death = story;
    in_child(live_and_die);
}

bool said(const char *text)
{
    return strstr(legacy->console, text) != NULL;
}

int panic_machine(void **state)
{
    (void)state;
    legacy = mmap(NULL, sizeof(*legacy), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(legacy, MAP_FAILED);
    return 0;
}
