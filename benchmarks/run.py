"""Run the benchmarks, all or those named, and write their tables and one picture into docs/."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import measure
from matplotlib.figure import Figure
from PIL import Image

SCRIPTS = """
    final_state lyapunov spectrum period_plane basin branches escape solvers batch archive
    cluster bifurcation scaling essay kernel
""".split()
HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"
PICTURE = PAGE.parent / "pictures" / "benchmarks.png"
COLOURS = 32
# What lies between these two lines of the page is written here; the rest by hand.
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def measured(script: str) -> dict[str, Any]:
    """What a script found, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "results.json"
        subprocess.run([sys.executable, HERE / f"{script}.py", "--json", target], check=True)
        return json.loads(target.read_text(encoding="utf-8"))


def page(results: dict[str, Any]) -> str:
    """All tables, each below where and when it was measured."""
    parts = []
    for script, data in results.items():
        where = f"`{script}.py`, {data['date']}: {data['machine']}, load {data['load']}"
        study = measure.restore(data)
        parts += [
            f"### {study.question}",
            f"{where}; {data['versions']}.",
            measure.described(study),
        ]
    return "\n\n".join(parts)


def draw(results: dict[str, Any]) -> Figure:
    """Every ratio to a peer, with its range and the target."""
    rows = [row for data in results.values() for row in measure.restore(data).rows]
    figure = Figure(figsize=(9, 0.28 * len(rows) + 1.2), layout="constrained")
    ax = figure.add_subplot()
    places = range(len(rows))
    ratios = [row.ratio for row in rows]
    low = [row.ratio - min(row.ratios) for row in rows]
    high = [max(row.ratios) - row.ratio for row in rows]
    # From 1, where both are as fast: a logarithmic axis has no zero for bars to start at.
    widths = [ratio - 1 for ratio in ratios]
    ax.barh(places, widths, left=1, color=["#4477aa" if w > 0 else "#bbbbbb" for w in widths])
    ax.errorbar(ratios, places, xerr=(low, high), fmt="none", ecolor="black", lw=1, capsize=2)
    wanted = [(row.target, place) for place, row in enumerate(rows) if row.target]
    ax.scatter(*zip(*wanted, strict=True), marker="|", s=120, color="#cc3311", zorder=3)
    ax.axvline(1, color="black", lw=0.8)
    ax.set_yticks(places, [f"{row.case}: {row.ours} / {row.peer}" for row in rows], fontsize=7)
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set_xlabel("peer's time / Cobweb's; red: target")
    ax.margins(y=0.01)
    return figure


def write(results: dict[str, Any]) -> None:
    """The page's own part and the picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{page(results)}\n\n{END}{after}", encoding="utf-8")
    drawn = io.BytesIO()
    draw(results).savefig(drawn, dpi=110)
    # A few flat colours, the rare red of targets among them: a quarter of the bytes.
    with Image.open(drawn) as whole:
        flat = whole.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    flat.save(PICTURE, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=", ".join(SCRIPTS))
    parser.add_argument("--write", action="store_true", help="only write what is known already")
    args = parser.parse_args()
    unknown = set(args.scripts) - set(SCRIPTS)
    if unknown:
        parser.error(f"no such script: {', '.join(sorted(unknown))}")
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for script in [] if args.write else args.scripts or SCRIPTS:
        print(f"== {script}", flush=True)
        results[script] = measured(script)
        results = {name: results[name] for name in SCRIPTS if name in results}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write(results)


if __name__ == "__main__":
    main()
