"""House rules that a test can hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from playground import catalog
from playground.capabilities import About
from playground.recipes import recipes

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "playground"
CODE = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "scripts").glob("*.py"), *ROOT.glob("*.py")])
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in CODE}
SCRIPTS = sorted((PACKAGE / "ui").rglob("*.js"))
LONGEST = 400  # lines of a file
MB = 10**6


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it."""
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def public(path: Path) -> Iterator[tuple[ast.FunctionDef, bool]]:
    """Every public function of a file, and whether a base class may have described it already."""
    for node in TREES[path].body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node, False
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            methods = (n for n in node.body if isinstance(n, ast.FunctionDef))
            yield from ((m, bool(node.bases)) for m in methods if not m.name.startswith("_"))


def tracked() -> list[Path]:
    """The files that git would keep."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize(
    ("where", "banned"),
    [
        ("families", ("gradio", "spaces", "playground.ui", "playground.backends", "playground.activities")),
        ("activities", ("gradio", "spaces", "playground.ui", "playground.backends", "playground.families")),
        ("evaluation", ("gradio", "spaces", "playground.ui", "playground.backends")),
        ("data", ("gradio", "spaces", "torch", "playground.ui", "playground.backends", "playground.families")),
        ("recipes", ("gradio", "spaces", "playground.ui", "playground.backends")),
        ("train.py", ("gradio", "spaces", "playground.ui", "playground.backends", "playground.activities")),
        ("backends", ("gradio", "playground.ui", "playground.families")),
        ("ui", ("torch", "safetensors", "playground.families", "playground.train", "playground.activities")),
    ],
)
def test_arrows_point_one_way(where: str, banned: tuple[str, ...]) -> None:
    target = PACKAGE / where
    files = [path for path in CODE if path == target or target in path.parents]
    assert files
    wrong = [
        f"{short(path)} imports {name}"
        for path in files
        for name in imports(path)
        if any(name == b or name.startswith(f"{b}.") for b in banned)
    ]
    assert not wrong


def test_the_page_is_imported_without_torch() -> None:
    code = "import sys, playground.ui; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_nothing_reads_a_pickle() -> None:
    banned = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    wrong = [f"{short(p)} imports {name}" for p in CODE for name in imports(p) if name.split(".")[0] in banned]
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                call = ast.unparse(node.func)
                if call in ("torch.load", "pd.read_pickle", "eval", "exec") or "allow_pickle=True" in ast.unparse(node):
                    wrong.append(f"{short(path)}:{node.lineno} calls {call}")
    assert not wrong


def test_no_global_seed_and_no_hasattr() -> None:
    wrong = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("hasattr", "np.random.seed", "random.seed"):
                wrong.append(f"{short(path)}:{node.lineno} calls {ast.unparse(node.func)}")
    assert not wrong


@pytest.mark.parametrize("path", [p for p in CODE if PACKAGE in p.parents], ids=short)
def test_public_functions_are_described_and_typed(path: Path) -> None:
    wrong = []
    for function, inherited in public(path):
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        untyped = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
        if untyped or function.returns is None:
            wrong.append(f"{function.name} (line {function.lineno}) is not fully typed")
        if not inherited and ast.get_docstring(function) is None:
            wrong.append(f"{function.name} (line {function.lineno}) has no docstring")
    assert not wrong
    assert ast.get_docstring(TREES[path]), "the file does not say what it is"


def test_files_are_short_enough_to_read() -> None:
    lengths = {short(p): len(p.read_text(encoding="utf-8").splitlines()) for p in [*CODE, *SCRIPTS]}
    assert not {name: n for name, n in lengths.items() if n > LONGEST}


def test_trained_models_are_small_enough_to_keep_in_git() -> None:
    sizes = {short(p): p.stat().st_size for p in (ROOT / "pretrained").rglob("*") if p.is_file()}
    assert not {name: size for name, size in sizes.items() if size >= 9 * MB}
    assert sum(sizes.values()) < 150 * MB


def test_no_path_of_one_machine_and_no_package_host() -> None:
    hosts = [
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "download." + "pytorch",
        "regis" + "try.npm",
        "conda." + "anaconda",
    ]
    places = ["/work" + "/", "/ro" + "ot/", "/ho" + "me/", "/Use" + "rs/", "/opt" + "/"]
    pattern = re.compile("|".join(map(re.escape, [*hosts, *places])))
    text = {".py", ".md", ".js", ".css", ".toml", ".txt", ".json", ".csv", ".yml", ".sh", ""}
    wrong = []
    for path in tracked():
        if path.suffix in text:
            found = pattern.search(path.read_text(encoding="utf-8"))
            if found:
                wrong.append(f"{short(path)} names {found[0]}")
    assert not wrong


def test_every_import_is_a_requirement() -> None:
    """Of the package and app.py; scripts need the standard library and what the package needs."""
    names = {"PIL": "pillow", "sklearn": "scikit-learn", "huggingface_hub": "huggingface-hub"}
    names |= {
        "gradio_client": "gradio-client",
        "typing_extensions": "typing-extensions",
        "ot": "pot",
        "openTSNE": "opentsne",
    }
    pinned = {line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line}
    used = {name.split(".")[0] for path in CODE for name in imports(path) if path.parent != ROOT / "scripts"}
    own = {"playground", "__future__"}
    with_gradio = {"httpx", "fastapi", "starlette"}  # gradio itself is made of them
    optional = {"spaces"}  # only on a Space
    foreign = {name for name in used if name not in sys.stdlib_module_names} - own - with_gradio - optional
    assert {names.get(name, name) for name in foreign} <= pinned


@pytest.mark.parametrize("name", [n for n, f in catalog.families().items() if f.about is not None])
def test_every_family_is_explained(name: str) -> None:
    family = catalog.families()[name]
    assert family.about is not None
    optional = {"arxiv"}
    empty = [f.name for f in fields(About) if f.name not in optional and not getattr(family.about, f.name).strip()]
    assert not empty
    assert getattr(family, "__final__", False), "families are final: decorate the class with typing.final"


def test_every_recipe_is_named_as_its_file() -> None:
    files = {p.stem for p in (PACKAGE / "recipes").glob("*.py")} - {"__init__"}
    assert {name.replace("-", "_") for name in recipes()} == files
    for recipe in recipes().values():
        assert recipe.expects, f"{recipe.name} does not say what it should reach"


def test_every_card_has_its_recipe() -> None:
    files = {p.stem for p in (PACKAGE / "recipes").glob("*.py")}
    assert not {card.name for card in catalog.cards().values() if card.recipe not in files}


def test_every_folder_on_the_shelf_can_be_read() -> None:
    assert catalog.broken() == {}
