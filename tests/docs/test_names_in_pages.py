"""Every option, setting, module and file that a page names in code is there."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from inspect import getsource
from pathlib import Path

import click
import freqtrade
import pytest
from freqtrade.commands.cli_options import AVAILABLE_CLI_OPTIONS
from freqtrade.config_schema.config_schema import CONF_SCHEMA

from bubbybot_freqtrade.blofin.exchange.real_time import RealTime
from bubbybot_freqtrade.cli import COMMANDS, main
from bubbybot_freqtrade.drills.drill import Run
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from tests.places import ROOT

PAGES = [*sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("*.md"))]
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
DOTTED = re.compile(r"([a-z_]+(?:\.[a-z_]+)+)(?:(?:: |=).+)?")
FILE = re.compile(r".*\.(json|jsonl|py|md|html|csv|txt|sqlite|yml|toml)")

OF_OTHER_PROGRAMS = {
    "docker": {"--profile", "--rm", "--force-recreate", "--format"},
    "uv": {"--no-sync", "--python"},
    "xcode-select": {"--install"},
    "pip-audit": {"--requirement", "--no-deps", "--disable-pip"},
    "npm": {"--prefix"},
    "benchmarks/pine_comparison.py": {"--settings", "--pinets"},
}
# Python's, of an object that the sentence is about.
ATTRIBUTES = {"exchange.real_time.wake_at": RealTime.wake_at, "run.check": Run.check}


def code(text: str) -> Iterator[str]:
    """Everything that is written as code: blocks, and words within sentences."""
    fenced = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)
    yield from fenced.findall(text)
    yield from (" ".join(words.split()) for words in re.findall(r"`([^`]+)`", fenced.sub("", text)))


def options() -> set[str]:
    """Those of our commands, freqtrade's, and the other programs' that the pages name."""
    found = {"--help", "--version"}
    for name in COMMANDS:
        for parameter in main.get_command(None, name).params:
            if isinstance(parameter, click.Option):
                found |= {*parameter.opts, *parameter.secondary_opts}
    for option in AVAILABLE_CLI_OPTIONS.values():
        found |= set(option.cli)
    return found.union(*OF_OTHER_PROGRAMS.values())


def named_in(page_text: str) -> dict[str, bool]:
    """Dotted names of settings, modules and attributes, and whether each is there."""
    return {
        match[1]: is_there(match[1])
        for words in code(page_text)
        if (match := DOTTED.fullmatch(words)) and not FILE.fullmatch(match[1])
    }


def is_there(name: str) -> bool:
    first, *rest = name.split(".")
    if first == "bubbybot":
        return is_setting(BubbyBotSettings, rest)
    if first in BubbyBotSettings.model_fields:
        return is_setting(BubbyBotSettings, [first, *rest])
    if first == "bubbybot_freqtrade":
        return is_importable(name)
    if first == "bot":
        return f"self.{rest[0]}" in getsource(BubbyBotStrategy)
    if name in ATTRIBUTES:
        return True
    # An analyzer's module as its page calls it: `market_cipher.wave_trend`.
    return is_read(first, rest[-1]) or is_importable(f"bubbybot_freqtrade.analyzers.{name}")


def is_setting(kind: type, path: list[str]) -> bool:
    for name in path:
        if name not in getattr(kind, "model_fields", {}):
            return False
        kind = kind.model_fields[name].annotation
    return True


def is_importable(name: str) -> bool:
    """A module, or what a module has."""
    try:
        import_module(name)
    except ModuleNotFoundError:
        inside, _, last = name.rpartition(".")
        return bool(inside) and is_importable(inside) and hasattr(import_module(inside), last)
    return True


@cache
def sources() -> str:
    folders = (Path(freqtrade.__file__).parent, ROOT / "bubbybot_freqtrade")
    return "".join(file.read_text("utf-8") for folder in folders for file in folder.rglob("*.py"))


def is_read(block: str, name: str) -> bool:
    """A block of freqtrade's schema, and a key that freqtrade or the extension names.

    Not all keys that freqtrade reads are in its schema: heartbeat_interval is not.
    """
    return block in CONF_SCHEMA["properties"] and f'"{name}"' in sources()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_that_a_page_names_exists(page):
    named = {option for words in code(page.read_text()) for option in OPTION.findall(words)}
    assert named - options() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_and_module_that_a_page_names_exists(page):
    assert [name for name, there in named_in(page.read_text()).items() if not there] == []


def test_every_json_block_is_a_config_that_freqtrade_and_we_know():
    blocks = re.compile(r"```json\n(.*?)```", re.DOTALL)
    told = [json.loads(b) for page in PAGES for b in blocks.findall(page.read_text())]
    assert len(told) >= 5
    known = {*CONF_SCHEMA["properties"], "bubbybot", "add_config_files", "strategy"}
    assert [key for block in told for key in block if key not in known] == []
    for block in told:
        BubbyBotSettings.from_config(block)


def test_what_is_not_there_is_found():
    assert named_in("`risk.max_lose`, `risk.max_risk: 0.03`, `exchange.other_bots`, `a.json`") == {
        "risk.max_lose": False,
        "risk.max_risk": True,
        "exchange.other_bots": True,
    }
    assert OPTION.findall("bubbybot report --chart 3") == ["--chart"]
    assert "--chart" not in options()
