"""R, the one measure of a result: a profit over what the first stop would have lost.

Both are net: the profit of fees and funding, the loss of both fees (its funding is not known
beforehand). So a trade that is stopped at its stop has −1R, whatever it paid to get in and out.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Prices = TypeVar("Prices", float, npt.NDArray[np.float64])
"""One price, or a column of them."""


def loss_per_unit(entry: Prices, stop: Prices, fee: float) -> Prices:
    """Quote currency lost per base unit between entry and stop, both fees included."""
    return abs(entry - stop) + fee * (entry + stop)


def gain_per_unit(entry: Prices, target: Prices, fee: float) -> Prices:
    """Quote currency won per base unit between entry and target, both fees paid."""
    return abs(target - entry) - fee * (entry + target)


def r_multiple(profit: Prices, amount: Prices, entry: Prices, stop: Prices, fee: float) -> Prices:
    """A profit in R.

    :param profit: quote currency, net of fees and funding
    :param amount: base currency
    :param stop: the first one, as planned; not the entry itself
    :param fee: of one side, as a share
    """
    return profit / (amount * loss_per_unit(entry, stop, fee))


def r_at(rate: Prices, entry: Prices, stop: Prices, fee: float, funding: float = 0.0) -> Prices:
    """What leaving at `rate` comes to in R. The stop says which side it is: below is a long.

    :param funding: received so far for each base unit (negative: paid), quote currency
    """
    sign = (entry - stop) / abs(entry - stop)
    profit = sign * (rate - entry) - fee * (entry + rate) + funding
    return profit / loss_per_unit(entry, stop, fee)
