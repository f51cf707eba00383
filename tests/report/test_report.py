"""The page: what is on it, that nothing of an archive is obeyed, and how a browser shows it."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline import report
from tests.figures.datasets import logistic

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = "</title><script>document.title='owned'</script><img src=x onerror=alert(1)>\x1b&amp;'\""
TEXTS = {
    "document": "map: {name: logistic}",
    "overrides": '["experiment=orbit", "map=henon"]',
    "packages": '{"jax": "0.10.2"}',
    "git_commit": "",
    "plan": "x" * 300,
    "job_0": '{"labels": {}}',
}


class Page(HTMLParser):
    """The elements of a page, checked to be closed in order."""

    VOID = frozenset(["meta", "img"])

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def png() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (40, 30), "white").save(stream, "png")
    return stream.getvalue()


def run(title: str = "a run", **parts) -> str:
    """The page of one run."""
    picture = report.Picture(png(), "figure=bifurcation")
    job = report.Job({}, logistic(50, 20, 20), "map: {name: logistic}", [picture], **parts)
    return report.page({"title": title, "history": "computed", "references": "none"}, [job], TEXTS)


def sweep(count: int = 2, error: str = "it broke") -> str:
    """The page of a sweep of which the last job failed."""
    ds = logistic(50, 20, 20)
    jobs = [report.Job({"map": f"m{k}", "size": str(k)}, ds, "map: {}") for k in range(count - 1)]
    jobs.append(report.Job({"map": "last", "size": "9"}, ds, "", error=error))
    return report.page({"title": "a sweep"}, jobs, TEXTS)


def test_a_run_in_its_parts():
    text = run()
    page = Page(text)
    heads = re.findall("<h[12]>(.*?)</h[12]>", text)
    parts = ["How the cells ended", "Results", "Document", "Dimensions and variables"]
    assert heads == ["a run", *parts, "Environment"]
    assert "computed" in page.words
    assert "map: {name: logistic}" in page.words
    assert "3.4 … 4" in page.words
    assert re.search(r"bounded.*?50.*?100 %", text, re.DOTALL)
    assert "experiment=orbit   map=henon" in page.words
    assert "0.10.2" in page.words
    assert "job_0" not in text


def test_results_are_summed_up():
    ds = logistic(50, 20, 20)
    ds["v"] = ("a", np.r_[np.nan, np.arange(49.0)])
    ds["v"].attrs = {"long_name": "a number", "units": "1"}
    job = report.Job({}, ds, "")
    text = report.page({}, [job], {})
    row = re.search(r"<tr><td>v</td>(.*?)</tr>", text)
    assert row
    assert re.findall(">([^<]*)<", row[1]) == ["0", "", "24", "", "48", "", "1", "", "a number"]


def test_a_sweep_lists_its_jobs_and_their_errors():
    text = sweep(3)
    page = Page(text)
    assert re.findall("<h2>(.*?)</h2>", text)[:2] == ["3 jobs", "map = m0, size = 0"]
    links = [attrs["href"] for tag, attrs in page.found if tag == "a"]
    places = {f"#{attrs['id']}" for tag, attrs in page.found if "id" in attrs}
    assert set(links) == places
    assert len(places) == 3
    assert page.words.count("it broke") == 2
    first = text[text.index("<tbody>") : text.index("</tbody>")]
    rows = [re.findall("<td", row) for row in first.split("</tr>")[:-1]]
    assert {len(row) for row in rows} == {4}


def test_a_large_sweep_stays_a_page(monkeypatch):
    monkeypatch.setattr(report, "MOST_JOBS", 3)
    text = sweep(10)
    assert "10 jobs" in text
    assert "7 more jobs are in the archive." in text
    assert text.count("<section") == 3


@pytest.mark.parametrize("make", [run, sweep])
def test_nothing_is_loaded_from_elsewhere(make):
    """Every address is a place on the page, or data; no script, no frame, no style sheet."""
    text = make()
    for tag, attrs in Page(text).found:
        assert tag not in ("script", "link", "iframe", "object", "embed", "form", "base", "svg")
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "data"):
            value = attrs.get(name) or "#"
            assert value.startswith(("#", "data:image/png;base64,"))
    assert "@import" not in text
    assert "url(" not in text
    policy = re.search('Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'")


def test_what_a_stranger_wrote_is_text():
    ds = logistic(50, 20, 20).rename(x=HOSTILE, a=HOSTILE + "a")
    ds["status"].attrs["flag_meanings"] = HOSTILE.replace(" ", "")
    ds["s"] = ds["status"].astype(float).assign_attrs(long_name=HOSTILE, units=HOSTILE)
    job = report.Job({HOSTILE: HOSTILE}, ds, HOSTILE, [report.Picture(png(), HOSTILE)], HOSTILE)
    failed = report.Job({HOSTILE: "2"}, ds, HOSTILE, error=HOSTILE)
    single = report.Job({}, ds, HOSTILE, [report.Picture(png(), HOSTILE)], HOSTILE)
    texts = {HOSTILE: HOSTILE, "long": HOSTILE * 20, "packages": '{"<script>": "<script>"}'}
    attributes = dict.fromkeys(("title", "history", "references"), HOSTILE)
    for jobs in ([job, failed], [single]):
        text = report.page(attributes, jobs, texts)
        assert "<script" not in text
        assert "\x1b" not in text
        tags = {tag for tag, _ in Page(text).found}
        assert tags <= set(
            "html head meta title style body header h1 h2 p dl div dt dd figure img figcaption "
            "table thead tbody tr th td span i a section details summary pre".split()
        )
        assert all(a.get("alt") for tag, a in Page(text).found if tag == "img")
        assert not [a for _, a in Page(text).found if any(name.startswith("on") for name in a)]


def test_endless_texts_are_cut():
    long = "a<" * 10**6
    text = report.page({"title": "t"}, [report.Job({}, logistic(5, 2, 2), long)], {"plan": long})
    assert len(text) < 10**6
    assert "[cut: 2,000,000 characters; the archive has them all]" in text


def test_an_archive_of_nothing():
    job = report.Job({}, logistic(5, 2, 2).drop_vars("status"), "", remark="Nothing to draw.")
    page = Page(report.page({}, [job], {"packages": "[" * 10**5}))
    assert "An archive of Cobweb's" in page.words
    assert "Nothing to draw." in page.words
    assert "No result is one number a cell." in page.words


# In a browser


def browse(folder: Path, text: str, *options: str) -> str:
    """What chromium says of a page."""
    (folder / "page.html").write_text(text, encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={folder / 'profile'}", *options, (folder / "page.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def picture(folder: Path, text: str, *options: str) -> np.ndarray:
    """[y, x, 3] A page as chromium draws it."""
    target = folder / "page.png"
    browse(folder, text, f"--screenshot={target}", *options)
    with Image.open(target) as drawn:
        return np.asarray(drawn.convert("RGB")).astype(float)


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium here")
def test_a_browser_runs_nothing_of_a_strangers(tmp_path):
    dom = browse(tmp_path, run(HOSTILE), "--dump-dom")
    title = re.search("<title>(.*?)</title>", dom, re.DOTALL)
    assert title
    assert html.unescape(title[1]).startswith("</title><script>document.title='owned'")


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium here")
def test_a_browser_shows_light_and_dark(tmp_path):
    light = picture(tmp_path, run(), "--window-size=900,1200")
    dark = picture(
        tmp_path, run(), "--window-size=900,1200", "--blink-settings=preferredColorScheme=0"
    )
    assert np.median(light) > 240
    assert np.median(dark) < 40
    # Text stands out in both.
    assert np.ptp(light[:150]) > 180
    assert np.ptp(dark[:150]) > 180


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium here")
def test_a_narrow_page_scrolls_its_tables_alone(tmp_path):
    """On a phone's width the right margin stays empty however wide tables and documents are."""
    ds = logistic(50, 20, 20).rename(x="x" * 120)
    wide = report.Job({}, ds, "word " * 200)
    (tmp_path / "inner.html").write_text(report.page({"title": "t"}, [wide], TEXTS), "utf-8")
    frame = f'<iframe src="{(tmp_path / "inner.html").as_uri()}" width=360 height=1500></iframe>'
    shot = picture(tmp_path, f"<body style='margin:0'>{frame}", "--window-size=600,1500")
    # The frame has borders of 2 pixels, the page a margin of 16.
    assert np.ptp(shot[2:1500, 348:361]) == 0
    assert np.ptp(shot[2:1500, 20:340]) > 180
