"""Whether the next stage may start: the gates at the two borders, and what they decided.

A verdict is a row in the warehouse, so every later run reads it again, whoever starts it. No
verdict, an error while judging, or rows that came since all mean no.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dagster_cdp.expect import Examiner
from dagster_cdp.gates.batch import Batch, newest_batch
from dagster_cdp.gates.suite import BadSuite, Suite, all_suites, suite_of
from dagster_cdp.gates.verdict import (
    Finding,
    Verdict,
    accept,
    judged_batches,
    newest_verdict,
    open_verdicts,
    record,
    verdicts_on,
)
from dagster_cdp.warehouse import connect
from reverse_etl.warehouse import Warehouse
from sources.configuration import read_configuration
