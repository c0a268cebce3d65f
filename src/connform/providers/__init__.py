"""Table of the built-in providers, by the names that manifests use.

Layer 2, no IO. Third parties add providers by the entry-point group `connform.providers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.providers.http import HTTP
from connform.providers.iinked_sign import IINKED_SIGN

if TYPE_CHECKING:
    from connform.providers.interface import Provider

PROVIDERS: dict[str, Provider] = {
    "iinked-sign": IINKED_SIGN,
    "http": HTTP,
}
