"""Where the deployment is: `module:attribute`, by option, environment or pyproject.toml."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import DefinitionError, PenstockError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.deployment import Deployment

__all__ = ["VARIABLE", "Reference", "find_demo", "find_reference", "load_deployment"]

VARIABLE = "PENSTOCK_DEPLOYMENT"
_PENSTOCK = Path(__file__).parents[1]
_SHAPE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_EXAMPLE = 'deployment = "pipelines.deployment:deployment"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An attribute of a module that is imported from `root`. `source` says who named it."""

    module: str
    attribute: str
    root: Path
    source: str

    def load(self) -> Any:
        """The object. Raises DefinitionError when it is not there or fails to import."""
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        try:
            module = importlib.import_module(self.module)
        except PenstockError:
            raise
        except ModuleNotFoundError as error:
            if error.name and f"{self.module}.".startswith(f"{error.name}."):
                raise self._absent(f"no module {error.name} in {self.root}") from error
            raise self._broken(error) from error
        except (Exception, SystemExit) as error:
            raise self._broken(error) from error
        if not hasattr(module, self.attribute):
            raise self._absent(f"{self.module} has no attribute {self.attribute}")
        return getattr(module, self.attribute)

    def _absent(self, found: str) -> DefinitionError:
        return DefinitionError(
            f"{self.module}:{self.attribute} is not there",
            where=self.source,
            expected=f"a file {self.module.replace('.', '/')}.py under {self.root} with "
            f"`{self.attribute} = ...`",
            found=found,
            next_step="correct the name there, or run the command in the project's folder",
        )

    def _broken(self, error: BaseException) -> DefinitionError:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if Path(f.filename).is_relative_to(self.root) and _is_users(f)]
        last = (own or frames)[-1]
        place = f"{last.filename}, line {last.lineno}"
        if isinstance(error, SyntaxError):
            place = f"{error.filename}, line {error.lineno}"
        return DefinitionError(
            f"{self.module} fails to import",
            where=place,
            found=f"{type(error).__name__}: {error}",
            next_step="mend that line; --debug shows the whole stack trace",
        )


def find_reference(option: str | None, env: Mapping[str, str], cwd: Path) -> Reference:
    """The deployment's reference. Raises DefinitionError when none is named, or wrongly."""
    table, root = _table(cwd)
    named = (
        (option, "--deployment"),
        (env.get(VARIABLE), VARIABLE),
        (table.get("deployment"), f"{root / 'pyproject.toml'}, [tool.penstock] deployment"),
    )
    for text, source in named:
        if text:
            return _parsed(text, root, source)
    raise DefinitionError(
        "there is no deployment here",
        where=str(cwd),
        expected=f"[tool.penstock] {_EXAMPLE} in the pyproject.toml of this folder or one above",
        next_step="run this in the project's folder, or name it: --deployment module:attribute",
    )


def find_demo(deployment: Reference) -> Reference:
    """The demo that goes with a deployment: `[tool.penstock] demo`, else `demo:demo` beside it."""
    table, root = _table(deployment.root)
    text = table.get("demo")
    if text:
        return _parsed(text, root, f"{root / 'pyproject.toml'}, [tool.penstock] demo")
    package = deployment.module.rpartition(".")[0]
    name = f"{package}.demo" if package else "demo"
    return Reference(module=name, attribute="demo", root=root, source="the demo of the deployment")


def load_deployment(reference: Reference) -> Deployment:
    """The deployment itself. Raises DefinitionError when what is there is something else."""
    from penstock.assets.deployment import Deployment

    found = reference.load()
    if not isinstance(found, Deployment):
        raise DefinitionError(
            "this is not a deployment",
            where=f"{reference.module}:{reference.attribute}, from {reference.source}",
            expected="penstock.Deployment(datasets=..., resources=...)",
            found=type(found).__name__,
            next_step="name the attribute that holds the Deployment",
        )
    return found


def _is_users(frame: traceback.FrameSummary) -> bool:
    """Whether the frame is of the project's own code, which is what its user can mend."""
    file = Path(frame.filename)
    return not file.is_relative_to(_PENSTOCK) and "site-packages" not in file.parts


def _parsed(text: object, root: Path, source: str) -> Reference:
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        raise DefinitionError(
            "this does not name an attribute of a module",
            where=source,
            expected="module:attribute, such as pipelines.deployment:deployment",
            found=repr(text),
            next_step="write the module with dots, a colon, and the attribute",
        )
    module, _, attribute = text.partition(":")
    return Reference(module=module, attribute=attribute, root=root, source=source)


def _table(cwd: Path) -> tuple[dict[str, Any], Path]:
    """`[tool.penstock]` of the nearest pyproject.toml that has it, and that file's folder."""
    for folder in (cwd, *cwd.parents):
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("penstock")
        except (OSError, ValueError) as error:
            raise DefinitionError(
                "the file cannot be read",
                where=str(file),
                found=str(error),
                next_step="mend the file, or name the deployment with --deployment",
            ) from error
        if isinstance(table, dict):
            return table, folder
    return {}, cwd
