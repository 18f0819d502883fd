# SPDX-License-Identifier: LGPL-2.1-or-later
# Parts of the README's pictures, which are readable on light and on dark ground.

from xml.sax.saxutils import escape

STYLE = """\
text { font: 13px sans-serif; fill: #1f2328 }
.title { font-weight: bold }
.note { font-size: 11px; fill: #59636e }
.fixed { font-family: monospace }
.ours { fill: #1a7f5a }
.other { fill: #8c959f }
.c31 { fill: #b5302a }
.c32 { fill: #1a7f37 }
.c33 { fill: #8a6100 }
.c36 { fill: #0b6e7d }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.note { fill: #9198a1 }
.ours { fill: #3fb98a }
.other { fill: #7d8590 }
.c31 { fill: #ff7b72 }
.c32 { fill: #56d364 }
.c33 { fill: #e3b341 }
.c36 { fill: #56d4dd }
}"""


def text(x, y, content, kind="", end=False):
    anchor = ' text-anchor="end"' if end else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named}{anchor}>{escape(content)}</text>'


def box(x, y, width, height, kind):
    return f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" ' \
           f'height="{height:g}" class="{kind}"/>'


def document(width, height, title, parts):
    """The whole picture."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" '
        f'height="{height:g}" viewBox="0 0 {width:g} {height:g}" role="img" '
        'xml:space="preserve">',
        f"<title>{escape(title)}</title>", f"<style>\n{STYLE}\n</style>",
        *parts, "</svg>"]) + "\n"
