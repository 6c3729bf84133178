"""Which Chromium the browser tests drive, and installing one where we may.

`$VALUEPLATFORM_CHROMIUM`, else one of the system's, else the one that Playwright has downloaded.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_PATH = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
CURE = (
    "There is no Chromium for the browser tests, so they are left out. Install one with your system's packages "
    "(Debian: `sudo apt-get install chromium`), or name one in VALUEPLATFORM_CHROMIUM."
)
# Background services reach for hosts that a closed network refuses, and root needs no sandbox of its own.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """The path of a Chromium, or None."""
    named = os.environ.get("VALUEPLATFORM_CHROMIUM")
    if named:
        return named
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    if MAC_PATH.exists():
        return str(MAC_PATH)
    with sync_playwright() as playwright:
        bundled = playwright.chromium.executable_path
    return bundled if Path(bundled).exists() else None


def launch_arguments() -> list[str]:
    return [*ARGUMENTS, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]


def install() -> None:
    """Take Chromium from Debian's packages, where we are root and have apt."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([apt, "update", "-qq"], check=False, env=environment)
    subprocess.run([apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"], check=False, env=environment)


def main() -> int:
    parser = argparse.ArgumentParser(description="Find a Chromium for the browser tests.")
    parser.add_argument("--install", action="store_true", help="install one where there is none and we may")
    arguments = parser.parse_args()
    found = find()
    if found is None and arguments.install:
        install()
        found = find()
    sys.stdout.write(f"Chromium: {found}\n" if found else f"{CURE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
