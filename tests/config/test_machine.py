"""Memory settings for machines of different sizes."""

from config.embedded.machine import postgres_settings, valkey_memory

NAMES = ("shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem", "max_wal_size")


def settings(total: int, *, disk: int = 1_000_000, small_shm: bool = False) -> dict[str, str]:
    return postgres_settings(total=total, processors=2, disk=disk, small_shm=small_shm)


def test_a_small_machine_keeps_most_of_its_memory_for_others() -> None:
    found = settings(1024)
    assert [found[name] for name in NAMES] == ["128MB", "512MB", "4MB", "32MB", "4096MB"]


def test_a_large_machine_does_not_give_all_to_postgres() -> None:
    found = settings(256 * 1024)
    assert [found[name] for name in NAMES] == ["2048MB", "131072MB", "64MB", "512MB", "4096MB"]


def test_a_small_disk_is_not_filled_by_the_write_ahead_log() -> None:
    assert settings(8192, disk=4000)["max_wal_size"] == "500MB"


def test_a_container_with_little_shared_memory_uses_files() -> None:
    assert settings(8192, small_shm=True)["dynamic_shared_memory_type"] == "mmap"
    assert "dynamic_shared_memory_type" not in settings(8192)


def test_the_settings_that_keep_bills_safe_are_left_alone() -> None:
    assert not {"fsync", "full_page_writes", "synchronous_commit"} & set(settings(8192))


def test_memory_of_the_broker() -> None:
    assert [valkey_memory(total) for total in (512, 4096, 65536)] == [64, 256, 512]
