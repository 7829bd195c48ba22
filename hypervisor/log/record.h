/* SPDX-License-Identifier: MIT */
/*
 * log/record.h - how severe, by whom, in which context: the words of the log.
 *
 * The values are those of the public <vigil/log.h>, which tools read.
 * Policy: ERROR says that the hypervisor or the machine is at fault; nothing
 * a guest does may cause more than WARNING, and that through log_about(), which
 * has a limit for each guest, or once in its life: that it shut down, died.
 * A message is one line, begins with its floor ("mm: ..."), carries units.
 */
#ifndef VIGIL_LOG_RECORD_H
#define VIGIL_LOG_RECORD_H

#include <vigil/log.h>

enum log_level {
    LOG_PANIC = VIGIL_LOG_PANIC,
    LOG_ERROR = VIGIL_LOG_ERROR,
    LOG_WARNING = VIGIL_LOG_WARNING,
    LOG_NOTICE = VIGIL_LOG_NOTICE,
    LOG_INFO = VIGIL_LOG_INFO,
    LOG_DEBUG = VIGIL_LOG_DEBUG,
};

enum log_context {
    LOG_CTX_NORMAL = VIGIL_LOG_CTX_NORMAL,
    LOG_CTX_IRQ = VIGIL_LOG_CTX_IRQ,
    LOG_CTX_NMI = VIGIL_LOG_CTX_NMI,
    LOG_CTX_MC = VIGIL_LOG_CTX_MC,
    LOG_CTX_CRASH = VIGIL_LOG_CTX_CRASH,
};

/* Longest text of one message, in bytes; what is longer is cut. */
#define LOG_TEXT_MAX 480

#endif
