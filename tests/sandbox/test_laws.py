"""Laws that hold for every flow of orders, whatever the market does."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubbybot_freqtrade.sandbox import Sandbox, SandboxSettings
from bubbybot_freqtrade.sandbox.venue.engine import Engine
from tests.sandbox.owner import Owner

PAIRS = ("BTC-USDT", "SOL-USDT")
MODES = ("cross", "isolated")
TYPES = ("market", "limit", "post_only", "ioc", "fok")

# Distances as parts of a price, near enough to be reached now and then.
distances = st.integers(1, 25).map(lambda step: Decimal(step) / 1000)
sizes = st.integers(1, 2000).map(lambda lots: Decimal(lots) / 10)

orders = st.fixed_dictionaries(
    {
        "act": st.just("order"),
        "instId": st.sampled_from(PAIRS),
        "marginMode": st.sampled_from(MODES),
        "side": st.sampled_from(("buy", "sell")),
        "positionSide": st.sampled_from(("long", "short")),
        "orderType": st.sampled_from(TYPES),
        "size": sizes,
        "price": distances | distances.map(lambda distance: -distance),
        "reduceOnly": st.sampled_from(("false", "false", "false", "true")),
        "stop": st.none() | distances,
        "target": st.none() | distances,
    }
)
others = st.one_of(
    st.fixed_dictionaries(
        {"act": st.just("play"), "minutes": st.sampled_from((1, 7, 61, 300, 1500))}
    ),
    st.fixed_dictionaries(
        {
            "act": st.just("leverage"),
            "instId": st.sampled_from(PAIRS),
            "leverage": st.sampled_from((1, 20, 75, 100)),
            "marginMode": st.sampled_from(MODES),
            "positionSide": st.sampled_from(("long", "short")),
        }
    ),
    st.fixed_dictionaries({"act": st.sampled_from(("cancel", "close", "transfer"))}),
)
flows = st.lists(st.one_of(orders, orders, others), min_size=6, max_size=24)


def fresh(position_mode: str, leverage: int) -> Owner:
    """A market of its own for each example; the generator is quick for a few hours."""
    settings = SandboxSettings(
        pairs=PAIRS,
        rate_limits=False,
        position_mode=position_mode,
        leverage=leverage,
        balance=2000,
    )
    return Owner(Sandbox(settings))


def act(owner: Owner, step: dict[str, Any]) -> None:
    {
        "order": order,
        "play": lambda owner, step: owner.play(step["minutes"]),
        "leverage": leverage,
        "cancel": cancel,
        "close": close,
        "transfer": transfer,
    }[step["act"]](owner, step)


def order(owner: Owner, step: dict[str, Any]) -> None:
    tick = owner.sandbox.market.instruments[step["instId"]].tick_size
    price = owner.sandbox.market.last_price(step["instId"], owner.sandbox.clock.now_ms())
    way = 1 if step["side"] == "buy" else -1
    fields = {name: step[name] for name in ("marginMode", "orderType", "reduceOnly")}
    if owner.get("account/position-mode")["positionMode"] == "long_short_mode":
        fields["positionSide"] = step["positionSide"]
    if step["orderType"] != "market":
        price *= 1 - way * step["price"]
        fields["price"] = on_tick(price, tick)
    if step["stop"] is not None:
        fields["slTriggerPrice"] = on_tick(price * (1 - way * step["stop"]), tick)
    if step["target"] is not None:
        fields["tpTriggerPrice"] = on_tick(price * (1 + way * step["target"]), tick)
    owner.order(step["side"], step["size"], step["instId"], **fields)


def on_tick(price: Decimal, tick: Decimal) -> str:
    return str(price // tick * tick)


def leverage(owner: Owner, step: dict[str, Any]) -> None:
    owner.post("account/set-leverage", {k: v for k, v in step.items() if k != "act"})


def cancel(owner: Owner, step: dict[str, Any]) -> None:
    for row in owner.get("trade/orders-pending"):
        owner.post("trade/cancel-order", orderId=row["orderId"])


def close(owner: Owner, step: dict[str, Any]) -> None:
    for row in owner.positions():
        names = ("instId", "marginMode", "positionSide")
        owner.post("trade/close-position", {name: row[name] for name in names})


def transfer(owner: Owner, step: dict[str, Any]) -> None:
    body = {"currency": "USDT", "amount": "10.5", "fromAccount": "futures", "toAccount": "funding"}
    owner.post("asset/transfer", body)


def check_money(owner: Owner) -> None:
    """What the ledger says, what the fills say and what the API says are one thing."""
    with localcontext(prec=60):
        check_sums(owner)


def check_sums(owner: Owner) -> None:
    account = owner.sandbox.engine.account(owner.uid)
    totals = account.ledger.totals()
    assert sum(totals.values(), Decimal(0)) == account.ledger.balance
    fills_fee = sum((fill.fee for fill in account.fills), Decimal(0))
    fills_pnl = sum((fill.pnl for fill in account.fills), Decimal(0))
    assert totals.get("fee", Decimal(0)) == -fills_fee
    assert totals.get("realized_pnl", Decimal(0)) == fills_pnl
    orders_fee = sum((o.fee for o in account.orders.values()), Decimal(0))
    assert orders_fee == fills_fee
    details = owner.get("account/balance")["details"][0]
    assert Decimal(details["balance"]) == account.ledger.balance


def check_cash(owner: Owner) -> None:
    """Without positions, realised profit is exactly what was sold for less what was bought for."""
    account = owner.sandbox.engine.account(owner.uid)
    assert not account.positions
    cash = Decimal(0)
    for fill in account.fills:
        value = owner.sandbox.market.instruments[fill.inst_id].contract_value
        signed = 1 if fill.side == "sell" else -1
        cash += signed * fill.price * fill.size * value
    assert account.ledger.totals().get("realized_pnl", Decimal(0)) == cash


def check_positions(owner: Owner) -> None:
    """Positions are the sum of the fills; stops and orders hang on nothing that is gone."""
    account = owner.sandbox.engine.account(owner.uid)
    held: dict[str, Decimal] = {inst_id: Decimal(0) for inst_id in PAIRS}
    for fill in account.fills:
        held[fill.inst_id] += fill.size if fill.side == "buy" else -fill.size
    for position in account.positions.values():
        held[position.inst_id] -= position.direction * position.size
        assert position.size > 0
        assert position.margin >= 0
    assert not any(held.values())
    for tpsl in account.live_tpsl():
        position = account.position(tpsl.inst_id, tpsl.margin_mode, tpsl.position_side)
        assert position is not None
        assert position.closing_side == tpsl.side


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    flow=flows,
    position_mode=st.sampled_from(("net_mode", "long_short_mode")),
    leverage=st.sampled_from((3, 75, 100)),
)
def test_money_is_conserved(flow, position_mode, leverage):
    owner = fresh(position_mode, leverage)
    for step in flow:
        act(owner, step)
        check_money(owner)
        check_positions(owner)
    close(owner, {})
    check_money(owner)
    check_cash(owner)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flow=flows, leverage=st.sampled_from((3, 75, 100)))
def test_skipping_quiet_stretches_changes_nothing(flow, leverage):
    skipping, walking = fresh("net_mode", leverage), fresh("net_mode", leverage)
    walk_every_trade(walking.sandbox.engine)
    for step in flow:
        act(skipping, step)
        act(walking, step)
    assert skipping.history() == walking.history()
    assert skipping.positions() == walking.positions()
    assert skipping.live_tpsl() == walking.live_tpsl()
    assert skipping.sandbox.ledger().entries == walking.sandbox.ledger().entries


def walk_every_trade(engine: Engine) -> None:
    """Make the engine look at every trade of every pair."""
    engine._in_reach = lambda inst_id, from_ms, to_ms: True  # type: ignore[method-assign]
    engine._busy_instruments = lambda: list(PAIRS)  # type: ignore[method-assign]
