"""`python -m bench`: how fast Tollbook takes usage in and bills it, against hand-written SQL on the same data."""

import argparse
import sys

from bench.databases import Databases
from bench.generate import Size, write_calls
from bench.table import print_table
from bench.timing import bench
from config.embedded import ensure_services_or_exit


def main() -> int:
    """Read the options, run, print the table."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--services", type=int, default=25_000)
    parser.add_argument("--prefixes", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill", type=int, default=0, metavar="N", help="kill the workers N times and compare")
    options = parser.parse_args()
    if min(options.records, options.customers, options.services, options.prefixes, options.workers) < 1:
        parser.error("all sizes are 1 or more")
    ensure_services_or_exit()
    size = Size(records=options.records, customers=options.customers, services=options.services, seed=options.seed)
    with Databases() as databases:
        small, full = (write_calls(databases.folder, part) for part in (size.part(10), size))
        results = bench(
            databases,
            size,
            small=small,
            full=full,
            workers=options.workers,
            kills=options.kill,
            prefixes=options.prefixes,
        )
    print_table(size, results, workers=options.workers)
    return 1 if results.differing_after_kills else 0


sys.exit(main())
