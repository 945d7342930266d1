"""freqtrade's REST API beside Telegram: the same doors, the same rules."""

import socket
import time
from datetime import datetime, timedelta

import pandas as pd
import pytest
import requests
from freqtrade.enums import State
from freqtrade_client.ft_rest_client import FtRestClient

from bubbybot_freqtrade.risk.plan import PLAN, TradePlan
from bubbybot_freqtrade.signals import plots
from tests.strategy.telegram.conftest import BTC, ETH, REST_API


@pytest.fixture
def rest_api():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return REST_API | {"listen_port": free.getsockname()[1]}


def wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert requests.get(f"{url}/ping", timeout=5).json() == {"status": "pong"}
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the REST API did not start"
            time.sleep(0.05)
        else:
            return


def test_rest_enters_shows_and_exits_by_the_same_rules(open_desk, rest_api):
    desk = open_desk()
    desk.start(api_server=rest_api, telegram={"enabled": False, "token": "", "chat_id": ""})
    url = f"http://127.0.0.1:{rest_api['listen_port']}/api/v1"
    wait_until_it_answers(url)
    wrong = requests.get(f"{url}/status", auth=("owner", "guess"), timeout=30)
    assert wrong.status_code == 401
    with requests.Session() as owner:
        owner.auth = (rest_api["username"], rest_api["password"])
        # A tag and a stake of the owner's choice; the plan's size and levels all the same.
        wish = {"pair": BTC, "side": "short", "entry_tag": "my_idea", "stakeamount": 5_000}
        answer = owner.post(f"{url}/forceenter", json=wish, timeout=60)
        assert answer.status_code == 200, answer.text
        desk.loop()
        (trade,) = owner.get(f"{url}/status", timeout=60).json()
        assert (trade["pair"], trade["is_short"], trade["enter_tag"]) == (BTC, True, "my_idea")
        assert trade["stake_amount"] <= 0.05 * 10_000 * 1.01
        kept = owner.get(f"{url}/trades/{trade['trade_id']}/custom-data", timeout=60).json()
        values = {item["key"]: item["value"] for entry in kept for item in entry["custom_data"]}
        plan = TradePlan.from_dict(values[PLAN])
        assert trade["stop_loss_abs"] == pytest.approx(plan.stop, rel=1e-4)
        exited = owner.post(
            f"{url}/forceexit", json={"tradeid": str(trade["trade_id"])}, timeout=60
        )
        assert exited.status_code == 200, exited.text
        desk.loop()
        assert owner.get(f"{url}/status", timeout=60).json() == []
        assert owner.get(f"{url}/profit", timeout=60).json()["closed_trade_count"] == 1
        assert owner.post(f"{url}/stopentry", timeout=60).status_code == 200
        refused = owner.post(f"{url}/forceenter", json=wish, timeout=60)
        assert "not running" in refused.text
    assert desk.positions() == {}
    assert desk.standing_stops() == []


@pytest.fixture
def ui(open_desk, rest_api):
    """A trading bot, and freqtrade's own client for the requests that FreqUI makes."""
    desk = open_desk()
    desk.start(api_server=rest_api, telegram={"enabled": False, "token": "", "chat_id": ""})
    url = f"http://127.0.0.1:{rest_api['listen_port']}"
    wait_until_it_answers(f"{url}/api/v1")
    client = FtRestClient(url, rest_api["username"], rest_api["password"], timeout=60)
    yield desk, client
    client._session.close()


def columns_of(plot_config) -> set[str]:
    panels = [plot_config["main_plot"], *plot_config["subplots"].values()]
    return {name for panel in panels for name in panel}


def test_the_chart_has_every_plotted_column_the_marks_and_the_plan(ui):
    desk, client = ui
    plotted = columns_of(client.plot_config())
    assert {"mc_wt1", "mc_ema_8", "mc_resistance", "long_confluence"} <= plotted
    client.forceenter(BTC, "short")
    desk.loop()
    desk.loop()
    (trade,) = client.status()
    ((entry,),) = (one["custom_data"] for one in client.list_custom_data(trade["trade_id"], PLAN))
    plan = TradePlan.from_dict(entry["value"])
    chart = client.pair_candles(BTC, "15m", limit=200)
    assert chart["length"] == len(chart["data"]) == 200
    assert plotted <= set(chart["columns"])
    only = client.pair_candles(BTC, "15m", limit=5, columns=["mc_wt1"])
    assert "mc_wt1" in only["columns"]
    assert "mc_wt2" not in only["columns"]
    # The whole frame's marks, cut to the candles that are shown.
    first, last = (datetime.fromisoformat(chart[key]) for key in ("data_start", "data_stop"))
    for drawn in chart["annotations"]:
        times = [drawn[key] for key in ("start", "end", "x") if drawn.get(key)]
        assert all(first <= datetime.fromisoformat(time) <= last for time in times), drawn
    kinds = {drawn["type"] for drawn in chart["annotations"]}
    assert kinds == {"area", "line", "point"}
    everything = client.pair_candles(BTC, "15m")["annotations"]
    assert len(everything) > len(chart["annotations"]) > 10
    # The plan stands there with the loop that saw the fill: the trade itself lies right of the last
    # closed candle, where FreqUI's axis has ended.
    drawn = {one["label"]: one for one in chart["annotations"]}
    for name, level in (("stop", plan.stop), ("target", plan.target)):
        box = drawn[f"#{trade['trade_id']} short {name}"]
        assert (box["y_start"], box["y_end"]) == (trade["open_rate"], level)
        start, end = (datetime.fromisoformat(box[key]) for key in ("start", "end"))
        assert end == last
        assert end - start >= timedelta(minutes=45)


def test_the_chart_below_the_price_is_three_panels_unless_all_are_asked_for(ui):
    desk, client = ui
    panels = client.plot_config()["subplots"]
    assert list(panels) == ["Confluence", "Wave trend", "Money flow"]
    assert {"long_confluence", "short_confluence", plots.NEEDED} == set(panels["Confluence"])
    rows = client.pair_candles(BTC, "15m", limit=500)
    frame = pd.DataFrame(rows["data"], columns=rows["columns"])
    # FreqUI's scale holds every line on the price: the candles keep two thirds of it.
    lines = frame[list(client.plot_config()["main_plot"])].astype(float)
    low, high = frame["low"].min(), frame["high"].max()
    drawn = max(high, lines.max().max()) - min(low, lines.min().min())
    assert (high - low) / drawn > 2 / 3
    assert set(frame[plots.NEEDED]) == {0.7}
    for name, (event, _) in plots.DOTS.items():
        assert panels["Wave trend"][name]["type"] == "scatter"
        happened = frame[event].astype(bool)
        assert frame.loc[happened, name].tolist() == frame.loc[happened, "mc_wt2"].tolist()
        assert frame.loc[~happened, name].isna().all()
    assert frame["dot_green"].notna().any()
    desk.write_config(
        api_server=desk.bot.config["original_config"]["api_server"],
        telegram={"enabled": False, "token": "", "chat_id": ""},
        bubbybot={"chart_panels": "all"},
    )
    client.reload_config()
    desk.loop()
    everything = client.plot_config()
    assert len(everything["subplots"]) > 10
    assert {"fc_poc", "lux_range_high"} <= set(everything["main_plot"])
    desk.loop()
    assert columns_of(everything) <= set(client.pair_candles(BTC, "15m", limit=5)["columns"])


def test_the_other_requests_of_freq_ui_answer(ui):
    desk, client = ui
    shown = client.show_config()
    assert (shown["strategy"], shown["exchange"], shown["trading_mode"]) == (
        "BubbyBot", "blofin", "futures",
    )  # fmt: skip
    assert (shown["state"], shown["timeframe"], shown["stoploss_on_exchange"]) == (
        "running", "15m", True,
    )  # fmt: skip
    assert client.whitelist()["whitelist"] == [BTC, ETH]
    balance = client.balance()
    assert balance["total"] == pytest.approx(10_000)
    client.forceenter(BTC, "long")
    desk.loop()
    desk.loop()
    assert client.count()["current"] == 1
    assert "BTC" in str(client.logs(500))
    client.forceexit("1")
    desk.loop()
    (closed,) = client.trades()["trades"]
    assert (closed["exit_reason"], closed["is_open"]) == ("force_exit", False)
    assert client.trade(1)["close_profit_abs"] == closed["close_profit_abs"]
    profit = client.profit()
    assert profit["closed_trade_count"] == 1
    assert profit["profit_closed_coin"] == pytest.approx(closed["profit_abs"])
    assert client.performance()[0]["pair"] == BTC
    assert client.stats()["exit_reasons"]["force_exit"]
    assert client.entries()[0]["enter_tag"] == "force_entry"
    assert client.daily(1)["data"][0]["trade_count"] == 1
    age = desk.now.timestamp() - client.health()["last_process_ts"]
    assert 0 <= age < 60
    assert client.sysinfo()["cpu_pct"] is not None


def test_locks_stopbuy_and_reload_config_act_on_the_bot(ui):
    desk, client = ui
    until = f"{desk.now + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    made = client.lock_add(ETH, until, "*", "news")
    assert [lock["pair"] for lock in client.locks()["locks"]] == [ETH]
    client.delete_lock(made["locks"][0]["id"])
    assert client.locks()["lock_count"] == 0
    client.stopbuy()
    assert desk.bot.state == State.PAUSED
    assert "not running" in str(client.forceenter(BTC, "long"))
    client.start()
    desk.loop()
    assert desk.bot.state == State.RUNNING
    desk.write_config(
        api_server=desk.bot.config["original_config"]["api_server"],
        telegram={"enabled": False, "token": "", "chat_id": ""},
        bubbybot={"risk": {"max_same_side": 2}},
    )
    client.reload_config()
    desk.loop()
    assert desk.bot.strategy.settings.risk.max_same_side == 2
