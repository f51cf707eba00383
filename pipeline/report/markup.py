"""HTML of plain values: whatever text comes in is escaped, in one place."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# What a page is read for, not what it can hold: the archive has the rest.
LONGEST_TEXT = 50_000
MOST_ROWS = 200
# Neither scripts nor anything from elsewhere, whatever an archive says.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --faint: #5a6570; --paper: #fff; --card: #f5f7f9;
  --line: #d8dee4; --bar: #2f6f9f; --bar-rest: #e3e8ed; --bad: #a33a1c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ec; --faint: #9aa5b1; --paper: #14181c; --card: #1d2328; --line: #333c45;
    --bar: #5da3d6; --bar-rest: #2b333b; --bad: #f0906f; }
  img { filter: brightness(.92); }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid var(--line);
  padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .25rem 0; }
.faint, caption, figcaption { color: var(--faint); font-size: .875rem; }
.bad { color: var(--bad); }
dl.facts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; }
dl.facts div { background: var(--card); border: 1px solid var(--line); border-radius: .375rem;
  padding: .375rem .75rem; }
dl.facts dt { color: var(--faint); font-size: .8125rem; }
dl.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
figcaption { margin-top: .375rem; }
img { display: block; max-width: 100%; height: auto; background: #fff;
  border: 1px solid var(--line); border-radius: .375rem; padding: .375rem; }
.wide { overflow-x: auto; max-width: 100%; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: normal; white-space: nowrap; }
th { color: var(--faint); font-weight: 600; }
td.text { white-space: normal; overflow-wrap: anywhere; min-width: 14rem; }
td.number, th.number { text-align: right; }
.share { display: block; width: 8rem; height: .75rem; margin-top: .3rem;
  background: var(--bar-rest); border-radius: .2rem; overflow: hidden; }
.share i { display: block; height: 100%; background: var(--bar); }
pre { overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: .375rem; padding: .75rem; margin: .5rem 0; font-size: .8125rem; line-height: 1.45;
  max-height: 40rem; overflow-wrap: normal; }
summary { cursor: pointer; padding: .25rem 0; }
a { color: inherit; }
"""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        kind: number, text (which may break) or bad; empty for a name.
        link: the id of a place on the page.
        share: a bar of so much of its width, in place of the text.
    """

    text: Any = ""
    kind: str = ""
    link: str = ""
    share: float | None = None


def number(text: Any) -> Cell:
    """A cell that stands right."""
    return Cell(text, "number")


def safe(text: Any) -> str:
    """Text from anywhere as HTML, without control characters, cut where it is endless."""
    text = str(text)
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}\n[cut: {len(text):,} characters; the archive has them all]"
    text = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
    return html.escape(text)


def tag(name: str, text: Any, kind: str = "") -> str:
    """An element that holds a text."""
    return f"<{name}{_class(kind)}>{safe(text)}</{name}>"


def folded(heading: str, lines: Iterable[str]) -> Iterator[str]:
    """Lines of HTML that a reader opens."""
    yield f"<details>{tag('summary', heading)}"
    yield from lines
    yield "</details>"


def image(png: bytes, caption: str) -> str:
    """A picture that is part of the page; its caption's first line stands for it."""
    code = base64.b64encode(png).decode()
    alt = safe(caption.split("\n")[0])
    return (
        f'<figure><img alt="{alt}" src="data:image/png;base64,{code}">'
        f"{tag('figcaption', caption)}</figure>"
    )


def table(head: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """A table of cells and texts that scrolls inside itself."""
    yield '<div class="wide" tabindex="0"><table>'
    if head:
        yield f"<thead><tr>{''.join(_cell('th', cell) for cell in head)}</tr></thead>"
    yield "<tbody>"
    for row in rows[:MOST_ROWS]:
        yield f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>"
    yield "</tbody></table></div>"
    if len(rows) > MOST_ROWS:
        yield tag("p", f"{len(rows) - MOST_ROWS:,} more rows are in the archive.", "faint")


def _cell(name: str, cell: Any) -> str:
    cell = cell if isinstance(cell, Cell) else Cell(cell)
    inner = safe(cell.text)
    if cell.share is not None:
        inner = f'<span class="share"><i style="width:{100 * cell.share:.2f}%"></i></span>'
    if cell.link:
        inner = f'<a href="#{safe(cell.link)}">{inner}</a>'
    return f"<{name}{_class(cell.kind)}>{inner}</{name}>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def document(title: str, body: Iterable[str]) -> str:
    """The whole page."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            tag("title", title),
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )
