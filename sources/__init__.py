"""Everything outside the warehouse on the way in: connectors that land rows in `raw`."""

import os
from pathlib import Path

# dlt reads these when it is first imported: report to nobody, and find `.dlt/config.toml` from any folder.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("DLT_PROJECT_DIR", str(Path(__file__).resolve().parents[1]))
