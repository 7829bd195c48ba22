/* SPDX-License-Identifier: MIT */
/*
 * pv/privop_io: port instructions, plain and with strings, who may use which
 * port, and the ports the hypervisor stands in for.
 */
#include "tests/unit/pv/privop_machine.h"

static void port_values(void **state)
{
    (void)state;
    regs->rax = ~0UL;
    regs->rdx = 0x1f0;
    in_value = 0xa1b2c3d4;
    assert_true(RUN("\xec"));
    assert_int_equal(regs->rax, 0xffffffffffffffd4UL);
    in_value = 0xa1b2c3d4;
    assert_true(RUN("\x66\xed"));
    assert_int_equal(regs->rax, 0xffffffffffffc3d4UL);
    in_value = 0xa1b2c3d4;
    assert_true(RUN("\xed"));
    assert_int_equal(regs->rax, 0xa1b2c3d4UL);
    assert_int_equal(last_port, 0x1f0);
    assert_true(RUN("\xef"));
    assert_int_equal(last_out, 0xa1b2c3d4UL);
}

static uint64_t in_byte(uint16_t port)
{
    regs->rax = 0;
    regs->rdx = port;
    assert_true(RUN("\xec"));
    return regs->rax;
}

static void out_byte(uint16_t port, uint8_t value)
{
    regs->rax = value;
    regs->rdx = port;
    assert_true(RUN("\xee"));
}

static void mediated_ports(void **state)
{
    static const uint16_t ours[] = {0x20, 0x21, 0xa0,  0xa1,
                                    0x40, 0x41, 0x3f8, 0x3ff};

    (void)state;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        assert_int_equal(in_byte(ours[i]), 0xff);
        out_byte(ours[i], 0);
    }
    assert_int_equal(outs, 0);
    /* CMOS: the NMI mask bit never reaches the chip. */
    cmos[0x0b] = 0x42;
    out_byte(0x70, 0x8b);
    assert_int_equal(in_byte(0x70), 0x0b);
    assert_int_equal(in_byte(0x71), 0x42);
    out_byte(0x71, 0x43);
    assert_int_equal(cmos[0x0b], 0x43);
    assert_int_equal(outs, 0);
    /* timer 2 only; speaker: gate and data only */
    out_byte(0x43, 0x34);
    assert_int_equal(outs, 0);
    out_byte(0x43, 0xb6);
    assert_int_equal(outs, 1);
    in_value = 0x2c;
    out_byte(0x61, 0xff);
    assert_int_equal(last_out, 0x0f);
    /* a wide access beside a mediated port is split, not let through */
    regs->rdx = 0x3f6;
    in_value = 0x11;
    assert_true(RUN("\xed"));
    assert_int_equal(regs->rax, 0xffff1211);
}

static void pci_ports(void **state)
{
    (void)state;
    regs->rdx = 0xcf8;
    regs->rax = 0x80001010;
    assert_true(RUN("\xef"));
    assert_int_equal(outs, 0);
    regs->rax = 0;
    assert_true(RUN("\xed"));
    assert_int_equal(regs->rax, 0x80001010);
    pci_value = 0x11223344;
    regs->rdx = 0xcfe;
    assert_true(RUN("\x66\xed"));
    assert_int_equal(regs->rax & 0xffff, 0x1122);
    assert_int_equal(pci_cf8, 0x80001010);
    dom.is_privileged = false;
    regs->rdx = 0xcfc;
    assert_true(RUN("\xed"));
    assert_int_equal(regs->rax, 0xffffffff);
}

static void no_rights(void **state)
{
    (void)state;
    dom.is_privileged = false;
    rangeset_clear(&dom.io_ports);
    assert_int_equal(in_byte(0x60), 0xff);
    assert_int_equal(in_byte(0x71), 0xff);
    assert_int_equal(in_byte(0x61), 0xff);
    out_byte(0x60, 1);
    out_byte(0x42, 1);
    assert_int_equal(outs, 0);
}

static void io_bitmap(void **state)
{
    (void)state;
    pv.guest_kernel = false;
    pv.iobmp = BITMAP;
    pv.iobmp_limit = 128;
    bitmap[0x60 / 8] = 0xfe; /* port 0x60 open */
    regs->rdx = 0x60;
    assert_true(RUN("\xec"));
    assert_false(RUN("\x66\xed"));
    regs->rdx = 0x61;
    assert_false(RUN("\xec"));
    /* beyond the limit, and with the last byte of the bitmap */
    regs->rdx = 128;
    assert_false(RUN("\xec"));
    bitmap[15] = 0x7f;
    regs->rdx = 127;
    assert_true(RUN("\xec"));
    assert_false(RUN("\x66\xed"));
    pv.iobmp = 0xffffffff90000000UL;
    assert_false(RUN("\xec"));
}

static void string_input(void **state)
{
    (void)state;
    regs->rdx = 0x1f0;
    regs->rdi = BUFFER;
    regs->rcx = 4;
    in_value = 0x01020304;
    assert_true(RUN("\xf3\x6d"));
    assert_int_equal(regs->rcx, 0);
    assert_int_equal(regs->rdi, BUFFER + 16);
    assert_int_equal(buffer[0], 4);
    assert_int_equal(buffer[12], 7);
    regs->rcx = 0;
    assert_true(RUN("\xf3\x6d"));
    assert_int_equal(regs->rdi, BUFFER + 16);
    /* backwards */
    regs->rflags |= RFLAGS_DF;
    regs->rcx = 2;
    assert_true(RUN("\xf3\x6c"));
    assert_int_equal(regs->rdi, BUFFER + 14);
    regs->rflags &= ~RFLAGS_DF;
    /* a fault half-way leaves the count where it is */
    regs->rdi = BUFFER + sizeof(buffer) - 8;
    regs->rcx = 4;
    assert_true(RUN("\xf3\x6d"));
    assert_int_equal(trap, EXC_PF);
    assert_int_equal(fault_addr, BUFFER + sizeof(buffer));
    assert_int_equal(regs->rcx, 2);
    assert_int_equal(regs->rip, CODE);
}

static void string_is_bounded(void **state)
{
    unsigned int rounds = 0;

    (void)state;
    regs->rdx = 0x1f0;
    regs->rsi = BUFFER;
    regs->rcx = 3000;
    memcpy(code, "\xf3\x6e", 2);
    while (regs->rip == CODE) {
        assert_true(pv_emulate_gp(&vcpu, regs));
        rounds++;
    }
    assert_int_equal(outs, 3000);
    assert_int_equal(rounds, 3);
    /* pending work ends a round at once */
    this_cpu()->softirq = 1;
    regs->rip = CODE;
    regs->rsi = BUFFER;
    regs->rcx = 3;
    assert_true(pv_emulate_gp(&vcpu, regs));
    assert_int_equal(regs->rip, CODE);
    assert_int_equal(regs->rcx, 2);
}

static void io_breakpoint(void **state)
{
    (void)state;
    pv.cr4 = CR4_DE;
    pv.dr[1] = 0x80;
    pv.dr7 = 0x200400;
    pv.dr7_emul = 0x4;
    regs->rdx = 0x80;
    assert_true(RUN("\xee"));
    assert_int_equal(trap, EXC_DB);
    assert_int_equal(pv.dr6 & 0xf, 2);
    assert_int_equal(outs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(port_values, privop_set_up),
        cmocka_unit_test_setup(mediated_ports, privop_set_up),
        cmocka_unit_test_setup(pci_ports, privop_set_up),
        cmocka_unit_test_setup(no_rights, privop_set_up),
        cmocka_unit_test_setup(io_bitmap, privop_set_up),
        cmocka_unit_test_setup(string_input, privop_set_up),
        cmocka_unit_test_setup(string_is_bounded, privop_set_up),
        cmocka_unit_test_setup(io_breakpoint, privop_set_up),
    };

    return UNIT_RUN(tests);
}
