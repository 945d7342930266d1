"""`bubbybot search` as a user types it."""

import json
import re

from click.testing import CliRunner

from bubbybot_freqtrade.search.cli import search_command
from tests.places import ROOT


def test_it_writes_a_report_and_goes_on_where_it_was(config_file, desk):
    words = [
        *("-c", config_file, "--strategy", "BubbyBot", "--datadir", desk.data),
        *("--strategy-path", ROOT / "user_data/strategies", "--userdir", desk.user_data),
        *("--timerange", "20250113-20250128", "--parts", "1", "--past-days", "12"),
        *("--trials", "2", "--batch", "2", "--jobs", "1", "--study", "command"),
    ]
    first = CliRunner().invoke(search_command, list(map(str, words)), catch_exceptions=False)
    assert first.exit_code == 0, first.output
    page = (desk.user_data / "search" / "command" / "report.md").read_text()
    assert "2025-01-25 to 2025-01-28" in page
    assert re.search(r"(after|\b)\s*2 trials", page)
    block = json.loads(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])
    assert set(block["bubbybot"]) == {"confluence", "risk", "exits"}
    again = CliRunner().invoke(search_command, list(map(str, words)), catch_exceptions=False)
    assert again.exit_code == 0
    assert (desk.user_data / "search" / "command" / "report.md").read_text() == page


def test_a_range_without_an_end_is_a_usage_error(config_file):
    told = CliRunner().invoke(search_command, ["-c", str(config_file), "--timerange", "20250113-"])
    assert told.exit_code == 2
    assert "--timerange" in told.output
