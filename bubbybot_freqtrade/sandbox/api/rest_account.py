"""Private REST endpoints of the account: asset/*, account/* and user/*."""

from __future__ import annotations

from decimal import Decimal

from bubbybot_freqtrade.sandbox.api import account_views, paging
from bubbybot_freqtrade.sandbox.api.answers import Answer, PrivateCall, PrivateEndpoint
from bubbybot_freqtrade.sandbox.market.paths import DAY_MS
from bubbybot_freqtrade.sandbox.venue import parameters
from bubbybot_freqtrade.sandbox.venue.accounts import Account, Transfer, leverage_key
from bubbybot_freqtrade.sandbox.venue.amounts import ZERO, padded, plain
from bubbybot_freqtrade.sandbox.venue.errors import VenueError
from bubbybot_freqtrade.sandbox.venue.margin import max_size_at

MARGIN_MODES = ("cross", "isolated")
POSITION_MODES = ("net_mode", "long_short_mode")
ACCOUNT_TYPES = ("funding", "futures", "copy_trading", "earn", "spot", "inverse_contract")
DEMO_FUNDS_LIMIT = Decimal(5_000_000)


# asset/*


def _asset_balances(call: PrivateCall) -> Answer:
    kind = parameters.choice(call.fields, "accountType", ACCOUNT_TYPES)
    currency = parameters.text(call.fields, "currency", account_views.CURRENCY)
    if kind not in ("funding", "futures") or currency != account_views.CURRENCY:
        return Answer([])
    if kind == "funding":
        total, free = call.account.funding, call.account.funding
    else:
        balance = call.engine.clearing.balance(call.account)
        total, free = balance.balance, balance.available
    return Answer(
        [
            {
                "currency": currency,
                "balance": padded(total),
                "available": padded(free),
                "frozen": padded(max(ZERO, total - free)),
                "bonus": "0",
            }
        ]
    )


def _check_transfer(call: PrivateCall) -> None:
    account = call.account
    source = parameters.choice(call.fields, "fromAccount", ACCOUNT_TYPES)
    target = parameters.choice(call.fields, "toAccount", ACCOUNT_TYPES)
    parameters.choice(call.fields, "currency", (account_views.CURRENCY,))
    amount = parameters.required_number(call.fields, "amount")
    client_id = parameters.client_id(call.fields, "clientId")
    if {source, target} != {"funding", "futures"}:
        raise VenueError("152002", "fromAccount")
    if amount <= 0:
        raise VenueError("152002", "amount")
    if client_id and any(row.client_id == client_id for row in account.transfers):
        raise VenueError("150003")
    outgoing = source == "futures"
    held = call.engine.clearing.balance(account).available if outgoing else account.funding
    if amount > held:
        raise VenueError("150004")


def _transfer(call: PrivateCall) -> Answer:
    client_id = parameters.client_id(call.fields, "clientId")
    transfer = _book_transfer(
        call,
        parameters.required(call.fields, "fromAccount"),
        parameters.required(call.fields, "toAccount"),
        parameters.required_number(call.fields, "amount"),
        client_id,
    )
    return Answer({"transferId": transfer.transfer_id, "clientTransferId": client_id})


def _book_transfer(
    call: PrivateCall, source: str, target: str, amount: Decimal, client_id: str
) -> Transfer:
    venue = call.engine.venue
    account = call.account
    signed = -amount if source == "futures" else amount
    account.ledger.post(venue.new_id(), venue.now_ms, "transfer", signed)
    account.funding -= signed
    transfer = Transfer(
        venue.new_id(), client_id, account_views.CURRENCY, source, target, amount, venue.now_ms
    )
    account.transfers.append(transfer)
    venue.emit("account", account)
    return transfer


def _bills(call: PrivateCall) -> Answer:
    rows = [
        account_views.transfer_row(transfer)
        for transfer in reversed(call.account.transfers)
        if parameters.text(call.fields, "fromAccount") in ("", transfer.from_account)
        and parameters.text(call.fields, "toAccount") in ("", transfer.to_account)
        and parameters.text(call.fields, "currency") in ("", transfer.currency)
    ]
    return Answer(paging.page(rows, call.fields, "ts", default=100))


def _nothing(call: PrivateCall) -> Answer:
    """Deposits and withdrawals by chain: there are none on this machine."""
    return Answer([])


def _demo_apply_money(call: PrivateCall) -> Answer:
    kind = parameters.choice(call.fields, "accountType", ("futures", "spot"), default="futures")
    rows = call.fields.get("demoApplyMoney")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise VenueError("152001", "demoApplyMoney")
    sign = -1 if parameters.text(call.fields, "adjustType", "0") == "1" else 1
    venue = call.engine.venue
    for row in rows:
        parameters.choice(row, "currency", (account_views.CURRENCY,))
        amount = parameters.required_number(row, "amountStr")
        if not 0 < amount <= DEMO_FUNDS_LIMIT or kind != "futures":
            raise VenueError("152002", "amountStr")
        call.account.ledger.post(venue.new_id(), venue.now_ms, "deposit", sign * amount)
    venue.emit("account", call.account)
    return Answer({})


def _currencies(call: PrivateCall) -> Answer:
    chain = {
        "currency": account_views.CURRENCY,
        "depositMinAmount": "1",
        "depositUnsafeConfirmation": 1,
        "depositConfirmation": 20,
        "withdrawMinAmount": "10",
        "withdrawFee": "1",
        "withdrawPrecision": 8,
        "supportMemo": 0,
        "isDepositAvailable": 0,
        "isWithdrawAvailable": 0,
        "recoveryEtaDeposit": 0,
        "recoveryEtaWithdraw": 0,
        "logo": "",
    }
    return Answer([{**chain, "chain": "TRC20"}, {**chain, "chain": "ERC20"}])


# account/*


def _balance(call: PrivateCall) -> Answer:
    return Answer(account_views.balance_data(call.engine.clearing, call.account))


def _config(call: PrivateCall) -> Answer:
    return Answer({"accountLevel": "0"})


def _positions(call: PrivateCall) -> Answer:
    inst_id = parameters.text(call.fields, "instId")
    return Answer(
        [
            account_views.position_row(call.engine.clearing, call.account, position)
            for position in reversed(call.engine.visibility.positions(call.account))
            if inst_id in ("", position.inst_id)
        ]
    )


def _positions_history(call: PrivateCall) -> Answer:
    wanted = {
        name: parameters.text(call.fields, name) for name in ("instId", "positionId", "state")
    }
    begin = parameters.whole_number(call.fields, "begin")
    end = parameters.whole_number(call.fields, "end")
    rows = [
        account_views.closed_position_row(closed)
        for closed in sorted(
            call.account.closed_positions.values(),
            key=lambda closed: int(closed.history_id),
            reverse=True,
        )
        if wanted["instId"] in ("", closed.inst_id)
        and wanted["positionId"] in ("", closed.position_id)
        and wanted["state"] in ("", closed.state)
        and (begin is None or closed.updated_ms >= begin)
        and (end is None or closed.updated_ms <= end)
    ]
    return Answer(paging.page(rows, call.fields, "historyId", default=20))


def _funding_fees(call: PrivateCall) -> Answer:
    """Not in the reference; ccxt lists the path and public clients read these fields.

    What is older than the settings' days is gone.
    """
    inst_id = parameters.text(call.fields, "instId")
    oldest = call.engine.now_ms - call.engine.settings.funding_days * DAY_MS
    begin = max(parameters.whole_number(call.fields, "begin") or 0, oldest)
    end = parameters.whole_number(call.fields, "end")
    rows = [
        {
            "billId": entry.entry_id,
            "instId": entry.inst_id,
            "positionId": entry.position_id,
            "positionSide": entry.position_side,
            "marginMode": entry.margin_mode,
            "currency": account_views.CURRENCY,
            "fundingFee": padded(entry.amount),
            "ts": str(entry.ts_ms),
        }
        for entry in reversed(call.account.ledger.entries)
        if entry.kind == "funding"
        and inst_id in ("", entry.inst_id)
        and entry.ts_ms >= begin
        and (end is None or entry.ts_ms <= end)
    ]
    return Answer(paging.page(rows, call.fields, "billId", default=100, maximum=1000))


def _margin_mode(call: PrivateCall) -> Answer:
    return Answer({"marginMode": call.account.margin_mode})


def _set_margin_mode(call: PrivateCall) -> Answer:
    mode = parameters.choice(call.fields, "marginMode", MARGIN_MODES)
    _require_flat_to_change(call.account, call.account.margin_mode, mode)
    call.account.margin_mode = mode
    call.engine.venue.on_change()
    return Answer({"marginMode": mode})


def _position_mode(call: PrivateCall) -> Answer:
    multi = call.engine.settings.multi_position
    return Answer(
        {
            "positionMode": call.account.position_mode,
            "multiPosition": "true" if multi else "false",
        }
    )


def _set_position_mode(call: PrivateCall) -> Answer:
    mode = parameters.choice(call.fields, "positionMode", POSITION_MODES)
    _require_flat_to_change(call.account, call.account.position_mode, mode)
    call.account.position_mode = mode
    call.engine.venue.on_change()
    return Answer({"positionMode": mode})


def _require_flat_to_change(account: Account, present: str, wanted: str) -> None:
    if present != wanted and not account.is_flat:
        raise VenueError("110019")


def _leverage_info(call: PrivateCall) -> Answer:
    inst_id = call.engine.venue.instrument(parameters.required(call.fields, "instId")).inst_id
    margin_mode = parameters.choice(call.fields, "marginMode", MARGIN_MODES)
    leverage = call.account.leverage(inst_id, margin_mode, _leverage_sides(call, margin_mode)[0])
    return Answer({"leverage": plain(leverage), "marginMode": margin_mode, "instId": inst_id})


def _batch_leverage_info(call: PrivateCall) -> Answer:
    margin_mode = parameters.choice(call.fields, "marginMode", MARGIN_MODES)
    inst_ids = parameters.required(call.fields, "instId").split(",")
    if len(inst_ids) > 20:
        raise VenueError("152015")
    return Answer(
        [
            {
                "leverage": plain(call.account.leverage(inst_id, margin_mode, side)),
                "marginMode": margin_mode,
                "instId": call.engine.venue.instrument(inst_id).inst_id,
                "positionSide": side,
            }
            for inst_id in inst_ids
            for side in _leverage_sides(call, margin_mode)
        ]
    )


def _leverage_sides(call: PrivateCall, margin_mode: str) -> tuple[str, ...]:
    """Long and short have leverages of their own only when isolated in long/short mode."""
    if margin_mode == "isolated" and call.account.position_mode == "long_short_mode":
        return ("long", "short")
    return ("net",)


def _set_leverage(call: PrivateCall) -> Answer:
    account = call.account
    inst_id = call.engine.venue.instrument(parameters.required(call.fields, "instId")).inst_id
    leverage = parameters.required_number(call.fields, "leverage")
    margin_mode = parameters.choice(call.fields, "marginMode", MARGIN_MODES)
    sides = _leverage_sides(call, margin_mode)
    side = parameters.text(call.fields, "positionSide", "" if len(sides) > 1 else "net")
    if len(sides) > 1 and side not in sides:
        raise VenueError("152001" if not side else "152002", "positionSide")
    _check_leverage(call, inst_id, leverage)
    change_leverage(call, inst_id, margin_mode, side, leverage)
    account.leverages[leverage_key(inst_id, margin_mode, side)] = leverage
    call.engine.venue.on_change()
    return Answer(
        {
            "leverage": plain(leverage),
            "marginMode": margin_mode,
            "instId": inst_id,
            "positionSide": side,
        }
    )


def _check_leverage(call: PrivateCall, inst_id: str, leverage: Decimal) -> None:
    instrument = call.engine.venue.instrument(inst_id)
    if leverage < 1 or leverage % 1 or leverage > instrument.max_leverage:
        raise VenueError("152002", "leverage")


def change_leverage(
    call: PrivateCall, inst_id: str, margin_mode: str, side: str, leverage: Decimal
) -> None:
    """Apply a new leverage to open positions; pending cross orders forbid it (110006)."""
    account = call.account
    if margin_mode == "cross" and any(
        order.margin_mode == "cross" for order in account.live_orders(inst_id)
    ):
        raise VenueError("110006")
    for position in account.positions.values():
        if (position.inst_id, position.margin_mode) != (inst_id, margin_mode):
            continue
        if margin_mode == "isolated" and position.position_side not in (side, "net"):
            continue
        if position.size > max_size_at(call.engine.venue.tiers(inst_id), leverage):
            raise VenueError("152002", "leverage")
        needed = position.entry_value / leverage - call.engine.clearing.initial_margin(position)
        if needed > call.engine.clearing.balance(account).available:
            raise VenueError("103003")
        call.engine.clearing.change_leverage(position, leverage)
        call.engine.venue.emit("positions", account, position)
        call.engine.venue.emit("account", account)


# user/*


def _query_apikey(call: PrivateCall) -> Answer:
    key = call.key
    return Answer(
        {
            "uid": key.uid,
            "apiName": key.name,
            "apiKey": key.api_key,
            "readOnly": 0 if "TRADE" in key.permissions else 1,
            "ips": list(key.ips),
            "type": 1,
            "expireTime": str(key.expires_ms or 0),
            "createTime": str(key.created_ms),
            "referralCode": "",
            "parentUid": "0",
        }
    )


GET: dict[str, PrivateEndpoint] = {
    "/api/v1/asset/balances": PrivateEndpoint(_asset_balances),
    "/api/v1/asset/bills": PrivateEndpoint(_bills),
    "/api/v1/asset/withdrawal-history": PrivateEndpoint(_nothing),
    "/api/v1/asset/deposit-history": PrivateEndpoint(_nothing),
    "/api/v1/asset/currencies": PrivateEndpoint(_currencies),
    "/api/v1/account/config": PrivateEndpoint(_config),
    "/api/v1/account/balance": PrivateEndpoint(_balance),
    "/api/v1/account/positions": PrivateEndpoint(_positions),
    "/api/v1/account/positions-history": PrivateEndpoint(_positions_history),
    "/api/v1/account/funding-fees": PrivateEndpoint(_funding_fees),
    "/api/v1/account/margin-mode": PrivateEndpoint(_margin_mode),
    "/api/v1/account/position-mode": PrivateEndpoint(_position_mode),
    "/api/v1/account/leverage-info": PrivateEndpoint(_leverage_info),
    "/api/v1/account/batch-leverage-info": PrivateEndpoint(_batch_leverage_info),
    "/api/v1/user/query-apikey": PrivateEndpoint(_query_apikey),
}
POST: dict[str, PrivateEndpoint] = {
    "/api/v1/asset/transfer": PrivateEndpoint(_transfer, "TRANSFER", check=_check_transfer),
    "/api/v1/asset/demo-apply-money": PrivateEndpoint(_demo_apply_money, "TRADE"),
    "/api/v1/account/set-margin-mode": PrivateEndpoint(_set_margin_mode, "TRADE", trading=True),
    "/api/v1/account/set-position-mode": PrivateEndpoint(_set_position_mode, "TRADE", trading=True),
    "/api/v1/account/set-leverage": PrivateEndpoint(_set_leverage, "TRADE", trading=True),
}
