"""Who runs this command, and in which CI job. Layer 5. IO: the environment variables in which CI systems name their jobs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connform.recorded import Actor

_JOB_VARIABLES = ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL")
"""Variables of GitLab, Jenkins, Buildkite and CircleCI; GitHub has several."""


def current_actor() -> Actor:
    """Return who runs this command."""
    from connform.engine.run.actor import actor

    return actor(_ci_job())


def _ci_job() -> str:
    if run := os.environ.get("GITHUB_RUN_ID"):
        return f"{os.environ.get('GITHUB_SERVER_URL', '')}/{os.environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}"
    return next((job for name in _JOB_VARIABLES if (job := os.environ.get(name))), "")
