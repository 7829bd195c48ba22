# SPDX-License-Identifier: MIT
"""What a terminal shows: the screen that bytes for a VT100 draw."""

import re

# A control sequence, another escape sequence, or one character.
TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z@])|\x1b([()][A-Z0-9]|[=>78DEMHc])"
                   r"|(.)", re.S)


class Terminal:
    """Rows of characters and a cursor; colours and the like are ignored."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0

    def lines(self):
        """Return the rows as text, without the blanks at their ends."""
        return ["".join(row).rstrip() for row in self.cells]

    def feed(self, text):
        """Draw text."""
        for found in TOKEN.finditer(text):
            if found.group(4):
                self._character(found.group(4))
            elif found.group(2):
                self._control(found.group(1), found.group(2))
        return self

    def _newline(self):
        if self.row + 1 < self.rows:
            self.row += 1
        else:
            self.cells = self.cells[1:] + [[" "] * self.columns]

    def _character(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self._newline()
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        elif char >= " ":
            if self.column == self.columns:     # it wraps when it must
                self.column = 0
                self._newline()
            self.cells[self.row][self.column] = char
            self.column += 1

    def _control(self, words, letter):
        numbers = [int(n) if n.isdigit() else 0 for n in words.split(";")]
        first = numbers[0]
        if letter in "Hf":
            self.row = min(max(first, 1), self.rows) - 1
            second = numbers[1] if len(numbers) > 1 else 1
            self.column = min(max(second, 1), self.columns) - 1
        elif letter in "AB":
            step = max(first, 1) * (1 if letter == "B" else -1)
            self.row = min(max(self.row + step, 0), self.rows - 1)
        elif letter in "CD":
            step = max(first, 1) * (1 if letter == "C" else -1)
            self.column = min(max(self.column + step, 0), self.columns - 1)
        elif letter == "K":
            self._erase(self.row, first)
        elif letter == "J":
            self._erase(self.row, first)
            others = {0: range(self.row + 1, self.rows),
                      1: range(self.row)}.get(first, range(self.rows))
            for row in others:
                self._erase(row, 2)

    def _erase(self, row, how):
        """0: from the cursor on, 1: up to it, 2: all."""
        start = self.column if how == 0 else 0
        end = self.column + 1 if how == 1 else self.columns
        for at in range(start, min(end, self.columns)):
            self.cells[row][at] = " "
