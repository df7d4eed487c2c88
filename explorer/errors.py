"""The errors that users can cause. A message says what happened, what was expected and what to do.

A front end may show ``str(error)`` as it is: it has no traceback and no path, and outside text in it is quoted.
"""

from __future__ import annotations


class ExplorerError(Exception):
    """Base class of all errors whose message is shown to the user."""


class SpecError(ExplorerError):
    """A field of a network description has an invalid value.

    Attributes:
        field: name of the invalid ``ResNetSpec`` field, so that a form can mark it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class MissingExtraError(ExplorerError, ImportError):
    """A module of an optional part of the package is not installed; the message says what to install."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is not installed. Install it with: pip install 'resnet-explorer[{extra}]'")


class TraceError(ExplorerError):
    """Tracing a module failed; the message names the layer and both shapes."""


class ImageError(ExplorerError):
    """The uploaded file is not an accepted photo."""


class WeightsError(ExplorerError):
    """A weight file could not be downloaded, verified or loaded."""


class UnknownNetworkError(WeightsError):
    """The weights are of no network that this program builds.

    Attributes:
        weights: the opened file.
    """

    def __init__(self, message: str, weights: object) -> None:
        super().__init__(message)
        self.weights = weights


class DataError(ExplorerError):
    """A data set is missing or unusable."""


class Stopped(ExplorerError):
    """The user stopped the work before it was finished."""


class DiagramError(ExplorerError):
    """Graphviz is missing, failed or took too long."""
