"""`python -m rmtlottery.doctor` tells the machine's state and fails when the arithmetic is off."""

import pytest

import rmtlottery as rl
from rmtlottery import doctor


def test_it_is_well_here(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("RMTL_RUNS", str(tmp_path / "not" / "there"))
    monkeypatch.setenv("RMTL_DATA", "/some/data")
    assert doctor.main([]) == 0
    out = capsys.readouterr().out
    for words in ("torch", "cores", f"{tmp_path}/not/there (", "GB free", "checksum right", "/some/data", "all is well"):
        assert words in out


@pytest.mark.parametrize(
    ("name", "place", "broken"),
    [
        ("Gaussian quadrature", "rmtlottery.meanfield.gaussian_mean", lambda f, q: 1.01 * q),
        ("edge of chaos", "rmtlottery.meanfield.critical_sigma_w", lambda sigma_b, phi="tanh": 1.4),
        ("pruning counts", "rmtlottery.prune.cut.removed", lambda remaining, rate: int(remaining * rate)),
    ],
)
def test_broken_arithmetic_is_seen_and_named(name, place, broken, capsys, monkeypatch):
    import rmtlottery.meanfield  # noqa: F401

    monkeypatch.setattr(place, broken)
    assert doctor.main([]) == 2
    assert f"1 of 4 checks failed: {name}" in capsys.readouterr().out


def test_it_takes_no_words():
    with pytest.raises(rl.Refusal, match="the doctor takes no 'x'"):
        doctor.main(["x"])
