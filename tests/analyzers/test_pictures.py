"""The pictures of the pages are drawn by our own code and show what the pages say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.places import ROOT

DOCS = ROOT / "docs" / "analyzers"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    subprocess.run([sys.executable, str(DOCS / "make_pictures.py"), str(folder)], check=True)
    return folder


@pytest.mark.parametrize(
    ("page", "labels"),
    [
        ("market-cipher", {"bull div", "bear div", "money flow", "DBSI"}),
        ("lux-algo", {"BOS", "CHoCH", "bullish block", "bearish block", "bullish gap", "discount"}),
        ("frankie-candles", {"POC", "value area", "golden pocket", "divergences"}),
    ],
)
def test_each_page_has_its_picture(pictures: Path, page: str, labels: set[str]) -> None:
    drawn = ElementTree.parse(pictures / f"{page}.svg")
    assert labels <= {element.text for element in drawn.iter() if element.text}
    assert f"({page}.svg)" in (DOCS / f"{page}.md").read_text()
    assert labels <= {
        element.text for element in ElementTree.parse(DOCS / f"{page}.svg").iter() if element.text
    }
