"""The docs against the program: commands, settings, messages and links."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import freqtrade
import pytest
import yaml
from click.testing import CliRunner
from freqtrade.commands.arguments import Arguments

from bubbybot_freqtrade.cli import main
from bubbybot_freqtrade.commands.user_config import read_config
from bubbybot_freqtrade.sandbox.cli import sandbox_command
from bubbybot_freqtrade.sandbox.settings import SandboxSettings
from bubbybot_freqtrade.settings import BubbyBotSettings
from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy
from tests.places import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.glob("*.md")])
# Subcommands that a fenced line may start with, a path in front or not.
COMMAND = re.compile(r"^\s*(?:\.venv/bin/)?(freqtrade|bubbybot) (.+?)(?:\s+#.*)?$")


def commands(name: str) -> list[str]:
    """Arguments of every `name` command in a fenced block of the docs."""
    found = []
    for page in PAGES:
        fenced = re.findall(r"```[a-z]*\n(.*?)```", page.read_text(), flags=re.DOTALL)
        lines = [line for block in fenced for line in block.splitlines()]
        found += [match[2] for line in lines if (match := COMMAND.match(line)) and match[1] == name]
    return sorted(set(found))


@pytest.mark.parametrize("arguments", commands("freqtrade"))
def test_freqtrades_commands_in_the_docs_are_understood_by_freqtrade(arguments):
    parsed = Arguments(shlex.split(arguments)).get_parsed_arg()
    assert parsed["command"] == arguments.split()[0]


@pytest.mark.parametrize("arguments", commands("bubbybot"))
def test_our_commands_in_the_docs_exist_with_their_options(arguments):
    result = CliRunner().invoke(main, [*shlex.split(arguments), "--help"])
    assert result.exit_code == 0, result.output


def test_the_guide_shows_every_command():
    shown = (DOCS / "guide.md").read_text() + (ROOT / "README.md").read_text()
    for name in main.list_commands(None):
        assert f"bubbybot {name}" in shown or f"make {name}" in shown or name == "rehearse", name


def test_the_configuration_page_is_the_schemas():
    spec = importlib.util.spec_from_file_location("page", DOCS / "make_configuration.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    text = (DOCS / "configuration.md").read_text()
    assert text == made.page(), "run: python docs/make_configuration.py"
    for block in BubbyBotSettings.model_fields.values():
        for field in getattr(block.annotation, "model_fields", {}).values():
            assert field.description, f"{field} has no description"


def test_a_setting_from_the_environment_is_read(monkeypatch):
    (name, value) = re.search(
        r"`(FREQTRADE__BUBBYBOT__\w+)=(\d+)`", (DOCS / "configuration.md").read_text()
    ).groups()
    monkeypatch.setenv(name, value)
    config = read_config([str(ROOT / "config.json")], ROOT / "user_data")
    assert BubbyBotSettings.from_config(config).risk.max_leverage == int(value)


def sources() -> str:
    """All text that messages come from, as one line: strings are split over lines."""
    folders = [ROOT / "bubbybot_freqtrade", Path(freqtrade.__file__).parent]
    text = " ".join(
        file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("*.py")
    )
    return re.sub(r'"\s*f?"', "", re.sub(r"\s+", " ", text))


def test_every_message_under_troubleshooting_exists_in_the_program():
    said = sources()
    rows = re.findall(r"^\| (`.+?) \|", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)
    fragments = [part for row in rows for part in re.findall(r"`([^`]+)`", row)]
    assert len(fragments) > 40
    missing = [part for part in fragments if part not in said]
    assert missing == []


def test_links_between_files_lead_somewhere():
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*PAGES, *DOCS.glob("analyzers/*.md"), *ROOT.glob("C*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_links_to_a_heading_outside_of_the_site_find_it():
    """The site's own are looked at by mkdocs; README and its like are read elsewhere."""
    links = re.compile(r"\]\(([\w./-]+\.md)#([\w-]+)\)")
    found = [
        (ROOT / target, anchor)
        for page in ROOT.glob("*.md")
        for target, anchor in links.findall(page.read_text())
    ]
    assert found
    for target, anchor in found:
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
        assert anchor in slugs, f"{target.name}#{anchor}"


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_maps_name_files_that_are_there(page):
    named = set(re.findall(r"`([\w/.-]+(?:\.py|/))`", (ROOT / page).read_text()))
    homes = (ROOT, ROOT / "bubbybot_freqtrade", *(ROOT / "bubbybot_freqtrade").rglob("*/"))
    assert len(named) > 10
    assert [name for name in named if not any((home / name).exists() for home in homes)] == []


def test_the_home_page_leads_to_every_page():
    linked = set(re.findall(r"\]\(([\w/-]+\.md)", (DOCS / "index.md").read_text()))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.glob("*.md")}
    # The latter is a list for those who build the project.
    assert pages - linked == {"index.md", "dependencies.md"}


def test_the_sandbox_page_has_the_defaults_of_trades_a_minute():
    (steps,) = [option for option in sandbox_command.params if "--steps" in option.opts]
    words = " ".join((DOCS / "sandbox.md").read_text().split())
    code = SandboxSettings().steps_per_minute
    assert f"{steps.default} a minute and pair with the command (`--steps`), {code} in" in words


def test_the_changelog_names_every_command():
    text = (ROOT / "CHANGELOG.md").read_text()
    rehearsal = {"sandbox", "rehearse"}
    assert [
        n
        for n in main.list_commands(None)
        if n not in rehearsal and f"`{n}`" not in text and f"`bubbybot {n}`" not in text
    ] == []


def test_github_runs_lint_and_tests():
    text = (ROOT / ".github/workflows/test.yml").read_text()
    steps = yaml.safe_load(text)["jobs"]["test"]["steps"]
    assert {"run": ".ci/run"} in steps
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_issue_template_asks_for_the_doctors_output():
    template = (ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text()
    doctor = template.index("bubbybot doctor")
    assert "required: true" in template[doctor : template.index("dropdown")]


@pytest.mark.skipif(
    importlib.util.find_spec("material") is None, reason="needs pip install -e '.[docs]'"
)
def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    page = (tmp_path / "api/index.html").read_text()
    assert "offer_bracket" in page


@pytest.mark.parametrize("page", ["guide.md", "search.md"])
def test_downloads_reach_over_the_range_that_is_traded_and_its_warm_up(page):
    fenced = re.findall(r"```[a-z]*\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)
    blocks = [block for block in fenced if "download-data" in block]
    assert blocks
    warm_up = timedelta(hours=4) * BubbyBotStrategy.startup_candle_count
    for block in blocks:
        ranges = re.findall(r"--timerange (\d{8})-(\d{8})", block)
        (first, last), *traded = [[date.fromisoformat(day) for day in r] for r in ranges]
        assert traded
        for start, end in traded:
            assert first <= start - warm_up
            assert end <= last
