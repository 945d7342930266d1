"""What GitHub would run: readable, with few rights, and the notes out of the changelog."""

import re
import subprocess
import sys

import pytest
import yaml

from bubbybot_freqtrade import __version__
from tests.places import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
NOTES = ROOT / ".github/release_notes.py"


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_every_job_has_steps_and_no_more_rights_than_it_needs(file):
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert all({"uses", "run"} & step.keys() for step in job["steps"])
        assert set(job.get("needs", []) and [job["needs"]]) <= set(workflow["jobs"])


def test_only_a_tag_publishes_and_only_what_was_tried():
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
    for name in ("publish", "image", "docs", "notes"):
        assert jobs[name]["if"] == "github.ref_type == 'tag'"
        needed, seen = name, set()
        while needed := jobs[needed].get("needs"):
            seen.add(needed)
        assert {"build", "try"} <= seen
    # Trusted publishing: no token of the package index anywhere.
    text = (ROOT / ".github/workflows/release.yml").read_text()
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"GITHUB_TOKEN"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}


def test_all_three_systems_are_tried():
    jobs = yaml.safe_load((ROOT / ".github/workflows/systems.yml").read_text())["jobs"]
    (job,) = jobs.values()
    systems = {name.split("-")[0] for name in job["strategy"]["matrix"]["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    runs = " ".join(step.get("run", "") for step in job["steps"])
    # Nothing there that PowerShell does not know.
    assert not re.search(r"[;&|]|make |\./", runs)


@pytest.mark.parametrize(
    ("heading", "code", "says"),
    [
        ("## 9.9.9 (2027-01-02)", 0, "- It works.\n"),
        ("## 9.9.9 (unreleased)", 1, "write its date"),
        ("## 9.9.8", 1, "no section 9.9.9"),
    ],
)
def test_the_notes_are_the_changelogs_section(tmp_path, heading, code, says):
    (tmp_path / ".github").mkdir()
    script = tmp_path / ".github/release_notes.py"
    script.write_text(NOTES.read_text())
    text = f"# Changelog\n\n{heading}\n\n- It works.\n\n## 0.0.1\n\n- Older.\n"
    (tmp_path / "CHANGELOG.md").write_text(text)
    done = subprocess.run(
        [sys.executable, str(script), "9.9.9"], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert "Older" not in done.stdout


def test_the_version_is_that_of_the_next_release():
    assert __version__ == "0.2.0"
