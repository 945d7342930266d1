"""Balance, positions, leverage, fills and funding of the account: parsing, no I/O."""

from decimal import Decimal
from typing import Any

import ccxt

_LONG_SIDE = {"long": "long", "buy": "long", "short": "short", "sell": "short"}


def _smaller(one: str | None, other: str | None) -> str | None:
    """The smaller of two decimal strings, or the one that is there."""
    if one is None or other is None:
        return other if one is None else one
    return one if Decimal(one) <= Decimal(other) else other


class Account:
    """The account's data; mixed into the ccxt classes."""

    def parse_balance(self: Any, response: dict[str, Any]) -> dict[str, Any]:
        """ccxt's balance of the futures account, over REST or websocket.

        ``total`` is the wallet (the venue's ``balance``) without unrealised profit, ``free`` what
        can be put into new positions but never more than the wallet. Equity is in ``info``.
        """
        data = self.safe_dict(response, "data", {})
        result: dict[str, Any] = {"info": response}
        for row in self.safe_list(data, "details", []):
            account = self.account()
            account["total"] = self.safe_string_2(row, "balance", "equity")
            free = self.safe_string_2(row, "available", "availableEquity")
            account["free"] = _smaller(free, account["total"])
            result[self.safe_currency_code(self.safe_string(row, "currency"))] = account
        timestamp = self.safe_integer(data, "ts")
        result["timestamp"], result["datetime"] = timestamp, self.iso8601(timestamp)
        return self.safe_balance(result)

    def parse_position(
        self: Any, position: dict[str, Any], market: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """ccxt's position, open or from the history, with its id and sides in every mode.

        ``contracts`` of a closed one are those that were closed.
        """
        parsed = super().parse_position(position, market)  # type: ignore[misc]
        parsed["id"] = self.safe_string_2(position, "positionId", "historyId")
        parsed["lastUpdateTimestamp"] = self.safe_integer(position, "updateTime")
        if "closePositions" in position:
            parsed["contracts"] = self.safe_number(position, "closePositions")
            side = self.safe_string(position, "positionSide")
            if side == "net":
                side = self.safe_string(position, "side")
            parsed["side"] = _LONG_SIDE.get(side)
        return parsed

    def parse_trade(
        self: Any, trade: dict[str, Any], market: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """ccxt's trade of a perpetual, public or a fill of the account.

        ccxt takes a row with ``feeCurrency`` for one of a spot market.
        """
        market = self.safe_market(self.safe_string(trade, "instId"), market, "-")
        names = {"base_currency": market["base"], "quote_currency": market["quote"]}
        currency = self.safe_string(trade, "feeCurrency", market["settle"])
        parsed = super().parse_trade(self.omit(trade, "feeCurrency"), market)  # type: ignore[misc]
        if parsed["fee"]:
            parsed["fee"]["currency"] = names.get(currency) or self.safe_currency_code(currency)
            parsed["fees"] = [parsed["fee"]]
        parsed["info"] = trade
        return dict(parsed)

    def parse_leverages_of(
        self: Any, rows: list[dict[str, Any]], symbol: str | None
    ) -> dict[str, Any]:
        """ccxt's leverage of one market; in hedge mode long and short have a row each."""
        parsed: dict[str, Any] = {
            "info": rows,
            "symbol": symbol,
            "marginMode": None,
            "longLeverage": None,
            "shortLeverage": None,
        }
        for row in rows:
            parsed["marginMode"] = self.safe_string_lower(row, "marginMode")
            value = self.safe_integer(row, "leverage")
            side = self.safe_string(row, "positionSide", "net")
            if side in ("net", "long"):
                parsed["longLeverage"] = value
            if side in ("net", "short"):
                parsed["shortLeverage"] = value
        return parsed

    def leverage_request(
        self: Any, leverage: float, symbol: str, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Body of ``account/set-leverage``.

        :raises ccxt.BadRequest: when the market does not allow that much at any size.
        """
        market = self.market(symbol)
        highest = market["limits"]["leverage"]["max"]
        if leverage < 1 or (highest is not None and leverage > highest):
            raise ccxt.BadRequest(
                f"{self.id}: leverage of {symbol} is from 1 to {highest:g}, not {leverage:g}."
            )
        mode = self.order_margin_mode(params)
        request = {
            "instId": market["id"],
            "leverage": f"{leverage:g}",
            "marginMode": mode,
        }
        side = _LONG_SIDE.get(str(params.get("positionSide") or params.get("side")))
        if mode == "isolated" and self.is_hedged(params):
            if side is None:
                raise ccxt.ArgumentsRequired(
                    f"{self.id}: isolated leverage of {symbol} in hedge mode needs positionSide, "
                    "long or short."
                )
            request["positionSide"] = side
        rest = self.omit(params, ["marginMode", "positionSide", "side", "hedged"])
        return self.extend(request, rest)

    def position_side_of(self: Any, side: str | None, params: dict[str, Any]) -> str:
        """The side of the position to close: ``net``, or in hedge mode the one that is named."""
        if params.get("positionSide"):
            return str(params["positionSide"])
        if not self.is_hedged(params):
            return "net"
        named = _LONG_SIDE.get(str(side))
        if named is None:
            raise ccxt.ArgumentsRequired(
                f"{self.id}: closing a position in hedge mode needs its side, long or short."
            )
        return named

    def parse_income(
        self: Any, income: dict[str, Any], market: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """ccxt's funding payment: ``amount`` is positive when the account received it."""
        market = self.safe_market(self.safe_string(income, "instId"), market, "-")
        timestamp = self.safe_integer_n(income, ["fundingTime", "ts", "createTime", "updateTime"])
        return {
            "info": income,
            "symbol": market["symbol"],
            "code": self.safe_currency_code(
                self.safe_string(income, "currency", market["settleId"])
            ),
            "timestamp": timestamp,
            "datetime": self.iso8601(timestamp),
            "id": self.safe_string_2(income, "billId", "id"),
            "amount": self.safe_number_2(income, "fundingFee", "amount"),
        }
