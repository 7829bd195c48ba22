/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_machine.h - machine memory for tests: a sparse file, mapped
 * at DIRECTMAP_VA and, as hvmap_map() is told, at other addresses.
 */
#ifndef VIGIL_FAKE_MACHINE_H
#define VIGIL_FAKE_MACHINE_H

#include <stdint.h>

/* Machine addresses 0 .. @bytes - 1 exist; their contents are zero. */
void fake_machine_init(uint64_t bytes);

/* Set a range of machine addresses to a byte. */
void fake_machine_fill(uint64_t start, uint64_t bytes, int byte);

/* What clock_now_ns() says, and by how much it moves each time it is asked. */
extern uint64_t fake_machine_ns, fake_machine_step_ns;

#endif
