"""The pictures of the pages are drawn by our own code and show what the pages say."""

from __future__ import annotations

import re
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
        (
            "market-cipher",
            {"bull div", "bear div", "money flow", "DBSI", "wave trend, VWAP yellow"},
        ),
        ("lux-algo", {"BOS", "CHoCH", "bullish block", "bearish block", "bullish gap", "discount"}),
        ("lux-algo", {"HH", "HL", "LH", "LL", "EQH", "EQL"}),
        ("frankie-candles", {"POC", "VAH", "VAL", "value area", "golden pocket", "divergences"}),
    ],
)
def test_each_page_has_its_picture(pictures: Path, page: str, labels: set[str]) -> None:
    drawn = ElementTree.parse(pictures / f"{page}.svg")
    assert labels <= {element.text for element in drawn.iter() if element.text}
    assert f"({page}.svg)" in (DOCS / f"{page}.md").read_text()
    assert labels <= {
        element.text for element in ElementTree.parse(DOCS / f"{page}.svg").iter() if element.text
    }


@pytest.mark.parametrize("name", ["market-cipher", "lux-algo", "frankie-candles"])
def test_a_picture_has_axes_of_price_and_time_and_no_label_on_another(
    pictures: Path, name: str
) -> None:
    drawn = ElementTree.parse(pictures / f"{name}.svg")
    texts = [one for one in drawn.iter() if one.tag.endswith("text")]
    words = [one.text or "" for one in texts]
    assert sum(bool(re.fullmatch(r"Jan \d\d \d\d:00", word)) for word in words) >= 3
    assert sum(bool(re.fullmatch(r"\d+\.\d\d", word)) for word in words) >= 3
    # Sans-serif of 9.5: a letter is about half as wide as high.
    boxes = [_box(one) for one in texts]
    for index, (left, top, right, bottom) in enumerate(boxes):
        for other, (x0, y0, x1, y1) in enumerate(boxes[:index]):
            apart = left >= x1 or x0 >= right or top >= y1 or y0 >= bottom
            assert apart, (words[index], words[other])


def _box(text: ElementTree.Element) -> tuple[float, float, float, float]:
    x, y, width = float(text.get("x", 0)), float(text.get("y", 0)), 5.0 * len(text.text or "")
    left = x - {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor", ""), 0.0) * width
    return left, y - 7, left + width, y + 1
