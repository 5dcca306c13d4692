"""What the machine has to offer, and the PostgreSQL settings that suit it."""

import contextlib
import os
import shutil
from pathlib import Path

MEGABYTE = 1024 * 1024
GIGABYTE = 1024
SHARED_FOLDER = Path("/dev/shm")  # noqa: S108  where Linux keeps POSIX shared memory
# Where a container's memory limit stands: control groups version 2, then version 1.
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory() -> int:
    """Memory in MB that this machine, or the container, has."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in MEMORY_LIMITS:
        with contextlib.suppress(OSError, ValueError):
            found = min(found, int(file.read_text()))
    return found // MEGABYTE


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_disk(folder: Path) -> int:
    """Free MB on the disk of a folder."""
    return shutil.disk_usage(folder).free // MEGABYTE


def small_shared_memory() -> bool:
    """Whether /dev/shm is too small for parallel queries, as the 64 MB of a container are."""
    try:
        return shutil.disk_usage(SHARED_FOLDER).total // MEGABYTE < GIGABYTE
    except OSError:
        return False


def postgres_settings(*, total: int, processors: int, disk: int, small_shm: bool) -> dict[str, str]:
    """Settings of PostgreSQL for a machine with so many MB of memory, processors and MB of free disk.

    `fsync`, `full_page_writes` and `synchronous_commit` stay on, as they are by default: the data is people's bills.
    """
    settings = {
        "max_connections": "100",
        # A preview makes and drops temporary tables for each of its chunks in one transaction, which locks them.
        "max_locks_per_transaction": "256",
        "shared_buffers": f"{bounded(total // 8, 64, 2 * GIGABYTE)}MB",
        "effective_cache_size": f"{max(total // 2, 256)}MB",
        "work_mem": f"{bounded(total // 256, 4, 64)}MB",
        "maintenance_work_mem": f"{bounded(total // 32, 32, 512)}MB",
        # Fewer checkpoints while much is loaded, but never a large part of a small disk.
        "max_wal_size": f"{bounded(disk // 8, 256, 4 * GIGABYTE)}MB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "max_worker_processes": str(max(8, processors)),
        "max_parallel_workers": str(processors),
        "max_parallel_workers_per_gather": str(bounded(processors // 2, 1, 4)),
        # The queries are many and short, or few and set-based: compiling them costs more than it saves.
        "jit": "off",
        "log_checkpoints": "off",
        "log_line_prefix": "'%m [%p] '",
        "log_timezone": "'UTC'",
        "timezone": "'UTC'",
        "lc_messages": "'C'",
    }
    if small_shm:
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def valkey_memory(total: int) -> int:
    """MB that Valkey may use on a machine with so many."""
    return bounded(total // 16, 64, 512)


def bounded(value: int, least: int, most: int) -> int:
    """The value, but within the bounds."""
    return max(least, min(value, most))
