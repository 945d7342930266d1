"""Open trades whose market has changed: a contract's value, lot or tick is not what it was.

freqtrade keeps them with the trade and cuts its amount by them. Amounts are in base currency, so a
trade stays as it is. Its lot is one that fits what it had by the old lot and what it gets by the
new one: by a lot that has grown, a part of it would be cut off its books and left at BloFin.

Only to be imported once freqtrade is complete: freqtrade.persistence imports freqtrade.exchange.
"""

import logging

from freqtrade.exchange import Exchange
from freqtrade.persistence import Trade

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.contracts import common_step

logger = logging.getLogger(__name__)


def _lot(trade: Trade, value: float, lot: float | None) -> float | None:
    """Step, in contracts of `value`, of the amounts that a trade had and will have."""
    if not lot or not trade.amount_precision or not trade.contract_size:
        return lot
    if (value, lot) == (trade.contract_size, trade.amount_precision):
        return lot
    return common_step((trade.amount_precision, trade.contract_size), (lot, value))


def follow_changed_markets(exchange: Exchange) -> None:
    """Write a changed market's contract value and precisions on the open trades of its pair."""
    if not database.is_open():
        return
    for trade in database.open_trades():
        value = exchange.get_contract_size(trade.pair)
        if value is None:
            # Gone: nothing is known of it any more.
            continue
        facts = {
            "contract_size": value,
            "amount_precision": _lot(trade, value, exchange.get_precision_amount(trade.pair)),
            "price_precision": exchange.get_precision_price(trade.pair),
        }
        changed = {name: fact for name, fact in facts.items() if getattr(trade, name) != fact}
        if not changed:
            continue
        for name, fact in changed.items():
            logger.warning(
                f"{trade.pair}: BloFin has changed the contract while a trade is open, "
                f"{name.replace('_', ' ')} from {getattr(trade, name)} to {fact}. The trade goes "
                "on by the new one; compare its amount with the app."
            )
            setattr(trade, name, fact)
        Trade.commit()
