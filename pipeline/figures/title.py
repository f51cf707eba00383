"""The title of a screen figure: fitted to the width, shrunk or broken, never clipped."""

from __future__ import annotations

import re

from pipeline.figures import style, words
from pipeline.figures.style import Sheet
from pipeline.figures.view import View

SMALLEST = 0.7
MOST_LINES = 3


def write(page: Sheet, view: View, notes: str = "") -> None:
    """Head a figure of one's own, or keep the words for the caption file.

    Args:
        notes: what this picture shows of the dataset, when it is not all of it.
    """
    if not page.own:
        return
    if not page.look.title:
        # An artist's label is free text that travels with the figure: `save` writes it.
        page.figure.set_label(words.caption(view, notes))
        return
    equations = words.equation(view)
    lines: list[str] = []
    if equations:
        joined = r",$  $".join(line.strip("$") for line in equations)
        candidates = [f"${joined}$"] if len(equations) <= MOST_LINES else []
        lines = candidates if candidates and _fits(page, candidates[0], 1.0) else equations
        lines = [part for line in lines[:MOST_LINES] for part in _broken(page, line)]
        if len(lines) > MOST_LINES + 1 or not all(_fits(page, line, SMALLEST) for line in lines):
            lines = []
    if not lines:
        lines = [words.heading(view)]
    elif len(equations) > MOST_LINES:
        lines.append("…")
    noise = ", ".join(words.noise(view))
    below = [part for part in (words.settings(view), noise, words.solver(view), notes) if part]
    if below and _fits(page, "   ".join(below), 0.9):
        below = ["   ".join(below)]
    shown = [line for line in [*lines, *below] if line]
    if not shown:
        return
    widest = max(style.width(page, line) for line in shown)
    # Fractions are set small: a larger size where there is room for it.
    most = 1.15 if any(r"\frac" in line for line in lines) else 1.0
    scale = min(most, _room(page) / widest) if widest else 1.0
    size = page.look.type_size * max(scale, 0.5)
    text = {**page.text, "fontsize": size}
    made = page.figure.suptitle("\n".join(shown), **text, linespacing=1.35)
    style.grow(page, made.get_window_extent(style.renderer(page)).height)


def _room(page: Sheet) -> float:
    """Pixels that a title may take."""
    return 0.94 * page.figure.bbox.width


def _fits(page: Sheet, line: str, scale: float) -> bool:
    return style.width(page, line) * scale <= _room(page)


def _broken(page: Sheet, line: str) -> list[str]:
    """A line of mathtext, broken before a sum's sign where it is too long for one."""
    if _fits(page, line, SMALLEST):
        return [line]
    inner, places, depth = line.strip("$"), [], 0
    for found in re.finditer(r"\\left|\\right|\\.|[{}()\[\]]|[+-]", inner):
        token = found[0]
        if token in "{([":
            depth += 1
        elif token in "})]":
            depth -= 1
        elif token in "+-" and depth == 0 and found.start() > 0:
            places.append(found.start())
    if not places:
        return [line]
    middle = min(places, key=lambda place: abs(place - len(inner) / 2))
    return [
        *_broken(page, f"${inner[:middle].rstrip()}$"),
        *_broken(page, rf"$\qquad {inner[middle:]}$"),
    ]
