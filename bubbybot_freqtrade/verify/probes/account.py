"""Key, modes, leverage and liquidation of the account."""

from __future__ import annotations

from decimal import Decimal

from bubbybot_freqtrade.verify.client import NO_PERMISSION
from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.journal import POSITION_MODE, Setting
from bubbybot_freqtrade.verify.probe import Answer, Anything, probe
from bubbybot_freqtrade.verify.view import NotMeasuredError

GROUP = "account"
OTHER_MODE = {"net_mode": "long_short_mode", "long_short_mode": "net_mode"}
OTHER_MARGIN = {"cross": "isolated", "isolated": "cross"}
# Two whole numbers that every instrument allows and that a 3 % stop fits into.
LEVERAGES = (4, 5)
LIQUIDATION_TOLERANCE = Decimal("0.001")


@probe(
    GROUP,
    "Does query-apikey tell what the key may do, and until when?",
    assumed="told",
    readings={"told": "readOnly, expireTime and ips are there", "partly": "some are missing"},
    copes=("partly",),
)
def key_facts(desk: Desk) -> Answer:
    """What the bot's start and the doctor read."""
    row = desk.get("user/query-apikey").row
    missing = [name for name in ("readOnly", "expireTime", "ips") if name not in row]
    return Answer("partly" if missing else "told", ", ".join(f"no {name}" for name in missing))


@probe(
    GROUP,
    "How is a transfer refused to a key that may not transfer?",
    setting="transfer_check",
    readings={
        "permission": "a transfer of nothing is refused for want of permission (152404)",
        "amount": "a transfer of nothing is refused for its amount",
        "accepted": "a transfer of nothing is accepted",
    },
    copes=("amount",),
    advice="Make a key that may not transfer. If yours may not, set "
    "exchange.allow_transfer_permission to true: the bot cannot tell then.",
)
def transfer_check(desk: Desk) -> Answer:
    """Zero USDT, into the account that trades: without effect whoever is right."""
    body = {
        "currency": "USDT",
        "amount": "0",
        "fromAccount": "funding",
        "toAccount": "futures",
    }
    reply = desk.client.call("POST", "asset/transfer", body, expecting=(NO_PERMISSION,))
    if reply.ok:
        return Answer("accepted", "the key may transfer")
    return Answer("permission" if reply.code == NO_PERMISSION else "amount", reply.words)


@probe(
    GROUP,
    "How many positions of one side can a pair have?",
    assumed="one",
    readings={"one": "one", "several": "several (Multi-Position mode)"},
    advice="Switch Multi-Position mode off in the app: the bot refuses to start in it.",
)
def multi_position(desk: Desk) -> Answer:
    """The mode of the account, where the venue tells it."""
    row = desk.get("account/position-mode").row
    told = row.get("multiPosition")
    return Answer("several" if str(told).lower() == "true" else "one", f"multiPosition: {told}")


@probe(
    GROUP,
    "Does set-position-mode switch an account without orders and positions?",
    assumed="switches",
    readings={"switches": "it does, there and back", "refused": "it is refused"},
    copes=("refused",),
    advice="Set the position mode in the app to the config's exchange.position_mode.",
)
def position_mode(desk: Desk) -> Answer:
    """To the other mode and back; only where the whole account is flat."""
    for path in ("account/positions", "trade/orders-pending", "trade/orders-tpsl-pending"):
        if desk.get(path).rows:
            raise NotMeasuredError("something is open on another pair")
    before = str(desk.get("account/position-mode").row.get("positionMode"))
    if before not in OTHER_MODE:
        raise NotMeasuredError(f"the mode is {before}")
    path = "account/set-position-mode"
    setting = Setting(POSITION_MODE, path, {"positionMode": before})
    desk.journal.change(setting)
    reply = desk.client.call("POST", path, {"positionMode": OTHER_MODE[before]})
    if not reply.ok:
        desk.journal.restored(setting)
        return Answer("refused", reply.words)
    now = desk.get("account/position-mode").row.get("positionMode")
    back = desk.client.call("POST", path, setting.restore)
    if not back.ok:
        raise NotMeasuredError(f"the mode cannot be given back: {back.words}")
    desk.journal.restored(setting)
    return Answer("switches" if now == OTHER_MODE[before] else "refused", f"then {now}")


@probe(
    GROUP,
    "Is the position mode fixed while an order is open?",
    assumed="110019",
    readings={"110019": "refused with 110019", "accepted": "it switches"},
    copes=Anything(),
)
def position_mode_with_order(desk: Desk) -> Answer:
    """What the bot's start meets on an account in the other mode."""
    before = str(desk.get("account/position-mode").row.get("positionMode"))
    if before not in OTHER_MODE:
        raise NotMeasuredError(f"the mode is {before}")
    with desk.waiting():
        path = "account/set-position-mode"
        setting = Setting(POSITION_MODE, path, {"positionMode": before})
        desk.journal.change(setting)
        reply = desk.client.call("POST", path, {"positionMode": OTHER_MODE[before]})
        if reply.ok and not desk.client.call("POST", path, setting.restore).ok:
            raise NotMeasuredError("the mode cannot be given back yet")
        desk.journal.restored(setting)
    return Answer("accepted" if reply.ok else reply.code, reply.words)


@probe(
    GROUP,
    "How is an order of the other margin mode than the position's answered?",
    setting="other_margin_mode",
    readings={
        "152002": "refused with 152002",
        "102022": "refused with 102022",
        "other": "refused with another code",
        "accepted": "it is accepted",
    },
    copes=("102022", "other", "accepted"),
)
def margin_mode_beside(desk: Desk) -> Answer:
    """A fill-or-kill order far from the market: nothing of it can stay."""
    if desk.hedged:
        raise NotMeasuredError("asked in one-way mode only")
    with desk.long():
        other = OTHER_MARGIN[desk.margin_mode]
        _, reply = desk.send_order(
            "buy",
            desk.smallest,
            price=desk.far_price(),
            orderType="fok",
            marginMode=other,
        )
    if reply.ok:
        return Answer("accepted", reply.words)
    return Answer(reply.code if reply.code in ("152002", "102022") else "other", reply.words)


@probe(
    GROUP,
    "Does leverage set on a flat pair hold for the next position?",
    assumed="holds",
    readings={"holds": "it does", "other": "the position has another"},
    advice="Positions would be liquidated elsewhere than planned. Report both figures.",
)
def leverage_of_flat_pair(desk: Desk) -> Answer:
    """Another leverage than the pair has, then a position."""
    wanted = next(lev for lev in LEVERAGES if Decimal(lev) != desk.leverage())
    reply = desk.set_leverage(wanted)
    if not reply.ok:
        raise NotMeasuredError(f"leverage is refused: {reply.words}")
    with desk.long() as long:
        shown = Decimal(long.row["leverage"])
    return Answer("holds" if shown == wanted else "other", f"set {wanted}, position {shown}")


@probe(
    GROUP,
    "Does set-leverage change an open position?",
    assumed="changes",
    readings={
        "changes": "the position's leverage changes",
        "refused": "it is refused while a position is open",
        "later": "it is accepted and the position keeps its own",
    },
    copes=("refused", "later"),
)
def leverage_of_position(desk: Desk) -> Answer:
    """The bot sets leverage before an entry only."""
    desk.set_leverage(LEVERAGES[0])
    with desk.long():
        reply = desk.set_leverage(LEVERAGES[1])
        if not reply.ok:
            return Answer("refused", reply.words)
        changed = desk.eventually(
            lambda: Decimal(desk.position().get("leverage") or 0) == LEVERAGES[1]
        )
    return Answer("changes" if changed else "later")


@probe(
    GROUP,
    "Is the liquidation price where the bot expects it?",
    assumed="same",
    readings={
        "same": "within 0.1 % of the bot's formula",
        "farther": "farther from the entry than by the formula",
        "nearer": "nearer to the entry than by the formula",
        "none": "the venue tells none",
    },
    copes=("farther", "none"),
    advice="Plans leave too little room before liquidation: report both figures, and lower "
    "risk.max_leverage by as much as they differ.",
)
def liquidation_price(desk: Desk) -> Answer:
    """Of a small isolated long, by the formula that paper trading and plans use."""
    if desk.margin_mode != "isolated":
        raise NotMeasuredError("the formula is compared for isolated positions")
    tier = desk.public(
        "market/position-tiers", instId=desk.instrument.inst_id, marginMode=desk.margin_mode
    ).row
    taker = Decimal(str(desk.client.market(desk.instrument.symbol)["taker"]))
    with desk.long() as long:
        row = long.row
        amount = abs(Decimal(row["positions"])) * desk.instrument.contract_value
        rate = Decimal(tier["maintenanceMarginRate"]) + taker
        ours = (long.price - Decimal(row["margin"]) / amount) / (1 - rate)
        shown = Decimal(row.get("liquidationPrice") or 0)
    figures = f"bot {ours:.6g}, venue {shown:.6g}, entry {long.price:.6g}"
    if not shown:
        return Answer("none", figures)
    if abs(shown - ours) <= LIQUIDATION_TOLERANCE * ours:
        return Answer("same", figures)
    return Answer("nearer" if shown > ours else "farther", figures)


PROBES = (
    key_facts,
    transfer_check,
    multi_position,
    position_mode,
    position_mode_with_order,
    margin_mode_beside,
    leverage_of_flat_pair,
    leverage_of_position,
    liquidation_price,
)
