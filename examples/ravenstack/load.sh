#!/usr/bin/env bash
# Loads the RavenStack set from the folder given, tells its stories, and verifies them.
set -euo pipefail
data=${1:?usage: examples/ravenstack/load.sh DIR, the folder with the CSV files}
here=$(cd "$(dirname "$0")" && pwd)
valueplatform model apply "$here/model.toml"
valueplatform import accounts "accounts=$data/ravenstack_accounts.csv" --sql "$here/accounts.sql"
valueplatform import contracts "subscriptions=$data/ravenstack_subscriptions.csv" --sql "$here/contracts.sql"
valueplatform import events "usage=$data/ravenstack_feature_usage.csv" \
  "subscriptions=$data/ravenstack_subscriptions.csv" --sql "$here/events.sql"
valueplatform worker --drain
valueplatform story A-2e4581
valueplatform verify
