"""The list: every name of freqtrade's and ccxt's inside that the package touches.

A name stands here with what it is needed for, and as it was in all of `TESTED`. Whoever touches
another one writes it down here; tests/packaging/test_seams.py finds those who don't.
"""

from bubbybot_freqtrade.seams.reading import Seam

TESTED = ("2026.6", "2026.7", "2026.8", "2026.9")
"""Releases of freqtrade whose sources have all of these names, and that the tests ran with."""

TESTED_CCXT = "4.5.90"
"""The oldest ccxt that the tests run with; ccxt comes out several times a week."""

EXCHANGE = "freqtrade.exchange.exchange:Exchange."
BOT = "freqtrade.freqtradebot:FreqtradeBot."
WORKER = "freqtrade.worker:Worker."
RPC = "freqtrade.rpc.rpc:RPC."
BACKTESTING = "freqtrade.optimize.backtesting:Backtesting."

# What freqtrade does around the extension: nothing of it is called or replaced, all rests on it.
FREQTRADE_AROUND_US = (
    Seam(
        BOT + "execute_entry",
        "the strategy's last word, then the order, on one thread: the bracket goes from one to the "
        "other",
        takes="self, pair, stake_amount, price=, *, is_short=, ordertype=, enter_tag=, trade=, "
        "mode=, leverage_=",
        calls=("get_valid_enter_price_and_stake", "confirm_trade_entry", "create_order"),
    ),
    Seam(
        BOT + "get_valid_enter_price_and_stake",
        "the plan's leverage is asked for before its stake",
        takes="self, pair, price, stake_amount, trade_side, entry_tag, trade, mode, leverage_",
        calls=("leverage", "custom_stake_amount"),
    ),
    Seam(
        BOT + "process",
        "a loop begins with reload_markets, where the account is looked at; the day's limit is "
        "looked at before exits and entries",
        takes="self",
        calls=("reload_markets", "bot_loop_start", "exit_positions", "enter_positions"),
    ),
    Seam(
        BOT + "handle_trailing_stoploss_on_exchange",
        "a stop that stoploss_adjust has moved in place is not canceled",
        takes="self, trade, order",
        calls=("stoploss_adjust", "cancel_stoploss_on_exchange", "create_stoploss_order"),
        does=("f97ffbf39d9b",),
    ),
    Seam(
        BOT + "handle_stoploss_on_exchange",
        "a trade's first stop is placed after its fill, where the attached one is adopted",
        takes="self, trade",
        does=("c7eed3e77edd",),
    ),
    Seam(
        "freqtrade.strategy.strategy_wrapper:strategy_safe_wrapper",
        "copies the trade for each callback, but not for one that is called IStrategy's "
        "(strategy.freqtrade_seams.reads_only)",
        takes="f, message=, default_retval=, supress_error=",
        # Two ways to write the same conditions: before 2026.9, and since.
        does=("543679398347", "afd11f26261a"),
    ),
)

# What the exchange class calls and reads of freqtrade's.
EXCHANGE_INSIDE = (
    Seam(EXCHANGE + "_config", "the config that the exchange was made with"),
    Seam(EXCHANGE + "_api", "ccxt's sync BloFin"),
    Seam(EXCHANGE + "_api_async", "ccxt's async BloFin"),
    Seam(EXCHANGE + "_ws_async", "ccxt's BloFin of the websocket: which candles have ended"),
    Seam(EXCHANGE + "_exchange_ws", "freqtrade's websocket thread: pushed candles, and its end"),
    Seam(EXCHANGE + "_pairs_last_refresh_time", "the newest candle that freqtrade has"),
    Seam(
        EXCHANGE + "_klines", "the candles that strategies see: made ones are added, wrong replaced"
    ),
    Seam(
        EXCHANGE + "_now_is_time_to_refresh",
        "whether a series may have a new candle",
        takes="self, pair, timeframe, candle_type",
    ),
    Seam(EXCHANGE + "_leverage_tiers", "the leverage tiers: no public name gives all of a pair"),
    Seam(EXCHANGE + "_loop_lock", "one user of freqtrade's event loop at a time: leverage tiers"),
    Seam(
        EXCHANGE + "_log_exchange_response",
        "logs an order's answer as freqtrade does, where the user has asked for it",
        takes="self, endpoint, response, *, add_info=",
    ),
    Seam(
        EXCHANGE + "_get_params",
        "the parameters of an order; nothing of it may send the order elsewhere",
        takes="self, side, ordertype, leverage, reduceOnly, time_in_force=",
        does=("1ee7d7a5c4e2",),
    ),
    Seam(
        EXCHANGE + "_get_stop_order_type",
        "market or limit, by the strategy's order_types",
        takes="self, user_order_type",
    ),
    Seam(
        EXCHANGE + "_get_stop_limit_rate",
        "the price of a stop's limit order",
        takes="self, stop_price, order_types, side",
        does=("96cb4f04b65e",),
    ),
    Seam(
        EXCHANGE + "_order_contracts_to_amount",
        "an order's contracts as base currency",
        takes="self, order",
        does=("bdfb03d87cf8",),
    ),
    Seam(
        EXCHANGE + "_amount_to_contracts",
        "base currency as contracts",
        takes="self, pair, amount",
        does=("d119860c10c3",),
    ),
    Seam(
        EXCHANGE + "_init_ccxt",
        "the account's websocket has a ccxt of its own, made as freqtrade makes its",
        takes="self, exchange_config, sync, ccxt_kwargs",
    ),
    Seam("freqtrade.data.dataprovider:DataProvider._exchange", "the exchange, from the strategy"),
)

# What the exchange class replaces: freqtrade has to call it, with these arguments.
EXCHANGE_REPLACED = (
    Seam(EXCHANGE + "_ft_has", "the table of facts of an exchange"),
    Seam(EXCHANGE + "_ft_has_futures", "the same for futures"),
    Seam(EXCHANGE + "_supported_trading_mode_margin_pairs", "isolated and cross futures"),
    Seam(EXCHANGE + "_ccxt_config", "position and margin mode for ccxt", takes="self"),
    Seam(
        EXCHANGE + "refresh_latest_ohlcv",
        "candles of hundreds of pairs come in slices",
        takes="self, pair_list, *, since_ms=, cache=, drop_incomplete=",
        calls=("_build_ohlcv_dl_jobs", "_process_ohlcv_df"),
    ),
    Seam(
        EXCHANGE + "_can_use_websocket",
        "candles that are made of others are not watched",
        takes="self, exchange_ws, pair, timeframe, candle_type",
    ),
    Seam(
        EXCHANGE + "_try_build_from_websocket",
        "decides for each candle whether the pushed ones serve",
        takes="self, pair, timeframe, candle_type",
        does=("8f951d851b37",),
    ),
    Seam(
        EXCHANGE + "_fetch_funding_rate_history",
        "funding is not paid once a timeframe",
        takes="self, pair, timeframe, limit, since_ms=",
        # Rows of a candle before 2026.8, rows of time and rate since (exchange.candles).
        does=("66489caf52e4", "5a7dcc742b15"),
    ),
    Seam(
        EXCHANGE + "_contracts_to_amount",
        "contracts as base currency, decimal",
        takes="self, pair, num_contracts",
    ),
    Seam(
        EXCHANGE + "_trades_contracts_to_amount",
        "the same of a list of fills",
        takes="self, trades",
    ),
    Seam(
        EXCHANGE + "amount_to_contract_precision",
        "an amount cut to lots, decimal",
        takes="self, pair, amount",
    ),
    Seam(EXCHANGE + "validate_config", "checks position_mode", takes="self, config"),
    Seam(EXCHANGE + "validate_ordertypes", "the stop on the exchange", takes="self, order_types"),
    Seam(EXCHANGE + "additional_exchange_init", "the account's modes at start", takes="self"),
    Seam(
        EXCHANGE + "reload_markets",
        "a new loop begins",
        takes="self, force=, *, load_leverage_tiers=",
    ),
    Seam(
        EXCHANGE + "load_leverage_tiers",
        "those of hundreds of markets come after the start",
        takes="self",
        calls=("load_cached_leverage_tiers", "get_market_leverage_tiers", "cache_leverage_tiers"),
    ),
    Seam(
        EXCHANGE + "get_max_leverage",
        "before an entry: the pair's tiers have to be there",
        takes="self, pair, stake_amount",
    ),
    Seam(
        EXCHANGE + "get_maintenance_ratio_and_amt",
        "before a liquidation price is reckoned: the pair's tiers have to be there",
        takes="self, pair, notional_value",
    ),
    Seam(
        EXCHANGE + "cache_leverage_tiers",
        "a file of tiers for each venue",
        takes="self, tiers, stake_currency",
    ),
    Seam(
        EXCHANGE + "load_cached_leverage_tiers",
        "a file of tiers for each venue",
        takes="self, stake_currency, cache_time=",
    ),
    Seam(EXCHANGE + "get_market_leverage_tiers", "one market at a time", takes="self, symbol"),
    Seam(EXCHANGE + "check_delisting_time", "from the market's own fields", takes="self, pair"),
    Seam(
        EXCHANGE + "create_order",
        "the entry carries its stop",
        takes="self, *, pair, ordertype, side, amount, rate, leverage, time_in_force=, "
        "reduceOnly=, initial_order=",
        # With freqtrade's own order of steps: before 2026.7, and since.
        does=("5bc5accbf70f", "6c69d761eb0e"),
    ),
    Seam(EXCHANGE + "fetch_order", "from the loop's list", takes="self, order_id, pair, params="),
    Seam(EXCHANGE + "cancel_order", "forgets the list", takes="self, order_id, pair, params="),
    Seam(
        EXCHANGE + "create_stoploss",
        "adopts the attached stop",
        takes="self, pair, amount, stop_price, order_types, side, leverage",
    ),
    Seam(
        EXCHANGE + "stoploss_adjust",
        "moves the stop in place",
        takes="self, stop_loss, order, side",
    ),
    Seam(
        EXCHANGE + "fetch_stoploss_order",
        "from the loop's list",
        takes="self, order_id, pair, params=",
    ),
    Seam(
        EXCHANGE + "cancel_stoploss_order",
        "only when the position is gone",
        takes="self, order_id, pair, params=",
    ),
    Seam(
        EXCHANGE + "dry_run_liquidation_price",
        "BloFin's formula",
        takes="self, pair, open_rate, is_short, amount, stake_amount, leverage, wallet_balance, "
        "open_trades",
    ),
    Seam(
        EXCHANGE + "get_liquidation_price",
        "the venue's own price",
        takes="self, pair, open_rate, is_short, amount, stake_amount, leverage, wallet_balance, "
        "open_trades=",
    ),
    Seam(
        EXCHANGE + "get_balances",
        "no balance without the money of open trades",
        takes="self, params=",
    ),
    Seam(
        EXCHANGE + "get_funding_fees",
        "what a trade's side has paid, kept beyond the venue's seven days",
        takes="self, pair, amount, is_short, open_date",
    ),
    Seam(
        EXCHANGE + "fetch_orders",
        "a trade's own orders when its position is gone",
        takes="self, pair, since, params=",
    ),
    Seam(
        EXCHANGE + "fetch_positions",
        "the first question of a bot whose database is open, and what its wallet holds",
        takes="self, pair=, params=",
    ),
    Seam(
        EXCHANGE + "_load_async_markets",
        "markets that are gone are kept",
        takes="self, reload=",
    ),
    Seam(
        EXCHANGE + "get_min_pair_stake_amount",
        "exact in contracts",
        takes="self, pair, price, stoploss, leverage=",
    ),
    Seam(
        EXCHANGE + "klines",
        "a look at the account between two pairs",
        takes="self, pair_interval, copy=",
    ),
    Seam(EXCHANGE + "close", "ends the account's websocket", takes="self"),
    Seam(WORKER + "_sleep", "the pause after a loop, which a push ends", takes="sleep_duration"),
    Seam(
        WORKER + "_process_running",
        "the pause after an error of the network, by the module's `time`, which a push ends",
        takes="self",
        calls=("process", "TemporaryError", "sleep"),
    ),
    Seam(
        WORKER + "_throttle",
        "the pause after a loop",
        takes="self, func, throttle_secs, timeframe=, timeframe_offset=, *args, **kwargs",
        calls=("func", "_sleep"),
    ),
    Seam(
        EXCHANGE + "fetch_l2_order_book",
        "from the tickers of all pairs",
        takes="self, pair, limit=",
    ),
)

# What ccxt has to call of ours, and what ours calls of ccxt's, in its own classes of BloFin.
_BLOFIN, _PRO = "ccxt.blofin:blofin.", "ccxt.pro.blofin:blofin."
_ASYNC = "ccxt.async_support.base.exchange:BaseExchange."
CCXT = (
    Seam(
        _BLOFIN + "sign",
        "headers and signature of a request",
        takes="self, path, api=, method=, params=",
    ),
    Seam(
        _BLOFIN + "handle_errors",
        "errors of an answer",
        takes="self, httpCode, reason, url, method, headers, body, response, requestHeaders, "
        "requestBody",
    ),
    Seam(_BLOFIN + "parse_market", "an instrument", takes="self, market"),
    Seam(_BLOFIN + "parse_ticker", "a price", takes="self, ticker, market="),
    Seam(_BLOFIN + "parse_ohlcv", "a candle", takes="self, ohlcv, market="),
    Seam(_BLOFIN + "parse_order", "an order", takes="self, order, market="),
    Seam(_BLOFIN + "parse_order_status", "an order's state", takes="self, status"),
    Seam(_BLOFIN + "parse_balance", "the account", takes="self, response"),
    Seam(_BLOFIN + "parse_position", "a position", takes="self, position, market="),
    Seam(
        _BLOFIN + "create_order_request",
        "an order's body",
        takes="self, symbol, type, side, amount, price=, params=",
    ),
    Seam(
        _BLOFIN + "create_tpsl_order_request",
        "a TP/SL order's body",
        takes="self, symbol, type, side, amount=, price=, params=",
    ),
    Seam(_ASYNC + "throttle", "the venue's budget of requests", takes="self, cost="),
    Seam(_ASYNC + "open", "no redirect is followed", takes="self, lazy="),
    Seam(_ASYNC + "get_socks_proxy_session", "no redirect is followed", takes="self, socksProxy"),
    Seam(_ASYNC + "ws_dial_delay", "the pause before a websocket is opened", takes="self, url"),
    Seam(_PRO + "handle_message", "a push of the websocket", takes="self, client, message"),
    Seam(_PRO + "handle_ohlcv", "a pushed candle", takes="self, client, message"),
    Seam(_PRO + "handle_positions", "pushed positions", takes="self, client, message"),
)

# What rehearsals, drills and searches drive a whole bot by; no bot of a user's needs them.
BOTS_IN_A_ROOM = (
    Seam(WORKER + "_worker", "one loop of the bot", takes="self, old_state"),
    Seam(WORKER + "_reconfigure", "what /reload_config does", takes="self"),
    Seam(WORKER + "_throttle_secs", "how long a loop lasts at least"),
    Seam(
        RPC + "_rpc_force_entry",
        "Telegram's /forcelong and /forceshort",
        takes="self, pair, price, *, order_type=, order_side=, stake_amount=, enter_tag=, "
        "leverage=",
    ),
    Seam(
        RPC + "_rpc_force_exit",
        "Telegram's /forceexit",
        takes="self, trade_id, ordertype=, *, amount=, price=",
    ),
    Seam(RPC + "_rpc_delete", "Telegram's /delete", takes="self, trade_id"),
    Seam(RPC + "_rpc_trade_status", "Telegram's /status", takes="self, trade_ids="),
    Seam(
        BACKTESTING + "_set_strategy",
        "a backtest of a strategy of our own making",
        takes="self, strategy",
    ),
)

# What a backtest that holds one pair at a time calls pair by pair, or does otherwise.
BACKTESTS_PAIR_BY_PAIR = (
    Seam(
        BACKTESTING + "load_bt_data",
        "candles, funding and precisions of the pairs of a list; no pair's depend on another's",
        takes="self",
    ),
    Seam(
        BACKTESTING + "_get_ohlcv_as_lists",
        "a pair's signals, then its rows for the loop, which are laid down on disk",
        takes="self, processed",
        calls=("ft_advise_signals", "_set_cached_df", "trim_dataframe"),
    ),
    Seam(
        "freqtrade.data.dataprovider:DataProvider._set_cached_df",
        "the frame that callbacks are shown cuts of, which are read from disk",
        takes="self, pair, timeframe, dataframe, candle_type",
    ),
    Seam(
        "freqtrade.data.dataprovider:DataProvider.get_analyzed_dataframe",
        "asks nothing of that frame but rows by their place",
        takes="self, pair, timeframe",
    ),
)

OF_FREQTRADE = (
    *FREQTRADE_AROUND_US,
    *EXCHANGE_INSIDE,
    *EXCHANGE_REPLACED,
    *BOTS_IN_A_ROOM,
    *BACKTESTS_PAIR_BY_PAIR,
)
