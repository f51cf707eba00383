"""The pictures of the pages: each is drawn by the command that stands below it.

`python docs/gallery.py` runs them all and writes docs/pictures/; with names it writes those alone.
A picture `![...](.../name.png)` belongs to the next block ```sh with `python run.py ...` in it.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md",)
# GitHub shows a page some 900 pixels wide; half of that still shows the small letters.
WIDTH = 640
# As many as keep a picture below so many bytes.
COLOURS = (256, 128, 64, 32)
BYTES = 110_000
# Rounds that move the chosen colours: they halve the error of smooth shades.
ROUNDS = 3
PICTURE = re.compile(
    r"!\[[^\]]*\]\(\S*?pictures/(?P<name>\w+)\.png\)\s+```sh\n(?P<command>.*?)\n```", re.DOTALL
)


def commands() -> dict[str, str]:
    """{picture: the command that draws it}."""
    found = {}
    for page in PAGES:
        for match in PICTURE.finditer((ROOT / page).read_text(encoding="utf-8")):
            # Of several commands, as in the first block, the one that runs an experiment.
            command = match["command"].replace("\\\n", " ").split("&& ")[-1]
            found[match["name"]] = " ".join(shlex.quote(word) for word in shlex.split(command))
    return found


def _figure(run: Path) -> Path:
    """The figure of a run; of a study the one of all jobs, or else that of the last."""
    found = sorted(run.rglob("figure.png"), key=lambda path: (-len(path.parts), path))
    return found[-1]


def draw(name: str, command: str) -> int:
    """Run a command and keep its picture, small; return the picture's bytes."""
    python, *words = shlex.split(command)
    assert python == "python"
    target = ROOT / "docs" / "pictures" / f"{name}.png"
    with tempfile.TemporaryDirectory() as folder:
        places = (f"hydra.run.dir={folder}/run", f"hydra.sweep.dir={folder}/run")
        subprocess.run([sys.executable, *words, *places], cwd=ROOT, check=True)
        shrink(_figure(Path(folder) / "run"), target)
    return target.stat().st_size


def shrink(figure: Path, target: Path) -> None:
    """Keep a figure as a small picture."""
    with Image.open(figure) as full:
        height = round(full.height * WIDTH / full.width)
        small = full.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    for colours in COLOURS:
        flat = small.quantize(
            colours, Image.Quantize.MAXCOVERAGE, kmeans=ROUNDS, dither=Image.Dither.NONE
        )
        flat.save(target, optimize=True)
        if target.stat().st_size <= BYTES:
            break


if __name__ == "__main__":
    for name, command in commands().items():
        if len(sys.argv) == 1 or name in sys.argv[1:]:
            print(f"{name}.png: {draw(name, command):,} bytes")
