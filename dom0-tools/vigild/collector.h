/* SPDX-License-Identifier: MIT */
/*
 * vigild/collector.h - the state of the collector, shared by its parts.
 *
 * One thread, one loop (main.c).  Each pass looks at everything again, so a
 * pass that failed is simply repeated by the next one:
 *
 *   known.c    remembers names and console pages of guests, which xenstore
 *              forgets when a guest is destroyed
 *   remember.c keeps that for the next run of this program, in this boot
 *   life.c     tells of guests that come, start, stop and go
 *   deaths.c   records each guest that crashed or was killed
 *   box.c      records what the previous boot left in the black box
 *   cores.c    writes cores of guests that ended, where that is asked for
 *   actions.c  does what the configuration says with guests that ended
 *
 * A death is never lost because the store cannot be written: its number is
 * taken only after its record is on disk, and the guest itself is kept until
 * then.
 */
#ifndef VIGIL_TOOLS_COLLECTOR_H
#define VIGIL_TOOLS_COLLECTOR_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include <json-c/json.h>

#include "lib/feed.h"
#include "lib/guests.h"
#include "lib/store.h"
#include "lib/xen.h"

/* Parts of a guest's life that the feed has told already (life.c). */
#define LIFE_CREATED   1U
#define LIFE_STARTED   2U
#define LIFE_PAUSED    4U
#define LIFE_ENDED     8U  /* shut down, and stands there                 */
#define LIFE_SUSPENDED 16U /* ended so that it can be restored            */

/*
 * What is remembered about a guest, whatever becomes of it.  A domain's number
 * is given again, and so is a guest's UUID when it starts anew: only both name
 * one run of a guest.
 */
struct known_guest {
    uint32_t domid;
    char uuid[UUID_CHARS + 1];
    char *name;
    unsigned long console_mfn; /* 0: not known */
    uint64_t memory_kib;
    uint32_t vcpus;
    uint64_t cpu_time;     /* nanoseconds; less than before: another run */
    int64_t console_start; /* lib/consolelog.h                           */
    int console_start_set;
    unsigned int told; /* LIFE_*                                         */
    int alive;      /* seen in the present pass                              */
    int noted;      /* recorded by the way that needs no Vigil (deaths.c)    */
    int core_taken; /* its core is written, or cannot be (cores.c)      */
};

struct restart_mark {
    char uuid[UUID_CHARS + 1];
    uint64_t time_ns;
};

/* A core that is being written: cores.c. */
struct core_job {
    pid_t child; /* 0: none                                             */
    int result;  /* pipe from the child, not blocking                    */
    uint32_t domid;
    char uuid[UUID_CHARS + 1];
    char *name;
    uint64_t begun_ns;
    char text[512]; /* what the child said                               */
    size_t text_len;
};

#define RESTART_MARKS 64
#define CORES_MAX     2 /* at a time: their disk is one                  */
#define CORE_SECONDS  600
#define SUSPENDED_MAX 64

struct collector {
    struct xen xen;
    struct store store;
    int store_is_open;
    int store_was_open; /* leftovers of earlier runs are dealt with */
    int watches_set;
    char boot_id[40]; /* of Dom0's kernel, which is that of this boot   */
    char host[64];
    char build[128];    /* hypervisor's version text                      */
    int is_vigil;       /* 1 yes, 0 no                                    */
    uint64_t death_seq; /* last death on disk                           */
    int box_is_done;
    int last_trouble_told;    /* so that a full disk is told once          */
    struct guest_list guests; /* of the present pass                    */
    struct known_guest *known;
    size_t known_count;
    struct restart_mark restarts[RESTART_MARKS];
    size_t restart_count;
    /* UUIDs of guests that went to be saved: when they return, restored. */
    char suspended[SUSPENDED_MAX][UUID_CHARS + 1];
    size_t suspended_count;
    char *memory; /* what remember.c has on disk */
    struct core_job cores[CORES_MAX];
    unsigned long core_seconds; /* no core takes longer                  */
};

/**
 * known_update() - remember the guests of this pass
 * @collector: its guests are read
 *
 * Context: each pass, first.
 */
void known_update(struct collector *collector);

/**
 * known_prune() - forget guests that are gone and dealt with
 * @collector: state
 *
 * Context: each pass, last; only after all deaths are on disk.
 */
void known_prune(struct collector *collector);

/**
 * known_find() - what is remembered about a guest
 * @collector: state
 * @uuid:      text of its UUID
 * @domid:     its number, for guests that share the UUID of zeroes
 *
 * Context: any.
 * Return:  guest, or NULL
 */
struct known_guest *known_find(struct collector *collector, const char *uuid,
                               uint32_t domid);

/**
 * remember_load() - take up what an earlier run of this program knew
 * @collector: knows nothing yet
 *
 * Context: start.
 */
void remember_load(struct collector *collector);

/**
 * remember_save() - keep what is known, if it has changed
 * @collector: state
 *
 * Context: each pass, last.
 */
void remember_save(struct collector *collector);

/**
 * life_tell_living() - tell of guests that came, started, paused, shut down
 * @collector: its guests are read and known
 *
 * Context: each pass, before deaths are recorded.
 */
void life_tell_living(struct collector *collector);

/**
 * life_tell_started() - tell that a guest ran, if that was not told yet
 * @collector: state
 * @known:     guest; nothing is told of one that nobody heard of
 *
 * Context: a pass; before its death is told, which may be seen first.
 */
void life_tell_started(struct collector *collector, struct known_guest *known);

/**
 * life_tell() - tell of something else that happened to a guest
 * @collector: state
 * @known:     guest
 * @kind:      a word for programs
 * @severity:  how bad it is
 * @what:      the rest of a sentence that begins with the guest
 *
 * Standard error gets the sentence, too.
 *
 * Context: a pass.
 */
void life_tell(struct collector *collector, const struct known_guest *known,
               const char *kind, enum feed_severity severity, const char *what);

/**
 * life_tell_gone() - tell of guests that are no more
 * @collector: all deaths are on disk
 *
 * Context: each pass, before known_prune().
 */
void life_tell_gone(struct collector *collector);

/**
 * life_tell_one_gone() - tell of one guest that is no more
 * @collector: state
 * @known:     guest
 *
 * Context: a pass.
 */
void life_tell_one_gone(struct collector *collector, struct known_guest *known);

/**
 * deaths_resume() - find out which deaths are on disk already
 * @collector: its store is open
 * @fault:     says why on failure
 *
 * Context: start; recording before it succeeded would record deaths twice.
 * Return:  0, or -1 when the store could not be read (try again)
 */
int deaths_resume(struct collector *collector, struct fault *fault);

/**
 * deaths_collect() - record all new deaths
 * @collector: state
 * @fault:     says why on failure
 *
 * Context: each pass.
 * Return:  0, or -1 when a record could not be written (try again)
 */
int deaths_collect(struct collector *collector, struct fault *fault);

/**
 * box_collect() - record what the previous boot left, then free it
 * @collector: state
 * @fault:     says why on failure
 *
 * Context: each pass until it succeeded once.
 * Return:  0, or -1 when a record could not be written (try again)
 */
int box_collect(struct collector *collector, struct fault *fault);

/**
 * cores_take() - have the core of a guest written, or see how far that is
 * @collector: state
 * @known:     guest that has ended and stands
 *
 * It does not wait: a process of its own writes.  How it went is told once.
 *
 * Context: each pass, until it returns 1.
 * Return:  1 when the core is there or there will be none, 0 not yet
 */
int cores_take(struct collector *collector, struct known_guest *known);

/**
 * cores_drop_gone() - write no more of guests that somebody else destroyed
 * @collector: its guests are read
 *
 * Context: each pass.
 */
void cores_drop_gone(struct collector *collector);

/**
 * cores_poll() - what to wait for
 * @collector: state
 * @fds:       CORES_MAX of them, filled in from the first
 *
 * Context: between passes.
 * Return:  how many were filled in: cores that are being written
 */
size_t cores_poll(const struct collector *collector, struct pollfd *fds);

/**
 * cores_stop() - write no more: the next run of this program begins anew
 * @collector: state
 *
 * Context: end of the program.
 */
void cores_stop(struct collector *collector);

/**
 * actions_apply() - do with ended guests what their configuration says
 * @collector: state; all their deaths are on disk
 *
 * Context: each pass.
 */
void actions_apply(struct collector *collector);

/**
 * meta_new() - the beginning of a meta.json
 * @collector: state
 * @entry:     begun entry
 * @time_ns:   when it happened, UTC
 * @kind:      "guest", "host", "dom0"
 *
 * Context: any.
 * Return:  object, released by the caller
 */
struct json_object *meta_new(struct collector *collector,
                             const struct store_entry *entry, uint64_t time_ns,
                             const char *kind);

/**
 * meta_reason() - add reason, signature and occurrence to a meta.json
 * @collector: its store is read for earlier ones of the same signature
 * @meta:      object
 * @where:     name of the guest, or "" for the host
 * @class:     reason as a stable word
 * @text:      reason as a sentence
 * @by:        who found it: "guest" or "hypervisor"
 *
 * Context: any.
 */
void meta_reason(struct collector *collector, struct json_object *meta,
                 const char *where, const char *class, const char *text,
                 const char *by);

/**
 * event_log() - append a crash to the feed and tell standard error
 * @collector: state
 * @meta:      the meta.json of a new entry
 * @text:      what happened, as a sentence
 *
 * Context: after the entry is on disk.
 */
void event_log(struct collector *collector, struct json_object *meta,
               const char *text);

#endif
