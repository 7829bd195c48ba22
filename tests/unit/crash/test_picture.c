/* SPDX-License-Identifier: MIT */
/*
 * crash/picture: what a picture keeps, and its lines, torn ones too; in an image
 * whose table of names is empty, as at the first link.
 */
#include "tests/unit/unit.h"

#include "x86/image.h"
#include "x86/percpu.h"
#include "crash/backtrace.h"
#include "crash/picture.h"
#include "crash/symbols.h"
#include "fake_hw.h"

const uint32_t symbol_count = 0;
/* Whoever looks here nevertheless finds this. */
const struct symbol_entry symbol_table[] = {{0, 0}};
const char symbol_names[] = "no_name";

unsigned int backtrace_walk_nmi(uint64_t rbp, uint64_t *ret_rips,
                                unsigned int max)
{
    assert_int_equal(rbp, 0x5000);
    assert_int_equal(max, PICTURE_FRAMES);
    ret_rips[0] = 0x1111;
    return 1;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_image_start = 0x1000;
    fake_image_text_end = 0x9000;
    fake_cpu = 3;
    tenant_set(7, 2);
    return 0;
}

static void assert_line(const struct picture *p, unsigned int line,
                        const char *text)
{
    char buf[PICTURE_LINE_BYTES];

    assert_true(picture_line(p, line, "now: ", buf));
    assert_string_equal(buf, text);
}

static void assert_no_line(const struct picture *p, unsigned int line)
{
    char buf[PICTURE_LINE_BYTES] = "as it was";

    assert_false(picture_line(p, line, "now: ", buf));
    assert_string_equal(buf, "as it was");
}

static void of_ours(void **state)
{
    struct cpu_regs regs = {
        .rip = 0x1234, .rsp = 0x7000, .cs = 0xe008, .rbp = 0x5000, .rflags = 2};
    struct picture p;

    (void)state;
    this_cpu()->context = context_within(CTX_IRQ, CTX_NMI, false);
    picture_take(&p, &regs, LOG_ERROR);
    assert_int_equal(p.tag.level, LOG_ERROR);
    assert_line(&p, 0,
                "CPU 3: now: at 0000000000001234, rsp 0000000000007000, "
                "interrupts off, irq in hypervisor");
    assert_line(&p, 1, "CPU 3:    [<0000000000001111>] 0000000000001111");
    assert_no_line(&p, 2);
    regs.rflags |= RFLAGS_IF;
    picture_take(&p, &regs, LOG_ERROR);
    assert_line(&p, 0,
                "CPU 3: now: at 0000000000001234, rsp 0000000000007000, "
                "interrupts on, irq in hypervisor");
}

/* Its stack is not ours to walk. */
static void of_a_guest(void **state)
{
    const struct cpu_regs regs = {
        .rip = 0x4321, .rsp = 0x8000, .cs = 0xe033, .rbp = 0x6000};
    struct picture p;

    (void)state;
    picture_take(&p, &regs, LOG_NOTICE);
    assert_line(&p, 0,
                "CPU 3: now: in d7v2, rip e033:0000000000004321 "
                "rsp 0000000000008000");
    assert_no_line(&p, 1);
}

/* It is taken anew while somebody reads: the count may be any. */
static void torn(void **state)
{
    static const unsigned int counts[] = {PICTURE_FRAMES + 1, 1000, UINT32_MAX};
    struct picture p = {.tag.cpu = 3};

    (void)state;
    for (unsigned int i = 0; i < PICTURE_FRAMES; i++) {
        p.frames[i] = 0xa000;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++) {
        p.count = counts[i];
        assert_line(&p, PICTURE_FRAMES,
                    "CPU 3:    [<000000000000a000>] 000000000000a000");
        assert_no_line(&p, PICTURE_FRAMES + 1);
        assert_no_line(&p, UINT32_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(of_ours, set_up),
        cmocka_unit_test_setup(of_a_guest, set_up),
        cmocka_unit_test_setup(torn, set_up),
    };

    return UNIT_RUN(tests);
}
