"""What programs of the same user can read of the process that holds the credentials."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT_CAPABILITIES = (
    # PR_CAPBSET_DROP of CAP_SYS_PTRACE, CAP_SYS_ADMIN and CAP_PERFMON, which root has
    "import ctypes, os, sys; [ctypes.CDLL(None).prctl(24, one, 0, 0, 0) for one in (19, 21, 38)];"
    "os.execv(sys.executable, [sys.executable, '-c', *sys.argv[1:]])"
)
PARENT = (
    "import subprocess, sys; from connform.servers.proxy import own_memory;"
    "sys.argv[2] == 'hide' and own_memory.hide(); subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
)
READER = """
import os
for name in ("environ", "maps", "mem"):
    try:
        with open(f"/proc/{os.getppid()}/{name}", "rb") as file:
            if name == "mem" or file.read(1):
                print(name, end=" ")
    except OSError:
        pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hides a process from its own user")
def test_a_command_reads_neither_memory_nor_environment_nor_files_of_the_proxy() -> None:
    def readable(argument: str) -> str:
        argv = [sys.executable, "-c", WITHOUT_CAPABILITIES, PARENT, READER, argument]
        return subprocess.run(argv, capture_output=True, text=True, timeout=50, check=True).stdout.strip()

    assert "environ" in readable("show")
    assert readable("hide") == ""
