# SPDX-License-Identifier: MIT
"""What scripts/bench is made of.

machines.py  one boot: the stub, bench-user, or Dom0's init; its figures
plan.py      which boots a run needs, several at a time
table.py     figures as text: ratios, geometric mean, growth
chart.py     the ratios as an SVG picture
build.py     what must be built before, also of another commit
"""
