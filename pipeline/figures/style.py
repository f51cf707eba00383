"""The looks of a figure: sizes, fonts and colours, handed on as arguments, never set globally."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.errors import CobwebError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Okabe and Ito (2008): eight colours that colour-blind readers can tell apart. Yellow
# comes last: it is faint on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
# Paul Tol's muted scheme, for up to nine categories.
MUTED = (
    "#332288",
    "#88CCEE",
    "#44AA99",
    "#117733",
    "#999933",
    "#DDCC77",
    "#CC6677",
    "#882255",
    "#AA4499",
)
INK = "#08306B"
GREY = "#8C8C8C"
SHADE = "#DDDDDD"
FRAME = "#444444"
# Bundled with matplotlib: the same letters, and the same bytes, on every machine.
FONT = "DejaVu Sans"
MATH = "dejavusans"


@dataclass(frozen=True)
class Look:
    """What distinguishes one style from another; lengths in inches, type and lines in points."""

    name: str
    width: float
    wide: float
    dpi: int
    type_size: float
    line: float
    marker: float
    title: bool


# Matplotlib's mathtext parser and its settings are shared by all threads: one figure at a time.
LOCK = threading.RLock()
MILLIMETRE = 1 / 25.4
STYLES = {
    # 900 pixels: the width at which a README shows a picture unscaled.
    "screen": Look("screen", 6.0, 6.0, 150, 10.0, 1.2, 4.0, True),
    # One and two columns of a journal's page.
    "paper": Look("paper", 86 * MILLIMETRE, 178 * MILLIMETRE, 600, 8.0, 0.8, 2.5, False),
}


@dataclass(frozen=True)
class Sheet:
    """Where a kind draws: a figure of its own, or the user's axes.

    Attributes:
        panels: axes to fill, row by row; the user's axes are a single panel.
        own: whether the figure is this module's to style.
        text: keyword arguments for every text on it.
    """

    figure: Figure
    panels: list[Axes]
    look: Look
    own: bool
    text: dict[str, Any] = field(default_factory=dict)


def look(name: str) -> Look:
    """The style of that name."""
    if name not in STYLES:
        raise CobwebError(f'figure.style = "{name}": no such style (known: {", ".join(STYLES)}).')
    return STYLES[name]


def sheet(
    chosen: Look,
    *,
    rows: int = 1,
    columns: int = 1,
    ratio: float = 0.62,
    wide: bool = False,
    ax: Axes | None = None,
    share: bool = False,
    heights: Sequence[float] = (),
) -> Sheet:
    """A new figure of rows x columns panels, or the user's axes.

    Args:
        ratio: height of one panel over its width.
        wide: the two-column width, where the style has one.
        share: panels of one column share their abscissa.
        heights: of the rows, relative to `ratio`; all 1 by default.
    """
    if ax is not None:
        return Sheet(ax.get_figure(root=True), [ax], chosen, own=False)  # type: ignore[reportArgumentType]  # axes belong to a figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width = chosen.wide if wide else chosen.width
    tall = list(heights) or [1.0] * rows
    height = width / columns * ratio * sum(tall)
    figure = Figure(
        figsize=(width, height), dpi=chosen.dpi, layout="constrained", facecolor="white"
    )
    FigureCanvasAgg(figure)
    grid = figure.subplots(
        rows, columns, squeeze=False, sharex="col" if share else False, height_ratios=tall
    )
    text = {
        "fontsize": chosen.type_size,
        "fontfamily": FONT,
        "math_fontfamily": MATH,
        "color": "black",
    }
    made = Sheet(figure, list(grid.ravel()), chosen, own=True, text=text)
    for panel in made.panels:
        dress(panel, chosen)
    return made


def dress(ax: Axes, chosen: Look) -> None:
    """Give one's own axes the style's frame and ticks."""
    ax.set_facecolor("white")
    ax.grid(False)
    ax.tick_params(
        which="both",
        labelsize=0.88 * chosen.type_size,
        labelfontfamily=FONT,
        width=0.6 * chosen.line,
        color=FRAME,
        labelcolor="black",
    )
    for spine in ax.spines.values():
        spine.set_linewidth(0.6 * chosen.line)
        spine.set_edgecolor(FRAME)


def abscissa(page: Sheet, ax: Axes, text: str) -> None:
    """Label the axis below, within the panel's width."""
    shown, settings = _fitted(page, text, ax.get_position().width * page.figure.bbox.width)
    ax.set_xlabel(shown, **settings)


def ordinate(page: Sheet, ax: Axes, text: str) -> None:
    """Label the axis beside, within the panel's height."""
    shown, settings = _fitted(page, text, ax.get_position().height * page.figure.bbox.height)
    ax.set_ylabel(shown, **settings)


def _fitted(page: Sheet, text: str, room: float) -> tuple[str, dict[str, Any]]:
    """A label in as many lines, and if need be as small, as the room in pixels asks."""
    if not page.own:
        return text, {}
    # Not inside mathtext.
    words = re.findall(r"(?:\$[^$]*\$|[^\s$])+", text)
    best = (text, 0.5)
    for lines, scale in ((1, 1.0), (1, 0.88), (2, 1.0), (2, 0.88), (3, 0.88), (3, 0.7), (3, 0.5)):
        parts = _balanced(words, lines)
        best = ("\n".join(parts), scale)
        if max((width(page, part) for part in parts), default=0.0) * scale <= room:
            break
    size = page.look.type_size * best[1]
    return best[0], {**page.text, "fontsize": size}


def _balanced(words: Sequence[str], lines: int) -> list[str]:
    """Words in at most so many lines of about the same length."""
    each = sum(len(word) + 1 for word in words) / lines
    parts: list[str] = []
    for word in words:
        if parts and (len(parts) == lines or len(parts[-1]) + len(word) / 2 < each):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts


def width(page: Sheet, line: str) -> float:
    """Pixels of a line in the style's size; infinite for mathtext that does not parse."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text

    properties = FontProperties(family=FONT, size=page.look.type_size, math_fontfamily=MATH)
    text = Text(0, 0, line, fontproperties=properties, figure=page.figure)
    try:
        return text.get_window_extent(renderer(page)).width
    except ValueError:
        return float("inf")


def tag(page: Sheet, ax: Axes, text: str) -> None:
    """Name a panel, above it."""
    if page.own:
        size = 0.92 * page.look.type_size
        ax.set_title(text, **{**page.text, "fontsize": size}, loc="left", pad=4)


def legend(page: Sheet, handles: Sequence[Any], *, columns: int = 4) -> None:
    """A legend below one's own panels, where it covers no data; inside the user's axes."""
    if not handles:
        return
    # Of handles that lie on each other, the first one has the name.
    names = [(each[0] if isinstance(each, tuple) else each).get_label() for each in handles]
    if not page.own:
        page.panels[0].legend(list(handles), names, loc="best")
        return
    from matplotlib.font_manager import FontProperties

    size = 0.85 * page.look.type_size
    for number in range(min(columns, len(handles)), 0, -1):
        made = page.figure.legend(
            handles=list(handles),
            labels=names,
            loc="outside lower center",
            ncols=number,
            frameon=False,
            prop=FontProperties(family=FONT, size=size, math_fontfamily=MATH),
            labelcolor="black",
            borderaxespad=0.2,
            columnspacing=1.6,
            handletextpad=0.6,
        )
        box = made.get_window_extent(renderer(page))
        if number == 1 or box.width <= 0.97 * page.figure.bbox.width:
            grow(page, box.height)
            return
        made.remove()


def whole(ax: Axes) -> None:
    """Ticks of an abscissa that counts, at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))


def logarithmic(ax: Axes, values: Sequence[float]) -> None:
    """A logarithmic abscissa; over few decades with plain numbers at 1, 2 and 5."""
    ax.set_xscale("log")
    if max(values) < 1000 * min(values):
        plain(ax.xaxis)


def plain(axis: Any) -> None:
    """Ticks of a logarithmic axis at 1, 2 and 5 times powers of ten, as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def renderer(page: Sheet) -> Any:
    """What measures texts on a figure of one's own."""
    return page.figure.canvas.get_renderer()  # type: ignore[reportAttributeAccessIssue]  # Agg's


def grow(page: Sheet, height: float) -> None:
    """Make room for a title or legend of so many pixels, so that the panels keep theirs."""
    page.figure.set_figheight(page.figure.get_figheight() + height / page.figure.dpi)


def colorbar(page: Sheet, mappable: Any, ax: Axes | list[Axes], label: str) -> Any:
    """A colour scale beside one's own panels; the user's figure keeps the axes it has."""
    if not page.own:
        return None
    bar = page.figure.colorbar(mappable, ax=ax, pad=0.02, aspect=28)
    shown, settings = _fitted(page, label, 0.8 * page.figure.bbox.height)
    bar.set_label(shown, **settings)
    bar.ax.tick_params(labelsize=0.85 * page.look.type_size, labelfontfamily=FONT, color=FRAME)
    bar.outline.set_linewidth(0.6 * page.look.line)
    return bar


def colours(number: int) -> list[Any]:
    """Colours of so many lines: the palette while it lasts, then a ramp."""
    if number <= len(PALETTE) - 1:
        return list(PALETTE[:number])
    from matplotlib import colormaps

    ramp = colormaps["viridis"]
    return [ramp(0.92 * i / (number - 1)) for i in range(number)]


def ink() -> Colormap:
    """One hue, from light to dark: how densely a place is visited."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = ["#C9DDF0", "#7FB2DA", "#3A7EBC", "#0F4A94", "#061F4A"]
    return LinearSegmentedColormap.from_list("ink", stops)


def heat() -> Colormap:
    """From cold to warm on white: dark blue, violet, red, orange; as dark as lines must be."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["plasma"]([0.8 * i / 255 for i in range(256)]), "heat")
