"""The tables of the pages in docs/, written from the code and from conf/.

`python docs/tables.py` rewrites what stands between the markers of each page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pipeline import analyses, config, solvers
from pipeline.config.axes import FORMS
from pipeline.config.composition import CONF
from pipeline.config.document import ENGINES, SECTIONS, TOP
from pipeline.config.problem import FIELDS, FORMULA, PARTS
from pipeline.experiment import Engine
from pipeline.figures import joint
from pipeline.inspection import description
from pipeline.settings import Setting, Settings
from pipeline.status import AttractorKind, CriticalKind, FixedPointKind, Status

DOCS = Path(__file__).resolve().parent

# The parts of a map and of an objective that hold formulas and quantities: {part: (what, meaning)}.
PART_MEANINGS = {
    "equations": ("formula for each component", "the next value of each component of the state"),
    "expression": (
        "a formula",
        "the function f; values and kinds refer to f as written",
    ),
    "residuals": (
        "a formula or a list of them",
        "in the place of `expression`: numbers or vectors; f is the sum of their squares",
    ),
    "definitions": ("formula for each name", "named parts of the formulas, evaluated in order"),
    "parameters": (
        "number, array, or `{sample, shape}`",
        "the quantities that formulas use besides the state; an axis may sweep them",
    ),
    "initial": (
        "number, list, formula of the parameters, `{value, size}` or `{sample, size}`",
        "the start of each component; it also fixes whether it is real, complex or a vector",
    ),
    "modulus": (
        "number > 0 for each such component",
        "the length of the circle on which a component lives",
    ),
    "noise": (
        "formula, or `{normal: formula}` or `{uniform: formula}`, for each component or parameter",
        "what disturbs it at each step: the standard deviation, or how far at most",
    ),
}

FORM_MEANINGS = {
    "num": ("{start: 1, stop: 2, num: 101}", "both ends kept; `scale: log` for equal ratios"),
    "step": ("{start: 3.4, stop: 4.0, step: 0.001}", "without `stop`: these are 600 values"),
    "values": ("{values: [0.1, 0.2, 0.5]}", "the values themselves; the list alone will do"),
    "sample": (
        "{sample: uniform, num: 100, low: 0, high: 1}",
        "random, from `seed`; also `sobol`, `latin_hypercube`, and `normal` with `mean`, `std`",
    ),
    "file": (
        "{file: runs.csv, column: a}",
        "a column of a CSV file; values and the file's SHA-256 go into the archive",
    ),
}

# Data beyond this many numbers are not for a table.
LONGEST_LIST = 11

# (functions, an example for each, what they do).
FUNCTIONS = (
    ("sin cos tan", "sin(x)", "of an angle in radians"),
    ("arcsin arccos arctan", "arcsin(x)", "inverse of these"),
    ("arctan2", "arctan2(y, x)", "angle of the point (x, y), from -π to π"),
    ("sinh cosh tanh arcsinh arccosh arctanh", "sinh(x)", "hyperbolic, and inverse"),
    ("exp log log2 log10", "exp(x)", "exponential, and logarithms to the bases e, 2, 10"),
    ("expm1 log1p", "expm1(x)", "exp(x) - 1 and log(1 + x), exact for small x"),
    ("sqrt cbrt", "sqrt(x)", "square and cube root"),
    ("abs sign", "abs(x)", "modulus; -1, 0 or 1, of a complex number x/|x|"),
    ("floor ceil round", "floor(x)", "whole number below, above, nearest (ties to the even one)"),
    ("mod", "mod(x, y)", "remainder with the sign of y; the same as x % y"),
    ("minimum maximum", "minimum(x, y)", "smaller or larger of two, entry by entry"),
    ("clip", "clip(x, 0, 1)", "x, kept between two bounds"),
    ("where", "where(x > 0, x, y)", "one of two, by a condition"),
    ("isfinite", "isfinite(x)", "whether neither infinite nor NaN"),
    ("real imag conj arg", "real(z)", "parts of a complex number, its conjugate, its angle"),
    ("sum prod mean min max norm", "sum(v)", "over all entries, or along `axis=`; norm: Euclidean"),
    ("cumsum diff", "cumsum(v)", "running sums, or along `axis=`; differences of neighbours"),
    ("dot", "dot(v, w)", "scalar product; the same as v @ w"),
    ("roll", "roll(v, 1)", "entries shifted round the end, or along `axis=`"),
    ("concatenate stack", "concatenate([v, w])", "arrays joined, or laid along a new axis"),
    ("arange", "arange(size)", "0, 1, 2, ...; also arange(start, stop, step), of whole numbers"),
    ("linspace", "linspace(0, 1, 5)", "so many numbers with both ends"),
    ("ones zeros", "ones(size)", "array of ones or zeros; ones((n, m)) of two dimensions"),
    ("eye", "eye(3)", "identity matrix"),
)

CODES: Mapping[Any, Mapping[str, str]] = {
    Status: {
        "bounded": "iterated to the end without escaping (direct iteration)",
        "converged": "the norm of the residual came within the tolerance",
        "escaped": "beyond the escape radius, or not finite",
        "iteration_limit": "a solver had not converged after `iterate.length` steps",
        "stalled": "the step became smaller than rounding, the residual did not",
        "line_search_failed": "no length along the gradient led to anything less",
        "unbounded_objective": "the objective passed 1e20 on the wanted side",
        "job_failed": "a job of a sweep that failed, in `sweep.nc`",
    },
    CriticalKind: {
        "none": "not converged, more than 1000 dimensions, or `iterate.kinds=false`",
        "minimum": "all eigenvalues of the Hessian positive",
        "maximum": "all negative",
        "saddle": "some positive, some negative",
        "degenerate": "one of them 0, to 1e-8 of the largest",
    },
    FixedPointKind: {
        "none": "not converged, more than 1000 dimensions, or `iterate.kinds=false`",
        "attracting": "all multipliers inside the unit circle",
        "repelling": "all outside",
        "saddle": "some inside, some outside",
        "neutral": "one on the circle, to 1e-8, and no others on both sides of it",
    },
    AttractorKind: {
        "none": "no attractor has this index here",
        "fixed_point": "a stable fixed point of the map, or a point that a solver converges to",
        "cycle": "a stable cycle; period 0 where it is longer than `max_period`",
        "quasiperiodic": "none of these, and the largest exponent is 0 as far as can be told",
        "chaotic": "the largest exponent is positive, by more than three standard errors",
    },
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", r"\|") for c in row) + " |" for row in lines)


def code(value: Any) -> str:
    """A default as one writes it in YAML."""
    text = value if isinstance(value, str) else json.dumps(value).replace('"', "")
    return f"`{text}`"


def settings(path: str, chosen: Settings) -> list[list[str]]:
    """Rows key, value, default, meaning."""
    return [
        [
            f"`{path}{key}`",
            setting.expected,
            code(setting.default),
            setting.meaning + (" (an axis may sweep it)" if setting.swept else ""),
        ]
        for key, setting in chosen.items()
    ]


def keys() -> str:
    """Every key of a document, with its values and default."""
    head = ("key", "value", "default", "meaning")
    problems = [
        row
        for group in FIELDS
        for row in [
            *settings(f"{group}.", FIELDS[group]),
            *(
                [f"`{group}.{part}`", *PART_MEANINGS[part][:1], "none", *PART_MEANINGS[part][1:]]
                for part in (*FORMULA[group], *PARTS[group])
            ),
        ]
    ]
    solved = []
    for name, solver in solvers.TABLE.items():
        rows = settings("solver.", solver.settings) or [["none", "", "", ""]]
        takes = " and ".join(f"{group}s" for group in solver.solves)
        solved += [f"#### `solver={name}`, for {takes}", "", table(head, rows), ""]
    studied = []
    for name, analysis in analyses.TABLE.items():
        rows = settings(f"analysis.{name}.", analysis.settings)
        studied += rows or [[f"`analysis.{name}`", "`{}`", "", "it has no settings"]]
    rest = [row for name, own in SECTIONS.items() for row in settings(f"{name}.", own)]
    run_by = Setting("choice", Engine.name, "what runs the blocks", options=tuple(ENGINES))
    rest += settings("engine.", {"name": run_by})
    rest += [row for own in ENGINES.values() for row in settings("engine.", own)]
    parts = [
        ("The run", table(head, settings("", TOP))),
        ("Map or objective", table(head, problems)),
        ("Solver", "\n".join(solved).rstrip()),
        ("Analyses", table(head, studied)),
        ("Iterations, device, figure, engine", table(head, rest)),
    ]
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in parts)


def axes() -> str:
    """The forms of an axis."""
    rows = ([f"`{FORM_MEANINGS[form][0]}`", FORM_MEANINGS[form][1]] for form in FORMS)
    return table(("form", "values"), rows)


def choices(*groups: str) -> str:
    """The choices of each group with the first comment line of their files."""
    parts = []
    for group in groups:
        rows = (
            [f"`{group}={name}`", description(CONF / group / f"{name}.yaml")]
            for name in config.choices(group)
        )
        parts.append(table((group, "what it is"), rows))
    return "\n\n".join(parts)


def functions() -> str:
    """The functions that a formula may call."""
    rows = (
        [" ".join(f"`{name}`" for name in names.split()), f"`{example}`", meaning]
        for names, example, meaning in FUNCTIONS
    )
    return table(("functions", "for example", "what they do"), rows)


def codes() -> str:
    """The codes of status and of the kinds of points."""
    names = {
        Status: "status",
        CriticalKind: "critical_kind",
        FixedPointKind: "fixed_point_kind",
        AttractorKind: "attractor_kind",
    }
    rows = (
        [f"`{names[kind]}`", str(int(code)), f"`{code.name}`", CODES[kind][code.name]]
        for kind in CODES
        for code in kind
    )
    return table(("variable", "code", "name", "meaning"), rows)


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) > LONGEST_LIST:
        return f"[{', '.join(map(_shown, value[:3]))}, ... {len(value)} numbers]"
    return re.sub(r'"', "", json.dumps(value, ensure_ascii=False))


def _named(node: Mapping[str, Any], sign: str, mark: str = "") -> str:
    return "<br>".join(f"`{name}{mark} {sign} {_shown(v)}`" for name, v in node.items())


def _sought(node: Mapping[str, Any]) -> str:
    """What an objective is made of: its formula, or its residuals."""
    if "expression" in node:
        return f"`{node['sense'][:3]} {node['expression']}`"
    given = node["residuals"]
    listed = given if isinstance(given, list) else [given]
    return "min sum of squares of<br>" + "<br>".join(f"`{formula}`" for formula in listed)


def problems(group: str) -> str:
    """The maps or the objectives, from their files."""
    rows = []
    for name in config.choices(group):
        path = CONF / group / f"{name}.yaml"
        node = yaml.safe_load(path.read_text(encoding="utf-8"))
        if name == "custom":
            continue
        formulas = [_named(node["equations"], "=", "'")] if group == "map" else [_sought(node)]
        formulas += [_named(node["definitions"], "=")] if node.get("definitions") else []
        circles = ", ".join(
            f"`{name}` mod `{_shown(m)}`" for name, m in node.get("modulus", {}).items()
        )
        formulas += [f"on circles: {circles}"] if circles else []
        numbers = [_named(node["parameters"], "=")] if node["parameters"] else []
        numbers += [_named(node["initial"], "=", "0")]
        rows.append(
            [
                f"**`{name}`** {description(path)}",
                "<br>".join(formulas),
                "<br>".join(numbers),
                " ".join(node["reference"].split()),
            ]
        )
    return table((group, "formulas", "parameters and start", "reference"), rows)


def joint_figures() -> str:
    """The kinds of figure that compare jobs."""
    rows = ([f"`figure.joint={name}`", kind.meaning] for name, kind in joint.KINDS.items())
    return table(("figure of a sweep", "what it is"), rows)


# {page: {marker: what stands there}}
PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "config.md": {
        "keys": keys,
        "axes": axes,
        "choices": lambda: (
            f"{choices('experiment', 'solver', 'analysis', 'figure', 'device', 'engine')}"
            f"\n\n{joint_figures()}"
        ),
    },
    "formulas.md": {"functions": functions},
    "archive.md": {"codes": codes},
    "maps.md": {"maps": lambda: problems("map"), "objectives": lambda: problems("objective")},
}


def filled(page: str) -> str:
    """The text of a page with its tables as they should be."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for marker, make in PAGES[page].items():
        begin, end = f"<!-- {marker}: python docs/tables.py -->", f"<!-- end of {marker} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"docs/{page}: expected {begin} ... {end}")
        text = f"{before}{begin}\n\n{make()}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    for page in PAGES:
        (DOCS / page).write_text(filled(page), encoding="utf-8")
