"""Steps of the product, each in a process of its own on one of the databases."""

import json
import subprocess
import sys

from bench.databases import Databases
from config.env import BASE_DIR


def step(databases: Databases, name: str, *arguments: str) -> dict[str, float]:
    """Run a step of `bench.product` and give back what it printed."""
    with databases.connect(name) as connection:
        connection.execute("CHECKPOINT")
    command = [sys.executable, "-m", "bench.product", *arguments]
    done = subprocess.run(command, check=True, cwd=BASE_DIR, env=databases.environment(name), stdout=subprocess.PIPE)
    result: dict[str, float] = json.loads(done.stdout)
    return result
