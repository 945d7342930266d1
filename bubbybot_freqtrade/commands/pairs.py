"""A pair as people write it, and as freqtrade does."""

import re
from typing import Any

import click
from freqtrade.exceptions import ConfigurationError

_FREQTRADES = re.compile(r"[A-Z0-9]+/(?P<quote>[A-Z]+):(?P=quote)")
# BTCUSDT, btc-usdt, BTC/USDT, BTC_USDT_USDT …: what stands for a USDT-M perpetual elsewhere.
_ELSEWHERE = re.compile(r"(?P<base>[A-Z0-9]+?)[-_/]?USDT([-_:/.](USDT|SWAP|PERP|P))?")


def as_freqtrade_spells(pair: str) -> str:
    """The pair, when it is spelled as freqtrade spells perpetuals: BTC/USDT:USDT.

    :raises ConfigurationError: one line with the right spelling, where one can be guessed.
    """
    if _FREQTRADES.fullmatch(pair):
        return pair
    meant = _ELSEWHERE.fullmatch(pair.upper())
    right = f"{meant['base']}/USDT:USDT" if meant else "BTC/USDT:USDT"
    raise ConfigurationError(
        f"{pair!r} is no USDT-M perpetual as freqtrade spells it: write {right}."
    )


class PairList(click.ParamType):
    """An option's pairs, apart by commas; a tuple of freqtrade's spellings."""

    name = "pairs"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        names = [name.strip() for name in str(value).split(",") if name.strip()]
        if not names:
            self.fail("no pair in it: write BTC/USDT:USDT,ETH/USDT:USDT.", param, ctx)
        try:
            return tuple(dict.fromkeys(as_freqtrade_spells(name) for name in names))
        except ConfigurationError as error:
            self.fail(str(error), param, ctx)
