"""A rehearsal and a drill empty their own folders, and nobody else's."""

import pytest
from click.testing import CliRunner

from bubbybot_freqtrade.cli import main
from tests.rehearsal.conftest import STRATEGIES, candles_of

SHORT = ["--days", "0.01", "--pairs", "BTC/USDT:USDT", "--seed", "7", "--no-backtest"]
OWN = ["--strategy", "Scheduled", "--strategy-path", str(STRATEGIES)]


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture
def users_folder(tmp_path):
    """A folder as freqtrade's users have it."""
    folder = tmp_path / "user_data"
    for name in ("data/candles.feather", "backtest_results/best.zip", "trades.sqlite"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
    (folder / "config.json").write_text("{}")
    return folder


def test_a_rehearsal_touches_nothing_in_a_folder_that_is_not_its_own(users_folder):
    before = contents(users_folder)
    done = CliRunner().invoke(main, ["rehearse", *SHORT, *OWN, "--out", str(users_folder)])
    assert done.exit_code == 2, done.output
    assert "--out" in done.output
    assert contents(users_folder) == before


def test_a_drill_touches_nothing_in_a_folder_that_is_not_its_own(users_folder):
    (users_folder / "limits").mkdir()
    (users_folder / "limits" / "notes.txt").write_text("mine")
    before = contents(users_folder)
    arguments = ["drill", "--only", "limits", "--minutes", "1", "--out", str(users_folder)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1, done.output
    assert "--out" in done.output
    assert contents(users_folder) == before


def test_a_rehearsal_that_cannot_begin_leaves_the_last_one(tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["rehearse", *SHORT, *OWN, "--out", str(out)])
    assert done.exit_code == 0, done.output
    before = contents(out)
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"stake_amount": [1]}')
    for options in (
        ["--strategy", "Nobody", "--strategy-path", str(STRATEGIES)],
        [*OWN, "--config", str(wrong)],
    ):
        done = CliRunner().invoke(main, ["rehearse", *SHORT, *options, "--out", str(out)])
        assert done.exit_code == 2, done.output
        assert contents(out) == before
    (out / "data" / "old.feather").touch()
    done = CliRunner().invoke(main, ["rehearse", *SHORT, *OWN, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert not (out / "data" / "old.feather").exists()


def test_without_a_backtest_its_candles_are_kept_as_a_download_would(rehearsed, kept_candles):
    """`report` and `explain` draw from them."""
    asked = candles_of(rehearsed[0].settings.out)
    assert set(kept_candles) == set(asked) != set()
    for name, frame in kept_candles.items():
        # freqtrade asks for a little more than it needs; what was traded on is the same.
        both = asked[name].merge(frame, on="date", suffixes=("", "_kept"))
        assert len(both) == len(frame) > 60
        for column in ("open", "high", "low", "close", "volume"):
            assert (both[column] == both[f"{column}_kept"]).all()
        assert frame["date"].max() == asked[name]["date"].max()
