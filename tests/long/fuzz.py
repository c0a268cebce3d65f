"""Examines as many random manifests as are asked for: `make long ARGS="fuzz --count 100000 --seed 1"`.

Prints each manifest for which something doesn't hold, with the seed that makes it again, and ends with 1.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import Random

from tests.fuzz.generate import manifest
from tests.fuzz.oracle import examine, examine_layout
from tests.hostile import SHAPES

_BATCH = 500
LIMIT_S = 10
"""How much processor time one manifest may take."""
_LARGE = 0.02
"""The share of manifests that go on with a hostile one."""


def batch(seed: int, first: int, count: int) -> tuple[Counter[str], list[str]]:
    """Examine the manifests `first`, `first + 1`, … of a seed; return the verdicts and what failed."""
    signal.signal(signal.SIGVTALRM, _give_up)
    verdicts: Counter[str] = Counter()
    failures: list[str] = []
    for number in range(first, first + count):
        random = Random(f"{seed}:{number}")
        text = manifest(random)
        if random.random() < _LARGE:
            text += SHAPES[random.choice(list(SHAPES))](random.randrange(100, 20_000)).encode()[random.randrange(100) :]
        signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
        try:
            verdicts[examine(text)] += 1
            examine_layout(text)
        except Exception as error:  # noqa: BLE001  (any exception is a find)
            last = traceback.extract_tb(error.__traceback__)[-1]
            verdicts["failed"] += 1
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            failures.append(
                f"=== seed {seed}:{number}: {error!r} at {last.name}:{last.lineno}\n{text!r}\n{text.decode('utf-8', 'replace')}"
            )
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return verdicts, failures


def _give_up(*_: object) -> None:
    message = f"took more than {LIMIT_S} s of processor time"
    raise TimeoutError(message)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first manifest")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    started = time.perf_counter()
    total: Counter[str] = Counter()
    starts = range(options.first, options.first + options.count, _BATCH)
    counts = [min(_BATCH, options.first + options.count - start) for start in starts]
    with ProcessPoolExecutor(options.jobs) as pool:
        for verdicts, failures in pool.map(batch, [options.seed] * len(starts), starts, counts):
            total += verdicts
            print("\n".join(failures), end="\n" if failures else "", flush=True)
    print(f"{total.total()} manifests in {time.perf_counter() - started:.0f} s: {dict(sorted(total.items()))}")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
