"""How the venue spells an account: balance, positions, history, leverage, transfers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bubbybot_freqtrade.sandbox.venue import margin
from bubbybot_freqtrade.sandbox.venue.accounts import Account, ClosedPosition, Position, Transfer
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO, divide, padded, plain
from bubbybot_freqtrade.sandbox.venue.clearing import Clearing

CURRENCY = "USDT"


def balance_data(clearing: Clearing, account: Account) -> dict[str, Any]:
    """The object of account/balance."""
    balance = clearing.balance(account)
    now = str(clearing.venue.now_ms)
    return {
        "ts": now,
        "totalEquity": padded(balance.equity),
        "isolatedEquity": padded(balance.isolated_equity),
        "details": [
            {
                "currency": CURRENCY,
                "equity": padded(balance.equity),
                "balance": padded(balance.balance),
                "ts": now,
                "isolatedEquity": padded(balance.isolated_equity),
                "available": padded(balance.available),
                "availableEquity": padded(balance.available),
                "frozen": padded(balance.frozen),
                "orderFrozen": padded(balance.order_frozen),
                "equityUsd": padded(balance.equity),
                "isolatedUnrealizedPnl": padded(balance.isolated_unrealized_pnl),
                "bonus": "0",
            }
        ],
    }


def balance_push(clearing: Clearing, account: Account) -> dict[str, Any]:
    """The object of the account channel."""
    data = balance_data(clearing, account)
    detail = data["details"][0]
    del detail["bonus"]
    detail["unrealizedPnl"] = padded(clearing.balance(account).unrealized_pnl)
    return data


def position_row(clearing: Clearing, account: Account, position: Position) -> dict[str, Any]:
    """One object of account/positions."""
    row = _position_fields(clearing, account, position)
    if position.margin_mode == "isolated":
        row["margin"] = padded(position.margin)
    else:
        row["initialMargin"] = padded(clearing.initial_margin(position))
    return row


def position_push(clearing: Clearing, account: Account, position: Position) -> dict[str, Any]:
    """One object of the positions channel; a closed position is pushed with size 0."""
    row = _position_fields(clearing, account, position)
    isolated = position.margin_mode == "isolated"
    row["margin"] = padded(position.margin) if isolated else ""
    row["initialMargin"] = "" if isolated else padded(clearing.initial_margin(position))
    return row


def _position_fields(clearing: Clearing, account: Account, position: Position) -> dict[str, Any]:
    mark = clearing.venue.mark_price(position.inst_id)
    pnl = margin.unrealized_pnl(position.direction, position.entry_value, position.base_size, mark)
    return {
        "positionId": position.position_id,
        "instId": position.inst_id,
        "instType": "SWAP",
        "marginMode": position.margin_mode,
        "positionSide": position.position_side,
        "adl": "1",
        "positions": plain(position.signed_size),
        "availablePositions": plain(position.signed_size),
        "averagePrice": padded(position.average_price),
        "markPrice": plain(mark),
        **_risk_fields(clearing, account, position, mark, pnl),
        "unrealizedPnl": padded(pnl),
        "unrealizedPnlRatio": padded(_pnl_ratio(position, pnl)),
        "realizedPnl": padded(position.realized_pnl - position.fee),
        "createTime": str(position.created_ms),
        "updateTime": str(position.updated_ms),
        "leverage": plain(position.leverage),
    }


def _risk_fields(
    clearing: Clearing, account: Account, position: Position, mark: Decimal, pnl: Decimal
) -> dict[str, str]:
    if not position.size:
        return {"marginRatio": "", "liquidationPrice": "", "maintenanceMargin": "0"}
    rate = clearing.maintenance_rate(position)
    taker_fee = clearing.venue.settings.taker_fee
    isolated = position.margin_mode == "isolated"
    equity = position.margin + pnl if isolated else clearing.cross_equity(account)
    price = clearing.liquidation_price(account, position)
    return {
        "marginRatio": padded(
            margin.margin_ratio(equity, position.base_size, mark, rate, taker_fee)
        ),
        # The live venue leaves it empty where no price could liquidate the position.
        "liquidationPrice": padded(price) if price else "",
        "maintenanceMargin": padded(margin.maintenance_margin(position.base_size, mark, rate)),
    }


def _pnl_ratio(position: Position, pnl: Decimal) -> Decimal:
    if not position.size:
        return ZERO
    put_up = position.margin or divide(position.entry_value, position.leverage)
    return divide(pnl, put_up)


def closed_position_row(closed: ClosedPosition) -> dict[str, str]:
    """One object of account/positions-history."""
    return {
        "historyId": closed.history_id,
        "positionId": closed.position_id,
        "instId": closed.inst_id,
        "instType": "SWAP",
        "side": "buy" if closed.direction > 0 else "sell",
        "marginMode": closed.margin_mode,
        "positionSide": closed.position_side,
        "closePositions": plain(closed.close_size),
        "maxPositions": plain(closed.max_size),
        "liquidationPositions": plain(closed.liquidated_size),
        "openAveragePrice": padded(closed.open_average),
        "closeAveragePrice": padded(closed.close_average),
        "createTime": str(closed.created_ms),
        "updateTime": str(closed.updated_ms),
        "leverage": plain(closed.leverage),
        "realizedPnl": padded(closed.realized_pnl),
        "realizedPnlRatio": padded(closed.realized_ratio),
        "fee": padded(closed.fee),
    }


def transfer_row(transfer: Transfer) -> dict[str, str]:
    """One object of asset/bills."""
    return {
        "transferId": transfer.transfer_id,
        "currency": transfer.currency,
        "fromAccount": transfer.from_account,
        "toAccount": transfer.to_account,
        "amount": padded(transfer.amount),
        "ts": str(transfer.ts_ms),
        "clientId": transfer.client_id,
    }
