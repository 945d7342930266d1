"""Writes configuration.md from the settings' own schema: python docs/make_configuration.py"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freqtrade.strategy import CategoricalParameter, DecimalParameter
from pydantic import BaseModel

from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from bubbybot_freqtrade.strategy.overrides import KEPT

PAGE = Path(__file__).with_name("configuration.md")

HEAD = """\
# Configuration

`config.json` (live, on paper until `dry_run` is false) and `config.demo.json` (BloFin's demo
account) are ordinary freqtrade configs; [freqtrade's
reference](https://www.freqtrade.io/en/stable/configuration/) explains their keys, and [BloFin for
freqtrade](blofin.md) the few that BloFin adds. This page lists the block `bubbybot`, which may be
left out: everything has a default.

```json
{
    "bubbybot": {
        "risk": {"max_leverage": 20, "daily_loss": 0.05},
        "messages": {"price_moves": {"BTC/USDT:USDT": 0.02}}
    }
}
```

A setting can be stricter than the rules of the house, never looser: the bounds below are those
rules. A wrong name or value stops the bot at its start with one line that names it, and `bubbybot
doctor` says so before. Settings are read at the start and by `/reload_config`. Environment
variables work as for all of freqtrade: `FREQTRADE__BUBBYBOT__RISK__MAX_LEVERAGE=20`.

Shares are of account equity (0.05 is 5 %), distances are shares of the entry price, R is the
planned loss at the stop, both fees included; a profit in R is net of fees and funding.
"""

OVERRIDES_HEAD = """\
## freqtrade's own settings

freqtrade lets a config, and the parameter file that hyperopt writes, replace a strategy's own
settings. Most of them are yours to choose; these would take a rule away, so BubbyBot does not start
with any other value, in a backtest neither.

| setting | what it must stay | why |
| --- | --- | --- |
"""

TAIL_HEAD = """\
## Hyperopt

These settings are parameters of the strategy too; `freqtrade hyperopt --spaces buy sell` finds
values for them and writes `user_data/strategies/BubbyBot.json`, which freqtrade reads at the next
start. What the config says explicitly wins over that file. The spaces `roi`, `stoploss` and
`trailing` are refused: plans decide stops and targets.

| parameter | space | range |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    schema = BubbyBotSettings.model_json_schema()
    definitions = schema["$defs"]
    simple = {}
    for name, field in schema["properties"].items():
        if "$ref" in field:
            model = definitions[field["$ref"].rsplit("/", 1)[-1]]
            block = BubbyBotSettings.model_fields[name].annotation
            parts.append(_block(name, model, block))
        else:
            simple[name] = field
    parts.insert(1, "## bubbybot\n\n" + _table(simple, BubbyBotSettings))
    parts.append(OVERRIDES_HEAD + "\n".join(_overrides()) + "\n")
    parts.append(TAIL_HEAD + "\n".join(_parameters()))
    return "\n".join(parts) + "\n"


def _block(name: str, model: dict[str, Any], block: Any) -> str:
    purpose = model["description"].split("\n")[0]
    purpose = purpose.split(" (see `")[0].rstrip(".")
    return f"## bubbybot.{name}\n\n{purpose}.\n\n{_table(model['properties'], block)}"


def _table(fields: dict[str, Any], block: type[BaseModel]) -> str:
    rows = ["| setting | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for name, field in fields.items():
        default = json.dumps(block.model_fields[name].default)
        meaning = field.get("description", "")
        rows.append(f"| `{name}` | `{default}` | {_allowed(field)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _allowed(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return ", ".join(_allowed(option) for option in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if field["type"] == "array":
        return f"list of {_allowed(field['items'])}"
    if field["type"] == "object":
        return "object: number by name"
    kinds = {"number": "number", "integer": "whole number", "boolean": "`true`, `false`"}
    return " ".join([kinds.get(field["type"], f"`{field['type']}`"), *_bounds(field)])


def _bounds(field: dict[str, Any]) -> Iterator[str]:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    for key, sign in signs.items():
        if key in field:
            yield f"{sign} {field[key]:g}"


def _overrides() -> Iterator[str]:
    for kept in KEPT:
        yield f"| `{kept.setting}` | `{kept.allowed(BubbyBotStrategy)}` | {kept.why} |"


def _parameters() -> Iterator[str]:
    for name, parameter in vars(BubbyBotStrategy).items():
        if isinstance(parameter, DecimalParameter):
            yield f"| `{name}` | {parameter.space} | {parameter.low:g} to {parameter.high:g} |"
        elif isinstance(parameter, CategoricalParameter):
            values = ", ".join(f"{value:g}" for value in parameter.opt_range)
            yield f"| `{name}` | {parameter.space} | {values} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
