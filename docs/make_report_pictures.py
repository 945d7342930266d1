"""Draws docs/report.png and docs/trade.png, from the project's folder, with Debian's Chromium.

    python docs/make_report_pictures.py BACKTEST DATA REHEARSAL NUMBER

BACKTEST is a result's zip and DATA the candles it was made on; REHEARSAL is a rehearsal's folder
and NUMBER the trade of it that the README shows.
"""

import base64
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

from bubbybot_freqtrade.report.cli import report_command
from tests.browser import Browser, open_browser

DOCS = Path(__file__).parent
WIDTH = 1280

# What a picture of a whole page has no room for.
LEFT_OUT = ("figures", "hours", "groups", "what-past-trades-say")
ROWS = 6

_SHORTEN = """
for (const id of arguments[0]) {
  const element = document.getElementById(id);
  (element.closest(".pair") || element).remove();
}
const rows = [...document.querySelectorAll("#trades tr.trade")];
rows.slice(arguments[1]).forEach((row) => row.remove());
document.body.style.padding = "1px 1rem 1rem";
document.querySelectorAll(".modebar").forEach((bar) => bar.remove());
"""


def report(folder: Path, *arguments: str) -> Path:
    """A report's page."""
    page = folder / "report.html"
    done = CliRunner().invoke(report_command, [*arguments, "-o", str(page)])
    if done.exit_code:
        raise SystemExit(done.output)
    return page


def shot(browser: Browser, selector: str, file: Path) -> None:
    """A picture of one element."""
    (element,) = browser.all(selector)
    box = browser.run(
        "const b = arguments[0].getBoundingClientRect(); "
        "return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height, scale: 1}",
        element,
    )
    options = {"captureBeyondViewport": True, "format": "png", "clip": box}
    taken = browser.driver.execute_cdp_cmd("Page.captureScreenshot", options)
    file.write_bytes(base64.b64decode(taken["data"]))


def open_trade(browser: Browser, number: str) -> None:
    """Show a trade's chart."""
    for row in browser.all("#trades tr.trade"):
        if row.text.startswith(f"#{number} "):
            browser.run("arguments[0].click()", row)
    browser.draw_all()
    browser.run("document.querySelectorAll('.modebar').forEach((bar) => bar.remove())")


def main() -> None:
    """Draw both."""
    backtest, data, rehearsal, number = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name, open_browser(Path(name) / "browser") as browser:
        browser.open(report(Path(name), rehearsal), (WIDTH, 900))
        open_trade(browser, number)
        shot(browser, "#trades td.detail", DOCS / "trade.png")
        browser.open(report(Path(name), backtest, "--data", data), (WIDTH, 900))
        browser.run(_SHORTEN, LEFT_OUT, ROWS)
        shot(browser, "body", DOCS / "report.png")


if __name__ == "__main__":
    main()
