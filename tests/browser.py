"""Debian's Chromium, driven by Selenium: what a page looks like to who opens it."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# Without these Chromium looks up hosts of its own, which a closed network refuses one by one.
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip

DESK, PHONE = (1400, 900), (390, 844)

_EMPTY_CHARTS = """
return [...document.querySelectorAll(".chart")].filter((chart) => chart.dataset.drawn !== "yes"
  || ![...chart.querySelectorAll(".trace path")].some((shape) => {
    const box = shape.getBoundingClientRect(); return box.width + box.height > 2; }))
  .map((chart) => chart.id || chart.className);
"""

_WIDER_THAN_THE_SCREEN = """
const wide = document.documentElement.clientWidth + 1;
return [...document.querySelectorAll("body *")].filter((element) => !element.closest(".wide, svg")
  && element.getBoundingClientRect().right > wide).map((element) => element.outerHTML.slice(0, 80));
"""

# Texts of one chart that lie on each other, and texts that are cut off by their box.
_OVERLAPS = """
const found = [];
for (const chart of document.querySelectorAll(".chart")) {
  const texts = [...chart.querySelectorAll("svg text")].filter((text) => text.textContent.trim()
    && getComputedStyle(text).opacity !== "0" && !text.closest(".hoverlayer, .modebar"));
  const boxes = texts.map((text) => [text.textContent, text.getBoundingClientRect()]);
  for (let i = 0; i < boxes.length; i += 1) for (let j = 0; j < i; j += 1) {
    const [one, a] = boxes[i], [other, b] = boxes[j];
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 2 && y > 3) found.push([one, other]);
  }
}
const lines = [...document.querySelectorAll("td, th, h1, h2, summary, .tiles b")];
for (const element of lines) if (element.scrollWidth > element.clientWidth + 1
  && !element.closest(".wide")) found.push([element.textContent, "cut"]);
return found;
"""


class Browser:
    """One page in one window, at a size of `DESK` or `PHONE`."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path, size: tuple[int, int] = DESK, *, dark: bool = False) -> None:
        """Load a file and scroll through it, so that every chart is drawn."""
        width, height = size
        metrics = {
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": size == PHONE,
        }
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get(page.resolve().as_uri())
        self.draw_all()

    def draw_all(self) -> None:
        """Bring every chart to the screen."""
        for chart in self.all(".chart"):
            self.run("arguments[0].scrollIntoView({block: 'center'})", chart)
            self.wait("return arguments[0].dataset.drawn === 'yes'", chart)

    def all(self, selector: str) -> list[Any]:
        """The elements of a selector."""
        return self.driver.find_elements("css selector", selector)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> None:
        """Until a script returns something true."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 30, poll_frequency=0.05).until(
            lambda _: self.run(script, *arguments)
        )

    def screenshot(self, file: Path) -> None:
        """The whole page."""
        whole = {"captureBeyondViewport": True, "format": "png"}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", whole)
        file.write_bytes(base64.b64decode(shot["data"]))

    def faults(self) -> dict[str, Any]:
        """What is wrong with the page as it stands; empty when nothing is."""
        found = {
            "console": [line["message"] for line in self.driver.get_log("browser")],
            "empty charts": self.run(_EMPTY_CHARTS),
            "wider than the screen": self.run(_WIDER_THAN_THE_SCREEN),
            "overlaps": self.run(_OVERLAPS),
        }
        return {name: faults for name, faults in found.items() if faults}


@contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """A browser with a new profile; the test is skipped where none is installed."""
    programs = [
        next(filter(None, map(shutil.which, names)), None)
        for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",))
    ]
    if not all(programs):
        pytest.skip("no Chromium and ChromeDriver here (Debian: apt install chromium-driver)")
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium here")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for argument in (*QUIET, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(programs[1]))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
