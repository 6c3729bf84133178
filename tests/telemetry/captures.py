"""The requests of real clients, as they were captured."""

from pathlib import Path


def captured_bodies(shared: Path, name: str) -> list[bytes]:
    """The bodies of every request in a capture, unpacked, in the order in which they were sent."""
    text = (shared / f"clients/{name}.http").read_text(encoding="utf-8")
    return [line.encode() for line in text.splitlines() if line.startswith(("{", "["))]
