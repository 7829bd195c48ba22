/* SPDX-License-Identifier: MIT */
/*
 * sync/lockrank.h - the one global order of locks.
 *
 * A lock may be taken only while every lock held by this CPU has a lower
 * rank; or the same rank and a lower address (two domains, two event
 * channel tables).  Debug builds check each take.  Gaps leave room.
 *
 * The log ring, machine-check records and pending-work bits have no lock.
 */
#ifndef VIGIL_SYNC_LOCKRANK_H
#define VIGIL_SYNC_LOCKRANK_H

enum lock_rank {
    LOCK_RANK_DOMCTL = 5,        /* one domain-building operation at a time  */
    LOCK_RANK_DOMAIN_LIST = 10,  /* the table of domains                     */
    LOCK_RANK_DOMAIN = 30,       /* one domain's life cycle and settings     */
    LOCK_RANK_EVTCHN = 32,       /* one domain's event channels              */
    LOCK_RANK_GRANT = 34,        /* one domain's grant table and maptrack    */
    LOCK_RANK_PAGETYPE = 36,     /* page-table updates of one domain         */
    LOCK_RANK_PCI_PAGES = 37,    /* mappings of PCI's tables; what is guarded */
    LOCK_RANK_ACCOUNT = 38,      /* a domain's list and tally of frames      */
    LOCK_RANK_IOMAP = 39,        /* handing out of device mappings          */
    LOCK_RANK_HEAP = 40,         /* page allocator and frame states          */
    LOCK_RANK_POOL = 45,         /* small-object heap                        */
    LOCK_RANK_SCHED_CPUS = 48,   /* the set of CPUs that run vcpus           */
    LOCK_RANK_RUNQUEUE = 50,     /* one CPU's run queue                      */
    LOCK_RANK_SCHED_BUDGET = 52, /* what is left of a domain's cap           */
    LOCK_RANK_IRQ_DESC = 60,     /* one physical interrupt descriptor        */
    LOCK_RANK_EFI = 65,          /* a call of the firmware                   */
    LOCK_RANK_DEVICE = 70,       /* registers of one device: IO-APIC, RTC    */
    LOCK_RANK_PCI_CFG = 75,      /* ports 0xcf8 and 0xcfc                    */
    LOCK_RANK_SINK = 90,         /* the console sinks and the console ring   */
    LOCK_RANK_TIMER = 93,        /* one CPU's timer heap; any lock may be held */
    LOCK_RANK_IRQ_LEAF = 95,     /* taken by interrupt handlers, takes none  */
};

#endif
