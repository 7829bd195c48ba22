/* SPDX-License-Identifier: MIT */
/*
 * dev/fbcon.c: what is drawn where, scrolling, and when a dying hypervisor
 * takes the screen back.  The source is included, since its state lasts as
 * long as the program.
 */
#include "tests/unit/unit.h"

#include "dev/fbcon.c"
#include "fake_hw.h"

#define BASE   0x1080000000UL /* above 4 GiB: drawn on after fbcon_map() only */
#define WIDTH  (20U * 8U + 3U)
#define HEIGHT (24U * 18U + 5U)
#define BEHIND 64U

static uint8_t *screen;
static size_t screen_bytes;
static struct log_sink *sink;
static uint32_t bars[6], command, pci_address;
static uint8_t graphics_misc, crtc[256], port_index;

void *iomap_wc(maddr_t a, size_t bytes)
{
    if (a != BASE && a != VGA_TEXT) {
        fail_msg("mapped %#lx", a);
    }
    assert_int_equal(bytes, screen_bytes);
    return screen;
}

void log_sink_register(struct log_sink *s)
{
    sink = s;
}

/* One display at 02:05.1, another kind of device at its function 0. */
static uint32_t config(uint32_t address)
{
    uint32_t reg = address & 0xfc, bdf = (address >> 8) & 0xffff;

    if (bdf >> 3 != (2U << 5 | 5U) || (bdf & 7) > 1) {
        return 0xffffffff;
    }
    if (reg == 0) {
        return 0x12345678;
    }
    if (reg == 4) {
        return command;
    }
    if (reg == 8) {
        return (bdf & 7) == 1 ? 0x03000000 : 0x02000000;
    }
    if (reg == 0xc) {
        return 0x00800000;
    }
    return reg >= 0x10 && reg < 0x28 ? bars[(reg - 0x10) / 4] : 0;
}

uint32_t pci_cfg_read(pci_bdf_t bdf, unsigned int reg, unsigned int bytes)
{
    uint32_t v = config((uint32_t)bdf << 8 | reg) >> (reg & 3) * 8;

    return bytes == 4 ? v : v & ((1U << bytes * 8) - 1);
}

static uint32_t ports_in(uint16_t port, unsigned int bytes)
{
    if (port == 0xcfc && bytes == 4) {
        assert_true((pci_address & 0x80000000) != 0);
        return config(pci_address);
    }
    assert_int_equal(port, 0x3cf);
    assert_int_equal(port_index, 6);
    return graphics_misc;
}

static void ports_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    if (port == 0xcf8 && bytes == 4) {
        pci_address = v;
    } else if (port == 0x3d5) {
        crtc[port_index] = (uint8_t)v;
    } else {
        assert_true(port == 0x3ce || port == 0x3d4);
        port_index = (uint8_t)v;
    }
}

static struct fbcon_mode pixels(uint8_t bits)
{
    return (struct fbcon_mode){
        .kind = FBCON_PIXELS,
        .start = BASE,
        .pitch = (WIDTH * bits / 8 + 31) & ~15U,
        .width = WIDTH,
        .height = HEIGHT,
        .bits = bits,
        .red_at = bits == 16 ? 11 : 16,
        .red_bits = bits == 16 ? 5 : 8,
        .green_at = bits == 16 ? 5 : 8,
        .green_bits = bits == 16 ? 6 : 8,
        .blue_at = 0,
        .blue_bits = bits == 16 ? 5 : 8,
    };
}

static int reset(void **state_unused)
{
    (void)state_unused;
    fake_hw_reset();
    fake_in_hook = ports_in;
    fake_out_hook = ports_out;
    memset(&mode, 0, sizeof(mode));
    memset(&bar, 0, sizeof(bar));
    memset(bars, 0, sizeof(bars));
    memory = NULL;
    state = SCREEN_NONE;
    sink = NULL;
    bars[0] = 0xf0000001;           /* ports */
    bars[1] = (uint32_t)BASE | 0xc; /* 64 bits, prefetchable */
    bars[2] = (uint32_t)(BASE >> 32);
    bars[3] = 0x81000000;
    command = 0x0107;
    graphics_misc = 0x0e;
    memset(crtc, 0xee, sizeof(crtc));
    return 0;
}

static void start_with(const struct fbcon_mode *m)
{
    free(screen);
    screen_bytes = (size_t)m->pitch * m->height;
    screen = malloc(screen_bytes);
    memset(screen, 0x55, screen_bytes);
    assert_true(fbcon_mode_ok(m));
    fbcon_init(m);
    if (m->kind == FBCON_PIXELS) {
        assert_null(sink); /* not reached yet */
    }
    fbcon_map();
    assert_non_null(sink);
    fbcon_watch();
}

static void write(const char *text)
{
    sink->write(text, strlen(text));
}

/* The characters on the frame buffer, by every pixel; '#': none we know. */
static const char *line(unsigned int r)
{
    static char text[64];
    unsigned int step = mode.bits / 8;

    for (unsigned int c = 0; c < columns; c++) {
        text[c] = '#';
        for (char ch = ' '; ch <= '~' && text[c] == '#'; ch++) {
            bool same = true;

            for (unsigned int y = 0; y < 18 && same; y++) {
                for (unsigned int x = 0; x < 8 && same; x++) {
                    const uint8_t *at = screen +
                                        (size_t)(r * 18 + y) * mode.pitch +
                                        (c * 8 + x) * step;
                    uint32_t v = 0, white = step == 2   ? 0xffff
                                            : step == 3 ? 0xffffff
                                                        : 0x00ffffff;
                    bool lit = x >= 1 && x < 6 && y < 16 &&
                               (font_rows[ch - ' '][y / 2] >> (5 - x) & 1) != 0;

                    memcpy(&v, at, step);
                    same = v == (lit ? white : 0);
                }
            }
            if (same) {
                text[c] = ch;
            }
        }
    }
    text[columns] = '\0';
    for (size_t n = columns; n > 0 && text[n - 1] == ' '; n--) {
        text[n - 1] = '\0';
    }
    return text;
}

static void draws(void **state_unused)
{
    static const uint8_t depth[] = {16, 24, 32};

    (void)state_unused;
    for (unsigned int i = 0; i < ARRAY_SIZE(depth); i++) {
        struct fbcon_mode m = pixels(depth[i]);

        reset(NULL);
        start_with(&m);
        assert_int_equal(columns, 20);
        assert_int_equal(rows, 24);
        write("(XEN) Vigil gjpqy_~!\nab\b@\rB\n\tx\x1b[1;31mred\x1b[0m\xc3");
        assert_string_equal(line(0), "(XEN) Vigil gjpqy_~!");
        assert_string_equal(line(1), "B@");
        assert_string_equal(line(2), "        xred?");
        assert_string_equal(line(3), "");
        /* Beside and below the characters the screen is black, too. */
        for (size_t n = 0; n < 3 * m.bits / 8; n++) {
            assert_int_equal(screen[20 * m.bits + n], 0);
        }
        assert_int_equal(screen[screen_bytes - m.pitch], 0);
    }
}

static void write_lines(unsigned int from, unsigned int to)
{
    for (unsigned int i = from; i < to; i++) {
        char text[16];

        snprintf(text, sizeof(text), "line %u\n", i);
        write(text);
    }
}

static void scrolls(void **state_unused)
{
    struct fbcon_mode m = pixels(32);

    (void)state_unused;
    start_with(&m);
    write_lines(0, 23);
    assert_string_equal(line(0), "line 0");
    write_lines(23, 24); /* the screen is full: six lines go */
    assert_string_equal(line(0), "line 6");
    assert_string_equal(line(17), "line 23");
    assert_string_equal(line(18), "");
    write("a line of twenty-five dots");
    assert_string_equal(line(18), "a line of twenty-fiv");
    assert_string_equal(line(19), "e dots");
}

static void dying_takes_it_back(void **state_unused)
{
    struct fbcon_mode m = pixels(32);

    (void)state_unused;
    start_with(&m);
    write("boot\n");
    fbcon_hand_over();
    memset(screen, 0x77, screen_bytes); /* Dom0 draws */
    write("more\n");
    assert_int_equal(screen[0], 0x77);
    assert_int_equal(sink->linger_ms(), 0);
    sink->dying();
    assert_int_equal(sink->linger_ms(), 5000);
    write_lines(0, 40);
    for (unsigned int i = 0; i < 8; i++) {
        char text[16];

        snprintf(text, sizeof(text), "line %u", i);
        assert_string_equal(line(i), text);
    }
    /* The rest has scrolled below them. */
    assert_int_equal(strncmp(line(8), "line ", 5), 0);
    assert_true(atoi(line(8) + 5) > 20);
    assert_int_equal(screen[screen_bytes - m.pitch], 0);
}

static void assert_lost(void)
{
    struct fbcon_mode m = pixels(32);
    uint32_t was_command = command, was_low = bars[1], was_high = bars[2];

    /* As it was at boot, then what the caller has changed. */
    command = 0x0107;
    bars[1] = (uint32_t)BASE | 0xc;
    bars[2] = (uint32_t)(BASE >> 32);
    start_with(&m);
    fbcon_hand_over();
    memset(screen, 0x77, screen_bytes);
    command = was_command;
    bars[1] = was_low;
    bars[2] = was_high;
    sink->dying();
    write("last words\n");
    for (size_t i = 0; i < screen_bytes; i += BEHIND) {
        assert_int_equal(screen[i], 0x77);
    }
    assert_int_equal(sink->linger_ms(), 0);
}

static void dying_leaves_it_alone(void **state_unused)
{
    (void)state_unused;
    command = 0x0105; /* memory off */
    assert_lost();
    reset(NULL);
    bars[1] ^= 0x10000000;
    assert_lost();
    reset(NULL);
    bars[2] ^= 1;
    assert_lost();
}

static void text_screen(void **state_unused)
{
    struct fbcon_mode m;

    (void)state_unused;
    assert_true(fbcon_probe_text(&m));
    graphics_misc = 0x0f;
    assert_false(fbcon_probe_text(&m));
    graphics_misc = 0x06; /* memory at 0xa0000 */
    assert_false(fbcon_probe_text(&m));
    graphics_misc = 0xff; /* no VGA */
    assert_false(fbcon_probe_text(&m));
    graphics_misc = 0x0e;
    assert_true(fbcon_mode_ok(&m));
    /* Below 4 GiB the boot page tables serve: here nothing is mapped there. */
    mode = m;
    columns = 80;
    rows = 25;
    free(screen);
    screen_bytes = 80 * 25 * 2;
    screen = malloc(screen_bytes);
    fbcon_map();
    write("ab");
    assert_memory_equal(screen, "a\007b\007 \007", 6);
    fbcon_hand_over();
    sink->dying();
    assert_int_equal(crtc[0x0c], 0);
    assert_int_equal(crtc[0x0d], 0);
    write("c");
    assert_memory_equal(screen, "c\007 \007", 4);
    graphics_misc = 0x0f;
    state = SCREEN_GIVEN;
    sink->dying();
    write("d");
    assert_memory_equal(screen, "c\007", 2);
}

static void impossible_modes(void **state_unused)
{
    const struct fbcon_mode good = pixels(32);
    struct fbcon_mode m;

    (void)state_unused;
    assert_true(fbcon_mode_ok(&good));
#define BAD(field, value)                                                      \
    do {                                                                       \
        m = good;                                                              \
        m.field = (value);                                                     \
        assert_false(fbcon_mode_ok(&m));                                       \
    } while (0)
    BAD(kind, FBCON_NONE);
    BAD(kind, FBCON_TEXT); /* not at 0xb8000 */
    BAD(width, 0);
    BAD(height, 0);
    BAD(width, 16385);
    BAD(width, 0xffffffff);
    BAD(height, 0xffffffff);
    BAD(height, 17);
    BAD(pitch, 4 * WIDTH - 4);
    BAD(pitch, 0xffffffff);
    BAD(pitch, 4 * WIDTH + 18); /* not a whole number of pixels */
    BAD(bits, 0);
    BAD(bits, 8);
    BAD(bits, 15);
    BAD(bits, 33);
    BAD(start, ~0UL - 10);
    BAD(start, 1UL << 52);
    BAD(start, BASE + 2);
    BAD(red_bits, 0);
    BAD(red_bits, 17);
    BAD(red_at, 25);
    BAD(green_at, 255);
    BAD(blue_bits, 255);
#undef BAD
    m = (struct fbcon_mode){.kind = FBCON_TEXT,
                            .start = VGA_TEXT,
                            .pitch = 160,
                            .width = 80,
                            .height = 25};
    assert_true(fbcon_mode_ok(&m));
    m.pitch = 158;
    assert_false(fbcon_mode_ok(&m));
    m.pitch = 160;
    m.height = 205; /* beyond the window */
    assert_false(fbcon_mode_ok(&m));
}

/* 4096 by 2400: dots of two pixels, and no more characters than are kept. */
static void large_screen(void **state_unused)
{
    struct fbcon_mode m = pixels(32);

    (void)state_unused;
    m.width = 4096;
    m.height = 2400;
    m.pitch = 4 * 4096;
    start_with(&m);
    assert_int_equal(dot, 2);
    assert_int_equal(columns, 240);
    assert_int_equal(rows, 2400 / 36);
    write_lines(0, 70);
    write("|");
    assert_int_equal(screen[(size_t)row * 36 * m.pitch + 4 * 6], 0xff);
    assert_int_equal(screen[(size_t)row * 36 * m.pitch + 4 * 7], 0xff);
    assert_int_equal(screen[(size_t)row * 36 * m.pitch + 4 * 8], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(draws, reset),
        cmocka_unit_test_setup(scrolls, reset),
        cmocka_unit_test_setup(dying_takes_it_back, reset),
        cmocka_unit_test_setup(dying_leaves_it_alone, reset),
        cmocka_unit_test_setup(text_screen, reset),
        cmocka_unit_test_setup(impossible_modes, reset),
        cmocka_unit_test_setup(large_screen, reset),
    };
    int rc = UNIT_RUN(tests);

    free(screen);
    return rc;
}
