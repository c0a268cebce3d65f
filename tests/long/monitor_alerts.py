"""The alerts of a monitor, from a server that goes down to the alert that fires: `make long ARGS=monitor_alerts`, about a minute.

A real Prometheus scrapes a real monitor each second, with the rules of deploy/prometheus/ in which minutes are seconds. An API goes down, comes
back, refuses a key, and answers 429; the manifest becomes invalid; the monitor is killed. Each alert has to fire, and none for the 429.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.monitor.prometheus import Prometheus, running_prometheus
from tests.monitor.watching import Api, Monitor, manifest, serving

_RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
_PATIENCE_S = 120.0


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "alerts.yaml").write_text(re.sub(r"for: (\d+)[mh]", "for: 3s", _RULES.read_text()))
        lasting = Api()
        lasting.statuses["busy"] = 429
        down = stack.enter_context(ExitStack())
        falling = down.enter_context(serving(Api(), folder))
        other = folder / "other"
        other.mkdir()
        standing = stack.enter_context(serving(lasting, other))
        text = manifest(falling.port, ["falling"])
        rest = manifest(standing.port, ["lasting", "busy"], "other/ca.pem").partition("connections:\n")[2]
        (folder / "connections.yaml").write_text(text + rest)
        monitor = stack.enter_context(Monitor(folder, "--interval", "1s", "--timeout", "2"))
        monitor.until_ready()
        prometheus = stack.enter_context(running_prometheus(folder, monitor.port, rules=str(folder / "alerts.yaml")))
        prometheus.until('sum(connform_connection_verdict{verdict="ready"}) == 2')
        prometheus.until('connform_connection_fault_info{class="rate_limited"}')
        _expect(prometheus, "nothing", lambda alerts: not alerts)
        down.close()
        _expect(
            prometheus, "a server that is down", lambda alerts: alerts.keys() == {"ConnformServerUnreachable falling"}
        )
        lasting.statuses["lasting"] = 401
        _expect(prometheus, "a key that is refused", lambda alerts: "ConnformConnectionFailed lasting" in alerts)
        lasting.statuses["lasting"] = 200
        _expect(prometheus, "a key that is good again", lambda alerts: "ConnformConnectionFailed lasting" not in alerts)
        (folder / "connections.yaml").write_text("nonsense")
        _expect(prometheus, "a manifest that is not valid", lambda alerts: "ConnformManifestNotReloaded" in alerts)
        (folder / "connections.yaml").write_text(text + rest)
        _expect(prometheus, "one that is valid again", lambda alerts: "ConnformManifestNotReloaded" not in alerts)
        assert not [alert for alert in prometheus.alerts() if "busy" in alert], prometheus.alerts()
        monitor.process.kill()
        _expect(prometheus, "nobody who looks", lambda alerts: "ConnformMonitorAbsent" in alerts)
    return 0


def _expect(prometheus: Prometheus, what: str, is_right: Callable[[dict[str, str]], bool]) -> None:
    """Wait until the firing alerts are the right ones."""
    began_at = time.monotonic()
    firing: dict[str, str] = {}
    while time.monotonic() - began_at < _PATIENCE_S:
        firing = {name: state for name, state in prometheus.alerts().items() if state == "firing"}
        if is_right(firing):
            print(f"{what}: {', '.join(firing) or 'no alert'} after {time.monotonic() - began_at:.0f} s", flush=True)
            return
        time.sleep(0.5)
    raise AssertionError(f"{what}: {firing}")


if __name__ == "__main__":
    sys.exit(main())
