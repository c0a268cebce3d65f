"""Entry point of `python -m connform`. Layer 5."""

from connform.cli.main import main

raise SystemExit(main())
