"""Contracts and base currency: exact on every way between the two.

BloFin counts in contracts of `contractValue` base units, freqtrade in base units. freqtrade
multiplies the two as floats (1.8 contracts of 0.001 are 0.0018000000000000002) and cuts what comes
back to the lot, so a lot of a position is left behind now and then. Here the product is decimal, of
the numbers as they are written, and an amount within a float's error of a lot is that lot.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from math import gcd, lcm

# Lots that an amount may be off by for its float's sake: sums of floats were booked by earlier
# versions. A real difference is a lot or more.
FLOAT_ERROR = Decimal("1e-6")

# Enough for 1e-8 base units a contract beside 1e15 of them; ccxt changes the default context.
_CONTEXT = Context(prec=50, rounding=ROUND_HALF_EVEN)


def contracts_to_base(contracts: float, contract_value: float) -> float:
    """Base units of a number of contracts."""
    return float(_CONTEXT.multiply(_decimal(contracts), _decimal(contract_value)))


def base_to_contracts(amount: float, contract_value: float, lot: float | None = None) -> float:
    """Contracts of an amount in base units, not cut; whole lots where a float's error is missing.

    :param lot: step of sizes in contracts, None when there is none
    """
    contracts = _CONTEXT.divide(_decimal(amount), _decimal(contract_value))
    if lot:
        step = _decimal(lot)
        lots = _CONTEXT.divide(contracts, step)
        whole = lots.to_integral_value(context=_CONTEXT)
        if abs(_CONTEXT.subtract(lots, whole)) < FLOAT_ERROR:
            contracts = _CONTEXT.multiply(whole, step)
    return float(contracts)


def total(amounts: Iterable[float]) -> float:
    """Sum of floats as they are written: 0.1 and 0.2 are 0.3."""
    result = Decimal(0)
    for amount in amounts:
        result = _CONTEXT.add(result, _decimal(amount))
    return float(result)


def common_step(old: tuple[float, float], new: tuple[float, float]) -> float:
    """The largest step, in contracts of the new value, that whole lots of both are multiples of.

    :param old: lot in contracts and base units a contract; likewise `new`
    """
    steps = [Fraction(_decimal(lot)) * Fraction(_decimal(value)) for lot, value in (old, new)]
    denominator = lcm(*(step.denominator for step in steps))
    common = Fraction(gcd(*(int(step * denominator) for step in steps)), denominator)
    return float(common / Fraction(_decimal(new[1])))


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))
