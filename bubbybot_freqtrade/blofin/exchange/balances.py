"""The account's balance, where BloFin's answer can be true."""

import logging

from freqtrade.enums import TRADE_MODES
from freqtrade.exceptions import TemporaryError
from freqtrade.exchange.exchange import Exchange
from freqtrade.exchange.exchange_types import CcxtBalances

logger = logging.getLogger(__name__)


class BelievedBalances(Exchange):
    """A balance without the stake currency is believed only of an account without a trade.

    A trade's margin is a part of it. Taken for nothing it would be the whole account lost in a day.
    """

    _known_balances: CcxtBalances | None = None
    _lacks_stake = False

    def get_balances(self, params: dict | None = None) -> CcxtBalances:
        """Balances by currency; while trades are open, the last ones that had their money.

        :raises TemporaryError: when there are none yet
        """
        balances = super().get_balances(params)
        stake = self._config["stake_currency"]
        lacked, self._lacks_stake = self._lacks_stake, False
        if (balances.get(stake) or {}).get("total") or not self._holds_trades():
            self._known_balances = balances
            return balances
        self._lacks_stake = True
        lacks = f"BloFin's balance shows no {stake} though trades are open"
        if self._known_balances is None:
            raise TemporaryError(f"{lacks}. It is asked again; stops on BloFin stay.")
        if not lacked:
            logger.warning("%s. The last one known is taken until it does.", lacks)
        return self._known_balances

    def _holds_trades(self) -> bool:
        if self._config["dry_run"] or self._config["runmode"] not in TRADE_MODES:
            return False
        # Not at module level: freqtrade.persistence imports freqtrade.exchange.
        from bubbybot_freqtrade.blofin.account import database

        return database.is_open() and any(t.has_open_position for t in database.open_trades())
