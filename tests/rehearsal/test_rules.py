"""Every rule holds for a clean record and finds the one thing that is wrong with a spoilt one."""

import json
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from bubbybot_freqtrade.rehearsal.ledgers import Account, TradeAccounts, Wallets, reconcile
from bubbybot_freqtrade.rehearsal.rules import (
    PLAN_RULES,
    RULES,
    Evidence,
    entry_orders,
    violations,
)
from bubbybot_freqtrade.rehearsal.trades import TradeRecord
from bubbybot_freqtrade.rehearsal.venue_log import PositionLog
from bubbybot_freqtrade.sandbox.venue.ledger import Ledger

NOON = 1_748_779_200_000
ORDER = {
    "instId": "BTC-USDT",
    "positionSide": "net",
    "side": "buy",
    "size": "10",
    "slTriggerPrice": "98000",
    "slOrderPrice": "-1",
}


@dataclass(frozen=True)
class Sent:
    body: str
    path: str = "/api/v1/trade/order"
    method: str = "POST"
    ts_ms: int = NOON


def sent(path="/api/v1/trade/order", **changes):
    order = {k: v for k, v in {**ORDER, **changes}.items() if v is not None}
    return Sent(json.dumps(order), path)


def position(**changes):
    given = {
        "position_id": "7",
        "inst_id": "BTC-USDT",
        "direction": 1,
        "opened_ms": NOON,
        "equity": Decimal(1000),
        "day_opening_equity": Decimal(1010),
        "leverage": Decimal(20),
        "margin": Decimal(48),
        "closed_ms": NOON + 1000,
        "stops": [(NOON, Decimal(98000))],
        "target": Decimal(105000),
        "stop_after_ms": 0,
        **changes,
    }
    return PositionLog(**given)


def trade(**changes):
    given = {
        "trade_id": 1,
        "pair": "BTC/USDT:USDT",
        "side": "long",
        "leverage": 20.0,
        "amount": 0.01,
        "entry": 100_000.0,
        "opened_ms": NOON,
        "exit": 105_000.0,
        "closed_ms": NOON + 1000,
        "exit_reason": "take_profit_on_exchange",
        "tag": "",
        "net": 48.77,
        "fees": 1.23,
        "funding": 0.0,
        "order_ids": frozenset({"11", "12"}),
        "plan": {"confidence": 0.7, "reward_risk": 2.0, "stop": 98_000.0},
        **changes,
    }
    return TradeRecord(**given)


TRADE = trade()


def accounts(bot_gross=50.0, trade_=TRADE):
    return TradeAccounts(
        trade_, "BTC-USDT", frozenset({"7"}), Account(50.0, -1.23), Account(bot_gross, -1.23)
    )


CLEAN = Evidence(
    requests=[sent(), sent(side="sell", reduceOnly="true", slTriggerPrice=None)],
    positions=[position()],
    trades=[TRADE],
    accounts=[accounts()],
    wallets=Wallets(1048.77, 1048.774),
)


def test_a_clean_record_breaks_no_rule():
    assert violations(CLEAN, RULES + PLAN_RULES) == []


@pytest.mark.parametrize(
    ("rule", "spoilt", "said"),
    [
        (
            "entry requests carry stops",
            {"requests": [sent(slTriggerPrice=None)]},
            "an entry of 10 BTC-USDT was sent without slTriggerPrice",
        ),
        (
            "positions are never bare",
            {"positions": [position(unprotected_ms=1)]},
            "stood 1 ms without a stop",
        ),
        (
            "positions are never bare",
            {"positions": [position(stop_after_ms=3, unprotected_ms=3)]},
            "first stop after: 3 ms",
        ),
        (
            "positions are never bare",
            {"positions": [position(stop_after_ms=None)]},
            "first stop after: never",
        ),
        (
            "stops are not doubled",
            {"positions": [position(doubled_ms=10_001)]},
            "two full stops for 10001 ms",
        ),
        ("ledgers agree", {"accounts": [accounts(bot_gross=50.01)]}, "trade 1 BTC/USDT:USDT"),
        ("ledgers agree", {"accounts": [accounts(trade_=None)]}, "freqtrade knows nothing of"),
        ("ledgers agree", {"wallets": Wallets(1048.77, 1048.78)}, "wallet: venue 1048.7700"),
        ("nothing is left behind", {"left_open": ["the venue still has order 5"]}, "order 5"),
        ("bot keeps running", {"stopped": "the bot stopped itself"}, "stopped itself"),
        ("bot keeps running", {"errors": ["freqtrade.wallets: no"]}, "freqtrade.wallets: no"),
        (
            "leverage is bounded",
            {"positions": [position(leverage=Decimal(51))]},
            "had 51x, more than 50x",
        ),
        (
            "margin is bounded",
            {"positions": [position(margin=Decimal("50.6"))]},
            "put up 5.06% of the account, more than 5%",
        ),
        ("trades are planned", {"trades": [trade(plan=None)]}, "no plan in the database"),
        (
            "trades are planned",
            {"trades": [trade(plan={"confidence": 0.699, "reward_risk": 3, "stop": 98_000})]},
            "confluence 0.699 is below 0.7",
        ),
        (
            "trades are planned",
            {"trades": [trade(plan={"confidence": 0.8, "reward_risk": 1.99, "stop": 98_000})]},
            "the plan pays 1.990R, less than 2.0R",
        ),
        (
            "stops stand where planned",
            {"positions": [position(stops=[(NOON, Decimal(97_999))])]},
            "looser than the plan's 98000",
        ),
        (
            "no entry after the daily loss",
            {"positions": [position(equity=Decimal(909), margin=Decimal(45))]},
            "opened after the day had lost 10.00%",
        ),
    ],
)
def test_one_wrong_thing_breaks_one_rule(rule, spoilt, said):
    broken = violations(replace(CLEAN, **spoilt), RULES + PLAN_RULES)
    assert [violation.rule for violation in broken] == [rule]
    assert said in broken[0].reason


@pytest.mark.parametrize(
    ("request_", "entries"),
    [
        (sent(), 1),
        (sent(side="sell"), 1),
        (sent(reduceOnly="true"), 0),
        (sent(reduceOnly="false"), 1),
        (sent(positionSide="long", side="buy"), 1),
        (sent(positionSide="long", side="sell"), 0),
        (sent(positionSide="short", side="sell"), 1),
        (sent(positionSide="short", side="buy"), 0),
        (Sent(json.dumps([ORDER, ORDER]), "/api/v1/trade/batch-orders"), 2),
        (sent("/api/v1/trade/order-algo"), 1),
        (sent("/api/v1/trade/order-tpsl"), 0),
        (sent("/api/v1/trade/cancel-order"), 0),
        (Sent("", "/api/v1/trade/orders-pending", "GET"), 0),
    ],
)
def test_what_counts_as_an_entry(request_, entries):
    assert len(list(entry_orders(request_))) == entries


def test_a_stop_attached_to_a_trigger_order_counts():
    attached = {"slTriggerPrice": "98000", "slOrderPrice": "-1"}
    request = sent("/api/v1/trade/order-algo", slTriggerPrice=None, attachAlgoOrders=[attached])
    assert violations(replace(CLEAN, requests=[request]), RULES) == []


def test_the_venues_entries_are_found_by_the_trades_orders():
    ledger = Ledger()
    for number, (kind, amount, order_id, position_id) in enumerate(
        [
            ("deposit", "1000", "", ""),
            ("fee", "-0.60", "11", "7"),
            ("funding", "-0.10", "", "7"),
            ("realized_pnl", "50", "12", "7"),
            ("fee", "-0.63", "12", "7"),
            ("fee", "-9", "99", "8"),
        ]
    ):
        ledger.post(
            str(number),
            NOON,
            kind,
            Decimal(amount),
            inst_id="BTC-USDT",
            order_id=order_id,
            position_id=position_id,
        )
    known, stray = reconcile([trade(net=48.67, funding=-0.1)], ledger.entries)
    assert known.position_ids == {"7"}
    assert known.venue == Account(gross=50.0, fees=-1.23, funding=-0.1)
    assert known.difference < 0.01
    assert stray.trade is None
    assert stray.position_ids == {"8"}
    assert stray.venue.net == -9
