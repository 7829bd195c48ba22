/* SPDX-License-Identifier: MIT */
/* tests/fake/fake_sink.c - a sink that keeps what it is given. */
#include "tests/unit/unit.h"

#include "fake_sink.h"

char fake_shown[65536];
size_t fake_shown_len;
void (*fake_sink_hook)(void);

static void capture(const char *text, size_t len)
{
    void (*hook)(void) = fake_sink_hook;

    assert_true(fake_shown_len + len < sizeof(fake_shown));
    memcpy(fake_shown + fake_shown_len, text, len);
    fake_shown_len += len;
    fake_shown[fake_shown_len] = '\0';
    fake_sink_hook = NULL;
    if (hook) {
        hook();
    }
}

struct log_sink fake_sink = {
    .name = "test", .write = capture, .emergency_write = capture};

void fake_shown_forget(void)
{
    fake_shown_len = 0;
    fake_shown[0] = '\0';
}
