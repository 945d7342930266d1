"""The contracts of the sandbox, in the vocabulary of BloFin's `market/instruments`.

Six pairs carry facts that look like the venue's; `catalogue` makes as many more as are wanted, each
derived from its name alone, so that the same name is the same contract on every machine.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, NamedTuple

LISTED_SINCE = 1_577_836_800_000  # 2020-01-01: older than any data a sandbox is likely to play


@dataclass(frozen=True, slots=True)
class MarketProfile:
    """How an instrument trades: what the generator aims at and the tiers are cut from.

    price: quote units, the level a generated history wanders around.
    daily_turnover: quote units traded on an ordinary day.
    daily_volatility: standard deviation of a day's log return.
    correlation: of its returns with the market as a whole, 0 to 1.
    """

    price: Decimal
    daily_turnover: Decimal
    daily_volatility: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Instrument:
    """One perpetual contract. Sizes are in contracts, prices in quote units, times in ms.

    `contract_value` is base units per contract; `expire_time` 0 means that no delisting is
    announced; `state` is `live` or `suspend`.
    """

    inst_id: str
    base: str
    quote: str
    contract_value: Decimal
    list_time: int
    expire_time: int
    max_leverage: Decimal
    min_size: Decimal
    lot_size: Decimal
    tick_size: Decimal
    max_limit_size: Decimal
    max_market_size: Decimal
    profile: MarketProfile
    state: Literal["live", "suspend", "gone"] = "live"
    settle: str = "USDT"
    inst_type: str = "SWAP"
    contract_type: str = "linear"


@dataclass(frozen=True, slots=True)
class Tier:
    """One row of `market/position-tiers`: what a position of min_size..max_size contracts may do.

    Both ends are included. The reference names no unit for the sizes; the sandbox means contracts,
    like everywhere else on the venue.
    """

    inst_id: str
    min_size: Decimal
    max_size: Decimal
    maintenance_margin_rate: Decimal
    max_leverage: Decimal


class _Facts(NamedTuple):
    """A row of the table below, as text because the venue's numbers are decimal."""

    contract_value: str
    tick_size: str
    lot_size: str
    max_leverage: int
    price: str
    daily_turnover: str
    daily_volatility: float
    correlation: float


_TABLE = {
    "BTC": _Facts("0.001", "0.1", "0.1", 150, "95000", "8000000000", 0.024, 0.92),
    "ETH": _Facts("0.01", "0.01", "0.1", 150, "2600", "5000000000", 0.034, 0.88),
    "SOL": _Facts("1", "0.01", "0.01", 100, "155", "1500000000", 0.043, 0.82),
    "XRP": _Facts("100", "0.0001", "0.1", 100, "2.3", "900000000", 0.042, 0.74),
    "DOGE": _Facts("1000", "0.00001", "0.1", 75, "0.19", "600000000", 0.048, 0.78),
    "AVAX": _Facts("1", "0.001", "0.1", 75, "21", "180000000", 0.047, 0.79),
}

# Names and rough price levels of further contracts; everything else about them follows the rule.
_MORE = {
    "ADA": 0.7, "LINK": 14, "LTC": 88, "BNB": 640, "SUI": 3.3, "TON": 3.1, "DOT": 4.2,
    "BCH": 390, "NEAR": 2.5, "APT": 5.1, "UNI": 6.1, "AAVE": 190, "ARB": 0.36, "OP": 0.7,
    "ATOM": 4.4, "FIL": 2.7, "ETC": 17, "INJ": 11, "TIA": 2.6, "SEI": 0.21, "WLD": 1.1,
    "TRX": 0.25, "HBAR": 0.18, "XLM": 0.27, "ICP": 5.2, "RENDER": 4.4, "FET": 0.7, "JUP": 0.47,
    "ENA": 0.33, "LDO": 0.85, "CRV": 0.66, "ALGO": 0.21, "IMX": 0.6, "GALA": 0.016,
    "SAND": 0.28, "PEPE": 0.0000085, "SHIB": 0.000013, "BONK": 0.000018, "WIF": 0.6,
    "PENDLE": 3.4, "ORDI": 8.5, "STX": 0.85, "RUNE": 1.7, "GRT": 0.1, "DYDX": 0.6,
    "ONDO": 0.9, "JTO": 1.8, "PYTH": 0.14, "STRK": 0.16, "KAS": 0.095,
}  # fmt: skip

_LEVERAGE_STEPS = (150, 125, 100, 75, 50, 25, 20, 10, 5, 3, 2, 1)
_TIER_GROWTH = Decimal("2.5")


def split_inst_id(inst_id: str) -> tuple[str, str]:
    """`BTC-USDT` -> (`BTC`, `USDT`); ValueError when it is not BASE-QUOTE."""
    base, dash, quote = inst_id.rpartition("-")
    if not (base and dash and quote):
        raise ValueError(f"{inst_id!r} is not an instrument; write BASE-QUOTE, e.g. BTC-USDT")
    return base, quote


def instrument(inst_id: str) -> Instrument:
    """The contract of this name: from the table when it has one, else by the rule."""
    base, quote = split_inst_id(inst_id)
    facts = _TABLE.get(base)
    if facts is None or quote != "USDT":
        return instrument_at_price(inst_id, _price_of(base))
    profile = MarketProfile(
        Decimal(facts.price),
        Decimal(facts.daily_turnover),
        facts.daily_volatility,
        facts.correlation,
    )
    return _contract(
        inst_id,
        Decimal(facts.contract_value),
        Decimal(facts.tick_size),
        Decimal(facts.lot_size),
        facts.max_leverage,
        profile,
    )


def instrument_at_price(inst_id: str, price: float) -> Instrument:
    """A contract by the rule for something that trades near `price` quote units.

    Five significant digits of price, and a contract worth between 10 and 100 quote units: the
    pattern that the venue's own listings follow.
    """
    base, _ = split_inst_id(inst_id)
    draw = _draws(base)
    magnitude = math.floor(math.log10(price))
    profile = MarketProfile(
        price=Decimal(f"{price:.5g}"),
        daily_turnover=Decimal(round(10 ** (6.3 + 2.0 * draw[0]))),
        daily_volatility=0.045 + 0.03 * draw[1],
        correlation=0.55 + 0.25 * draw[2],
    )
    return _contract(
        inst_id,
        contract_value=_power_of_ten(math.floor(math.log10(100 / price))),
        tick_size=_power_of_ten(magnitude - 4),
        lot_size=Decimal("0.1"),
        max_leverage=(50, 75)[draw[3] > 0.5],
        profile=profile,
    )


def of_other_currencies(linear: Instrument) -> tuple[Instrument, ...]:
    """What the venue lists beside a USDT contract of BTC or ETH: one settled in USDC, and an
    inverse one of USD that is settled in the coin itself. None for other coins.
    """
    if linear.quote != "USDT" or linear.base not in ("BTC", "ETH"):
        return ()
    usdc = replace(linear, inst_id=f"{linear.base}-USDC", quote="USDC", settle="USDC", state="live")
    inverse = replace(
        linear,
        inst_id=f"{linear.base}-USD",
        quote="USD",
        settle=linear.base,
        state="live",
        contract_type="inverse",
        contract_value=Decimal(1),
        lot_size=Decimal(1),
        min_size=Decimal(1),
    )
    return usdc, inverse


def catalogue(count: int, quote: str = "USDT") -> list[Instrument]:
    """The first `count` contracts of the sandbox: the table, familiar names, then numbered ones."""
    if count < 1:
        raise ValueError(f"a sandbox needs at least one instrument, not {count}")
    names = [*_TABLE, *_MORE]
    names += [f"ALT{number}" for number in range(len(names) + 1, count + 1)]
    return [instrument(f"{name}-{quote}") for name in names[:count]]


def tiers(of: Instrument | str) -> list[Tier]:
    """The position tiers of an instrument, smallest positions first; the same in both margin modes.

    The maintenance rate is half the initial margin of the tier's leverage, which is what the
    reference's example shows (125x, 0.004). Each tier reaches 2.5 times the notional of the one
    before; the first one takes a ten-thousandth of a day's turnover.
    """
    contract = instrument(of) if isinstance(of, str) else of
    steps = [step for step in _LEVERAGE_STEPS if step < contract.max_leverage]
    leverages = [contract.max_leverage, *map(Decimal, steps)]
    value = contract.profile.price * contract.contract_value
    reach = max(contract.profile.daily_turnover / 10_000, Decimal(5_000)) / value
    lower = contract.min_size
    rows = []
    for leverage in leverages:
        upper = max(_two_digits(reach), lower)
        # Rounding said here: the engine's own arithmetic cuts.
        rate = (1 / (2 * leverage)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)
        rows.append(Tier(contract.inst_id, lower, upper, rate, leverage))
        lower = upper + contract.lot_size
        reach *= _TIER_GROWTH
    return rows


def _contract(
    inst_id: str,
    contract_value: Decimal,
    tick_size: Decimal,
    lot_size: Decimal,
    max_leverage: int,
    profile: MarketProfile,
) -> Instrument:
    base, quote = split_inst_id(inst_id)
    worth = profile.price * contract_value
    market_size = _two_digits(max(profile.daily_turnover / 1_000, Decimal(50_000)) / worth)
    return Instrument(
        inst_id=inst_id,
        base=base,
        quote=quote,
        contract_value=contract_value,
        list_time=LISTED_SINCE,
        expire_time=0,
        max_leverage=Decimal(max_leverage),
        min_size=lot_size,
        lot_size=lot_size,
        tick_size=tick_size,
        max_limit_size=market_size * 10,
        max_market_size=market_size,
        profile=profile,
        settle=quote,
    )


def _two_digits(size: Decimal) -> Decimal:
    """Rounded to two significant digits, but to whole contracts at the finest."""
    exponent = max(size.adjusted() - 1, 0)
    return Decimal(round(size.scaleb(-exponent))).scaleb(exponent).quantize(Decimal(1))


def _power_of_ten(exponent: int) -> Decimal:
    """Written out: 100, not 1E+2."""
    return Decimal(10**exponent) if exponent >= 0 else Decimal(1).scaleb(exponent)


def _draws(name: str) -> list[float]:
    """Four numbers in [0, 1) that belong to a name."""
    digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return [int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in range(0, 16, 4)]


def _price_of(base: str) -> float:
    if base in _TABLE:
        return float(_TABLE[base].price)
    if base in _MORE:
        return _MORE[base]
    return float(10 ** (-3.0 + 4.5 * _draws(base + "/price")[0]))
