"""Candles of many pairs on disk: what a restart takes of them, and what it asks for instead."""

import os
from collections import Counter
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from freqtrade.data.history import get_datahandler
from freqtrade.data.history.datahandlers.featherdatahandler import FeatherDataHandler
from freqtrade.enums import CandleType, TradingMode
from freqtrade.exchange.exchange import Exchange
from freqtrade.resolvers import ExchangeResolver
from pandas.testing import assert_frame_equal

from bubbybot_freqtrade.blofin.exchange import candle_queue, kept_candles
from bubbybot_freqtrade.drills.desk import Desk
from bubbybot_freqtrade.drills.market import BTC, ETH, SOL, inst_id

PAIRS = (BTC, ETH, SOL, "DOGE/USDT:USDT", "XRP/USDT:USDT")
BARS = {"15m": "15m", "1h": "1H", "4h": "4H"}
KEYS = [(pair, timeframe, CandleType.FUTURES) for timeframe in BARS for pair in PAIRS]
PROOFS = 2
CANDLES = 100  # that the venue gives at once
CANDLES_PATH = "/api/v1/market/candles"
# The two that are asked for before any file is believed.
PROVEN = {(inst_id(pair), "15m"): 1 for pair in PAIRS[:PROOFS]}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk on a generated market whose bot has five pairs, which is many here."""
    ticks = count()
    monkeypatch.setattr(candle_queue, "FEW_SERIES", 0)
    monkeypatch.setattr(candle_queue, "AT_ONCE", 4)
    clock = SimpleNamespace(monotonic=lambda: float(next(ticks)))
    monkeypatch.setattr(candle_queue, "time", clock)
    monkeypatch.setattr(kept_candles, "PROOFS", PROOFS)
    monkeypatch.setattr(kept_candles, "SAVED_A_LOOP", 4)
    with Desk(tmp_path, data=None, pair_count=8) as desk:
        start(desk)
        yield desk


def start(desk) -> None:
    few = {"_ft_has_params": {"ohlcv_candle_limit": CANDLES}}
    desk.start(timeframe="15m", pairs=PAIRS, exchange=few)


def restart(desk, minutes: float = 0.5) -> None:
    """A bot that is killed, and another one later."""
    desk.end()
    desk.pass_time(minutes)
    desk.sandbox.requests.clear()
    start(desk)
    desk.bot.exchange.refresh_latest_ohlcv(KEYS)


def asked(desk) -> Counter:
    """Instruments and bars that candles were asked for of, since the last time."""
    rows = [entry for entry in desk.sandbox.requests if entry.path == CANDLES_PATH]
    desk.sandbox.requests.clear()
    queries = [dict(part.split("=") for part in row.query.split("&")) for row in rows]
    return Counter((query["instId"], query["bar"]) for query in queries)


def until_there(desk) -> None:
    """Loops until nothing has to wait."""
    exchange = desk.bot.exchange
    while exchange.candle_queue.is_behind:
        exchange.refresh_latest_ohlcv(KEYS)


def until_saved(desk) -> None:
    """Loops until all candles are there, and in files."""
    desk.bot.exchange.refresh_latest_ohlcv(KEYS)
    until_there(desk)
    for _ in range(len(KEYS)):
        desk.bot.exchange.refresh_latest_ohlcv(KEYS)


def data(desk) -> Path:
    """freqtrade's data folder."""
    return desk.folder / "data" / "blofin"


def folder(desk) -> Path:
    """Where this venue's are."""
    (found,) = (data(desk) / "kept_candles").iterdir()
    return found


def file(desk, pair, timeframe) -> Path:
    name = pair.replace("/", "_").replace(":", "_")
    return folder(desk) / "futures" / f"{name}-{timeframe}-futures.feather"


def assert_candles_are_the_venues(desk) -> None:
    """What strategies see is, to the last bit, what freqtrade itself gets of the venue now."""
    stock = ExchangeResolver.load_exchange({**desk.bot.config, "dry_run": True})
    Exchange.refresh_latest_ohlcv(stock, KEYS)
    desk.sandbox.requests.clear()
    for key in KEYS:
        theirs = stock.klines(key)
        ours = desk.bot.exchange.klines(key).tail(len(theirs)).reset_index(drop=True)
        assert len(theirs) == CANDLES - 1
        assert_frame_equal(ours, theirs, check_exact=True)


def test_a_restart_within_a_candle_asks_for_a_proof_alone(desk):
    until_saved(desk)
    assert len(list((folder(desk) / "futures").iterdir())) == len(KEYS)
    restart(desk)
    assert asked(desk) == PROVEN
    assert not desk.bot.exchange.candle_queue.is_behind
    assert_candles_are_the_venues(desk)


def test_a_restart_after_a_close_asks_for_the_short_candles_and_makes_the_longer_ones(desk):
    until_saved(desk)
    # Over four o'clock, where all three close.
    restart(desk, minutes=260)
    until_there(desk)
    wanted = Counter(PROVEN)
    wanted.update((inst_id(pair), "15m") for pair in PAIRS)
    assert asked(desk) == wanted
    assert_candles_are_the_venues(desk)


def test_what_is_read_is_compared_with_the_venues_when_there_is_time(desk):
    until_saved(desk)
    wrong = (ETH, "4h")
    frame = pd.read_feather(file(desk, *wrong))
    frame.loc[40, "volume"] *= 2
    frame.to_feather(file(desk, *wrong))
    restart(desk)
    assert asked(desk) == PROVEN
    for _ in range(len(KEYS)):
        desk.bot.exchange.refresh_latest_ohlcv(KEYS)
    assert asked(desk) == Counter((inst_id(key[0]), BARS[key[1]]) for key in KEYS)
    assert desk.said("WARNING", ETH, "1 of the 4h candles", "volume", "1 series so far")
    assert not file(desk, *wrong).exists()
    assert_candles_are_the_venues(desk)


def test_files_that_are_not_whole_are_asked_for(desk):
    until_saved(desk)

    def spoil(pair, timeframe, change) -> None:
        path = file(desk, pair, timeframe)
        change(pd.read_feather(path)).reset_index(drop=True).to_feather(path)

    def with_value(column, value):
        return lambda frame: frame.assign(**{column: [*frame[column][:-1], value(frame.iloc[-1])]})

    spoil(BTC, "1h", lambda frame: frame.drop(index=50))
    spoil(BTC, "4h", lambda frame: frame.iloc[5:])
    spoil(ETH, "1h", with_value("high", lambda row: row["low"] / 2))
    spoil(ETH, "4h", with_value("volume", lambda row: float("nan")))
    spoil(SOL, "1h", lambda frame: frame.drop(columns="close"))
    spoil(SOL, "15m", lambda frame: frame.assign(date=frame["date"].astype("int64")))
    # Of two days ago, of tomorrow, and between two candles.
    days = pd.Timedelta(days=1)
    spoil(SOL, "4h", lambda frame: frame.assign(date=frame["date"] - 2 * days))
    spoil(PAIRS[3], "1h", lambda frame: frame.assign(date=frame["date"] + days))
    spoil(PAIRS[3], "4h", lambda frame: frame.assign(date=frame["date"] - days / 24))
    cut = file(desk, PAIRS[4], "1h")
    cut.write_bytes(cut.read_bytes()[:-1000])
    file(desk, PAIRS[4], "4h").write_bytes(b"")
    # One that a candle is missing of would leave a hole.
    spoil(PAIRS[4], "15m", lambda frame: frame.iloc[:-1])
    restart(desk)
    until_there(desk)
    wanted = Counter(PROVEN)
    wanted.update((inst_id(pair), bar) for pair in PAIRS for bar in ("1H", "4H"))
    wanted.update({(inst_id(SOL), "15m"): 1, (inst_id(PAIRS[4]), "15m"): 1})
    assert asked(desk) == wanted
    assert_candles_are_the_venues(desk)


def test_no_file_is_used_when_a_proof_is_not_what_the_venue_says(desk):
    until_saved(desk)
    # Another market at the same address: a sandbox with another seed.
    for key in KEYS:
        other = PAIRS[PAIRS.index(key[0]) - 1]
        frame = desk.bot.exchange.klines((other, *key[1:]))
        frame.to_feather(file(desk, *key[:2]))
    restart(desk)
    until_there(desk)
    wanted = Counter(PROVEN)
    wanted.update((inst_id(pair), bar) for pair in PAIRS for bar in BARS.values())
    assert asked(desk) == wanted
    assert desk.said("INFO", "are not as BloFin has them", "None of them is used")
    assert_candles_are_the_venues(desk)


def test_live_demo_and_sandboxes_have_folders_of_their_own(desk):
    until_saved(desk)
    assert folder(desk).name == desk.sandbox.url.removeprefix("http://").replace(":", "_")
    folder(desk).rename(folder(desk).with_name("openapi.blofin.com"))
    restart(desk)
    until_there(desk)
    assert asked(desk) == Counter((inst_id(key[0]), BARS[key[1]]) for key in KEYS)


def test_downloads_and_backtests_see_none_of_the_files(desk):
    until_saved(desk)
    handler = get_datahandler(data(desk), "feather")
    assert FeatherDataHandler.ohlcv_get_available_data(data(desk), TradingMode.FUTURES) == []
    assert handler.ohlcv_load(BTC, "15m", CandleType.FUTURES, warn_no_data=False).empty


def test_a_bot_that_is_killed_while_it_writes_leaves_the_files_as_they_were(desk, monkeypatch):
    until_saved(desk)
    before = {path.name: path.read_bytes() for path in (folder(desk) / "futures").iterdir()}
    # What a kill leaves behind.
    left = folder(desk) / "new-left" / "futures"
    left.mkdir(parents=True)
    (left / file(desk, BTC, "15m").name).write_bytes(b"ARROW1")
    long_ago = desk.sandbox.engine.now_ms / 1000 - 2 * kept_candles.LEFT_SECONDS
    os.utime(left.parent, (long_ago, long_ago))

    def killed(handler, pair, timeframe, data, candle_type):
        path = handler._pair_data_filename(handler._datadir, pair, timeframe, candle_type)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"ARROW1")
        raise KeyboardInterrupt

    desk.pass_time(20)
    with monkeypatch.context() as patched:
        patched.setattr(FeatherDataHandler, "ohlcv_store", killed)
        with pytest.raises(KeyboardInterrupt):
            until_saved(desk)
    after = {path.name: path.read_bytes() for path in (folder(desk) / "futures").iterdir()}
    assert after == before
    assert left.exists()
    restart(desk)
    until_there(desk)
    assert {bar for _, bar in asked(desk)} == {"15m"}
    assert not left.exists()
    assert_candles_are_the_venues(desk)


def test_a_folder_that_cannot_be_written_is_told_once_and_the_bot_goes_on(desk):
    (data(desk) / "kept_candles").write_text("in the way")
    until_saved(desk)
    desk.pass_time(15)
    until_saved(desk)
    assert sum("Candles can't be kept" in line for line in desk.log.lines) == 1
    assert_candles_are_the_venues(desk)


def test_few_pairs_are_not_kept(desk, monkeypatch):
    monkeypatch.setattr(candle_queue, "FEW_SERIES", len(KEYS))
    until_saved(desk)
    assert not (data(desk) / "kept_candles").exists()
