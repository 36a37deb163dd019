"""Small pieces of HTML; every text that goes in is escaped."""

import base64
import html
import re
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from emotion_nas_tf.visualization.plots import figure_to_svg


def escape(text: str) -> str:
    """Text as HTML; a number stays on one line with its per cent sign."""
    return html.escape(text).replace(" %", "&nbsp;%")


def paragraph(text: str, css_class: str = "") -> str:
    """A paragraph of plain text."""
    attribute = f' class="{escape(css_class)}"' if css_class else ""
    return f"<p{attribute}>{escape(text)}</p>"


def heading(text: str, level: int = 2) -> str:
    """A heading; those of level 2 are what `contents` lists."""
    anchor = f' id="{_anchor(text)}"' if level == 2 else ""
    return f"<h{level}{anchor}>{escape(text)}</h{level}>"


def contents() -> str:
    """A place that `page` fills with links to the headings."""
    return _CONTENTS


def preformatted(text: str) -> str:
    """Text in which spaces and lines count."""
    return f"<pre>{escape(text)}</pre>"


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    strong_rows: Sequence[int] = (),
    css_class: str = "",
) -> str:
    """A table that scrolls by itself where the page is narrow.

    A line break in a cell puts what follows in small print.
    """
    cells = "".join(f"<th>{_cell(text)}</th>" for text in header)
    lines = [f"<tr>{cells}</tr>"]
    for index, row in enumerate(rows):
        strong = ' class="strong"' if index in strong_rows else ""
        first, *others = row
        cells = "".join(f"<td>{_cell(text)}</td>" for text in others)
        lines.append(f"<tr{strong}><th>{_cell(first)}</th>{cells}</tr>")
    attribute = f' class="{escape(css_class)}"' if css_class else ""
    return (
        f'<div class="scroll"><table{attribute}>{"".join(lines)}</table></div>'
    )


def figure(drawing: Figure, caption: str) -> str:
    """A drawing inside the page: no file beside it, no network."""
    # An image of its own, not inline SVG: two drawings in one document would
    # share their element names.
    data = base64.b64encode(figure_to_svg(drawing).encode()).decode()
    width = round(drawing.get_figwidth() * drawing.dpi)
    # Shrunk to a telephone's width a wide drawing could not be read: it
    # scrolls.
    css_class = ' class="wide"' if width > 900 else ""
    return (
        f'<figure><img{css_class} src="data:image/svg+xml;base64,{data}" '
        f'alt="{escape(caption)}" width="{width}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def grid(pieces: Sequence[str]) -> str:
    """Pieces side by side, as many as fit."""
    return f'<div class="grid">{"".join(pieces)}</div>'


def details(summary: str, body: str, is_open: bool = False) -> str:
    """A part that opens on a click."""
    attribute = " open" if is_open else ""
    return (
        f"<details{attribute}><summary>{escape(summary)}</summary>"
        f"{body}</details>"
    )


def grid_of_systems(figures: Mapping[str, str], shown: str) -> str:
    """A figure for each system: one at sight, the others on a click."""
    others = [each for system, each in figures.items() if system != shown]
    if not others:
        return figures[shown]
    return figures[shown] + details(
        f"The same of {len(others)} other systems", grid(others)
    )


def page(title: str, body: str) -> str:
    """A whole document."""
    links = "".join(
        f'<a href="#{anchor}">{text}</a>'
        for anchor, text in re.findall(r'<h2 id="([^"]*)">(.*?)</h2>', body)
    )
    body = body.replace(_CONTENTS, f"<nav>{links}</nav>")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, '
        'initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _anchor(text: str) -> str:
    return re.sub("[^a-z]+", "-", text.lower()).strip("-")


def _cell(text: str) -> str:
    first, _, rest = text.partition("\n")
    return escape(first) + (f"<small>{escape(rest)}</small>" if rest else "")


_CONTENTS = "<!-- contents -->"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; margin: 0;
  background: #fff; }
main { max-width: 1080px; margin: 0 auto; padding: 1rem 1.2rem 4rem; }
h1 { line-height: 1.2; margin: .6em 0 .2em; }
h2 { margin: 2.2em 0 .4em; border-bottom: 2px solid #ddd; }
h3 { margin: 1.6em 0 .3em; }
p.summary { font-size: 1.25rem; background: #eef5fb; padding: .8em 1em;
  border-left: 5px solid #0072b2; }
p.note, figcaption { color: #555; font-size: .92rem; max-width: 48rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .8em 0; }
th, td { padding: .35em .8em; border-bottom: 1px solid #ddd;
  text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th:first-child { text-align: left; font-weight: 600; }
tr:first-child th { white-space: normal; max-width: 8em; }
tr:first-child th { vertical-align: bottom; border-bottom: 2px solid #888; }
tr.strong { background: #f5f5f0; }
table.text td { text-align: left; white-space: normal; max-width: 40rem; }
nav a { display: inline-block; margin: .2em 1.2em .2em 0; color: #0072b2; }
td small, th small { display: block; color: #555; font-weight: normal; }
figure { margin: 1em 0; overflow-x: auto; }
img { max-width: 100%; height: auto; }
img.wide { min-width: 640px; }
.grid { display: grid; gap: 0 2rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); }
pre { background: #f5f5f5; padding: .8em 1em; overflow-x: auto;
  font-size: .88rem; line-height: 1.4; }
dt { font-weight: 600; } dd { margin: 0 0 .5em 1.2em; }
details { border: 1px solid #ddd; border-radius: 6px; margin: .8em 0;
  padding: .4em 1em; }
@media (max-width: 600px) {
  th:first-child { white-space: normal; min-width: 7em; }
  th, td { padding: .35em .5em; }
}
summary { cursor: pointer; font-weight: 600; }
"""
