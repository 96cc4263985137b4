"""The contracts of a deployment as a revision of its git repository has it.

The revision is unpacked into a temporary folder and loaded by a process of its own, with the
Penstock of this one: two deployments of one name do not meet in a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.cli.reference import VARIABLE, find_reference, load_deployment
from penstock.errors import DefinitionError, PenstockError
from penstock.schemas.model import ContractModel

if TYPE_CHECKING:
    from penstock.cli.reference import Reference

__all__ = ["contracts_at"]

_LOADING_SECONDS = 300
_INSTALLED = ("site-packages", "dist-packages")


def contracts_at(reference: Reference, named: str | None, revision: str) -> list[ContractModel]:
    """The contracts of all datasets of the deployment at the revision.

    `reference` is where the deployment is now; `named` what names it otherwise than the project's
    pyproject.toml, beside the environment. Raises DefinitionError where there is no such revision,
    or it does not load.
    """
    top, below, commit = _found(reference.root, revision)
    with tempfile.TemporaryDirectory(prefix="penstock-plan-") as scratch:
        folder, answer = Path(scratch, "tree"), Path(scratch, "contracts.json")
        try:
            _unpack(top, commit, folder)
        except (OSError, tarfile.TarError) as error:
            raise _unloaded(revision, f"{type(error).__name__} while it was unpacked") from error
        root = folder / below
        if not root.is_dir():
            raise DefinitionError(
                "the project is not in that revision",
                where=f"git revision {revision}",
                expected=f"the folder {below or '.'}",
                next_step="name a revision that has it: --against main",
            )
        _load(root, named or os.environ.get(VARIABLE), answer, top, revision)
        documents = json.loads(answer.read_text(encoding="utf-8"))
    return [ContractModel.from_document(each) for each in documents]


def _load(root: Path, named: str | None, answer: Path, top: Path, revision: str) -> None:
    # -P: what lies in the folder is not to be taken for Penstock
    command = [sys.executable, "-P", "-m", "penstock.cli.contracts_at", str(answer), str(top)]
    try:
        done = subprocess.run(
            [*command, *filter(None, [named])],
            cwd=root,
            env={name: text for name, text in os.environ.items() if name != VARIABLE},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LOADING_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _unloaded(revision, f"no answer in {_LOADING_SECONDS} s") from error
    if done.returncode or not answer.exists():
        said = done.stderr.strip().splitlines()
        raise _unloaded(revision, said[-1] if said else "no answer")


def _unloaded(revision: str, found: str) -> DefinitionError:
    return DefinitionError(
        "the deployment of that revision does not load with this Penstock",
        where=f"git revision {revision}",
        found=found,
        next_step=f"try it by hand: git worktree add ../before {revision}, then penstock list "
        "there; or compare with the ledger, without --against",
    )


def _found(root: Path, revision: str) -> tuple[Path, str, str]:
    """(The repository's folder, where the project is in it, the commit)."""
    try:
        top = _git(root, "rev-parse", "--show-toplevel")
        below = _git(root, "rev-parse", "--show-prefix")
        asked = f"{revision}^{{commit}}"
        commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", asked)
    except FileNotFoundError:
        found = "there is no program git"
    except subprocess.CalledProcessError as error:
        found = error.stderr.strip() or f"there is no commit {revision!r}"
    else:
        return Path(top), below, commit.splitlines()[-1]
    raise DefinitionError(
        "the revision to compare with cannot be read",
        where=f"--against, {root}",
        expected="a branch, tag or commit of the project's git repository",
        found=found,
        next_step="fetch it first, in CI with its history: git fetch origin main",
    )


def _git(folder: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def _unpack(top: Path, commit: str, folder: Path) -> None:
    command = ["git", "-C", str(top), "archive", "--format=tar", commit]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as packing:
        assert packing.stdout
        with tarfile.open(fileobj=packing.stdout, mode="r|") as packed:
            packed.extractall(folder, filter=_within)  # noqa: S202 - the filter looks at each


def _within(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """What lies in the folder and nowhere else; a link that leads out of it is left out."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


def _main(answer: Path, top: Path, named: str | None) -> None:
    """Write the contracts of the deployment here to a file, or end with 1 and say why."""
    here = Path.cwd()
    sys.path[:0] = [str(folder) for folder in (here / "src",) if folder.is_dir()]
    try:
        deployment = load_deployment(find_reference(named, os.environ, here))
    except PenstockError as error:
        sys.exit(f"{error.what}: {error.found or error.where or ''}")
    if strange := _of_today(top):
        sys.exit(f"it imports {strange} from the working tree, which is no part of the revision")
    documents = [spec.model.document() for spec in deployment.datasets]
    answer.write_text(json.dumps(documents), encoding="utf-8")


def _of_today(top: Path) -> str | None:
    """A module that was loaded from the repository as it is now, such as one installed from it."""
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or name.partition(".")[0] in ("penstock", "__main__"):
            continue
        path = Path(file).resolve()
        if path.is_relative_to(top.resolve()) and not {*path.parts} & {*_INSTALLED}:
            return name
    return None


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if sys.argv[3:] else None)
