"""Names the built-in secret backends: one line for each, the scheme of its references and the type of its stores.

Layer 2, no IO until a backend fetches. Third parties add theirs by the entry-point group `connform.secrets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.secrets.dotenv import DOTENV
from connform.secrets.env import ENV
from connform.secrets.file import FILE

if TYPE_CHECKING:
    from connform.secrets.interface import Backend

BACKENDS: dict[str, Backend] = {
    "env": ENV,
    "dotenv": DOTENV,
    "file": FILE,
}
