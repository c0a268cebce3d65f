"""The account and machine that run this process. Layer 3; asks the operating system, not the environment."""

from __future__ import annotations

import os
import pwd

from connform.recorded import Actor


def actor(job: str = "") -> Actor:
    """Return the account and the machine, with the CI job where there is one."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's account without a name
        user = str(os.geteuid())
    return Actor(user, os.uname().nodename, job)
