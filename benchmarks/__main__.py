"""`make bench`: every benchmark after the other; one JSON line a figure."""

import subprocess
import sys

MODULES = (
    "ingest", "memory", "backfill", "refresh", "long_history", "rebuild", "event_pages", "scenario", "faithfulness",
    "change_points", "contribution", "forecast", "next_best",
    "next_best_sample", "calm", "histories", "faults", "worker_kills", "planted_truths",
)  # fmt: skip


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
