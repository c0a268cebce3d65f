"""Resources of a run: run context, secret resolver, clients, grants, recorded state; real or simulated. Layer 3."""
