"""Two workers of a service under trouble: `make long ARGS="service --under gunicorn --seconds 600"`.

They are processes of our own (`own`), or workers of gunicorn, uvicorn or Celery; by default one kind after the other. They use three
connections: a key in OpenBao behind a login of five seconds, a token in a file, and an OAuth grant whose client secret lies in a file.
Meanwhile the API restarts, stalls, drops connections, and changes its certificate and its authority; key, token and client secret are
replaced, the old ones refused at once. A request may fail while the API is down, a task of Celery's that has a time limit while the
API stalls, and no other. Ends with 1 where another failed, a grant was lost, a server did not end well, or descriptors, threads or
memory grew.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.end_to_end.conftest import Issuer
from tests.http.servers import Server
from tests.secrets.vault.openbao import OpenBao
from tests.services import verdict
from tests.services.api import Api
from tests.services.services import SERVICES
from tests.services.setting import prepare
from tests.services.trouble import Trouble, make_trouble


def main() -> int:
    arguments = argparse.ArgumentParser(prog="service", description=__doc__)
    arguments.add_argument("--seconds", type=float, default=600.0, help="for each kind of service")
    arguments.add_argument("--under", choices=SERVICES, nargs="+", default=list(SERVICES))
    given = arguments.parse_args()
    program = shutil.which("bao")
    if program is None:
        sys.exit("service: the program bao is missing (tests/peers.txt)")
    api, authority = Api(), Issuer()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bao").mkdir()
        with OpenBao(program, folder / "bao") as bao, Server(api, tls=authority.loopback()) as server:
            prepare(folder, api, server, bao, authority)
            trouble = Trouble(api, server, bao, folder, authority)
            return max([_run(under, folder, given.seconds, trouble, api) for under in given.under])


def _run(under: str, folder: Path, seconds: float, trouble: Trouble, api: Api) -> int:
    """Run a service, say what came of it, and return whether that was wrong."""
    refreshes = api.refreshes
    with SERVICES[under](folder) as service, ThreadPoolExecutor(2) as threads:
        service.wait()
        ends_at = time.time() + seconds
        load = threads.submit(service.load, ends_at)
        samples = threads.submit(verdict.samples, service, load)
        happened = make_trouble(trouble, ends_at)
        requests = load.result()
    codes = [process.returncode for process in service.processes]
    wrong = verdict.wrong(requests, happened)
    grown, held = verdict.grown(samples.result(), requests)
    answered = sum(one.is_answered for one in requests)
    print(
        f"{under}: {answered} requests were answered, {len(requests) - answered} failed, {len(wrong)} of them wrongly"
    )
    for one in wrong[:20]:
        print(f"  {one.ended_at - ends_at + seconds:.2f} s after the start: {one.connection}: {one.outcome}")
    print(*verdict.lines(requests, happened, ends_at - seconds), sep="\n")
    print(f"  {api.refreshes - refreshes} tokens were issued, {api.reused} refresh tokens were used twice")
    print(f"  {held}; the exit codes were {', '.join(map(str, codes))}")
    return int(bool(wrong or grown or api.reused or any(codes)))


if __name__ == "__main__":
    sys.exit(main())
