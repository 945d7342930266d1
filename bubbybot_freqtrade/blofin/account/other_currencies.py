"""Positions that are settled in another currency than the bot's: told once, and left alone."""

import logging
from typing import Any

from freqtrade.exchange import Exchange

from bubbybot_freqtrade.blofin.account.messages import in_another_currency

logger = logging.getLogger(__name__)

Row = dict[str, Any]


class OtherCurrencies:
    """Sorts them out: a bot could neither trade nor book them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._says: dict[str, str] = {}

    def sort_out(self, positions: list[Row]) -> list[Row]:
        """The positions that are this bot's business, told of the others."""
        stake = self._exchange._config["stake_currency"]
        settled = {row["symbol"]: self._settled_in(row, stake) for row in positions}
        said = self._says
        self._says = {
            row["symbol"]: in_another_currency(row["symbol"], settled[row["symbol"]], stake)
            for row in positions
            if row["contracts"] and settled[row["symbol"]] != stake
        }
        for pair in self._says.keys() - said.keys():
            logger.warning(self._says[pair])
        return [row for row in positions if settled[row["symbol"]] == stake]

    def told(self) -> list[str]:
        """A sentence for each that is there."""
        return list(self._says.values())

    def _settled_in(self, row: Row, stake: str) -> str:
        """A market that is not known counts as one of the bot's: it may be gone."""
        return str(self._exchange.markets.get(row["symbol"], {}).get("settle") or stake)
