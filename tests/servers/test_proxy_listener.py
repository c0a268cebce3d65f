"""Where the proxy listens, which `Host` it takes, and what it says where it can't start."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from connform.servers.proxy import peer
from connform.servers.proxy.listener import BadAddress, listen

NO_ADDRESSES = (
    *("0.0.0.0:0", "192.0.2.1:0", "[::]:0", "[2001:db8::1]:0", "example.com:0", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1:x"),
    *("::1:0", "", "tcp:127.0.0.1:0", "999.0.0.1:0", "[::ffff:192.0.2.1]:0", "http://127.0.0.1:0", "unix:"),
)  # fmt: skip
WITHOUT_UVICORN = (
    "import sys; sys.modules['uvicorn'] = None; from connform.cli.main import main; sys.exit(main(sys.argv[1:]))"
)
MANIFEST = """\
version: 1
connections:
  sandbox-us:
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: env://KEY}
"""


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_no_other_address_than_of_this_machine_is_listened_on(address: str) -> None:
    with pytest.raises(BadAddress):
        listen(address)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", "[::1]:0", "0"])
def test_the_kernel_says_that_a_client_of_our_own_is_ours(address: str) -> None:
    try:
        listener = listen(address)
    except OSError:
        pytest.skip("this machine has no IPv6")
    try:
        with socket.create_connection(listener.sock.getsockname()[:2]), listener.sock.accept()[0] as accepted:
            assert peer.is_own(accepted)
            if sys.platform == "linux":
                assert peer._by_proc(accepted) == peer._by_netlink(accepted) == os.geteuid()
    finally:
        listener.close()


def test_a_unix_socket_is_for_its_owner_alone_and_a_stale_one_is_replaced() -> None:
    with tempfile.TemporaryDirectory() as folder:  # a short path: a socket's has 107 bytes at most
        file = Path(folder, "s")
        first = listen(f"unix:{file}")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with pytest.raises(OSError, match="in use"):
            listen(f"unix:{file}")
        first.sock.close()  # as a process that was killed leaves it
        second = listen(f"unix:{file}")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.fspath(file))
            with second.sock.accept()[0] as accepted:
                assert peer.user_of(accepted) == os.geteuid()
        second.close()
        assert not file.exists()
        file.write_text("a file of somebody")
        with pytest.raises(BadAddress, match="exists and is no socket"):
            listen(f"unix:{file}")
        assert file.read_text() == "a file of somebody"


def test_an_access_log_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    command = "import sys; from connform.servers.proxy.access_log import AccessLog; AccessLog(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", command, tmp_path / "log"], capture_output=True, timeout=30, check=False
    )
    assert b"No such device or address" in done.stderr


def test_a_missing_library_is_named_with_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    argv = [sys.executable, "-c", WITHOUT_UVICORN, "proxy", "sandbox-us", "--simulate"]
    run = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert "error[config_invalid]: the proxy needs the library uvicorn of the extra `connform[proxy]`" in run.stderr
    assert "hint: pip install uvicorn" in run.stderr
