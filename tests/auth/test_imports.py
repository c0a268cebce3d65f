"""Every module of auth methods can be the first that is imported: no import cycle waits for an order that hides it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import pkgutil, sys
import connform.auth

names = [module.name for module in pkgutil.walk_packages(connform.auth.__path__, "connform.auth.")]
for name in names:
    for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == "connform"]:
        del sys.modules[loaded]
    try:
        __import__(name)
    except ImportError as error:
        print(name, error)
print(len(names) > 30)
"""


def test_each_module_is_importable_first() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("True\n", "")
