"""README.md and docs/: what they show runs, and what they list is what there is."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from PIL import Image

import pipeline
from docs import gallery, tables
from pipeline import analyses, config, expressions, preparation, solvers
from pipeline.__main__ import main
from pipeline.config import jobs
from pipeline.config.axes import FORMS
from pipeline.config.composition import CONF
from pipeline.config.document import SECTIONS, TOP
from pipeline.config.mistakes import Mistakes
from pipeline.config.problem import FIELDS, FORMULA, PARTS
from pipeline.errors import ConfigError
from pipeline.inspection import GROUPS

ROOT = CONF.parent
PAGES = {p.relative_to(ROOT).as_posix(): p for p in (ROOT / "README.md", *ROOT.glob("docs/*.md"))}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
WHOLE = "\n".join(TEXTS.values())
STALE = "a table is out of date: run `python docs/tables.py`"
# So that the page opens quickly and the repository stays small.
LARGEST_PICTURE, LARGEST_GALLERY = 120_000, 2_000_000


def fenced(language: str) -> list[str]:
    """The blocks of all pages in one language."""
    blocks = re.findall(r"^```(\w*)\n(.*?)\n```$", WHOLE, re.DOTALL | re.MULTILINE)
    return [text for name, text in blocks if name == language]


LINES = [line for block in fenced("sh") for line in block.replace("\\\n", " ").split("\n")]
RUNS = list(dict.fromkeys(line.split("&& ")[-1] for line in LINES if "python run.py" in line))
COMMANDS = list(dict.fromkeys(line for line in LINES if line.startswith("python -m pipeline")))
PROGRAMS = fenced("python")
REFUSED = [block for block in fenced("") if block.startswith("$ python run.py")]


def test_there_is_something_to_test():
    assert RUNS
    assert COMMANDS
    assert PROGRAMS
    assert REFUSED


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the files that the pages let a reader write, and the first run's result."""
    folder = tmp_path_factory.mktemp("reader")
    shown = re.findall(r"`(my_conf/\S+\.yaml)`:\n\n```yaml\n(.*?)\n```", WHOLE, re.DOTALL)
    assert shown
    for path, text in shown:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    pipeline.run(
        "experiment=logistic_bifurcation", "figure=none", folder=folder / "outputs" / "first"
    ).close()
    study = ["map=logistic,cubic", "map.parameters.a=3.2,3.5", "figure=none"]
    assert main(["run", "-m", *study, f"hydra.sweep.dir={folder / 'outputs' / 'study'}"]) == 0
    return folder


def documents(words):
    """The document of each job of a command line."""
    words, folder = list(words), None
    if "--config-dir" in words:
        at = words.index("--config-dir")
        folder = words[at + 1]
        del words[at : at + 2]
    if "-m" not in words:
        yield config.compose(words, folder)
        return
    words.remove("-m")
    fixed, swept = jobs.split(Mistakes(), OverridesParser.create().parse_overrides(words))
    for chosen in jobs.combinations([s for s in swept if s.axis is None]):
        overrides = [*fixed, *(f"{s.key}={text}" for s, text, _ in chosen)]
        numbers = [s for s in swept if s.axis is not None]
        document, left = jobs.with_axes(config.compose(overrides, folder), numbers)
        if not left:
            yield document
        # A number that is no quantity, such as a size, is a choice: a job for each value.
        for values in itertools.product(*(s.axis["values"] for s in left)) if left else ():
            choices = [f"{s.key}={value:g}" for s, value in zip(left, values, strict=True)]
            yield config.compose([*overrides, *choices], folder)


@pytest.mark.parametrize("line", RUNS)
def test_commands_read_without_mistakes(line, place, monkeypatch):
    monkeypatch.chdir(place)
    python, script, *words = shlex.split(line)
    assert (python, script) == ("python", "run.py")
    for document in documents(words):
        preparation.prepare(config.read(document))


@pytest.mark.parametrize("line", COMMANDS)
def test_other_commands_succeed(line, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert main(shlex.split(line)[3:]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("block", REFUSED, ids=range(len(REFUSED)))
def test_mistakes_are_told_as_shown(block):
    line, _, shown = block.partition("\n")
    with pytest.raises(ConfigError) as caught:
        config.read(config.compose(shlex.split(line)[3:]))
    assert str(caught.value) == shown


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_python_blocks_run(program, place):
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "CHANGED" not in done.stdout


@pytest.mark.parametrize("page", tables.PAGES)
def test_tables_are_up_to_date(page):
    assert tables.filled(page) == TEXTS[f"docs/{page}"], STALE


def test_every_key_has_a_row_with_its_default():
    page = TEXTS["docs/config.md"]
    sections = {
        "": TOP,
        **{f"{name}.": s for name, s in (SECTIONS | FIELDS).items()},
        **{f"analysis.{name}.": a.settings for name, a in analyses.TABLE.items()},
    }
    solved = [("solver.", solver.settings) for solver in solvers.TABLE.values()]
    for path, settings in [*sections.items(), *solved]:
        for key, setting in settings.items():
            row = f"| `{path}{key}` | {setting.expected} | {tables.code(setting.default)} |"
            assert row in page, STALE


def test_every_part_form_and_function_has_a_meaning():
    parts = {part for group in PARTS for part in (*PARTS[group], *FORMULA[group])}
    assert set(tables.PART_MEANINGS) == parts
    assert set(tables.FORM_MEANINGS) == set(FORMS)
    listed = [name for names, *_ in tables.FUNCTIONS for name in names.split()]
    assert sorted(listed) == sorted(expressions.FUNCTIONS)


@pytest.mark.parametrize(("names", "example"), [row[:2] for row in tables.FUNCTIONS])
def test_function_examples_are_formulas(names, example):
    assert example.startswith(f"{names.split()[0]}(") or example.partition("(")[0] in names.split()
    expressions.compile(example, ["x", "y", "z", "v", "w", "size"])


@pytest.mark.parametrize("group", GROUPS)
def test_every_choice_is_listed(group):
    for name in config.choices(group):
        page = "docs/maps.md" if group in ("map", "objective") else "docs/config.md"
        assert re.search(rf"`{group}={name}`|\*\*`{name}`\*\*", TEXTS[page]), STALE


def test_every_choice_that_is_shown_exists():
    for group, name in re.findall(rf"\b({'|'.join(GROUPS)})=(\w+)", WHOLE):
        known = {*config.choices(group), "mine", "logstic", "harvest", "predator", "valley"}
        known |= {"f", "late", "cooling"}  # Python functions
        assert name in known, f"{group}={name}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", TEXTS[page]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = PAGES[page].parent / path if path else PAGES[page]
        assert file.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {head.lower().replace(" ", "-") for head in heads}, target


def test_every_picture_has_its_command_and_is_small():
    files = {path.stem: path for path in (ROOT / "docs" / "pictures").iterdir()}
    # The benchmarks draw their own.
    assert f"pictures/{files.pop('benchmarks').name}" in TEXTS["docs/benchmarks.md"]
    commands = gallery.commands()
    assert set(files) == set(commands)
    shown = set(re.findall(r"pictures/(\w+)\.png\)", WHOLE)) - {"benchmarks"}
    assert set(commands) == shown
    for path in files.values():
        assert path.stat().st_size < LARGEST_PICTURE
        with Image.open(path) as picture:
            assert picture.width == gallery.WIDTH
    assert sum(path.stat().st_size for path in files.values()) < LARGEST_GALLERY
