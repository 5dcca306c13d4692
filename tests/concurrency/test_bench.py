"""The benchmark goes through, on little data, and prints its table."""

import subprocess
import sys

import pytest

from config.env import BASE_DIR

LONGEST_SECONDS = 330
DASHBOARDS = [
    *("revenue by day", "revenue by product", "revenue by destination", "revenue by customer", "top movers"),
    *("usage by day", "unbilled usage by age", "the same, as last counted", "runs over time", "how far figures are"),
]


@pytest.mark.timeout(LONGEST_SECONDS + 30)
def test_the_benchmark_prints_its_table() -> None:
    size = ["--records", "3000", "--customers", "40", "--services", "100", "--prefixes", "500"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *size],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "3,000 call records, 40 customers, 100 services, seed 1"
    rows = [line[:28].strip() for line in lines if line.endswith(("0.6", "0.5", "0.3", "MISSED"))]
    assert rows[:2] == ["ingest", "run: rate, charge, total"]
    assert rows[2:] == [
        "rate: 500 prefixes",
        "from inbox to charges",
        "rate: graduated, per unit",
        "rate: package, per unit",
    ]
    assert any(line.endswith("the floor priced 0 calls otherwise") for line in lines)
    assert any(line.startswith("posting 40 invoices: ") for line in lines)
    # 300 of the months before, 40 of the run.
    shown = lines.index("dashboards, 340 invoices: median and slowest, of a group; aim under 1 s")
    assert [line.split(" 0.")[0].strip() for line in lines[shown + 1 : shown + 11]] == DASHBOARDS
