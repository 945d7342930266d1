"""The pairs of the whitelist: are they there, tradable, staying, and affordable?"""

from collections.abc import Iterator

from freqtrade.exceptions import ConfigurationError
from freqtrade.exchange import Exchange
from freqtrade.plugins.pairlist.pairlist_helpers import expand_pairlist

from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.commands.output import one_line
from bubbybot_freqtrade.commands.user_config import Config
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.signals.words import counted


def pairs(exchange: Exchange, config: Config) -> Iterator[Finding]:
    """Are the pairs of the whitelist there, tradable and staying?"""
    handler = config.get("pairlists", [{"method": "StaticPairList"}])[0]["method"]
    if handler != "StaticPairList":
        yield note("pairs", f"{handler} chooses them while the bot runs: not examined.")
        return
    try:
        listed = sorted(set(whitelist(exchange, config)))
    except ValueError as error:
        yield problem("pairs", one_line(error), "Mend exchange.pair_whitelist.")
        return
    unknown = [pair for pair in listed if pair not in exchange.markets]
    idle = [pair for pair in listed if not exchange.markets.get(pair, {}).get("active", True)]
    leaving = {p: exchange.check_delisting_time(p) for p in listed if p in exchange.markets}
    for names, what in ((unknown, "BloFin does not have"), (idle, "not tradable at present:")):
        if names:
            yield problem(
                "pairs", f"{what} {', '.join(names)}.", "Take them out of exchange.pair_whitelist."
            )
    for pair, moment in leaving.items():
        if moment is not None:
            yield note("pairs", f"{pair} is delisted on {moment:%Y-%m-%d %H:%M} UTC.")
    good = len(listed) - len(unknown) - len(idle)
    if good > 0:
        yield ok("pairs", f"{good} tradable.")
    elif not (unknown or idle):
        yield problem("pairs", "None.", "Fill exchange.pair_whitelist.")


def limits(exchange: Exchange, config: Config, equity: float) -> Iterator[Finding]:
    """Is the account large enough for each pair's smallest order under the config's rules?"""
    listed = [
        pair for pair in whitelist(exchange, config) if exchange.markets.get(pair, {}).get("active")
    ]
    try:
        settings = BubbyBotSettings.from_config(config)
    except ConfigurationError:
        # Said under "config"; without the rules there is no smallest order.
        return
    needs = {pair: smallest_equity(exchange, pair, settings) for pair in listed}
    small = {pair: need for pair, need in needs.items() if need > equity}
    for pair, need in small.items():
        yield note(
            "limits",
            f"{pair}: its smallest order needs {need:.2f} {config['stake_currency']} of equity, "
            f"the account has {equity:.2f}.",
            "It is never traded before; take it out or add funds.",
        )
    if needs and len(small) == len(needs):
        yield problem("limits", "The account is too small for every pair.", "Add funds.")
    elif needs:
        yield ok(
            "limits", f"The account is large enough for {counted(len(needs) - len(small), 'pair')}."
        )


def smallest_equity(exchange: Exchange, pair: str, settings: BubbyBotSettings) -> float:
    """Equity (quote currency) below which no plan for `pair` fits: risk and margin of one lot.

    The smallest order with the tightest stop may lose `risk.max_risk`, and its margin at the
    highest leverage may be `risk.max_margin` of equity.
    """
    market = exchange.markets[pair]
    price = float(exchange.fetch_ticker(pair)["last"] or 0)
    contracts = float(market["limits"]["amount"]["min"] or 0)
    notional = contracts * float(market.get("contractSize") or 1) * price
    tiers = exchange._api.fetch_market_leverage_tiers(pair)
    leverage = min(settings.risk.max_leverage, float(tiers[0]["maxLeverage"]))
    lost = settings.risk.min_stop + 2 * float(market.get("taker") or 0)
    return max(
        notional * lost / settings.risk.max_risk,
        notional / leverage / settings.risk.max_margin,
    )


def whitelist(exchange: Exchange, config: Config) -> list[str]:
    """The whitelist with its patterns expanded; pairs that the venue lacks are left in."""
    listed = config["exchange"]["pair_whitelist"]
    return expand_pairlist(listed, list(exchange.markets), keep_invalid=True)
