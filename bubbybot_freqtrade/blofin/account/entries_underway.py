"""Whether what is seen of a pair is an entry of this bot on its way.

Only to be imported once freqtrade is complete: freqtrade.persistence imports freqtrade.exchange.
"""

from collections.abc import Collection

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.account.reconciliation import Discrepancy, Finding
from bubbybot_freqtrade.blofin.account.venue import Requests
from bubbybot_freqtrade.blofin.closings import closes, opens
from bubbybot_freqtrade.blofin.contracts import total

# An entry's trade is there, its order may not be yet: freqtrade adds to a position.
_OF_AN_ENTRY = (Discrepancy.UNKNOWN_ORDER, Discrepancy.POSITION_GREW)


def is_of_an_entry(requests: Requests, finding: Finding, traded: Collection[str]) -> bool:
    """Whether this is what an entry looks like before freqtrade has written its trade.

    Telegram's and the API's entries run beside the loop, and an answer that got lost is looked up
    for seconds.

    :param traded: pairs with an open trade
    """
    if not requests.is_entering(finding.pair):
        return False
    return finding.pair not in traded or finding.kind in _OF_AN_ENTRY


def may_be_filling(requests: Requests, finding: Finding) -> bool:
    """Whether an entry may be the reason why a part of a position is bare: its stop grows with it.

    Not where the position has more than the trade and what its entries have filled so far.
    """
    trade = database.open_trade(finding.pair, finding.side)
    if trade is None or requests.is_entering(finding.pair):
        return True
    if not trade.has_open_orders:
        return False
    filled = total(
        row["filled"] or 0.0
        for row in requests.rows("orders", fresh=True)
        if row["symbol"] == finding.pair and opens(row, finding.side) and not closes(row)
    )
    held = requests.exact_contracts(trade.pair, trade.amount) if trade.amount else 0.0
    return finding.size <= total([held, filled]) * (1 + 1e-9)
