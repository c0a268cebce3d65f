"""Runs the command line as `python -m connform`. Layer 5."""

from connform.cli.main import main

raise SystemExit(main())
