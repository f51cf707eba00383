"""The words on a figure: labels, the equation, parameters, the caption."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import expressions
from pipeline.errors import CobwebError
from pipeline.figures.view import Axis, View, number, residuals, section
from pipeline.status import Status

if TYPE_CHECKING:
    import xarray as xr

MOST_PARAMETERS = 6
LONGEST_FORMULA = 600


def math(text: str) -> str:
    """Mathtext between dollars."""
    return f"${text.strip('$')}$"


def symbol(name: str) -> str:
    """A name's symbol, between dollars."""
    part = re.fullmatch(r"(.+)_(re|im)", name)
    if part:
        inner = expressions.symbol(part[1]).strip("$")
        return math(rf"\mathrm{{{part[2].capitalize()}}}\,{inner}")
    return math(expressions.symbol(name))


def plain(text: str) -> str:
    """Text from a dataset as it reads: no mathtext, one line, not too long."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    clean = clean.replace("$", r"\$")
    return clean if len(clean) <= 80 else clean[:79] + "…"


def label(view: View, name: str) -> str:
    """What an axis of the picture shows: its long name with the symbol, and the units if any."""
    attributes = view.data[name].attrs if name in view.data.variables else {}
    text = str(attributes.get("long_name", "") or "")
    units = str(attributes.get("units", "1"))
    symbols = {str(a.name) for a in view.axes} | {s.name for s in view.series}
    known = symbols | view.swept | set(map(str, section(view.iterated, "initial"))) | {name}
    known |= {re.sub("_(re|im)$", "", s.name) for s in view.series}
    words = plain(text).split(" ")
    if text in ("", name):
        shown = symbol(name) if name in symbols else plain(name.replace("_", " "))
    else:
        # As a last word "a" is a parameter; elsewhere it is more likely an article.
        last = words[-1].strip(",.;:()")
        tail = symbol(last) if last in known else words[-1]
        parts = [*(symbol(w) if w in known and w != "a" else w for w in words[:-1]), tail]
        if parts == words and name in symbols:
            parts.append(symbol(name))
        shown = " ".join(parts)
        if any(q.startswith("solver.") and q != f"solver.{name}" for q in _swept(view, name)):
            shown += f", {symbol(name)}"
    return shown if units in ("1", "") else f"{shown} ({plain(units)})"


def _swept(view: View, name: str) -> Sequence[str]:
    """What an axis sweeps."""
    return next((axis.quantities for axis in view.axes if axis.name == name), ())


def value(x: Any, digits: int = 4) -> str:
    """A number as mathtext, without dollars."""
    x = complex(x)
    if x.imag:
        size = value(abs(x.imag), digits)
        part = f"{'' if size == '1' else size}i"
        sign = "-" if x.imag < 0 else "+" if x.real else ""
        return f"{value(x.real, digits) if x.real else ''}{sign}{part}"
    if not np.isfinite(x.real):
        return r"\infty" if x.real > 0 else r"-\infty" if x.real < 0 else r"\mathrm{nan}"
    text = f"{x.real:.{digits}g}"
    if "e" in text:
        mantissa, power = text.split("e")
        times = "" if mantissa == "1" else rf"{mantissa}\times "
        return rf"{times}10^{{{int(power)}}}"
    return text


def point(place: Sequence[float], *, both: bool) -> str:
    """A point's coordinates between dollars; one complex number of them if both are its parts."""
    largest = max(map(abs, place), default=0.0)
    rounded = [0.0 if abs(v) < 1e-6 * largest else float(v) for v in place]
    if len(rounded) == 2 and both:
        return f"${value(complex(*rounded))}$"
    if len(rounded) == 1:
        return f"${value(rounded[0])}$"
    # A bare minus after the space would be set as one between two terms.
    shown = (re.sub("^-", "{-}", value(v)) for v in rounded)
    return "$(" + r",\ ".join(shown) + ")$"


def at(axes: Iterable[Axis], index: Mapping[str, int]) -> str:
    """Where on the grid: `$a = 3.7$, $b = 0.3$`, for the axes that the index names."""
    return ", ".join(
        f"{symbol(axis.name)[:-1]} = {value(axis.values[index[axis.name]])}$"
        for axis in axes
        if axis.name in index
    )


def equation(view: View) -> list[str]:
    """The map or objective as lines of mathtext; empty where none compiles."""
    iterated = view.iterated
    definitions = section(iterated, "definitions")
    names = [
        *section(iterated, "equations"),
        *section(iterated, "initial"),
        *section(iterated, "parameters"),
        *definitions,
        "size",
        "n",
    ]
    try:
        if "expression" in iterated:
            what = "max" if str(iterated.get("sense", "")).startswith("max") else "min"
            state = ", ".join(expressions.symbol(str(n)) for n in section(iterated, "initial"))
            lines = [rf"\mathrm{{{what}}}\ f({state}) = {_formula(iterated['expression'], names)}"]
        elif residuals(iterated):
            lines = _squares(iterated, names)
        else:
            lines = [
                rf"{expressions.symbol(str(name))} \mapsto {_formula(text, names)}"
                for name, text in section(iterated, "equations").items()
            ]
        lines += [
            f"{expressions.symbol(str(name))} = {_formula(text, names)}"
            for name, text in definitions.items()
        ]
    except (CobwebError, ArithmeticError, ValueError, TypeError, KeyError, RecursionError):
        return []
    return [math(line) for line in lines]


def _squares(iterated: Mapping[str, Any], names: list[str]) -> list[str]:
    """A sum of squares, and what is squared, without dollars."""
    state = ", ".join(expressions.symbol(str(n)) for n in section(iterated, "initial"))
    shown = [_formula(text, names) for text in residuals(iterated)]
    marks = [f"_{{{k}}}" for k in range(1, len(shown) + 1)] if len(shown) > 1 else [""]
    lines = [f"r{mark} = {text}" for mark, text in zip(marks, shown, strict=True)]
    return [rf"\mathrm{{min}}\ f({state}) = \Vert r \Vert^2", *lines]


def formula(view: View, text: Any) -> str:
    """A formula of the components and parameters as mathtext; empty where it does not compile."""
    names = [*section(view.iterated, "initial"), *section(view.iterated, "parameters")]
    try:
        return math(_formula(text, list(map(str, names))))
    except (CobwebError, ArithmeticError, ValueError, TypeError, RecursionError):
        return ""


def _formula(text: Any, names: list[str]) -> str:
    """A formula's mathtext, without dollars."""
    text = str(text)
    if len(text) > LONGEST_FORMULA:
        raise ValueError("too long for a title")
    return expressions.compile(text, names).mathtext().strip("$")


def settings(view: View, *, most: int = MOST_PARAMETERS) -> str:
    """The parameters that no axis sweeps: `$a = 1.4$, $b = 0.3$`; of many, the first."""
    swept = view.swept
    given = section(view.iterated, "parameters")
    parts = [
        f"{symbol(str(name))[:-1]} = {shown}$"
        for name, held in given.items()
        if name not in swept and (shown := _setting(held))
    ]
    if len(parts) > most:
        parts = [*parts[:most], f"… ({len(parts) - most} more)"]
    return ", ".join(parts)


def _setting(held: Any) -> str:
    """A parameter's value as mathtext, small arrays included; empty where there is none to show."""
    single = number(held)
    if single is not None:
        text = str(held).replace(" ", "")
        if re.fullmatch(r"-?(\d+(\.\d+)?\*?)?pi(/\d+)?", text):
            return text.replace("*", "").replace("pi", r"\pi ").strip()
        return value(single)
    if isinstance(held, list) and 0 < len(held) <= 4:
        inner = [_setting(entry) for entry in held]
        return f"({', '.join(inner)})" if all(inner) else ""
    return ""


def solver(view: View) -> str:
    """The solver with its numbers; empty for a map's own iteration."""
    if view.solver == "direct":
        return ""
    given = section(view.document, "solver")
    swept = view.swept
    parts = [plain(str(given.get("name", ""))).replace("_", " ")]
    for key, held in given.items():
        single = number(held)
        if key in swept or "tolerance" in str(key) or single is None or len(parts) == 4:
            continue
        if key != "name":
            parts.append(f"{plain(str(key)).replace('_', ' ')} ${value(single)}$")
    return ", ".join(part for part in parts if part)


def heading(view: View) -> str:
    """The name of what is iterated, as text."""
    name = view.iterated.get("name")
    shown = plain(str(name)).replace("_", " ") if isinstance(name, str) and name else ""
    function = section(view.iterated, "function").get("name", name)
    if function != name:
        shown = f"{shown}: the function {plain(str(function))}"
    return shown or plain(str(view.data.attrs.get("title", "")))


def caption(view: View, notes: str = "") -> str:
    """What a paper's caption needs: equation, parameters, steps, solver, where cells ended."""
    iterated = view.iterated
    lines = [heading(view)] if heading(view) else []
    if "expression" in iterated:
        lines.append(f"{iterated.get('sense', 'minimise')}: {iterated['expression']}")
    if residuals(iterated):
        lines.append(f"minimise: the sum of the squares of {'; '.join(residuals(iterated))}")
    lines += [f"{n}' = {text}" for n, text in section(iterated, "equations").items()]
    lines += [f"with {n} = {text}" for n, text in section(iterated, "definitions").items()]
    for name, given in section(iterated, "noise").items():
        kind, scale = next(iter(given.items())) if isinstance(given, dict) else ("normal", given)
        lines.append(f"{kind} noise of {scale} in {name}")
    if function := section(iterated, "function"):
        squared = function.get("place") == "residuals"
        what = "the sum of the squares of a Python function" if squared else "a Python function"
        lines.append(f"{iterated['sense']}: {what}" if "sense" in iterated else f"by {what}")
    swept = view.swept
    fixed = {n: v for n, v in section(iterated, "parameters").items() if n not in swept}
    if fixed:
        lines.append("parameters: " + ", ".join(f"{n} = {v}" for n, v in fixed.items()))
    for axis in view.axes:
        spacing = ", geometric" if axis.log else ""
        lines.append(
            f"{axis.name}: {axis.values.size} values from {axis.values.min():.10g} "
            f"to {axis.values.max():.10g}{spacing}"
        )
    initial = {n: v for n, v in section(iterated, "initial").items() if f"{n}0" not in swept}
    if initial:
        lines.append("initial: " + ", ".join(f"{n} = {v}" for n, v in initial.items()))
    steps = section(view.document, "iterate")
    if steps:
        lines.append("iterate: " + ", ".join(f"{k} {v}" for k, v in steps.items()))
    solver = section(view.document, "solver")
    if solver:
        others = [f"{k} {v}" for k, v in solver.items() if k != "name" and k not in swept]
        lines.append("solver: " + ", ".join([view.solver, *others]))
    counts = ended(view.data)
    if counts:
        lines.append("cells: " + ", ".join(f"{n} {word}" for word, n in counts.items()))
    if notes:
        lines.append(notes.replace("$", ""))
    if isinstance(iterated.get("reference"), str):
        lines.append(iterated["reference"])
    return "\n".join(lines) + "\n"


def noise(view: View) -> list[str]:
    """What disturbs a map: "normal noise of $0.01$ in $x$", a line for each."""
    iterated, found = view.iterated, []
    names = [
        n for part in ("initial", "parameters", "definitions") for n in section(iterated, part)
    ]
    for name, given in section(iterated, "noise").items():
        kind, scale = next(iter(given.items())) if isinstance(given, dict) else ("normal", given)
        try:
            text = f"${_formula(scale, [*map(str, names), 'size', 'n'])}$"
        except (CobwebError, ArithmeticError, ValueError, TypeError, RecursionError):
            text = plain(str(scale))
        found.append(f"{plain(str(kind))} noise of {text} in {symbol(str(name))}")
    return found


def ended(data: xr.Dataset) -> Mapping[str, int]:
    """How many cells ended in each status."""
    if "status" not in data:
        return {}
    codes, counts = np.unique(data["status"].values, return_counts=True)
    known = {int(code): code.name.replace("_", " ") for code in Status}
    return {known.get(int(code), str(code)): int(n) for code, n in zip(codes, counts, strict=True)}
