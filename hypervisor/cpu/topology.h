/* SPDX-License-Identifier: MIT */
/*
 * cpu/topology.h - which CPUs share a core and a socket.
 *
 * An APIC ID is socket, core and thread, one above the other; CPUID says how
 * many bits each has.  All CPUs of a machine are taken to say the same.
 */
#ifndef VIGIL_CPU_TOPOLOGY_H
#define VIGIL_CPU_TOPOLOGY_H

#include "lib/types.h"

struct cpu_topology {
    unsigned int core_shift;   /* bits of the thread within a core    */
    unsigned int socket_shift; /* bits of thread and core in a socket */
};

/**
 * topology_read() - ask this CPU how APIC IDs are made up
 * @ret_topology: filled in; core_shift <= socket_shift <= 31
 *
 * Context: any.
 */
void topology_read(struct cpu_topology *ret_topology);

/* The socket of the CPU with this APIC ID. */
static inline uint32_t topology_socket(const struct cpu_topology *t,
                                       uint32_t apic_id)
{
    return apic_id >> t->socket_shift;
}

/* Its core, counted within the socket. */
static inline uint32_t topology_core(const struct cpu_topology *t,
                                     uint32_t apic_id)
{
    return (apic_id & ((1U << t->socket_shift) - 1)) >> t->core_shift;
}

#endif
