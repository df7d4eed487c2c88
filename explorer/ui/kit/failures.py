"""What a person is told when something went wrong: our own errors as they are, any other in general terms."""

from __future__ import annotations

import logging

from ...errors import ExplorerError

_LOG = logging.getLogger("explorer")


def told(error: Exception) -> str:
    """One sentence for the page. Unforeseen errors are logged whole; their text may hold paths and is not shown."""
    if isinstance(error, ExplorerError):
        return str(error)
    _LOG.error("unforeseen", exc_info=error)
    return "This went wrong in a way nobody foresaw. The program's log says how; your input is still here."
