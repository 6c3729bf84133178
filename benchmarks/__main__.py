"""`make bench`: every benchmark after the other; one JSON line a figure."""

import subprocess
import sys

MODULES = (
    "ingest",
    "memory",
    "backfill",
    "refresh",
    "scenario",
    "next_best",
    "next_best_sample",
    "faithfulness",
    "faults",
)


def main() -> int:
    failed = [
        name
        for name in MODULES
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], check=False).returncode
    ]
    if failed:
        sys.stderr.write(f"These benchmarks did not run to their end: {', '.join(failed)}\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
