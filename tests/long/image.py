"""The image of `deploy/Containerfile`, built by buildah without a daemon or a registry of images, and run read-only: about 2 minutes.

The base image is a root of Debian with its Python, made by mmdebstrap and named as the Containerfile names its base. pip installs
from wheels that are downloaded beforehand. Needs root, buildah and mmdebstrap.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deploy.debian import REPOSITORY, download_wheels, make_root, printed, run

CONTAINERFILE = REPOSITORY / "deploy" / "Containerfile"


def main() -> int:
    text = CONTAINERFILE.read_text("utf-8")
    base, extras = (re.findall(rf"^ARG {name}=(.+)$", text, re.MULTILINE)[0] for name in ("PYTHON", "EXTRAS"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_root(folder / "base.tar")
        wheels = download_wheels(folder, extras)
        (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        buildah = ("buildah", "--storage-driver", "vfs", "--root", folder / "store", "--runroot", folder / "run")
        scratch = printed(*buildah, "from", "scratch")
        run(*buildah, "add", "--quiet", scratch, folder / "base.tar", "/")
        run(*buildah, "commit", "--quiet", "--rm", scratch, base)
        mounts = ("--volume", f"{wheels}:/wheels:ro", "--volume", f"{folder}/pip.conf:/etc/pip.conf:ro")
        flags = ("--quiet", "--isolation", "chroot", "--pull-never", *mounts)
        run(*buildah, "build", *flags, "--file", CONTAINERFILE, "--tag", "connform", REPOSITORY)
        container = printed(*buildah, "from", "--pull-never", "connform")
        said = printed(*buildah, "run", "--isolation", "chroot", container, "connform", "--version")
        root = printed(*buildah, "mount", container)
        size = printed("du", "--summarize", "--human-readable", root).split()[0]
        print(f"the image says {said}; its root has {size}", flush=True)
        tests = (sys.executable, "-m", "pytest", "-q", "tests/deploy/test_read_only_root.py", *sys.argv[1:])
        ended = subprocess.call(tests, cwd=REPOSITORY, env={**os.environ, "CONNFORM_TEST_IMAGE": root})
        run(*buildah, "umount", container)
        return ended


if __name__ == "__main__":
    sys.exit(main())
