"""The table from the originals' names to our columns, and what the pages say of the columns."""

from __future__ import annotations

import re

import pytest

from bubbybot_freqtrade.analyzers import frankie_candles, lux_algo, market_cipher
from tests.places import ROOT

PAGES = ROOT / "docs" / "analyzers"
COLUMNS = {*market_cipher.COLUMNS, *lux_algo.COLUMNS, *frankie_candles.COLUMNS}


@pytest.mark.parametrize("page", ["index.md", "comparison.md"])
def test_every_column_that_is_named_is_there(page: str) -> None:
    named = re.findall(r"`((?:mc|lux|fc)_\w+)`", (PAGES / page).read_text(encoding="utf-8"))
    assert named
    # A package's name begins as its columns do.
    assert sorted(set(named) - COLUMNS - {lux_algo.__name__.rpartition(".")[2]}) == []
