"""The account at the start of a live bot: brought into the configured modes, or refused."""

import logging
from pathlib import Path
from typing import Any

import ccxt
from freqtrade.exceptions import ConfigurationError, OperationalException
from freqtrade.exchange.exchange import Exchange

from bubbybot_freqtrade.blofin.account import database
from bubbybot_freqtrade.blofin.account.exit_reasons import name_exit_reasons
from bubbybot_freqtrade.blofin.account.fees import weigh_fees
from bubbybot_freqtrade.blofin.account.key import (
    ApiKey,
    check_api_key,
    check_secrets_files,
    is_on_this_machine,
)
from bubbybot_freqtrade.blofin.exchange.errors import errors_at_start, refusing_to_start
from bubbybot_freqtrade.blofin.exchange.venue_clock import VenueClock

logger = logging.getLogger(__name__)


def prepare_account(exchange: Exchange, position_mode: str, clock: VenueClock) -> ApiKey:
    """Check the key, then bring the account into the configured position and margin mode.

    :raises OperationalException: when the bot must not start
    """
    name_exit_reasons()
    weigh_fees()
    database.remember_deleted_entries()
    if not is_on_this_machine(exchange._api):
        check_secrets_files(exchange._config.get("config_files", []))
        _refuse_no_limits(exchange)
    try:
        with errors_at_start():
            allow_transfer = bool(exchange._config["exchange"].get("allow_transfer_permission"))
            key = check_api_key(exchange._api, allow_transfer=allow_transfer)
            _set_modes(exchange._api, position_mode, exchange.margin_mode.value)
            _advise(exchange)
            return key
    except ccxt.InvalidNonce as e:
        clock.remind()
        raise OperationalException(f"{clock.news() or ''} Message: {e}".strip()) from e


def _set_modes(api: Any, position_mode: str, margin_mode: str) -> None:
    hedged = position_mode == "long_short_mode"
    present = api.fetch_position_mode()
    if str(present["info"].get("multiPosition")).lower() == "true":
        raise OperationalException(
            "This BloFin account is in Multi-Position mode, where a pair can have several "
            "positions of one side; the bot would not know which is its own. Switch the account "
            "to one-way or hedge mode in the app, under the settings of futures trading."
        )
    if present["hedged"] != hedged:
        with refusing_to_start("exchange.position_mode", position_mode):
            api.set_position_mode(hedged)
    # One for the whole account; ccxt's fetch_margin_mode insists on a symbol.
    if api.privateGetAccountMarginMode()["data"]["marginMode"] != margin_mode:
        with refusing_to_start("margin_mode", margin_mode):
            api.set_margin_mode(margin_mode, None)


def _refuse_no_limits(exchange: Exchange) -> None:
    """ccxt asks nobody whether a request may be sent where its own limits are switched off."""
    if not (exchange._api.enableRateLimit and exchange._api_async.enableRateLimit):
        raise ConfigurationError(
            "enableRateLimit is false in exchange.ccxt_config (or ccxt_sync_config, "
            "ccxt_async_config): nothing would keep the bot to BloFin's limits, and who passes "
            "them is shut out for minutes, with stops that can't be moved. Leave it out."
        )


def _advise(exchange: Exchange) -> None:
    """One line for real money at a venue that nobody has measured."""
    settings = exchange._config["exchange"]
    if settings.get("demo_trading") or is_on_this_machine(exchange._api):
        return
    if not (Path(exchange._config["user_data_dir"]) / "verify" / "venue.json").exists():
        logger.info(
            "What BloFin does was not measured on this machine: bubbybot verify -c "
            "config.demo.json asks the demo account what the bot relies on."
        )
