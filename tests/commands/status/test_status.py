"""`bubbybot status` beside a bot that trades on the sandbox, the database shared with it."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from freqtrade.persistence import Trade
from rich.console import Console

from bubbybot_freqtrade.commands.status import (
    day_line,
    day_so_far,
    open_positions,
    status_command,
)
from bubbybot_freqtrade.commands.status_table import OpenPosition, positions_table, troubles
from bubbybot_freqtrade.commands.user_config import read_config
from bubbybot_freqtrade.risk.breakers import Day
from tests.blofin.conftest import open_desk  # noqa: F401 - a fixture
from tests.blofin.desk import BTC, ETH

LONG = OpenPosition(
    pair=BTC,
    side="long",
    entry=100.0,
    last=106.0,
    stop=98.0,
    target=112.0,
    liquidation=80.0,
    trade_id=1,
    leverage=5.0,
    # 0.1 % of 100 and of 106 are paid, or will be.
    profit=6.0 - 0.206,
    planned_stop=96.0,
    amount=1.0,
    fee=0.001,
)


def run(desk):
    """The command, with the bot's own config."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        status_command, ["-c", str(desk.folder / "config.json"), "--userdir", str(desk.folder)]
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_r_and_distances_are_those_of_the_side():
    # The stop would lose 4 and the fees on 100 and 96.
    assert LONG.r == pytest.approx(5.794 / 4.196)
    assert LONG.distance(LONG.stop) == pytest.approx(98 / 106 - 1)
    short = OpenPosition(
        pair=BTC,
        side="short",
        entry=100.0,
        last=106.0,
        stop=None,
        target=None,
        liquidation=None,
        trade_id=1,
        leverage=5.0,
        profit=-6.206,
        planned_stop=104.0,
        amount=1.0,
        fee=0.001,
    )
    assert short.r == pytest.approx(-6.206 / 4.204)
    assert short.trouble == "NO STOP"


def test_the_day_says_what_is_left():
    day = Day(opening_equity=1_000.0, profit=-40.0, profit_at_stops=-70.0)
    line = day_line(day, 0.1, "USDT")
    assert "today -40.00 (-4.00%)" in line
    assert "Day's loss left: 60.00 of 100.00, of which new trades may risk 30.00." in line
    over = Day(opening_equity=1_000.0, profit=-100.0, profit_at_stops=-100.0)
    assert "is reached" in day_line(over, 0.1, "USDT")


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_fits_a_terminal(width):
    pepe = replace(
        LONG, pair="1000PEPE/USDT:USDT", entry=0.0123456, last=0.0124456, stop=0.0119876,
        target=0.0139876, liquidation=0.0109876, planned_stop=0.0119876, profit=-1023.45,
        trade_id=1234, leverage=50.0,
    )  # fmt: skip
    lost = replace(LONG, pair=ETH, trade_id=None, stop=None)
    text = io.StringIO()
    console = Console(file=text, width=width)
    console.print(positions_table([LONG, pepe, lost]))
    for line in troubles([LONG, pepe, lost]):
        console.print(line)
    shown = text.getvalue()
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    for part in ("1000PEPE/USDT", "#1234 long 50x", "0.0119876", "(-3.68%)", "-1023.45", "+1.38"):
        assert part in shown
    assert "ETH/USDT long: not in the database" in shown


def test_the_table_has_what_the_venue_holds(open_desk):  # noqa: F811
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (40, 50_500)]})
    desk.start()
    desk.enter(BTC, "long")
    desk.enter(ETH, "short")
    desk.loop(minutes=45)
    result = run(desk)
    assert result.exit_code == 0, result.output
    (stop,) = desk.standing_stops(BTC)
    (row,) = [line for line in result.output.splitlines() if "BTC/USDT" in line]
    assert f"{float(stop.tpsl.sl_trigger):,.8g}" in row
    assert f"{float(stop.tpsl.tp_trigger):,.8g}" in row
    # Stop 2 % below the entry at 50,000, the price 1 % above it: half an R, less the fees of
    # 0.06 % on either side, which the stop would pay as well.
    positions = {p.pair: p for p in open_positions(desk.bot.exchange, Trade.get_open_trades())}
    assert positions[BTC].r == pytest.approx((1 - 0.1206) / (2 + 0.1188), abs=0.01)
    assert positions[ETH].side == "short"
    assert 0 < positions[BTC].liquidation < positions[BTC].stop < 50_000
    assert "Day's loss left" in result.output


def test_a_bare_or_unknown_position_is_trouble(open_desk):  # noqa: F811
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    engine = desk.sandbox.engine
    with engine.exclusive():
        for account in engine.venue.accounts.values():
            for tpsl in list(account.live_tpsl()):
                engine.triggers.cancel_tpsl(account, tpsl, "user_canceled")
    order = {
        "instId": "ETH-USDT",
        "marginMode": "isolated",
        "positionSide": "net",
        "side": "sell",
        "orderType": "market",
        "price": "",
        "size": "1",
    }
    assert desk.sandbox.app("/api/v1/trade/order", order)["code"] == "0"
    result = run(desk)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert any("BTC/USDT" in line and "NO STOP" in line for line in lines)
    assert any("ETH/USDT" in line and "not in the database" in line for line in lines)


def test_a_stop_that_does_not_protect_is_trouble():
    held = replace(LONG, contracts=10.0, covered=10.0)
    assert held.trouble == ""
    assert "0.1 OF 10 CONTRACTS" in replace(held, covered=0.1).trouble
    assert "LIQUIDATION" in replace(held, stop=79.0).trouble
    assert "LIQUIDATION" in replace(held, stop=80.0).trouble
    short = replace(held, side="short", stop=104.0, liquidation=120.0)
    assert short.trouble == ""
    assert "LIQUIDATION" in replace(short, stop=121.0).trouble
    assert replace(held, trade_id=None, stop=None).trouble == "not in the database, NO STOP"


def test_only_the_size_that_the_venues_stops_close_counts(open_desk):  # noqa: F811
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    size = float(desk.bot.exchange._api.fetch_positions([BTC])[0]["contracts"])
    engine = desk.sandbox.engine
    with engine.exclusive():
        for account in engine.venue.accounts.values():
            for tpsl in list(account.live_tpsl()):
                engine.triggers.cancel_tpsl(account, tpsl, "user_canceled")

    def place(part, price):
        order = {
            "instId": "BTC-USDT", "marginMode": "isolated", "positionSide": "net", "side": "sell",
            "size": str(part), "slTriggerPrice": str(price), "slOrderPrice": "-1",
            "reduceOnly": "true",
        }  # fmt: skip
        answer = desk.sandbox.app("/api/v1/trade/order-tpsl", order)
        assert answer["code"] == "0", answer

    part = 0.1
    assert size > 2 * part
    place(part, 49_000)
    result = run(desk)
    assert result.exit_code == 1
    assert f"ITS STOP IS FOR {part:g} OF {size:g} CONTRACTS" in " ".join(result.output.split())
    place(round(size - part, 1), 48_900)
    result = run(desk)
    assert result.exit_code == 0, result.output
    (row,) = [line for line in result.output.splitlines() if "BTC/USDT" in line]
    # Where the last contract is out.
    assert "48,900" in row


def test_the_day_is_the_one_that_the_bot_enforces(open_desk):  # noqa: F811
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    desk.enter(ETH)
    bot, now = desk.bot, datetime.now(UTC)
    config = read_config([str(desk.folder / "config.json")], desk.folder)
    before = day_so_far(bot.exchange, config, now)
    waiting = Trade.get_open_trades()[1]
    # As freqtrade keeps an entry that has not filled; it may still do so and lose its margin.
    filled, waiting.amount = waiting.amount, 0.0
    day = day_so_far(bot.exchange, config, now)
    assert day.profit_at_stops - day.profit <= -waiting.stake_amount
    waiting.amount = filled
    # freqtrade's share of the account for one bot.
    share = before.opening_equity / 10
    small = day_so_far(bot.exchange, config | {"available_capital": share}, now)
    assert small.opening_equity == pytest.approx(share, rel=0.05)


def test_no_position_is_a_sentence(open_desk):  # noqa: F811
    desk = open_desk()
    desk.start()
    result = run(desk)
    assert result.exit_code == 0, result.output
    assert "No open positions." in result.output


def test_paper_trades_are_shown_with_the_bots_own_levels(open_desk):  # noqa: F811
    desk = open_desk({BTC: [(0, 50_000), (20, 50_000), (40, 50_500)]})
    desk.start(dry_run=True, dry_run_wallet=1_000)
    trade = desk.enter(BTC, "long")
    desk.enter(ETH, "short")
    desk.loop(minutes=45)
    result = run(desk)
    assert result.exit_code == 0, result.output
    assert "Open trades on paper" in result.output
    (row,) = [line for line in result.output.splitlines() if "BTC/USDT" in line]
    assert f"{trade.stop_loss:,.8g}" in row
    # Stop 2 % below the entry, the price 1 % above it.
    assert "+0.5" in row or "+0.4" in row
    assert "of 100." in result.output
    assert desk.sandbox.requests.select(method="POST") == []


def test_paper_without_trades_is_a_sentence(open_desk):  # noqa: F811
    desk = open_desk()
    desk.start(dry_run=True)
    result = run(desk)
    assert result.exit_code == 0, result.output
    assert "No open trades on paper." in result.output


def test_looking_leaves_the_database_as_it_is(open_desk):  # noqa: F811
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    desk.stop()
    file = desk.folder / "trades.sqlite"
    before = file.read_bytes(), file.stat().st_mtime_ns
    assert "BTC/USDT" in run(desk).output
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_a_trade_on_a_pair_that_is_gone_is_shown_beside_the_others(open_desk):  # noqa: F811
    desk = open_desk()
    desk.start()
    desk.enter(BTC)
    desk.enter(ETH)
    desk.loop()
    desk.sandbox.change_instrument("ETH-USDT", state="gone")
    result = run(desk)
    assert result.exit_code == 1, result.output
    assert "BTC/USDT" in result.output
    assert "ETH/USDT long: BloFin has no price of it any more" in result.output
