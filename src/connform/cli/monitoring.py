"""Runs a monitor with its server until a signal ends it. Layer 5. IO: signals, sockets, standard error."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from typing import NamedTuple

from connform.cli.options import Options
from connform.cli.output import write_messages, write_stderr
from connform.cli.usage import UsageProblem
from connform.engine.monitor.declared import DeclaredConnections, read_declared
from connform.engine.monitor.monitor import Monitor
from connform.engine.monitor.settings import MonitorSettings
from connform.engine.run.context import RunContext, run_context
from connform.engine.run.state_location import StateLocation
from connform.manifest.input_files import STDIN
from connform.servers.monitor.hosts import is_loopback
from connform.servers.monitor.server import Server, bind

_INTERRUPTED = 130


class Serving(NamedTuple):
    """Where and to whom a monitor serves."""

    host: str
    """The address or name to listen on."""
    port: int
    """The port; 0 for a free one."""
    certificate: str
    """The file of the certificate, or empty."""
    key: str
    """The file of the private key, or empty."""
    is_insecure: bool
    """Whether other machines may be served without TLS."""
    allowed_hosts: tuple[str, ...]
    """Further names by which it may be asked."""
    auth_file: str
    """The file of credentials, or empty."""


def run_monitor(settings: MonitorSettings, serving: Serving, options: Options) -> int:
    """Run a monitor, and return 0 when a signal has ended it.

    Raises:
        UsageProblem: the flags don't fit together.
        ConnformError: the manifest has errors, or the address, a file or the place of the state can't be used.
    """
    _require_sense(settings, serving)
    declared = read_declared(settings)
    with ExitStack() as stack:
        simulated: RunContext | None = None
        if settings.simulate:  # results of a simulation must not be recorded
            folder = stack.enter_context(TemporaryDirectory(prefix="connform-"))
            settings = replace(settings, state=StateLocation(f"sqlite:///{folder}/state"))
            simulated = stack.enter_context(run_context(declared.manifest, simulate=True))
        monitor = Monitor(settings, declared, log, simulated)
        server = stack.enter_context(_server(monitor, serving))
        with closing(server):
            if not options.quiet:
                simulator = " against the simulator" if settings.simulate else ""
                every = f"every {settings.interval_s:g} s"
                log(f"checks {_count(declared)} {every}{simulator}; serves {_url(serving, server.port)}")
            server.start()
            asyncio.run(_run(monitor))
    log("ended")
    return 0


def log(text: str) -> None:
    """Write a line with the time to standard error."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    write_stderr(f"{now} {' '.join(text.splitlines())}\n")


async def _run(monitor: Monitor) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, monitor.reload)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _end_or_exit, monitor)
    await monitor.run()


def _end_or_exit(monitor: Monitor) -> None:
    """End the monitor; a second signal ends the process at once."""
    if monitor.is_ending:
        os._exit(_INTERRUPTED)
    monitor.end()


@contextmanager
def _server(monitor: Monitor, serving: Serving) -> Iterator[Server]:
    from connform.servers.monitor.app import MonitorApp
    from connform.servers.monitor.credentials import AdmittedCredentials
    from connform.servers.monitor.tls import ServerCertificate

    certificate = None
    if serving.certificate:
        certificate = ServerCertificate(serving.certificate, serving.key or serving.certificate, log)
    credentials = AdmittedCredentials(serving.auth_file, log) if serving.auth_file else None
    bound = bind(serving.host, serving.port)
    with closing(bound):
        server = Server(lambda: MonitorApp(pages, credentials, serving.allowed_hosts, log), bound, certificate)
        from connform.servers.monitor.pages import MonitorPages  # when the libraries are there

        with closing(MonitorPages(monitor)) as pages:
            yield server


def _require_sense(settings: MonitorSettings, serving: Serving) -> None:
    if STDIN in settings.files:
        raise UsageProblem("`monitor` reads manifests anew, and can't read standard input twice", "name a file with -f")
    if serving.key and not serving.certificate:
        raise UsageProblem("--tls-key needs --tls-cert", "name the certificate, PEM, with --tls-cert")
    if serving.certificate and serving.is_insecure:
        raise UsageProblem("--tls-cert and --insecure-http contradict each other", "leave out one of them")
    if any({"/", ":"}.intersection(name) for name in serving.allowed_hosts):
        raise UsageProblem("--allowed-host takes a name alone, without scheme, port and path: monitor.acme.example")
    if is_loopback(serving.host) or serving.certificate:
        return
    if not serving.is_insecure:
        message = f"--listen {serving.host} is reached from other machines: names, hosts and verdicts would go over the network in clear"
        hint = "name a certificate with --tls-cert and --tls-key; behind a proxy with TLS, say --insecure-http"
        raise UsageProblem(message, hint)
    open_to = "" if serving.auth_file else ", and everybody who reaches it may read them: --auth-file names who may"
    write_messages(f"warning: --insecure-http: names, hosts and verdicts go over the network in clear{open_to}")


def _url(serving: Serving, port: int) -> str:
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    return f"http{'s' if serving.certificate else ''}://{host}:{port}/"


def _count(declared: DeclaredConnections) -> str:
    number = len(declared.connections)
    return f"{number} connection{'s' * (number != 1)}"
