/* SPDX-License-Identifier: MIT */
/*
 * vigil/manual_text.c - what manual pages say beyond the table of commands.
 */
#include "vigil/manual.h"

#include <stddef.h>

#define EXAMPLES(...)                                                          \
    (const struct manual_example[])                                            \
    {                                                                          \
        __VA_ARGS__,                                                           \
        {                                                                      \
            NULL, NULL                                                         \
        }                                                                      \
    }

/* clang-format off */
const struct manual_text manual_texts[] = {
    {NULL, "info",
     "Memory is in KiB, the clock in kHz. The counters at the end are the "
     "hypervisor's own, since the machine was started.",
     EXAMPLES({"vigil info", "the machine, one value a line"},
              {"vigil info --json | jq .free_memory_kib", "one value"})},
    {NULL, "list",
     "The six letters are those of xl: running, blocked, paused, shut down, "
     "crashed, dying. Memory is in MiB.",
     EXAMPLES({"vigil list", "all of them"},
              {"vigil list web1 --json", "one, for a program"})},
    {NULL, "top",
     "Processor time is in percent of one processor, so a guest of four vcpus "
     "can have 400. Rates are of what happened between two looks; a guest that "
     "is new, or has the number of one that went, begins with 0. Network and "
     "disk counters are those of the back ends in Dom0, as the guest sees them: "
     "RX is what it received. A guest whose back end runs elsewhere has none.\n\n"
     "On a terminal it draws one screen, those that use most on top, until q. "
     "With -b, --json or in a pipe each look is a table or an object of its "
     "own; the first comes after one delay, since it takes two to compare.\n\n"
     "WAIT% is time that vcpus wanted to run and had to wait for a processor, "
     "which a guest sees as steal; only Vigil tells that of others, elsewhere "
     "it is a hyphen.",
     EXAMPLES({"vigil top", "watch"},
              {"vigil top -b -i 1 -d 10", "one table, of ten seconds"},
              {"vigil top --json -d 60 >>usage.ndjson", "a line each minute"})},
    {NULL, "dmesg",
     "What Vigil logged since it started, or since the ring was emptied.\n\n"
     "That is what the console has shown. The records, with -r, are more: those "
     "below the console's level, each with its time since power-on, processor, "
     "severity, and whether it was written in an irq, nmi or mc. They are read "
     "where the hypervisor writes them, which it does not notice; the oldest are "
     "overwritten, and what is missing is counted. A guest that causes too many "
     "lines has them left out, of both; how many is said. LEVEL is panic, error, warning, notice, info or debug. -l and -f "
     "mean -r.",
     EXAMPLES({"vigil dmesg | tail", "the newest messages"},
              {"vigil dmesg -c >log", "take them out of the ring"},
              {"vigil dmesg -f -l warning", "wait for trouble"},
              {"vigil dmesg -r --json", "an object for each record"})},
    {NULL, "create",
     "The file is that of xl, see xl.cfg(5). Keys that Vigil does not know or "
     "does not honour are named with their line; --strict makes that an error. "
     "What follows the file as key=value replaces the file's value. JSON as "
     "libxl writes it (xl list -l, or -N --json) will do for a file.\n\n"
     "--domid asks for a number; one that was in use within the last minute is "
     "refused, so that nothing of one guest is taken for another's.\n\n"
     "What on_poweroff, on_reboot, on_crash and on_watchdog say is done by "
     "vigild: a guest that ends more than five times within a minute is not "
     "started again, and of coredump- the core is written within ten minutes "
     "(vigild --core-timeout) or not at all; the feed of events tells.\n\n"
     "What takes longer than half a second shows how much of the memory is "
     "there. ^C undoes what was made.",
     EXAMPLES({"vigil create /etc/xen/web1.cfg", "start it"},
              {"vigil create -N web1.cfg", "see what would be made"},
              {"vigil create web1.cfg -c 'extra=\"single\"'",
               "once with another command line, on its console"})},
    {NULL, "destroy",
     "Nothing is asked of the guest: its memory is taken as it is. What has "
     "begun is not cancelled by ^C.",
     EXAMPLES({"vigil destroy web1 web2", "end two of them"})},
    {NULL, "pause", "Its memory, devices and console stay as they are.",
     EXAMPLES({"vigil pause web1", "stop it"})},
    {NULL, "unpause", "",
     EXAMPLES({"vigil unpause web1", "let it run on"})},
    {NULL, "shutdown",
     "The guest is asked through xenstore; a small kernel may not listen. What "
     "is shown while it is waited for is the time; ^C ends the waiting, and the "
     "guest is still asked.",
     EXAMPLES({"vigil shutdown web1", "ask, and do not wait"},
              {"vigil shutdown web1 -w --timeout 120",
               "wait two minutes at most"},
              {"vigil shutdown web1 -F", "end it if it does not answer"})},
    {NULL, "reboot", "The guest is asked as by vigil-shutdown(1).",
     EXAMPLES({"vigil reboot web1", "ask, and do not wait"})},
    {NULL, "save",
     "The guest has to answer: its kernel suspends itself. The file, of mode "
     "0600, appears when it is whole and on disk, and only then the guest goes; "
     "if anything fails before, or with ^C, the guest runs on and an older file "
     "is untouched.",
     EXAMPLES({"vigil save web1 /srv/web1.save", "write it down and end it"},
              {"vigil save -c web1 /srv/web1.save", "and let it go on"})},
    {NULL, "restore",
     "The file may be one of xl save. ^C undoes what was made; the file stays.",
     EXAMPLES({"vigil restore /srv/web1.save", "let it go on"})},
    {NULL, "rename", "",
     EXAMPLES({"vigil rename web1 web2", "from now on it is web2"})},
    {NULL, "mem-set",
     "The guest's balloon gives memory back, or takes it, up to its mem-max.",
     EXAMPLES({"vigil mem-set web1 512", "512 MiB"},
              {"vigil mem-set web1 1g", "1 GiB"})},
    {NULL, "mem-max", "", EXAMPLES({"vigil mem-max web1 2g", "2 GiB at most"})},
    {NULL, "vcpu-set", "Of those it was made with (maxvcpus).",
     EXAMPLES({"vigil vcpu-set web1 2", "two of them"})},
    {NULL, "block-attach", "",
     EXAMPLES({"vigil block-attach web1 phy:/dev/vg/data,xvdb,w",
               "a disk that is a volume"})},
    {NULL, "block-detach",
     "A guest that uses the disk keeps it, and that is an error; with -F it is "
     "taken, and the guest sees errors.",
     EXAMPLES({"vigil block-detach web1 xvdb", "take it back"})},
    {NULL, "block-list", "", EXAMPLES({"vigil block-list web1", "its disks"})},
    {NULL, "network-attach", "",
     EXAMPLES({"vigil network-attach web1 bridge=br0", "a network card"})},
    {NULL, "network-detach", "",
     EXAMPLES({"vigil network-detach web1 0", "take the first one"})},
    {NULL, "network-list", "",
     EXAMPLES({"vigil network-list web1", "its network cards"})},
    {NULL, "console",
     "--replay prints and leaves: the end of the log that xenconsoled keeps of "
     "this guest, without what earlier guests of that name have said; where "
     "there is no log, the ring of the console itself, which has the last "
     "2 KiB.",
     EXAMPLES({"vigil console web1", "^] leaves"},
              {"vigil console web1 --replay 16", "what it said before"})},
    {NULL, "events",
     "vigild writes the feed /var/log/vigil/events.ndjson; this reads it. "
     "The kinds are created, restored, started, paused, resumed, shutdown (with "
     "the reason), crashed (by itself), killed (by the hypervisor, with the "
     "reason in words), renamed (by rename-restart), core_written, core_failed, "
     "destroyed, and host-crashed and dom0-crashed for the "
     "boot before. Crashes have the ID that vigil-crash-show(1) takes.\n\n"
     "Each event has the guest's name, number and UUID; number and UUID "
     "together are one run of a guest. A GUEST given as UUID selects exactly.\n\n"
     "With -f only new events are shown, unless --since or -n asks for older "
     "ones. Times are those of vigild's look: what nobody announces, a pause, "
     "is seen within its --interval.",
     EXAMPLES({"vigil events --since 1h", "what happened"},
              {"vigil events -f web1", "what happens to one guest"},
              {"vigil events -f --json | jq -r .body", "for a program"})},
    {NULL, "wait",
     "running: it is not paused, and has not ended; it need not exist yet. "
     "crashed: it crashed or was killed. shutdown: it does not run any more, "
     "whatever the reason. gone: there is no such guest.\n\n"
     "It waits for the guest that has the name now, not for the next of that "
     "name. When what is waited for cannot come true any more it ends with 8; "
     "after --timeout with 7.",
     EXAMPLES({"vigil wait web1 --for running --timeout 60",
               "until it was started"},
              {"vigil shutdown web1; vigil wait web1 --for gone",
               "until it has left"},
              {"vigil wait web1 --for crashed --json", "and say why"})},
    {NULL, "trigger", "",
     EXAMPLES({"vigil trigger web1 nmi", "an NMI for vcpu 0"},
              {"vigil trigger web1 nmi 3", "an NMI for vcpu 3"})},
    {NULL, "backtrace",
     "Of the host each processor looks at its own, also where interrupts are off "
     "and locks held; one that does not answer is named. The lines are in the "
     "hypervisor's log, too.\n\n"
     "A guest stands for the time that it is looked at. The names are those its "
     "kernel carries (Linux from 6.0 on) or those of --symbols. What stands on "
     "the stack and lies in a function is shown with a question mark: most, but "
     "not all of it, are return addresses. Of a vcpu in user mode only the "
     "address is shown.",
     EXAMPLES({"vigil backtrace host", "all processors"},
              {"vigil backtrace web1", "a guest that does not answer"},
              {"vigil backtrace web1 --symbols /boot/System.map-5.10",
               "one whose kernel is older"})},
    {"crash", "list", "Newest first.",
     EXAMPLES({"vigil crash list -n 5", "the newest five"},
              {"vigil --root /mnt crash list", "of a disk from elsewhere"})},
    {"crash", "show",
     "Reason, registers, the ends of the guest's console and of the "
     "hypervisor's log; --all prints logs whole.",
     EXAMPLES({"vigil crash show -1", "the newest"},
              {"vigil crash show 01K3F --json", "one, for a program"})},
    {"debug", "provoke",
     "Only where the hypervisor was started with vigil_provoke=1. The machine "
     "is reset; vigil-crash-list(1) has the record after it. With hang and dead "
     "it is a processor that stands, and the watchdog that notices; a dead one "
     "takes no NMI either.",
     EXAMPLES({"vigil debug provoke panic", "panic, record, reset"},
              {"taskset -c 1 vigil debug provoke hang",
               "the processor that vcpu 1 runs on"})},
    {NULL, NULL, NULL, NULL},
};
/* clang-format on */
