"""Balance, positions, leverage, modes and funding of the account."""

import ccxt
import pytest

from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinSync

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"

BALANCE = {
    "ts": "1697021343571",
    "totalEquity": "1100",
    "isolatedEquity": "0",
    "details": [
        {
            "currency": "USDT",
            "equity": "1100.5",
            "balance": "1000.25",
            "ts": "1697021343571",
            "available": "900.25",
            "availableEquity": "900.25",
            "frozen": "100",
            "orderFrozen": "0",
        }
    ],
}
ISOLATED = {
    "positionId": "7982",
    "instId": "ETH-USDT",
    "instType": "SWAP",
    "marginMode": "isolated",
    "positionSide": "net",
    "adl": "5",
    "positions": "1",
    "availablePositions": "1",
    "averagePrice": "1591.800000000000000000",
    "margin": "5.306000000000000000",
    "markPrice": "1591.69",
    "marginRatio": "72.453752328329172684",
    "liquidationPrice": "1066.104078762306610407",
    "unrealizedPnl": "-0.0011",
    "unrealizedPnlRatio": "-0.000207312476441764",
    "maintenanceMargin": "0.0636676",
    "createTime": "1695352782370",
    "updateTime": "1695352782372",
    "leverage": "3",
}
CROSS = {
    **ISOLATED,
    "positionId": "5483",
    "instId": "BTC-USDT",
    "marginMode": "cross",
    "positions": "-290",
    "averagePrice": "60000",
    "markPrice": "59900",
    "initialMargin": "5800",
    "liquidationPrice": "",
    "leverage": "3",
}


def test_total_is_the_wallet_without_unrealised_profit(blofin, stock, venue):
    venue.answer("account/balance", BALANCE)
    usdt = blofin.fetch_balance()["USDT"]
    assert usdt == {"total": 1000.25, "free": 900.25, "used": 100.0}
    assert stock.fetch_balance()["USDT"]["total"] == 1100.5  # equity


def test_free_is_never_more_than_the_wallet(mine, venue):
    row = {**BALANCE["details"][0], "available": "1090"}
    venue.answer("account/balance", {**BALANCE, "details": [row]})
    usdt = mine.fetch_balance()["USDT"]
    assert (usdt["free"], usdt["used"]) == (1000.25, 0)


def test_an_empty_account_has_no_balance(mine, venue):
    venue.answer("account/balance", {"ts": "1", "totalEquity": "0", "details": []})
    assert mine.fetch_balance()["total"] == {}


def test_positions_in_one_way_mode(blofin, venue):
    venue.answer("account/positions", [ISOLATED, CROSS])
    eth, btc = blofin.fetch_positions()
    assert (eth["symbol"], eth["id"], eth["side"], eth["contracts"]) == (ETH, "7982", "long", 1)
    assert (eth["contractSize"], eth["leverage"], eth["marginMode"]) == (0.01, 3, "isolated")
    assert eth["entryPrice"] == 1591.8
    assert eth["liquidationPrice"] == pytest.approx(1066.104078762)
    assert eth["collateral"] == pytest.approx(5.306 - 0.0011)
    assert eth["initialMargin"] == 5.306
    assert eth["notional"] == pytest.approx(0.01 * 1591.69)
    assert eth["hedged"] is False
    assert eth["lastUpdateTimestamp"] == 1695352782372
    assert (btc["side"], btc["contracts"], btc["marginMode"]) == ("short", 290, "cross")
    assert btc["liquidationPrice"] is None


def test_positions_in_hedge_mode(mine, venue):
    long = {**CROSS, "positionSide": "long", "positions": "3"}
    short = {**CROSS, "positionSide": "short", "positions": "2"}
    venue.answer("account/positions", [long, short])
    found = [(p["side"], p["contracts"], p["hedged"]) for p in mine.fetch_positions([BTC])]
    assert found == [("long", 3, True), ("short", 2, True)]


def test_positions_are_asked_for_once(mine, venue):
    venue.answer("account/positions", [ISOLATED, CROSS])
    assert [p["symbol"] for p in mine.fetch_positions([BTC])] == [BTC]
    assert len(mine.fetch_positions([BTC, ETH])) == 2
    assert [r.query for r in venue.asked("account/positions")] == [{"instId": "BTC-USDT"}, {}]


CLOSED = {
    "historyId": "1234567890",
    "positionId": "7982",
    "instId": "ETH-USDT",
    "instType": "SWAP",
    "side": "sell",
    "marginMode": "isolated",
    "positionSide": "net",
    "closePositions": "4",
    "maxPositions": "4",
    "liquidationPositions": "0",
    "openAveragePrice": "1591.800000000000000000",
    "closeAveragePrice": "1592.500000000000000000",
    "createTime": "1695352782370",
    "updateTime": "1695352799999",
    "leverage": "3",
    "realizedPnl": "-0.7",
    "realizedPnlRatio": "-0.000439",
    "fee": "0.190536000000000000",
}


def test_closed_positions(blofin, venue):
    venue.answer("account/positions-history", [CLOSED])
    since = 1695352790000
    (closed,) = blofin.fetch_positions_history([ETH], since)
    assert venue.asked("account/positions-history")[0].query == {
        "instId": "ETH-USDT",
        "begin": str(since),
        "limit": "100",
    }
    assert (closed["id"], closed["side"], closed["contracts"]) == ("7982", "short", 4)
    assert (closed["entryPrice"], closed["exitPrice"]) == (1591.8, 1592.5)
    assert closed["realizedPnl"] == -0.7
    assert closed["timestamp"] == 1695352799999


def test_stock_ccxt_neither_filters_nor_understands_closed_positions(stock, venue):
    venue.answer("account/positions-history", [CLOSED])
    (closed,) = stock.fetch_positions_history([ETH])
    assert "instId" not in venue.asked("account/positions-history")[0].query
    assert (closed["side"], closed["contracts"]) == ("net", None)


@pytest.fixture
def sets_leverage(venue):
    venue.answer("account/set-leverage", lambda r: r.body)


@pytest.mark.usefixtures("sets_leverage")
def test_leverage_is_a_string_with_its_margin_mode(blofin, stock, venue):
    blofin.set_leverage(150.0, BTC, {"marginMode": "isolated"})
    assert venue.sent("account/set-leverage") == {
        "instId": "BTC-USDT",
        "leverage": "150",
        "marginMode": "isolated",
    }
    with pytest.raises(ccxt.BadRequest, match="between 1 and 125"):
        stock.set_leverage(150, BTC)


@pytest.mark.usefixtures("sets_leverage")
@pytest.mark.parametrize(("leverage", "symbol"), [(151, BTC), (126, ETH), (0.5, BTC)])
def test_leverage_out_of_range_is_not_sent(mine, venue, leverage, symbol):
    with pytest.raises(ccxt.BadRequest, match=f"leverage of {symbol} is from 1 to"):
        mine.set_leverage(leverage, symbol)
    assert not venue.asked("account/set-leverage")


@pytest.mark.usefixtures("sets_leverage")
def test_leverage_in_hedge_mode_names_the_side_when_isolated(connect, venue):
    hedged = connect(BlofinSync, options={"positionMode": "long_short_mode"})
    hedged.set_leverage(5, BTC, {"marginMode": "isolated", "positionSide": "short"})
    hedged.set_leverage(5, BTC, {"marginMode": "cross"})
    isolated, cross = (r.body for r in venue.asked("account/set-leverage"))
    assert isolated["positionSide"] == "short"
    assert "positionSide" not in cross
    with pytest.raises(ccxt.ArgumentsRequired, match="long or short"):
        hedged.set_leverage(5, BTC, {"marginMode": "isolated"})


def test_leverages_are_read_twenty_at_a_time(blofin, venue):
    def rows(request):
        ids = request.query["instId"].split(",")
        mode = request.query["marginMode"]
        return [
            {"leverage": "7", "marginMode": mode, "instId": id_, "positionSide": "net"}
            for id_ in ids
        ]

    venue.answer("account/batch-leverage-info", rows)
    found = blofin.fetch_leverages([BTC, ETH], {"marginMode": "isolated"})
    assert found[ETH]["longLeverage"] == found[ETH]["shortLeverage"] == 7
    assert found[BTC]["marginMode"] == "isolated"
    assert blofin.fetch_leverage(BTC)["marginMode"] == "cross"
    asked = [r.query["instId"] for r in venue.asked("account/batch-leverage-info")]
    assert asked == ["BTC-USDT,ETH-USDT", "BTC-USDT"]
    with pytest.raises(ccxt.ArgumentsRequired):
        blofin.fetch_leverages()


def test_more_than_twenty_leverages(mine, venue):
    mine.load_markets()
    template = mine.market(BTC)
    for n in range(45):
        symbol, id_ = f"C{n}/USDT:USDT", f"C{n}-USDT"
        mine.exchange.markets[symbol] = {**template, "symbol": symbol, "id": id_}
    venue.answer("account/batch-leverage-info", [])
    mine.fetch_leverages([f"C{n}/USDT:USDT" for n in range(45)])
    sizes = [r.query["instId"].count(",") + 1 for r in venue.asked("account/batch-leverage-info")]
    assert sizes == [20, 20, 5]


def test_leverage_of_both_sides_in_hedge_mode(mine, venue):
    row = {"marginMode": "isolated", "instId": "BTC-USDT"}
    venue.answer(
        "account/batch-leverage-info",
        [
            {**row, "leverage": "5", "positionSide": "long"},
            {**row, "leverage": "9", "positionSide": "short"},
        ],
    )
    found = mine.fetch_leverage(BTC, {"marginMode": "isolated"})
    assert (found["longLeverage"], found["shortLeverage"]) == (5, 9)


def test_modes_are_set_and_read(blofin, venue):
    venue.answer("account/set-position-mode", {"positionMode": "long_short_mode"})
    venue.answer("account/position-mode", {"positionMode": "long_short_mode"})
    venue.answer("account/set-margin-mode", {"marginMode": "isolated"})
    venue.answer("account/margin-mode", {"marginMode": "isolated"})
    blofin.set_position_mode(True)
    assert venue.sent("account/set-position-mode") == {"positionMode": "long_short_mode"}
    assert blofin.fetch_position_mode()["hedged"] is True
    blofin.set_margin_mode("isolated", BTC)
    assert venue.sent("account/set-margin-mode") == {"marginMode": "isolated"}
    assert blofin.fetch_margin_mode(BTC)["marginMode"] == "isolated"


def test_a_mode_that_cannot_change_now_says_why(mine, venue):
    text = "Setting failed. Cancel any open orders, and close positions first."
    venue.refuse("account/set-position-mode", "110019", text)
    with pytest.raises(ccxt.OperationRejected, match="close positions first"):
        mine.set_position_mode(True)


def payment(n):
    return {
        "billId": str(n),
        "instId": "BTC-USDT",
        "currency": "USDT",
        "fundingFee": "-0.25" if n % 2 else "0.5",
        "ts": str(1_700_000_000_000 + n),
    }


def test_funding_payments(blofin, venue):
    def answer(request):
        after = int(request.query.get("after", 2**60))
        begin = int(request.query.get("begin", 0))
        rows = [payment(n) for n in range(250, 0, -1)]
        return [r for r in rows if int(r["billId"]) < after and int(r["ts"]) >= begin][:100]

    venue.answer("account/funding-fees", answer)
    payments = blofin.fetch_funding_history(BTC, 1_700_000_000_000 + 1)
    assert [p["id"] for p in payments] == [str(n) for n in range(1, 251)]
    assert (payments[0]["amount"], payments[1]["amount"]) == (-0.25, 0.5)
    assert (payments[0]["symbol"], payments[0]["code"]) == (BTC, "USDT")
    assert len(blofin.fetch_funding_history(BTC)) == 100


def test_stock_ccxt_promises_funding_payments_and_has_none(stock):
    assert stock.has["fetchFundingHistory"] is True
    with pytest.raises((ccxt.NotSupported, AttributeError)):
        stock.fetch_funding_history(BTC)
