"""Every error a user can cause, worded as: what, where, got / allowed, how to mend.

The page, the command line and the library raise these and nothing else on purpose, so a
front end may show ``str(error)`` as it is: no path, no traceback, no outside text unquoted.
"""

from __future__ import annotations


class ExplorerError(Exception):
    """Base of all errors whose message is meant for the person at the screen."""


class SpecError(ExplorerError):
    """A network description is out of bounds.

    Attributes:
        field: name of the offending ``ResNetSpec`` field, so a form can point at it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class TraceError(ExplorerError):
    """A module could not be traced; the message names the layer that failed and both shapes."""


class ImageError(ExplorerError):
    """Uploaded bytes are not a photo this program accepts."""


class WeightsError(ExplorerError):
    """A weight file could not be fetched, verified or loaded."""


class DataError(ExplorerError):
    """A data set is missing or unusable."""


class Stopped(ExplorerError):
    """Work was stopped, by whoever had asked for it, before it was done."""


class DiagramError(ExplorerError):
    """Graphviz is missing, failed or took too long."""
