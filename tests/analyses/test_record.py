import numpy as np
import pytest

from pipeline import config, run
from pipeline.errors import ConfigError

RECORD = ["experiment=orbit", "analysis=[record]", "figure=none", "map.initial.x=0.1"]


def both(*overrides):
    """The record with the orbit that it is taken from."""
    return run("experiment=orbit", "analysis=[orbit, record]", "figure=none", *overrides)


def test_is_what_a_filter_of_the_orbit_leaves():
    ds = both(
        "iterate.transient=20", "iterate.length=500", "analysis.record.max=60",
        "analysis.record.when='x > 0.8*level and n % 2 == 0'", "map.initial.x=0.1",
        "map.equations.x='a*level*(1-x)'", "map.definitions={level: x}",
        "grid={a: {start: 3.5, stop: 4, num: 5}}",
    )  # fmt: skip
    for i in range(5):
        x, n = ds.x.values[i], ds.iteration.values
        kept = (x > 0.8 * x) & (n % 2 == 0)
        assert int(ds.record_count[i]) == kept.sum() == 250
        np.testing.assert_array_equal(ds.record_x[i], x[kept][:60])
        np.testing.assert_array_equal(ds.record_iteration[i], n[kept][:60])


def test_padding_and_swept_parameters():
    ds = both(
        "map=henon", "iterate.transient=20", "iterate.length=300", "analysis.record.max=200",
        "analysis.record.when='x > y + a - 1'", "grid={a: {start: 1.2, stop: 1.4, num: 3}}",
    )  # fmt: skip
    for i, a in enumerate(ds.a.values):
        x, y = ds.x.values[i], ds.y.values[i]
        kept = x > y + a - 1
        count = int(ds.record_count[i])
        assert count == kept.sum() < 200
        np.testing.assert_array_equal(ds.record_y[i, :count], y[kept])
        assert np.isnan(ds.record_x.values[i, count:]).all()
        assert (ds.record_iteration.values[i, count:] == -1).all()


def test_complex_vector_and_single_precision():
    ds = both(
        "map=quadratic_c", "map.parameters.c=-0.3+0.5j", "iterate.length=100",
        "analysis.record.when='real(z) > -0.3'",
    )  # fmt: skip
    kept = ds.z_re.values[1:] > -0.3
    np.testing.assert_array_equal(ds.record_z_im[: kept.sum()], ds.z_im.values[1:][kept])
    ds = both(
        "map=coupled_logistic", "iterate.length=50", "analysis.record.max=7",
        "analysis.record.when='sum(x)/size > 0.5'", "device.precision=single",
    )  # fmt: skip
    assert ds.record_x.dims == ("record", "x_dim")
    assert ds.record_x.dtype == np.float32
    kept = ds.x.sel(iteration=ds.record_iteration.values[ds.record_iteration.values > 0])
    np.testing.assert_array_equal(ds.record_x[: len(kept)], kept)


def test_an_escaped_cell_keeps_nothing():
    ds = run(*RECORD, "grid={a: {values: [3.9, 4.5]}}", "analysis.record.when='x > -2'")
    assert ds.record_count.values.tolist() == [100, 0]
    assert np.isnan(ds.record_x.values[1]).all()
    assert (ds.record_iteration.values[1] == -1).all()


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (None, "analysis.record.when = null: expected a condition, such as x > 0."),
        ("x >", "analysis.record.when: "),
        ("x > u", 'no name called "u" (known: a, e, n, pi, x).'),
        ("x + a", "expected a condition, such as x + a > 0; this is a number."),
        ("[x, a] > 0", "this is an array of shape [2]."),
        ("x > ones(3) @ ones(2)", "analysis.record.when: "),
    ],
)
def test_mistakes(when, message):
    document = config.compose(RECORD)
    document["analysis"]["record"]["when"] = when
    with pytest.raises(ConfigError) as caught:
        config.read(document)
    assert message in str(caught.value)


def test_a_mistake_shows_its_place_among_all_others():
    document = config.compose(
        [*RECORD, "analysis.record.when='x > sin(u)'", "analysis.record.max=0"]
    )
    with pytest.raises(ConfigError) as caught:
        config.read(document)
    assert "analysis.record.max = 0: expected an integer >= 1" in str(caught.value)
    document = config.compose([*RECORD, "analysis.record.when='x > sin(u)'", "iterate.length=0"])
    with pytest.raises(ConfigError) as caught:
        config.read(document)
    told = str(caught.value)
    assert "iterate.length = 0" in told
    lines = told.splitlines()
    shown = next(i for i, line in enumerate(lines) if line.strip() == "x > sin(u)")
    assert lines[shown + 1].index("^") - lines[shown].index("x") == 8


def test_not_of_what_ends_early():
    asked = ["experiment=quadratic_basin", "analysis=[record]", "analysis.record.when='x > 0'"]
    for ending, message in (
        ("solver=newton", "a solver's cells end"),
        ("iterate.stop=converged", "drop iterate.stop=converged"),
    ):
        with pytest.raises(ConfigError, match=f"analysis.record: .*{message}"):
            config.read(config.compose([*asked, ending]))
