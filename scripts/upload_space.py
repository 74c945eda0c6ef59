"""Put this project on Hugging Face as a Gradio Space, or bring an existing one up to date, in one commit.

    python scripts/upload_space.py USER/NAME --dry-run               what would be uploaded
    python scripts/upload_space.py USER/NAME --hardware zero-a10g    the Space, on ZeroGPU

The token is the one of ``hf auth login``, or HF_TOKEN. Files that are no longer part of the project are deleted from
the Space, because a file left behind in ``playground/activities`` would still be an activity.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    SpaceHardware,
    get_token,
    metadata_load,
)

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("app.py", "README.md", "LICENSE", "CHANGELOG.md", "Spaces.md", "playground", "pretrained", "docs")
TORCH = "2.11.0"  # the newest that ZeroGPU offers


def main() -> None:
    """Check, then upload or say what would be.

    Raises:
        SystemExit: with a sentence, when something is missing or the Hub refuses.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", metavar="USER/NAME", help="the Space; it is made if it does not exist")
    hardware = [kind.value for kind in SpaceHardware]
    parser.add_argument("--hardware", metavar="KIND", choices=hardware, help=f"what it runs on: {', '.join(hardware)}")
    parser.add_argument("--private", action="store_true", help="make it private, if it is new")
    parser.add_argument("--torch", default=TORCH, help=f"the version of PyTorch it installs (default: {TORCH})")
    parser.add_argument("--dry-run", action="store_true", help="print the files and their sizes; ask nobody anything")
    chosen = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", chosen.space):
        raise SystemExit(f"{chosen.space!r} is not the name of a Space; write USER/NAME, as in ada/playground.")
    check_front_matter()
    files = contents(chosen.torch)
    if chosen.dry_run:
        bytes_of = sizes(files)
        for name, size in sorted(bytes_of.items()):
            print(f"{size:>12,}  {name}")
        total = sum(bytes_of.values())
        print(f"{total:>12,}  bytes in {len(files)} files for the Space {chosen.space}; nothing was sent")
        return
    if get_token() is None:
        raise SystemExit("There is no Hugging Face token: run `hf auth login`, or set HF_TOKEN to one that may write.")
    try:
        address = upload(chosen.space, files, chosen.hardware, chosen.private)
    except Exception as error:  # which errors come through depends on huggingface_hub's HTTP library
        reason = str(error).strip().replace("\n", " ") or type(error).__name__
        raise SystemExit(f"The Space was not brought up to date: {reason}") from error
    print(f"{len(files)} files are on {address}; the Space now builds, which takes some minutes.")


def pinned(package: str) -> str:
    """The version of a package in requirements.txt.

    Raises:
        SystemExit: it is not pinned there.
    """
    found = re.search(rf"^{package}==([\w.]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"requirements.txt pins no {package}; a Space needs to know its version.")
    return found[1]


def check_front_matter() -> None:
    """See that README.md begins with what makes a repository a Gradio Space.

    Raises:
        SystemExit: it does not, or it names another Gradio than requirements.txt.
    """
    readme = ROOT / "README.md"
    facts = (metadata_load(readme) if readme.is_file() else None) or {}
    lacking = [key for key in ("title", "sdk", "sdk_version", "app_file") if key not in facts]
    if lacking:
        raise SystemExit(
            f"README.md does not begin with a Space's front matter (between --- lines): {', '.join(lacking)}."
        )
    if facts["sdk"] != "gradio" or not (ROOT / str(facts["app_file"])).is_file():
        raise SystemExit(f"README.md names no Gradio app: sdk {facts['sdk']}, app_file {facts['app_file']}.")
    wanted = pinned("gradio")
    if str(facts["sdk_version"]) != wanted:
        raise SystemExit(
            f"README.md asks for Gradio {facts['sdk_version']}, requirements.txt for {wanted}; make them agree."
        )


def contents(torch: str) -> dict[str, Path | bytes]:
    """Every file of the Space by its path there: a file of the project, or bytes made for the Space.

    Raises:
        SystemExit: a part of the project is missing.
    """
    missing = [part for part in PARTS if not (ROOT / part).exists()]
    if missing:
        raise SystemExit(f"This is not the whole project: {', '.join(missing)} cannot be found in {ROOT.name}.")
    found: dict[str, Path | bytes] = {}
    for part in PARTS:
        top = ROOT / part
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            inside = path.relative_to(ROOT)
            hidden = any(step.startswith((".", "__pycache__")) for step in inside.parts)
            if path.is_file() and not hidden and path.suffix != ".pyc":
                found[inside.as_posix()] = path
    found["requirements.txt"] = requirements(torch).encode()
    return found


def requirements(torch: str) -> str:
    """The Space's requirements.txt: another torch, no gradio (``sdk_version`` brings it), ``spaces`` for ZeroGPU."""
    pinned("torch")
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not re.match(r"(gradio|torch)\b(?!-)", line) and not line.startswith("#")]
    return "\n".join([f"torch=={torch}", "spaces", *kept]) + "\n"


def sizes(files: dict[str, Path | bytes]) -> dict[str, int]:
    """Bytes of each file."""
    return {name: len(file) if isinstance(file, bytes) else file.stat().st_size for name, file in files.items()}


def upload(space: str, files: dict[str, Path | bytes], hardware: str | None, private: bool) -> str:
    """Make the Space if there is none, and make its files these, in one commit.

    Returns:
        Its address.
    """
    api = HfApi()
    if not api.repo_exists(space, repo_type="space"):
        kind = SpaceHardware(hardware) if hardware else None
        api.create_repo(
            space, repo_type="space", space_sdk="gradio", space_hardware=kind, private=private, exist_ok=True
        )
    elif hardware:
        api.request_space_hardware(space, SpaceHardware(hardware))
    there = set(api.list_repo_files(space, repo_type="space"))
    old = sorted(there - set(files) - {".gitattributes"})
    api.create_commit(
        space,
        [
            *(CommitOperationDelete(name) for name in old),
            *(CommitOperationAdd(name, file) for name, file in files.items()),
        ],
        commit_message="Deep Generative Playground",
        repo_type="space",
    )
    return f"{api.endpoint}/spaces/{space}"


if __name__ == "__main__":
    main()
