# SPDX-License-Identifier: LGPL-2.1-or-later
# Draws the figures of contrib/bench as an SVG bar chart: how much each uses
# of what its target permits.

from xml.sax.saxutils import escape

ROW = 26
LABEL = 430
BAR = 360
RIGHT = 210
TOP = 64
USE_MAX = 2.0              # bars end here, longer ones are cut
HELD, MISSED, INK = "#2a7f62", "#b5483a", "#222222"


def number(value):
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def words(figure):
    """Measured value and target, for people."""
    unit = f" {figure.unit}" if figure.unit else ""
    sign = "\u2265" if figure.at_least else "\u2264"
    return f"{number(figure.value)}{unit} ({sign} {figure.bound:g}{unit})"


def text(x, y, content, anchor="start", size=13, weight="normal"):
    return (f'<text x="{x}" y="{y}" text-anchor="{anchor}" '
            f'font-size="{size}" font-weight="{weight}" fill="{INK}">'
            f'{escape(content)}</text>')


def bar(y, figure):
    use = min(max(figure.use(), 0.0), USE_MAX)
    width = use / USE_MAX * BAR
    colour = HELD if figure.holds() else MISSED
    return [text(LABEL - 8, y + 14, figure.name, "end"),
            f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="18" '
            f'fill="{colour}"/>',
            text(LABEL + BAR + 8, y + 14, words(figure))]


def draw(figures, title):
    """The chart of all FIGURES that have a value, as text."""
    figures = [figure for figure in figures if figure.value is not None]
    height = TOP + ROW * len(figures) + 40
    width = LABEL + BAR + RIGHT
    line = LABEL + BAR / USE_MAX
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
             f'height="{height}" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif">',
             f'<rect width="{width}" height="{height}" fill="white"/>',
             text(16, 24, title, size=16, weight="bold"),
             text(16, 44, "Share of what the target permits; shorter is "
                  "better, left of the line the target is held.")]
    for index, figure in enumerate(figures):
        parts += bar(TOP + ROW * index, figure)
    bottom = TOP + ROW * len(figures)
    parts += [f'<line x1="{line}" y1="{TOP - 8}" x2="{line}" y2="{bottom}" '
              f'stroke="{INK}" stroke-width="2"/>',
              text(line, bottom + 18, "target", "middle"), "</svg>"]
    return "\n".join(parts) + "\n"
