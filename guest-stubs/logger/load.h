/* SPDX-License-Identifier: MIT */
/*
 * load.h - the log written by all processors at once, and read meanwhile.
 */
#ifndef VIGIL_STUBS_LOGGER_LOAD_H
#define VIGIL_STUBS_LOGGER_LOAD_H

/**
 * load_run() - do it, and report
 *
 * As Dom0, with vigil_provoke=1, nmi=ignore and a vcpu on each processor.
 * Context: vcpu 0, once.
 */
void load_run(void);

#endif /* VIGIL_STUBS_LOGGER_LOAD_H */
