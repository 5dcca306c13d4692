"""The benchmark's table."""

import os
import platform
from pathlib import Path

from bench.dashboards import Dashboards
from bench.generate import Size
from bench.growth import Growth
from bench.invoices_api import Answers, InvoicesApi
from bench.json_api import CLIENTS
from bench.pdf import Pdfs
from bench.rating import SMALL_CHUNK, Rating
from bench.reports import Reports
from bench.timing import Results

INGEST_AIM, RUN_AIM = 0.6, 0.5
RATING_AIM, COUNTED_AIM = 0.5, 0.33
PDFS_AIM, REPORTS_AIM = 50, 0.3
DASHBOARDS_AIM = 1.0


def print_table(size: Size, results: Results, *, workers: int) -> None:
    """Print rows a second of floor and product, their ratio, the machine and the memory of our processes."""
    print(f"{size.records:,} call records, {size.customers:,} customers, {size.services:,} services, seed {size.seed}")
    print(f"{_machine()}; {results.server}; {workers} workers")
    print()
    print(f"{'':28}{'floor rows/s':>14}{'ours rows/s':>14}{'ratio':>8}{'aim':>6}")
    good = results.counts["accepted"]
    _row("ingest", good, results.floor_ingest, results.ingest, INGEST_AIM)
    _row("run: rate, charge, total", good, results.floor_run, results.run, RUN_AIM)
    _print_rating(results.rating)
    print()
    print("rows: " + " + ".join(f"{count:,} {kind}" for kind, count in results.counts.items()))
    print(
        f"  of the time of ingest: duplicates and conflicts {_part(results.repeated, results.ingest)}, aim under 10 %;"
    )
    print(f"  faulty rows {_part(results.quarantine, results.ingest)}")
    api = results.json_api
    print(f"JSON API, {CLIENTS} clients: {api.rate:,.0f} records/s, median {api.median * 1000:.0f} ms, ", end="")
    print(f"99 % under {api.p99 * 1000:.0f} ms")
    print(f"posting {results.invoices:,} invoices: {results.posting:.2f} s")
    print(f"pre-flight: {results.preflight:.2f} s, {_part(results.preflight, results.run)} of the run, aim 10 %")
    _print_growth(results.growth, size)
    _print_invoices_api(results.documents.api)
    _print_pdfs(results.documents.pdfs)
    _print_reports(results.documents.reports)
    _print_dashboards(results.dashboards)
    print(f"peak memory of a process, at {size.records // 10:,} and at {size.records:,} records")
    print(f"  import {results.small_ingest_kib / 1024:.0f} MiB, {results.ingest_kib / 1024:.0f} MiB")
    print(f"  worker {results.small_worker_kib / 1024:.0f} MiB, {results.worker_kib / 1024:.0f} MiB")
    if results.differing_after_kills is not None:
        print(f"killed in the middle: {results.differing_after_kills} of {results.invoices:,} invoices differ")


def _print_rating(rating: Rating) -> None:
    _row(f"rate: {rating.prefixes:,} prefixes", rating.records, rating.floor, rating.rate, RATING_AIM)
    _row("  from inbox to charges", rating.records, rating.floor_charge, rating.charge, RATING_AIM)
    _row("rate: graduated, per unit", rating.counted_records, rating.per_unit, rating.graduated, COUNTED_AIM)
    _row("rate: package, per unit", rating.counted_records, rating.per_unit, rating.package, COUNTED_AIM)
    print()
    print(
        f"  prices laid out for the run: {rating.prepare:.2f} s; the floor priced {rating.differing:,} calls otherwise"
    )
    print(f"  {SMALL_CHUNK:,} records at a time: the first took {rating.first:.3f} s, later ones {rating.later:.3f} s")


def _print_growth(growth: Growth, size: Size) -> None:
    print(f"{growth.records:,} new records after {size.records // 10:,} and after {size.records:,} that were billed")
    for name in growth.small:
        small, large = growth.small[name], growth.large[name]
        print(f"  {name} {small:.2f} s, {large:.2f} s: {large / small:.2f}")


def _print_invoices_api(api: InvoicesApi) -> None:
    print(f"list of {api.invoices:,} invoices, pages of 100: median and 99 % under")
    for name, answers in (("first page", api.first_page), ("last page", api.last_page), ("one invoice", api.one)):
        print(f"  {name} {_milliseconds(answers)}")
    print(f"  memory of a server's process {api.first_kib / 1024:.0f} MiB, in the end {api.last_kib / 1024:.0f} MiB")


def _milliseconds(answers: Answers) -> str:
    return f"{answers.median * 1000:.0f} ms, {answers.p99 * 1000:.0f} ms"


def _print_pdfs(pdfs: list[Pdfs]) -> None:
    print(f"PDFs a second and core, aim {PDFS_AIM} with {pdfs[0].lines} lines")
    for made in pdfs:
        print(f"  {made.lines:,} lines, {made.pages} pages: {made.per_core_second:.1f}; ", end="")
        print(f"{made.bytes / 1024:.0f} KiB each, memory {made.megabytes_first}, {made.megabytes_last} MB")


def _print_reports(reports: Reports) -> None:
    print(f"usage reports of an invoice with {reports.calls:,} calls: rows/s, memory over idle")
    for name, made in reports.large.items():
        print(f"  {name} {reports.rows_per_second(name):,.0f}, {made.over_idle_kib / 1024:.0f} MiB")
    print(f"  CSV against COPY alone: {reports.ratio:.2f} (aim {REPORTS_AIM})")
    for name, made_many in reports.typical.items():
        print(f"  {made_many.invoices:,} invoices with 200 calls, {name}: {made_many.per_second:.1f} a second")


def _print_dashboards(shown: Dashboards) -> None:
    print(f"dashboards, {shown.invoices:,} invoices: median and slowest, of a group; aim under {DASHBOARDS_AIM:.0f} s")
    for name, asked in shown.asked.items():
        verdict = "" if max(asked.slowest, asked.of_a_group) < DASHBOARDS_AIM else "  MISSED"
        print(f"  {name} {asked.median:.3f} s, {asked.slowest:.3f} s, {asked.of_a_group:.3f} s{verdict}")
    print(f"  counting all documents {shown.counting:.2f} s, {shown.pending:,} pending {shown.counting_pending:.2f} s")


def _part(seconds: float, whole: float) -> str:
    return f"{100 * seconds / whole:.1f} %"


def _row(name: str, records: int, floor: float, ours: float, aim: float) -> None:
    ratio = floor / ours
    verdict = "" if ratio >= aim else "  MISSED"
    print(f"{name:28}{records / floor:>14,.0f}{records / ours:>14,.0f}{ratio:>8.2f}{aim:>6.1f}{verdict}")


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}"
