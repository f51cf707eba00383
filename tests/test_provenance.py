"""Provenance: what an archive says of where it came from."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import config, notation, provenance
from tests.runs import experiment

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40)
@example({"a": ["1e-3", "089", "1e5", "2001-1-1x", "12:30:7", "+.5"], "e": 1e-5, "08": 8})
@example({"\x85": "\u2028 \u2029", "tab\t": "\r\n", "e": 1e-300, "no": "no"})
@given(st.dictionaries(st.text(), plain, max_size=5))
def test_a_document_survives_as_yaml(document: dict[str, Any]) -> None:
    """Any plain data: letters, signs, numbers to the last digit; for our reader and PyYAML's."""
    text = provenance.text(document)
    assert yaml.safe_load(text) == document
    assert notation.read(text) == document


def test_a_document_keeps_its_order_and_its_letters() -> None:
    """For a reader, who knows Hénon."""
    text = provenance.text({"map": {"name": "Hénon", "equations": {"y": "b*x", "x": "y"}}})
    assert text == "map:\n  name: Hénon\n  equations: {y: b*x, x: y}\n"


def test_a_read_document_is_one_again() -> None:
    """What the experiment keeps is plain data, and gives the same experiment."""
    found = experiment(
        map="coupled_logistic",
        grid={"a": {"start": 3, "stop": 4, "num": 5}, "s": {"of": "x0_2", "values": [0.1, 0.2]}},
    )
    text = provenance.text(found.document)
    again = config.read(yaml.safe_load(text))
    assert again.document == found.document
    assert provenance.text(again.document) == text
    assert all(
        np.array_equal(a.values, b.values) for a, b in zip(again.grid, found.grid, strict=True)
    )
    for name, value in found.problem.initial.items():
        assert np.array_equal(value, again.problem.initial[name])


def test_what_is_gathered() -> None:
    texts = provenance.gather({"seed": 3}, ["seed=3", "map='a b'"], {"block": 7}, "cpu: 1 x cpu")
    assert all(isinstance(text, str) for text in texts.values())
    assert set(texts) == {
        "document",
        "overrides",
        "command_line",
        "code",
        "git_commit",
        "git_diff",
        "packages",
        "python",
        "platform",
        "machine",
        "cpu",
        "device",
        "xla_flags",
        "seed",
        "plan",
    }
    assert yaml.safe_load(texts["document"]) == {"seed": 3}
    assert json.loads(texts["overrides"]) == ["seed=3", "map='a b'"]
    assert json.loads(texts["plan"]) == {"block": 7}
    assert texts["seed"] == "3"
    assert json.loads(texts["packages"])["jax"] == jax.__version__
    assert texts["python"] == sys.version
    assert texts["device"].startswith(jax.devices()[0].platform)


def test_xla_flags_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX")
    assert provenance.gather({}, [], {}, 0)["xla_flags"] == "--xla_cpu_max_isa=AVX"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout of a package of one file, which provenance takes for its own."""
    package = tmp_path / "pipeline"
    package.mkdir()
    (tmp_path / "conf").mkdir()
    (package / "provenance.py").write_text("a = 1\n")
    (tmp_path / "other.py").write_text("b = 1\n")
    who = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "One"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    monkeypatch.setattr(provenance, "__file__", str(package / "provenance.py"))
    return tmp_path


def test_the_commit_and_its_change(checkout: Path) -> None:
    """Of the code and its configs alone."""
    head = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    assert provenance._git() == (head, "")
    (checkout / "other.py").write_text("b = 2\n")
    assert provenance._git() == (head, "")
    (checkout / "pipeline" / "provenance.py").write_text("a = 'é'\n")
    commit, diff = provenance._git()
    assert commit == head
    assert "-a = 1\n+a = 'é'" in diff
    assert "other.py" not in diff


def test_a_long_change_is_cut(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "LONGEST_DIFF", 100)
    (checkout / "pipeline" / "provenance.py").write_text("a = 2\n" * 1000)
    _, diff = provenance._git()
    kept, note = diff.rsplit("\n", 1)
    assert len(kept) == 100
    assert note.startswith("[cut: ")
    assert int(note.split()[1]) > 6000


def test_code_that_is_no_checkout(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that git does not know, below somebody's checkout; and no git at all."""
    (checkout / "site").mkdir()
    (checkout / "site" / "provenance.py").write_text("c = 1\n")
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "__file__", str(checkout / "site" / "provenance.py"))
        assert provenance._git() == ("", "")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert provenance._git() == ("", "")


def test_versions() -> None:
    assert provenance.version("numpy") == np.__version__
    assert provenance.version("no-such-distribution") == "not installed"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("db.password=hunter2", "db.password=***"),
        ("db.password=two words", "db.password=***"),
        ("+login={token: abc, user: me}", "+login={token: ***, user: me}"),
        ("env={AWS_SECRET_ACCESS_KEY: 'a/b+c='}", "env={AWS_SECRET_ACCESS_KEY: ***}"),
        ("--api-key=zzz", "--api-key=***"),
        ("GITHUB_TOKEN=ghp_1", "GITHUB_TOKEN=***"),
        ("client.key=3", "client.key=***"),
        ("Passphrase: x", "Passphrase: ***"),
        ("s3://user:pa55@host/bucket", "s3://***@host/bucket"),
        ("out=https://me:pw@example.com:8080/a?b=c", "out=https://***@example.com:8080/a?b=c"),
        # Nothing secret.
        ("map=henon", "map=henon"),
        ("grid.a={start: 0, stop: 1, num: 5}", "grid.a={start: 0, stop: 1, num: 5}"),
        ("monkey=3", "monkey=3"),
        ("x=where(key == 3, x, -x)", "x=where(key == 3, x, -x)"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("", ""),
    ],
)  # fmt: skip
def test_secrets_are_masked(text: str, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In overrides, on the command line, in the flags of XLA."""
    monkeypatch.setattr(sys, "argv", ["run.py", text])
    monkeypatch.setenv("XLA_FLAGS", f"--xla_a=1 {text}")
    texts = provenance.gather({}, [text], {}, "cpu")
    assert json.loads(texts["overrides"]) == [kept]
    assert shlex.split(texts["command_line"]) == ["run.py", kept]
    secret = next((word for word in ("hunter2", "ghp_1", "pa55", "zzz") if word in text), None)
    assert secret is None or secret not in "".join(texts.values())


def test_a_secret_after_its_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--token", "abc", "map=henon"])
    text = provenance.gather({}, [], {}, "cpu")["command_line"]
    assert text == "run.py --token *** map=henon"


def test_secrets_in_a_change(checkout: Path) -> None:
    """Of the code; what is merely called a key stays."""
    code = "password = 'hunter2'\na = sorted(b, key=c)\nurl = 'https://me:pw@host/'\n"
    (checkout / "pipeline" / "provenance.py").write_text(code)
    diff = provenance.gather({}, [], {}, "cpu")["git_diff"]
    assert "hunter2" not in diff
    assert "me:pw" not in diff
    assert "+a = sorted(b, key=c)" in diff


def test_an_environment_is_one_table() -> None:
    texts = provenance.gather({}, [], {"block": 7, "kernel": {"unroll": 4}}, "cpu: 1 x cpu")
    found = provenance.environment(texts)
    assert found["jax"] == jax.__version__
    assert found["plan.block"] == "7"
    assert found["plan.kernel"] == '{"unroll": 4}'
    assert found["cpu"] == texts["cpu"] != ""
    assert not {"document", "overrides", "command_line", "seed"} & found.keys()
    assert provenance.environment({}) == {}
    assert provenance.environment({"plan": "[" * 10**5}) == {"plan": "[" * 10**5}


def test_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Linux calls it; where it does not say, as Python does."""

    def listed(path: Path, errors: str) -> str:
        assert str(path) == "/proc/cpuinfo"
        return "processor\t: 0\nmodel name\t: Zuse Z3\n"

    def absent(path: Path, errors: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(provenance.platform, "processor", lambda: "z3")
    for read, name in ((listed, "Zuse Z3"), (absent, "z3")):
        monkeypatch.setattr(Path, "read_text", read)
        assert provenance.cpu() == name
