#!/usr/bin/env bash
# Loads one hour of GH Archive, tells its stories, and verifies them.
set -euo pipefail
file=${1:?usage: examples/gharchive/load.sh FILE, an hour of GH Archive as .json.gz}
here=$(cd "$(dirname "$0")" && pwd)
valueplatform model apply "$here/model.toml"
valueplatform import events "events=$file" --sql "$here/events.sql"
valueplatform worker --drain
valueplatform verify
