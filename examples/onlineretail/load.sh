#!/usr/bin/env bash
# Loads the Online Retail set from the folder given, tells a story, and verifies everything.
set -euo pipefail
data=${1:?usage: examples/onlineretail/load.sh DIR, the folder with the CSV file}
here=$(cd "$(dirname "$0")" && pwd)
lines="lines=$(ls "$data"/online_retail_*.csv.gz)"
valueplatform model apply "$here/model.toml"
valueplatform import accounts "$lines" --sql "$here/accounts.sql"
valueplatform import events "$lines" --sql "$here/events.sql"
valueplatform worker --drain
valueplatform story 14646
valueplatform verify
