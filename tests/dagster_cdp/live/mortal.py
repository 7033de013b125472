"""An owner in a process of its own, to be killed: `python mortal.py` owns the warehouse of the environment."""

from __future__ import annotations

from dagster_cdp.live.owner import Owner

if __name__ == "__main__":
    Owner(ready=lambda: print("ready", flush=True)).run()
