"""What the log says of a close once there are so many pairs that it takes several loops."""

import re
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from bubbybot_freqtrade.blofin.exchange import candle_queue
from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.sandbox.api.faults import Fault

STRATEGIES = str(Path(__file__).parents[2] / "user_data" / "strategies")
ALL = re.compile(r"All (\d) pairs have been analyzed ([\d.]+) s after the close of (\d\d:\d\d)\.")
SOME = re.compile(r"By the next close (\d) of (\d) pairs .* closed at (\d\d:\d\d)\.")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk whose bot asks for the candles of one pair a loop."""
    ticks = count()
    monkeypatch.setattr(candle_queue, "FEW_SERIES", 0)
    monkeypatch.setattr(candle_queue, "AT_ONCE", 1)
    monkeypatch.setattr(candle_queue, "SECONDS_A_LOOP", 1.0)
    clock = SimpleNamespace(monotonic=lambda: float(next(ticks)))
    monkeypatch.setattr(candle_queue, "time", clock)
    with Desk(tmp_path, strategy="BubbyBot", config={"strategy_path": STRATEGIES}) as desk:
        desk.start(timeframe="15m", stake_amount="unlimited")
        yield desk


def told(desk, words) -> list[tuple[str, ...]]:
    """What lines of the log say, and forget them."""
    return [found.groups() for line in desk.log.lines if (found := words.search(line))]


def test_the_log_says_when_the_last_pair_was_analyzed_after_a_close(desk):
    desk.loop(count=12)
    desk.pass_time(15)
    desk.log.lines.clear()
    desk.loop()
    assert told(desk, ALL) == []
    desk.loop(count=6)
    ((pairs, _, _),) = told(desk, ALL)
    assert pairs == "3"
    assert told(desk, SOME) == []


def test_the_log_says_how_many_were_not_in_time(desk):
    desk.loop(count=12)
    desk.pass_time(15)
    desk.sandbox.faults.add(Fault(kind="http", path="*/market/candles", after=1))
    desk.loop(count=8)
    desk.sandbox.faults.clear()
    desk.pass_time(15)
    desk.log.lines.clear()
    desk.loop(count=8)
    ((analyzed, pairs, _),) = told(desk, SOME)
    assert (analyzed, pairs) == ("1", "3")
    assert len(told(desk, ALL)) == 1
