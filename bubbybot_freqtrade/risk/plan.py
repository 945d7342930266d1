"""From a signal, the account's equity and the market's limits to a trade plan, or to none.

`plan` is pure and holds every rule of one trade:

- the loss at the stop, fees included, is 2–5 % of equity, growing with confidence and trust;
- the margin is at most 5 % of equity;
- leverage is the least whole number with which both fit, at most 50 (setting) and at most what the
  venue's tier of that size allows;
- liquidation lies beyond the stop by a stated buffer;
- the target pays at least 2R after fees.

Margin share × leverage × stop distance is the risk, and liquidation comes at a distance of about
1 / leverage. With 5 % margin, 5 % risk would therefore mean a stop at the liquidation price: the
buffer, not the confidence, caps the risk of most plans near 4 %. A plan that cannot risk 2 % under
that cap is no trade.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Literal, Self

from bubbybot_freqtrade.risk.r import gain_per_unit, loss_per_unit, r_at
from bubbybot_freqtrade.settings import RiskSettings
from bubbybot_freqtrade.signals.words import price

PLAN = "plan"
"""Key of the plan in a trade's custom data, in freqtrade's database."""
STOP_MOVES = "stop_moves"
"""Key of the stop's moves there: pairs of a UTC timestamp and a price."""

TradeSide = Literal["long", "short"]

# Sizes and margins are compared with this relative slack: the float noise of one multiplication.
NOISE = 1e-9

# The trust that leaves the risk to the confidence.
NO_OPINION = 0.5


@dataclass(frozen=True, slots=True)
class LeverageTier:
    """One row of a venue's position tiers: up to `max_notional` (quote) these bounds hold."""

    max_notional: float
    maintenance_rate: float
    max_leverage: float


@dataclass(frozen=True, slots=True)
class MarketLimits:
    """What a market allows. Sizes in base currency, prices and notionals in quote currency."""

    pair: str
    size_step: float
    min_size: float
    max_size: float
    tick: float
    fee: float
    tiers: tuple[LeverageTier, ...]
    min_notional: float = 0.0

    def __post_init__(self) -> None:
        if not (self.size_step > 0 and self.tick > 0 and self.tiers):
            raise ValueError(f"{self.pair}: size step, tick and leverage tiers must be known.")

    @classmethod
    def from_ccxt(cls, market: Mapping[str, Any], tiers: Sequence[LeverageTier]) -> Self:
        """Translate a ccxt swap market whose amounts are in contracts (precision as tick size)."""
        contract = float(market.get("contractSize") or 1)
        limits = market["limits"]
        return cls(
            pair=market["symbol"],
            size_step=float(market["precision"]["amount"]) * contract,
            min_size=float(limits["amount"].get("min") or 0) * contract,
            max_size=float(limits["amount"].get("max") or math.inf) * contract,
            tick=float(market["precision"]["price"]),
            fee=float(market.get("taker") or 0),
            tiers=tuple(tiers),
            min_notional=float((limits.get("cost") or {}).get("min") or 0),
        )

    def tier(self, notional: float) -> LeverageTier | None:
        """The first tier that holds `notional`; None beyond the last."""
        return next((tier for tier in self.tiers if notional <= tier.max_notional), None)


@dataclass(frozen=True, slots=True)
class Signal:
    """What the signal candle says: where the idea is wrong, where it pays, how sure we are.

    :param regime: the market around it, see `bubbybot_freqtrade.learning.regime`
    :param trust: chance that such trades pay, by what past ones did; 0.5 knows nothing
    """

    pair: str
    side: TradeSide
    stop: float
    target: float
    confidence: float
    tag: str = ""
    regime: str = ""
    trust: float = NO_OPINION


@dataclass(frozen=True, slots=True)
class Refusal:
    """No trade, and why: one sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class TradePlan:
    """A trade that keeps every rule at `entry`. Prices in quote, `size` in base currency.

    `risk` is the loss at the stop and `margin` the stake, fees included in the former;
    `reward_risk` is net gain at the target over net loss at the stop.
    """

    pair: str
    side: TradeSide
    entry: float
    stop: float
    target: float
    leverage: int
    size: float
    margin: float
    risk: float
    reward_risk: float
    liquidation: float
    confidence: float
    equity: float
    tag: str = ""
    regime: str = ""
    trust: float = NO_OPINION

    @property
    def why(self) -> str:
        """The plan in one line, for the log."""
        trust = "" if self.trust == NO_OPINION else f", trust {self.trust:.2f}"
        return (
            f"{self.pair} {self.side} at {price(self.entry)}, stop {price(self.stop)}, target "
            f"{price(self.target)} ({self.reward_risk:.2f}R after fees), {self.leverage}x, margin "
            f"{self.margin:.2f} ({self.margin / self.equity:.2%} of equity), risk {self.risk:.2f} "
            f"({self.risk / self.equity:.2%}), liquidation {price(self.liquidation)}, confidence "
            f"{self.confidence:.2f}{trust} [{self.tag}]"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON types only: what freqtrade keeps with the trade in its database."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read back `to_dict`.

        :raises ValueError: when a field is missing or unknown.
        """
        try:
            return cls(**data)
        except TypeError as error:
            raise ValueError(f"This is no trade plan: {error}") from None


def floor_to(value: float, step: float) -> float:
    """The largest multiple of `step` not above `value`, free of float noise."""
    return _round_to(value, step, ROUND_FLOOR)


def ceil_to(value: float, step: float) -> float:
    """The smallest multiple of `step` not below `value`, free of float noise."""
    return _round_to(value, step, ROUND_CEILING)


def _round_to(value: float, step: float, rounding: str) -> float:
    exact_step = Decimal(repr(step))
    # 12 significant digits: 0.1 + 0.2 is three steps of 0.1, not three and a crumb.
    steps = Decimal(f"{value:.12e}") / exact_step
    return float(steps.to_integral_value(rounding) * exact_step)


def liquidation_price(
    side: TradeSide, entry: float, leverage: float, maintenance_rate: float, fee: float
) -> float:
    """Where an isolated linear position is liquidated, on the safe side.

    Margin plus profit equals maintenance plus the closing fee, with the opening fee taken from the
    margin; the tiers' maintenance deduction is left out. Both put the price closer to the entry
    than the venue will.
    """
    sign = 1 if side == "long" else -1
    return entry * (1 - sign * (1 / leverage - fee)) / (1 - sign * (maintenance_rate + fee))


def furthest_liquidation(
    side: TradeSide, entry: float, stop: float, settings: RiskSettings
) -> float:
    """The price that liquidation must not come before: the stop and its buffer."""
    room = max(settings.liquidation_buffer * abs(entry - stop), settings.mark_price_gap * entry)
    return stop - room if side == "long" else stop + room


def desired_risk(
    confidence: float,
    min_confidence: float,
    settings: RiskSettings,
    trust: float = NO_OPINION,
) -> float:
    """Share of equity to risk: `min_risk` at `min_confidence`, `max_risk` at 1, linear between.

    A `trust` of 0.5 leaves that as it is, 0 takes it down to `min_risk`, 1 up to `max_risk`,
    linear between.
    """
    share = 0.0
    if min_confidence < 1:
        share = min(max((confidence - min_confidence) / (1 - min_confidence), 0), 1)
    opinion = 2 * min(max(trust, 0), 1) - 1
    share += opinion * (share if opinion < 0 else 1 - share)
    return settings.min_risk + share * (settings.max_risk - settings.min_risk)


def plan(
    signal: Signal,
    entry: float,
    equity: float,
    market: MarketLimits,
    settings: RiskSettings,
    *,
    min_confidence: float,
    leverage: int | None = None,
) -> TradePlan | Refusal:
    """The trade that `signal` is worth at `entry`, or the reason why it is none.

    :param entry: rate of the entry order, quote currency
    :param equity: account value in quote currency
    :param min_confidence: signals below it are refused
    :param leverage: fixed leverage; by default the least that fits
    """
    signal = _on_ticks(signal, market)
    if refusal := _refuse_levels(signal, entry, equity, market, settings, min_confidence):
        return refusal
    loss = loss_per_unit(entry, signal.stop, market.fee)
    # Rounding the size down must not push the risk under its floor: aim one step above it.
    rounding = market.size_step * loss / equity
    risk = max(
        desired_risk(signal.confidence, min_confidence, settings, signal.trust),
        settings.min_risk + rounding,
    )
    notional = min(risk, settings.max_risk) * equity / loss * entry
    highest = _highest_leverage(signal, entry, notional, market, settings)
    if leverage is not None:
        highest = min(highest, leverage)
    margin_cap = settings.max_margin * equity
    notional = min(notional, margin_cap * highest, market.max_size * entry)
    size = floor_to(notional / entry, market.size_step)
    least = max(1, math.ceil(size * entry / margin_cap * (1 - NOISE)))
    return fit(signal, entry, size, leverage or least, equity, market, settings)


def measure(
    signal: Signal, entry: float, size: float, leverage: int, equity: float, market: MarketLimits
) -> TradePlan:
    """What a trade of exactly this size and leverage is, whether it keeps the rules or not."""
    signal = _on_ticks(signal, market)
    loss = loss_per_unit(entry, signal.stop, market.fee)
    tier = market.tier(size * entry) or market.tiers[-1]
    return TradePlan(
        pair=signal.pair,
        side=signal.side,
        entry=entry,
        stop=signal.stop,
        target=signal.target,
        leverage=leverage,
        size=size,
        margin=size * entry / leverage,
        risk=size * loss,
        reward_risk=r_at(signal.target, entry, signal.stop, market.fee),
        liquidation=liquidation_price(
            signal.side, entry, leverage, tier.maintenance_rate, market.fee
        ),
        confidence=signal.confidence,
        equity=equity,
        tag=signal.tag,
        regime=signal.regime,
        trust=signal.trust,
    )


def fit(
    signal: Signal,
    entry: float,
    size: float,
    leverage: int,
    equity: float,
    market: MarketLimits,
    settings: RiskSettings,
) -> TradePlan | Refusal:
    """The plan of exactly this size and leverage, or the first rule that it breaks."""
    notional = size * entry
    tier = market.tier(notional)
    if refusal := _refuse_size(signal, size, notional, market):
        return refusal
    if tier is None or leverage > min(tier.max_leverage, settings.max_leverage):
        return Refusal(f"{signal.pair}: {leverage}x is above what {notional:.2f} USDT may use")
    made = measure(signal, entry, size, leverage, equity, market)
    return _refuse_shares(made, settings) or made


def _refuse_shares(made: TradePlan, settings: RiskSettings) -> Refusal | None:
    pair, equity = made.pair, made.equity
    bound = furthest_liquidation(made.side, made.entry, made.stop, settings)
    if (made.liquidation > bound) if made.side == "long" else (made.liquidation < bound):
        return Refusal(
            f"{pair}: liquidation {price(made.liquidation)} would come before {price(bound)}"
        )
    if made.margin > settings.max_margin * equity * (1 + NOISE):
        return Refusal(
            f"{pair}: margin {made.margin / equity:.2%} is above {settings.max_margin:.2%}"
        )
    share = made.risk / equity
    if not settings.min_risk * (1 - NOISE) <= share <= settings.max_risk * (1 + NOISE):
        return Refusal(
            f"{pair}: risk {share:.2%} is outside {settings.min_risk:.2%}–{settings.max_risk:.2%}"
        )
    if made.reward_risk < settings.min_reward_risk:
        return Refusal(f"{pair}: target pays {made.reward_risk:.2f}R after fees")
    return None


def _on_ticks(signal: Signal, market: MarketLimits) -> Signal:
    """Stop rounded away from the entry, target towards it: both against the plan."""
    if not all(map(math.isfinite, (signal.stop, signal.target))):
        return signal
    down, up = floor_to, ceil_to
    outward, inward = (down, down) if signal.side == "long" else (up, up)
    return replace(
        signal, stop=outward(signal.stop, market.tick), target=inward(signal.target, market.tick)
    )


def _refuse_levels(
    signal: Signal,
    entry: float,
    equity: float,
    market: MarketLimits,
    settings: RiskSettings,
    min_confidence: float,
) -> Refusal | None:
    numbers = (entry, equity, signal.stop, signal.target)
    known = all(math.isfinite(number) and number > 0 for number in numbers)
    # A person's entry may have no confluence at all.
    if not known or not (math.isfinite(signal.confidence) and signal.confidence >= 0):
        return Refusal(f"{signal.pair}: entry, equity, stop, target and confidence must be known")
    if signal.confidence < min_confidence:
        return Refusal(f"{signal.pair}: confidence {signal.confidence:.4f} < {min_confidence:.2f}")
    sign = 1 if signal.side == "long" else -1
    if not sign * signal.stop < sign * entry < sign * signal.target:
        return Refusal(
            f"{signal.pair}: {signal.side} at {price(entry)} is not between stop "
            f"{price(signal.stop)} and target {price(signal.target)}"
        )
    distance = abs(entry - signal.stop) / entry
    if not settings.min_stop <= distance <= settings.max_stop:
        return Refusal(
            f"{signal.pair}: stop at {distance:.3%} is outside "
            f"{settings.min_stop:.2%}–{settings.max_stop:.2%}"
        )
    loss = loss_per_unit(entry, signal.stop, market.fee)
    if gain_per_unit(entry, signal.target, market.fee) < settings.min_reward_risk * loss:
        return Refusal(f"{signal.pair}: target pays less than {settings.min_reward_risk:g}R")
    return None


def _refuse_size(
    signal: Signal, size: float, notional: float, market: MarketLimits
) -> Refusal | None:
    if size > 0 and notional < market.min_notional:
        return Refusal(
            f"{signal.pair}: a value of {notional:.2f} is below the venue's "
            f"{market.min_notional:.2f}"
        )
    if size <= 0 or size < market.min_size * (1 - NOISE):
        return Refusal(
            f"{signal.pair}: size {price(size)} is below the venue's {price(market.min_size)}"
        )
    if size > market.max_size * (1 + NOISE):
        return Refusal(
            f"{signal.pair}: size {price(size)} is above the venue's {price(market.max_size)}"
        )
    return None


def _highest_leverage(
    signal: Signal, entry: float, notional: float, market: MarketLimits, settings: RiskSettings
) -> int:
    """The highest whole leverage whose liquidation stays behind stop and buffer; 0 for none.

    The tier is that of the whole desired notional; a size that comes out smaller can only be in a
    tier that allows more. Solves `liquidation_price` for leverage.
    """
    tier = market.tier(notional) or market.tiers[-1]
    sign = 1 if signal.side == "long" else -1
    bound = furthest_liquidation(signal.side, entry, signal.stop, settings)
    keep = bound / entry * (1 - sign * (tier.maintenance_rate + market.fee))
    initial_rate = sign * (1 - keep) + market.fee
    cap = math.floor(min(settings.max_leverage, tier.max_leverage))
    return min(cap, math.floor((1 - NOISE) / initial_rate)) if initial_rate > 0 else cap
