"""The account and machine that run this process. Layer 3; asks the operating system, not the environment."""

from __future__ import annotations

import os
import pwd

from connform.recorded import Actor


def actor(job: str = "") -> Actor:
    """Return the account and the machine of this process; `job` is the CI job, or empty."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # in containers, accounts may have no name
        user = str(os.geteuid())
    return Actor(user, os.uname().nodename, job)
