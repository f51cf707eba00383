"""Figure files: formats, names, and all or nothing."""

from __future__ import annotations

from io import BytesIO

import matplotlib
import pytest
from PIL import Image

from pipeline import figures
from pipeline.errors import CobwebError
from tests.figures import datasets

STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture(scope="module")
def figure():
    return figures.draw(datasets.single())


@pytest.fixture
def paper():
    made = figures.draw(datasets.single(), style="paper")
    made.set_dpi(60)
    return made


def test_formats_into_a_folder(figure, tmp_path):
    paths = figures.save(figure, tmp_path, ("png", "svg", "pdf"))
    assert [p.name for p in paths] == ["figure.png", "figure.svg", "figure.pdf"]
    for path in paths:
        assert path.read_bytes().startswith(STARTS[path.suffix[1:]])
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_a_stem_names_the_files(figure, tmp_path):
    assert figures.save(figure, tmp_path / "a.b") == [tmp_path / "a.b.png"]
    assert figures.save(figure, tmp_path / "c.png") == [tmp_path / "c.png"]


def test_a_paper_comes_with_its_caption(paper, tmp_path):
    paths = figures.save(paper, tmp_path, ("png",))
    assert [p.name for p in paths] == ["figure.png", "figure.txt"]
    text = paths[1].read_text()
    for line in ("x' = a*x*(1 - x)", "parameters: a = 3.7", "transient 0, length 60", "direct"):
        assert line in text


@pytest.mark.parametrize("ending", STARTS)
def test_the_same_figure_is_the_same_file(ending, tmp_path):
    for name in ("one", "two"):
        figures.save(figures.draw(datasets.single()), tmp_path / name, (ending,))
    one, two = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("one", "two"))
    assert one == two


def test_an_unknown_format_is_refused_before_anything_is_written(figure, tmp_path):
    with pytest.raises(CobwebError, match=r'"gif": no such format .known: png, svg, pdf'):
        figures.save(figure, tmp_path, ("png", "gif"))
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_refused(figure, tmp_path):
    with pytest.raises(CobwebError, match="no such folder"):
        figures.save(figure, tmp_path / "none" / "figure")


def test_a_failure_leaves_the_old_files_alone(figure, tmp_path, monkeypatch):
    figures.save(figure, tmp_path, ("png",))
    before = (tmp_path / "figure.png").read_bytes()
    real = type(figure).savefig

    def fail(self, stream, **settings):
        if settings["format"] == "pdf":
            raise OSError(28, "No space left on device")
        return real(self, stream, **settings)

    monkeypatch.setattr(type(figure), "savefig", fail)
    with pytest.raises(CobwebError, match="No space left"):
        figures.save(figure, tmp_path, ("svg", "png", "pdf"))
    assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]
    assert (tmp_path / "figure.png").read_bytes() == before


def test_the_settings_of_the_process_come_back(figure, tmp_path):
    before = matplotlib.rcParams.copy()
    figures.save(figure, tmp_path, ("svg",))
    assert matplotlib.rcParams == before


def test_a_figure_as_bytes(figure):
    """In the pixels of its style or more of them; the figure keeps its own."""
    before = figure.dpi
    with (
        Image.open(BytesIO(figures.image(figure))) as one,
        Image.open(BytesIO(figures.image(figure, scale=2))) as two,
    ):
        assert one.format == two.format == "PNG"
        # Each side is rounded to whole pixels.
        assert two.size == pytest.approx((2 * one.width, 2 * one.height), abs=1)
    assert figure.dpi == before
