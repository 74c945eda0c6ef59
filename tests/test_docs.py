"""What the documents say is so."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import environment
import pytest
import readme_table
import yaml

import playground
from playground import catalog
from playground.activities import activities
from playground.data import datasets
from playground.lab.learners import learners
from playground.recipes import recipes

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMANDS = [
    pytest.param(line.split("#")[0].strip(), id=f"{path.name}: {line.split('#')[0].strip()}")
    for path in DOCUMENTS
    for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def pins() -> dict[str, str]:
    """What requirements.txt pins where there is one pin for all Pythons."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line and ";" not in line)


def test_the_tables_are_what_the_code_says() -> None:
    assert readme_table.rewritten(README) == README, "run python scripts/readme_table.py --write"


def test_the_table_has_every_family_and_activity() -> None:
    header, _, *rows = readme_table.what_can_it_do()
    assert all(name in header for name in activities())
    drawing = [family for family in catalog.families().values() if len(family.tiny().shape) == 3]
    titles = [family.about.title for family in drawing if family.about]
    for title in titles:
        assert sum(row.startswith(f"| [{title}](") for row in rows) == titles.count(title)


def test_the_laboratorys_table_has_every_learner() -> None:
    rows = readme_table.who_races()
    for learner in learners().values():
        assert sum(row.startswith(f"| [{learner.title}](") for row in rows) == 1


def test_a_missing_marker_is_named() -> None:
    with pytest.raises(ValueError, match="models:begin"):
        readme_table.rewritten(README.replace("<!-- models:begin -->", ""))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    anchors = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)", text, re.M)}
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("#"):
            dead += [link] if link[1:] not in anchors else []
        elif not re.match(r"[a-z]+:", link) and not (path.parent / link.split("#")[0]).exists():
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist(command: str) -> None:
    words = shlex.split(command)
    if words[0] in ("source", "hf"):
        return
    assert words[0] in ("python", "python3"), command
    if words[1] == "-m":
        assert importlib.util.find_spec(words[2]), words[2]
        known = {"playground.train": recipes(), "playground.data": datasets(), "playground.evaluation": catalog.cards()}
        named = words[3:4] if words[3:4] and not words[3].startswith("-") else []
        assert all(name in known[words[2]] for name in named), command
    else:
        assert (ROOT / words[1]).is_file(), words[1]


def test_the_front_matter_is_that_of_a_gradio_space() -> None:
    front = yaml.safe_load(README.split("---\n")[1])
    assert front["sdk"] == "gradio"
    assert front["sdk_version"] == pins()["gradio"]
    assert (ROOT / front["app_file"]).is_file()
    assert front["license"] == "apache-2.0"
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {front["colorFrom"], front["colorTo"]} <= colours
    assert len(front["short_description"]) <= 60  # the Hub refuses longer ones
    assert front["python_version"] == "3.12"  # ZeroGPU has 3.10 and 3.12


def test_the_changelog_has_this_version() -> None:
    assert f"## [{playground.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_python_gets_one_pin_of_each_package() -> None:
    from packaging.requirements import Requirement

    for python in ("3.10", "3.11", "3.12", "3.13"):
        lines = (ROOT / "requirements.txt").read_text().splitlines()
        wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
        names = [r.name for r in wanted if not r.marker or r.marker.evaluate({"python_version": python})]
        assert sorted(set(names)) == sorted(names)
        assert set(names) == {r.name for r in wanted}
        assert all(len(r.specifier) == 1 and str(r.specifier).startswith("==") for r in wanted)


def test_an_up_to_date_environment_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(environment, "STAMP", tmp_path / "installed.json")
    monkeypatch.setattr(environment.subprocess, "call", lambda command: pytest.fail("it was"))
    (tmp_path / "python").touch()
    (tmp_path / "installed.json").write_text(environment.json.dumps(environment.digests()))
    assert environment.prepare("requirements-dev.txt") == tmp_path / "python"
    assert environment.prepare("requirements.txt") == tmp_path / "python"


def test_changed_requirements_are_installed_torch_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(environment, "STAMP", tmp_path / "installed.json")
    monkeypatch.setattr(environment.subprocess, "call", lambda command: called.append(command) or 0)
    (tmp_path / "python").touch()
    environment.prepare("requirements-dev.txt")
    assert [command[-1] for command in called] == [f"torch=={pins()['torch']}", str(ROOT / "requirements-dev.txt")]
    environment.prepare("requirements.txt")  # the larger set holds the smaller
    assert len(called) == 2


def test_a_failed_installation_is_not_taken_for_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(environment, "STAMP", tmp_path / "installed.json")
    monkeypatch.setattr(environment.subprocess, "call", lambda command: 1)
    (tmp_path / "python").touch()
    with pytest.raises(SystemExit, match="check the network"):
        environment.prepare("requirements.txt")
    assert not (tmp_path / "installed.json").exists()


@pytest.mark.parametrize("version", [(3, 9), (3, 14)])
def test_a_python_that_will_not_do_is_refused(
    version: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "none")
    monkeypatch.setattr(environment.sys, "version_info", (*version, 0, "final", 0))
    with pytest.raises(SystemExit, match=r"needs 3\.10 to 3\.13"):
        environment.prepare("requirements.txt")
