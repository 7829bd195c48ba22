/* SPDX-License-Identifier: MIT */
/*
 * dev/fbcon.c - the log on a screen: a frame buffer, or VGA text.
 *
 * What is on the screen is kept as characters, so that scrolling reads no
 * device memory and draws only what differs.  A full screen moves up by a
 * quarter at once: uncached memory is slow.
 *
 *   SHOWN --fbcon_hand_over--> GIVEN --dying--> SHOWN or LOST
 *
 * Dying takes no lock, no memory, and writes only what was mapped at boot.
 */
#include "dev/fbcon.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "x86/io.h"
#include "log/sink.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"
#include "dev/font.h"
#include "dev/pci_cfg.h"

#define COLUMNS_MAX 240
#define ROWS_MAX    100
#define SIDE_MAX    16384U
#define BYTES_MAX   (256UL << 20)

/* A character's place: the font's rows twice, then room to the next line. */
#define CELL_WIDTH  8U
#define CELL_HEIGHT 18U
#define CELL_LEFT   1U /* empty columns before the dots */
/* From this height on every dot is two by two pixels. */
#define TALL        1440U

#define VGA_TEXT       0xb8000UL
#define VGA_TEXT_END   0xc0000UL
#define VGA_GREY       0x0700U
#define PORT_GRAPHICS  0x3ce
#define GRAPHICS_MISC  6
#define MISC_GRAPHICS  0x01 /* not text */
#define MISC_MEMORY    0x0c
#define MISC_AT_B8000  0x0c
#define PORT_CRTC      0x3d4
#define CRTC_START_HI  0x0c
#define CRTC_START_LO  0x0d
#define CRTC_CURSOR    0x0a
#define CURSOR_OFF     0x20
#define PORT_PCI       0xcf8
#define PORT_PCI_DATA  0xcfc
#define CLASS_DISPLAY  0x03
#define MULTI_FUNCTION 0x80
#define BAR_IO         1U
#define BAR_64         4U
#define BARS           6U

/* Dying: so many lines stay; a screen with less than twice that scrolls. */
#define PIN_ROWS  8U
/* A person must be able to read it before the machine is reset. */
#define LINGER_MS 5000U

enum screen_state {
    SCREEN_NONE,
    SCREEN_SHOWN,
    SCREEN_GIVEN, /* to Dom0 */
    SCREEN_LOST,  /* Dom0 has set it up anew */
};

enum escape {
    ESCAPE_NONE,
    ESCAPE_BEGUN, /* after ESC    */
    ESCAPE_INSIDE /* after ESC [  */
};

/* Legend: c constant after boot; L the sink lock of log/, or dying */
static struct fbcon_mode mode;            /* c */
static volatile uint8_t *memory;          /* c: NULL until mapped */
static unsigned int columns, rows;        /* c */
static unsigned int dot;                  /* c: pixels a dot is wide and high */
static uint32_t ink;                      /* c: a pixel that is lit */
static enum screen_state state;           /* L */
static unsigned int column, row;          /* L */
static unsigned int pinned;               /* L: rows that stay */
static enum escape escape;                /* L */
static char shown[ROWS_MAX][COLUMNS_MAX]; /* L */

/* Where the device's memory was: its configuration registers. */
static struct {
    bool is_known;
    maddr_t base;
    uint32_t address; /* of the first register, as port 0xcf8 takes it */
    uint32_t low, high;
} bar; /* c */

/* ---- the mode ----------------------------------------------------------- */

static bool colour_ok(uint8_t at, uint8_t bits, uint8_t pixel)
{
    return bits > 0 && bits <= 16 && at + bits <= pixel;
}

bool fbcon_mode_ok(const struct fbcon_mode *m)
{
    uint64_t bytes = (uint64_t)m->pitch * m->height;

    if (m->width == 0 || m->height == 0 || m->width > SIDE_MAX ||
        m->height > SIDE_MAX || bytes > BYTES_MAX ||
        m->start + bytes > 1UL << 52 || m->start + bytes < m->start) {
        return false;
    }
    switch (m->kind) {
    case FBCON_NONE:
        return false;
    case FBCON_TEXT:
        return m->start == VGA_TEXT && m->start + bytes <= VGA_TEXT_END &&
               m->pitch >= m->width * 2;
    case FBCON_PIXELS:
        return (m->bits == 16 || m->bits == 24 || m->bits == 32) &&
               m->pitch >= m->width * (m->bits / 8U) &&
               m->width >= CELL_WIDTH && m->height >= CELL_HEIGHT &&
               (m->pitch | m->start) % (m->bits == 24 ? 1 : m->bits / 8U) ==
                   0 &&
               colour_ok(m->red_at, m->red_bits, m->bits) &&
               colour_ok(m->green_at, m->green_bits, m->bits) &&
               colour_ok(m->blue_at, m->blue_bits, m->bits);
    }
    return false;
}

static bool vga_is_text(void)
{
    uint8_t misc;

    outb(PORT_GRAPHICS, GRAPHICS_MISC);
    misc = inb(PORT_GRAPHICS + 1);
    return (misc & (MISC_GRAPHICS | MISC_MEMORY)) == MISC_AT_B8000;
}

bool fbcon_probe_text(struct fbcon_mode *ret_mode)
{
    /* No VGA: the port reads all ones, which is a graphics mode. */
    if (!vga_is_text()) {
        return false;
    }
    *ret_mode = (struct fbcon_mode){
        .kind = FBCON_TEXT,
        .start = VGA_TEXT,
        .pitch = 160,
        .width = 80,
        .height = 25,
        .bits = 16,
    };
    return true;
}

/* ---- drawing ------------------------------------------------------------ */

static void put_pixel(volatile uint8_t *at, uint32_t colour)
{
    switch (mode.bits) {
    case 32:
        *(volatile uint32_t *)(uintptr_t)at = colour;
        break;
    case 24:
        at[0] = (uint8_t)colour;
        at[1] = (uint8_t)(colour >> 8);
        at[2] = (uint8_t)(colour >> 16);
        break;
    default:
        *(volatile uint16_t *)(uintptr_t)at = (uint16_t)colour;
        break;
    }
}

/* One line of pixels of a character; @dots: bit 4 is the leftmost dot. */
static void draw_line(volatile uint8_t *at, unsigned int dots)
{
    unsigned int step = mode.bits / 8U;

    for (unsigned int x = 0; x < CELL_WIDTH; x++) {
        unsigned int i = x - CELL_LEFT; /* wraps below it: no dot */
        bool lit =
            i < FONT_COLUMNS && ((dots >> (FONT_COLUMNS - 1 - i)) & 1) != 0;

        for (unsigned int n = 0; n < dot; n++) {
            put_pixel(at, lit ? ink : 0);
            at += step;
        }
    }
}

static void draw_pixels(unsigned int r, unsigned int c, char ch)
{
    const uint8_t *glyph = font_rows[(unsigned char)ch - FONT_FIRST];
    volatile uint8_t *at = memory + (size_t)r * CELL_HEIGHT * dot * mode.pitch +
                           (size_t)c * CELL_WIDTH * dot * (mode.bits / 8U);

    for (unsigned int y = 0; y < CELL_HEIGHT * dot; y++) {
        unsigned int line = y / dot / 2;

        draw_line(at, line < FONT_ROWS ? glyph[line] : 0);
        at += mode.pitch;
    }
}

static void set_cell(unsigned int r, unsigned int c, char ch)
{
    if (shown[r][c] == ch) {
        return;
    }
    shown[r][c] = ch;
    if (mode.kind == FBCON_TEXT) {
        *(volatile uint16_t *)(uintptr_t)(memory + r * mode.pitch + c * 2) =
            (uint16_t)(VGA_GREY | (unsigned char)ch);
    } else {
        draw_pixels(r, c, ch);
    }
}

static void clear(void)
{
    size_t bytes = (size_t)mode.pitch * mode.height;

    for (size_t i = 0; i + 2 <= bytes; i += 2) {
        *(volatile uint16_t *)(uintptr_t)(memory + i) =
            mode.kind == FBCON_TEXT ? (uint16_t)(VGA_GREY | ' ') : 0;
    }
    memset(shown, ' ', sizeof(shown));
    column = row = pinned = 0;
    escape = ESCAPE_NONE;
}

static void scroll(void)
{
    unsigned int by = MAX((rows - pinned) / 4, 1U);

    for (unsigned int r = pinned; r < rows; r++) {
        for (unsigned int c = 0; c < columns; c++) {
            set_cell(r, c, r + by < rows ? shown[r + by][c] : ' ');
        }
    }
    row -= by;
}

static void new_line(void)
{
    column = 0;
    row++;
    if (row == rows) {
        scroll();
    }
}

static void put_printable(char ch)
{
    if (column == columns) {
        new_line();
    }
    set_cell(row, column++, ch);
}

/* Colours and cursor movements of a guest's console are left out. */
static bool in_escape(char ch)
{
    switch (escape) {
    case ESCAPE_NONE:
        if (ch == '\x1b') {
            escape = ESCAPE_BEGUN;
        }
        return ch == '\x1b';
    case ESCAPE_BEGUN:
        escape = ch == '[' ? ESCAPE_INSIDE : ESCAPE_NONE;
        return true;
    case ESCAPE_INSIDE:
        if (ch >= '@' && ch <= '~') {
            escape = ESCAPE_NONE;
        }
        return true;
    }
    return false;
}

static void put_char(char ch)
{
    if (in_escape(ch)) {
        return;
    }
    switch (ch) {
    case '\n':
        new_line();
        break;
    case '\r':
        column = 0;
        break;
    case '\b':
        column -= column > 0 ? 1 : 0;
        break;
    case '\t':
        do {
            put_printable(' ');
        } while (column % 8 != 0);
        break;
    default:
        if (ch >= FONT_FIRST && ch < FONT_FIRST + FONT_COUNT) {
            put_printable(ch);
        } else if ((unsigned char)ch >= 0x80) {
            put_printable('?');
        }
        break;
    }
}

static void fbcon_write(const char *text, size_t len)
{
    if (state != SCREEN_SHOWN) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        put_char(text[i]);
    }
}

/* ---- dying -------------------------------------------------------------- */

/* By hand: the lock of pci_cfg may be held by whoever died. */
static uint32_t pci_read(uint32_t address)
{
    outl(PORT_PCI, address);
    return inl(PORT_PCI_DATA);
}

/* As far as can be told, does the screen still show what we draw? */
static bool is_still_ours(void)
{
    uint32_t command = (bar.address & ~0xffU) | PCI_COMMAND;

    if (mode.kind == FBCON_TEXT && !vga_is_text()) {
        return false;
    }
    return !bar.is_known ||
           ((pci_read(command) & PCI_COMMAND_MEMORY) != 0 &&
            pci_read(bar.address) == bar.low &&
            ((bar.low & BAR_64) == 0 || pci_read(bar.address + 4) == bar.high));
}

static void crtc_write(uint8_t reg, uint8_t v)
{
    outb(PORT_CRTC, reg);
    outb(PORT_CRTC + 1, v);
}

static void fbcon_dying(void)
{
    if (state == SCREEN_NONE) {
        return;
    }
    if (!is_still_ours()) {
        state = SCREEN_LOST;
        return;
    }
    if (mode.kind == FBCON_TEXT) {
        /* A guest's console scrolls by moving the start. */
        crtc_write(CRTC_START_HI, 0);
        crtc_write(CRTC_START_LO, 0);
    }
    clear();
    pinned = rows >= 2 * PIN_ROWS ? PIN_ROWS : 0;
    state = SCREEN_SHOWN;
}

static unsigned int fbcon_linger(void)
{
    return state == SCREEN_SHOWN ? LINGER_MS : 0;
}

static struct log_sink fbcon_sink = {
    .name = "screen",
    .write = fbcon_write,
    /* Drawing knows no lock and waits for nothing. */
    .emergency_write = fbcon_write,
    .dying = fbcon_dying,
    .linger_ms = fbcon_linger,
};

/* ---- start -------------------------------------------------------------- */

static INIT_TEXT void start(volatile uint8_t *at)
{
    memory = at;
    if (mode.kind == FBCON_TEXT) {
        crtc_write(CRTC_CURSOR, CURSOR_OFF);
    }
    clear();
    state = SCREEN_SHOWN;
    log_sink_register(&fbcon_sink);
}

INIT_TEXT void fbcon_init(const struct fbcon_mode *m)
{
    mode = *m;
    dot = m->height >= TALL && m->width >= TALL ? 2 : 1;
    columns = m->width;
    rows = m->height;
    if (m->kind == FBCON_PIXELS) {
        columns /= CELL_WIDTH * dot;
        rows /= CELL_HEIGHT * dot;
        ink = ((1U << m->red_bits) - 1) << m->red_at |
              ((1U << m->green_bits) - 1) << m->green_at |
              ((1U << m->blue_bits) - 1) << m->blue_at;
    }
    columns = MIN(columns, (unsigned int)COLUMNS_MAX);
    rows = MIN(rows, (unsigned int)ROWS_MAX);
    if (m->start + (uint64_t)m->pitch * m->height <= 1UL << 32) {
        start(maddr_to_ptr(m->start));
    }
}

INIT_TEXT void fbcon_map(void)
{
    volatile uint8_t *at;

    if (mode.kind == FBCON_NONE) {
        return;
    }
    at = iomap_wc(mode.start, (size_t)mode.pitch * mode.height);
    if (at == NULL) {
        state = SCREEN_NONE;
        mode.kind = FBCON_NONE;
    } else if (memory == NULL) {
        start(at);
    } else {
        memory = at;
    }
}

/*
 * Remember the memory that begins next below the frame buffer: how long it is
 * would have to be asked by writing.
 */
static INIT_TEXT void look_at_bar(pci_bdf_t bdf, unsigned int i)
{
    uint32_t low = pci_cfg_read(bdf, PCI_BAR0 + 4 * i, 4);
    uint32_t high = 0;
    maddr_t base;

    if ((low & BAR_IO) != 0 || (low & ~0xfU) == 0) {
        return;
    }
    if ((low & BAR_64) != 0 && i + 1 < BARS) {
        high = pci_cfg_read(bdf, PCI_BAR0 + 4 * i + 4, 4);
    }
    base = (maddr_t)high << 32 | (low & ~0xfU);
    if (mode.start < base || mode.start - base >= BYTES_MAX ||
        (bar.is_known && base <= bar.base)) {
        return;
    }
    bar.base = base;
    bar.address = 0x80000000U | (uint32_t)bdf << 8 | (PCI_BAR0 + 4 * i);
    bar.low = low;
    bar.high = high;
    bar.is_known = true;
}

static INIT_TEXT void look_at_device(pci_bdf_t bdf)
{
    if (pci_cfg_read(bdf, PCI_CLASS, 1) != CLASS_DISPLAY) {
        return;
    }
    for (unsigned int i = 0; i < BARS; i++) {
        look_at_bar(bdf, i);
        if ((pci_cfg_read(bdf, PCI_BAR0 + 4 * i, 4) & (BAR_IO | BAR_64)) ==
            BAR_64) {
            i++; /* the next register is its upper half */
        }
    }
}

INIT_TEXT void fbcon_watch(void)
{
    if (mode.kind != FBCON_PIXELS) {
        return;
    }
    for (unsigned int slot = 0; slot < 256 * 32; slot++) {
        pci_bdf_t bdf = (pci_bdf_t)(slot << 3);
        unsigned int functions = 8;

        if (pci_cfg_read(bdf, PCI_VENDOR_ID, 2) == 0xffff) {
            continue;
        }
        if ((pci_cfg_read(bdf, PCI_HEADER_TYPE, 1) & MULTI_FUNCTION) == 0) {
            functions = 1;
        }
        for (unsigned int f = 0; f < functions; f++) {
            look_at_device((pci_bdf_t)(bdf + f));
        }
    }
}

void fbcon_hand_over(void)
{
    if (state == SCREEN_SHOWN) {
        state = SCREEN_GIVEN;
    }
}
