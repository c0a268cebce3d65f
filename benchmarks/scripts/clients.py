"""Builds ready clients and prints the seconds: `clients.py connform|httpx MANIFEST COUNT`, in a process of its own.

Imports and the reading of the manifest are not counted; the TLS context with the trust store is, once on either side.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import time

import httpx

import connform

who, manifest, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ.update({f"CUSTOMER_{number:05}_SECRET": f"synthetic-{number}" for number in range(count)})
connections = connform.load(manifest)
declared = [connections[name] for name in connections]
import connform.http.client  # noqa: E402  (`client()` imports it when it is first called)

started = time.perf_counter()
if who == "connform":
    clients = [one.client() for one in declared]
else:
    context = ssl.create_default_context()
    clients = [
        httpx.Client(base_url=one.base_url, headers={"X-Api-Key": "synthetic"}, verify=context, trust_env=False)
        for one in declared
    ]
seconds = time.perf_counter() - started
print(json.dumps({"clients": len(clients), "distinct": len({id(one) for one in clients}), "seconds": seconds}))
