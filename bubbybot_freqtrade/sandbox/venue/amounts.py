"""Decimal arithmetic and the venue's two spellings of numbers."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal

# The venue shows up to 18 decimals; 60 digits keep every product of price, size, contract value
# and rate exact, so only divisions cut.
ARITHMETIC = Context(prec=60, rounding=ROUND_DOWN)
QUANTUM = Decimal("1e-18")
ZERO = Decimal(0)


def divide(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Quotient cut to 18 decimals, as the last digits of the reference's examples show."""
    return (numerator / denominator).quantize(QUANTUM, context=ARITHMETIC)


def padded(value: Decimal) -> str:
    """With all 18 decimals, as order fields are answered: `1514.150000000000000000`."""
    return f"{value:.18f}"


def plain(value: Decimal) -> str:
    """Without trailing zeros or exponent, as sizes and prices of the market are answered."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def padded_or_null(value: Decimal | None) -> str | None:
    """`padded`, or JSON null."""
    return None if value is None else padded(value)
