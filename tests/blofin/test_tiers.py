"""Leverage tiers of many markets: after the first candles, and before the first order."""

import json
import os
import time
from copy import deepcopy
from urllib.parse import parse_qs

import pytest
from freqtrade.exceptions import InvalidOrderException
from freqtrade.exchange import exchange as freqtrade_exchange
from freqtrade.resolvers import ExchangeResolver
from freqtrade.rpc import RPC

from bubbybot_freqtrade.blofin.exchange import tiers
from bubbybot_freqtrade.sandbox.api.faults import Fault
from tests.blofin.desk import BTC

PAIRS = [f"C{number:02}/USDT:USDT" for number in range(9)]
COURSES = {pair: [(0, 100 + number)] for number, pair in enumerate(PAIRS)}
LISTED = PAIRS[-2:]
TIERS = "/api/v1/market/position-tiers"


@pytest.fixture
def desk(open_desk, monkeypatch):
    """A desk with so many markets that a start waits for none of their tiers."""
    monkeypatch.setattr(tiers, "MOST_AT_START", 3)
    monkeypatch.setattr(tiers, "AT_ONCE", 2)
    desk = open_desk(COURSES)
    desk.start(exchange={"pair_whitelist": LISTED})
    return desk


def asked(desk) -> list[str]:
    """Markets whose tiers were asked for since the last time, in their order."""
    requests = [r for r in desk.sandbox.requests if r.path == TIERS]
    desk.sandbox.requests.clear()
    return [parse_qs(r.query)["instId"][0] for r in requests]


def listed(desk) -> set[str]:
    """Markets that may be traded for USDT."""
    return set(names(pair for pair in desk.bot.exchange.markets if pair.endswith("/USDT:USDT")))


def names(pairs) -> list[str]:
    return [pair.partition(":")[0].replace("/", "-") for pair in pairs]


def test_a_start_and_the_first_candles_wait_for_no_tiers(desk):
    assert asked(desk) == []
    markets = listed(desk)
    desk.loop()
    assert asked(desk) == []
    desk.loop()
    # Traded pairs first, then a few a loop until all are there, each asked for once.
    told = asked(desk)
    assert sorted(told) == names(LISTED)
    for _ in range(len(markets)):
        desk.loop()
        some = asked(desk)
        assert len(some) <= 2
        told += some
    assert len(told) == len(set(told))
    assert set(told) == markets
    venue = desk.sandbox.market.tiers("BTC-USDT")
    ours = desk.bot.exchange._leverage_tiers[BTC]
    assert [tier["maxLeverage"] for tier in ours] == [float(t.max_leverage) for t in venue]


def test_a_pairs_tiers_are_there_before_its_first_order(desk):
    assert desk.enter(LISTED[0]).leverage == 5.0
    requests = [r.path for r in desk.sandbox.requests]
    assert requests.count(TIERS) == 1
    assert requests.index(TIERS) < requests.index("/api/v1/trade/order")
    # Nobody asks again.
    asked(desk)
    desk.loop()
    desk.loop()
    assert names(LISTED)[0] not in asked(desk)


def test_a_pair_whose_tiers_cannot_be_had_is_not_entered(desk, caplog):
    fault = Fault(kind="data", path=f"*{TIERS}", data=[])
    desk.sandbox.faults.add(fault)
    with pytest.raises(InvalidOrderException, match="not told this pair's leverage tiers"):
        RPC(desk.bot)._rpc_force_entry(LISTED[0], None, order_side="long")
    assert not [r for r in desk.sandbox.requests if r.path == "/api/v1/trade/order"]
    assert "could not be had, so it is not traded" in caplog.text
    desk.sandbox.faults.clear()
    desk.bot.exchange.reload_markets(True)
    assert desk.enter(LISTED[0]).leverage == 5.0


def test_a_restart_asks_for_those_alone_that_were_not_told_yet(desk):
    desk.loop()
    desk.loop()
    told = asked(desk)
    assert len(told) == 2
    # The bot is killed while it writes the next ones.
    (file,) = (desk.bot.config["datadir"] / "futures").glob("leverage_tiers_*.json")
    left = file.with_name(file.name.replace(".json", ".0f.new.json"))
    left.write_text('{"updated": "20')
    assert sorted(names(json.loads(file.read_text())["data"])) == sorted(told)
    desk.stop()
    desk.start(exchange={"pair_whitelist": LISTED})
    for _ in range(12):
        desk.loop()
    again = asked(desk)
    assert set(again).isdisjoint(told)
    assert set(again) == listed(desk) - set(told)
    assert len(again) == len(set(again))
    assert left.exists()
    long_ago = time.time() - 2 * tiers.LEFT_SECONDS
    os.utime(left, (long_ago, long_ago))
    desk.bot.exchange.cache_leverage_tiers({}, "USDT")
    assert not left.exists()


@pytest.fixture
def other(desk):
    """Another bot's exchange on the same folder."""
    config = deepcopy(desk.bot.config) | {"dry_run": True}
    exchange = ExchangeResolver.load_exchange(config, validate=False, load_leverage_tiers=True)
    yield exchange
    exchange.close()


def test_bots_that_share_a_folder_ask_for_each_market_once_among_them(desk, other):
    markets, told = listed(desk), []
    for _ in range(len(markets)):
        desk.loop()
        other.tiers.ask_some(())
        told += asked(desk)
    assert sorted(told) == sorted(markets)
    assert other._leverage_tiers.keys() == desk.bot.exchange._leverage_tiers.keys()
    assert other._leverage_tiers[BTC] == desk.bot.exchange._leverage_tiers[BTC]


def test_bots_that_share_a_folder_may_write_at_the_same_time(desk, other, monkeypatch):
    dump, writers = freqtrade_exchange.file_dump_json, [other]

    def dump_amid(*args, **kwargs):
        dump(*args, **kwargs)
        if writers:
            writers.pop().cache_leverage_tiers({}, "USDT")

    monkeypatch.setattr(freqtrade_exchange, "file_dump_json", dump_amid)
    desk.loop()
    desk.loop()
    assert not writers
    (file,) = (desk.bot.config["datadir"] / "futures").iterdir()
    assert sorted(names(json.loads(file.read_text())["data"])) == names(LISTED)


def test_a_folder_that_takes_no_file_stops_nobody(desk, caplog):
    folder = desk.bot.config["datadir"] / "futures"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("")
    desk.loop()
    desk.loop()
    assert f"Leverage tiers can't be kept in {folder}" in caplog.text
    assert desk.enter(LISTED[0]).leverage == 5.0
