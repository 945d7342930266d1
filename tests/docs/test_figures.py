"""What the front page says of results is what the results page has; so are its pictures."""

import json
import re

import pytest

from tests.places import ROOT

README = " ".join((ROOT / "README.md").read_text().split())
PAGE = (ROOT / "docs/results.md").read_text()
PLAIN = "plain 480-hour breakout, same exits"


def row(name: str, heading: str) -> list[str]:
    """Cells of a row of the first table below a heading: trades, profit, profit factor, …."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    (line, *_) = [line for line in section.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def spoken(cells: list[str]) -> list[str]:
    """Profit factor, Sharpe ratio and drawdown as the front page writes them."""
    return [cells[2], cells[3], f"{float(cells[5].strip('%')):.0f} %"]


def test_the_front_page_has_the_backtests_figures():
    number = r"(\d+\.\d+)"
    ours = re.search(
        rf"made (\d+) trades with a profit factor of {number}, a Sharpe ratio of {number} and a "
        r"drawdown of (\d+ %)",
        README,
    )
    cells = row("BubbyBot", "Majors")
    assert list(ours.groups()) == [cells[0], *spoken(cells)]
    plain = re.search(rf"with the same exits made {number}, {number} and (\d+ %)", README)
    assert list(plain.groups()) == spoken(row(PLAIN, "Majors"))
    walked = re.search(
        rf"past alone it made {number}, {number} and (\d+ %) from 2023 on, the breakout {number}, "
        rf"{number} and (\d+ %)",
        README,
    )
    breakout = row("plain 480-hour breakout, scanned", "Walk-forward")
    assert list(walked.groups()) == spoken(row("walk-forward", "Walk-forward")) + spoken(breakout)
    random = re.search(rf"random entries {number} to {number}", README)
    assert f"profit factor {random[1]}–{random[2]}" in PAGE.split("## Wide")[0]


@pytest.mark.parametrize("heading", ["Majors", "Wide"])
def test_a_picture_of_accounts_ends_where_the_table_does(heading):
    drawn = (ROOT / f"docs/results-{heading.lower()}.svg").read_text()
    legend = dict(re.findall(r">([^<:]+): ([+-]\d+%)<", drawn))
    for name in ("BubbyBot", PLAIN, "buy and hold"):
        assert float(legend[name].strip("%")) == pytest.approx(
            float(row(name, heading)[1].strip("%")), abs=0.55
        )


def test_the_expectation_is_of_the_same_trades():
    expected = json.loads(
        (ROOT / "bubbybot_freqtrade/learning/expectation.json").read_text(encoding="utf-8")
    )
    cells = row("BubbyBot", "Majors")
    assert expected["trades"] == int(cells[0])
    assert f"{expected['mean_r']:+.2f}" == cells[7]
