"""Download a weight file completely, verify it, and do so only once for many requests.

A file gets its name in the cache only after its SHA-256 was found right, so what is there is whole; it is
checked again each time it is asked for. What has come so far waits in ``<name>.part``, from where the next
attempt resumes.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from anyio.from_thread import start_blocking_portal
from filelock import FileLock, Timeout

from ...errors import WeightsError
from ...folders import CACHE_VARIABLE, cache_folder
from .cache import MIRROR_VARIABLE, WeightFile, digest, intact_path, is_intact, mirror

_TIMEOUT = httpx.Timeout(30, connect=10)  # seconds without a byte
_POLL = 0.1  # seconds between looks at `cancelled`
_SPARE = 64 * 2**20  # bytes a download leaves free on the disk
_ROUNDING = 2048  # bytes by which a published size may be off
_OFFLINE = "The built-in networks work offline."
_AGAIN = "trying again resumes from there"
_WEB_PAGE = (
    "a web page came instead of the file, perhaps the sign-in page of this network; "
    "open any page in a browser, sign in and try again"
)


@dataclass(frozen=True)
class Progress:
    """Bytes on this machine so far, and in the whole file as published (see ``WeightFile.size_bytes``)."""

    received: int
    total: int


def fetch(
    file: WeightFile,
    title: str,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """The path of a weight file that was verified against its SHA-256; downloaded if need be.

    Looks at the built-in file, this program's cache, torch hub's cache (which is only read) and, where
    ``RESNET_EXPLORER_MIRROR`` names a folder, in that. Else downloads from the mirror, where it is a URL, or
    from the published address. Threads and processes that want the same file wait for the first.

    Args:
        title: of the network, for messages.
        on_progress: called from this thread, at most ten times a second.
        cancelled: asked ten times a second; when true, the download stops. What has come is kept.

    Raises:
        WeightsError: what went wrong and what to do, in a sentence without paths.
    """
    found = intact_path(file)
    if found is not None:
        return found
    if file.builtin:
        raise WeightsError(f"{title} belongs to this program, but its weights are missing or damaged: reinstall")
    shared = mirror()
    if isinstance(shared, Path):
        raise _failure(title, f"the folder that {MIRROR_VARIABLE} names has no intact copy")
    url = f"{shared}/{file.file_name}" if shared else str(file.source)
    job = _Job(file, title, url, cache_folder() / file.file_name, on_progress, cancelled)
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with _turn(job):
            if not is_intact(job.target, file.sha256):  # another process may have brought it meanwhile
                job.target.unlink(missing_ok=True)
                _download(job)
        return job.target
    except OSError as error:
        raise _failure(title, _disk_trouble(error)) from error


@dataclass
class _Job:
    """One file on its way. ``received`` is written by the receiver and read by waiting threads."""

    file: WeightFile
    title: str
    url: str
    target: Path
    on_progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    received: int = 0

    @property
    def part(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "the server"

    @property
    def amount(self) -> str:
        return f"{_mib(self.received)} of {_mib(self.file.size_bytes)}"

    def must_stop(self) -> bool:
        """Report progress and check whether to continue."""
        self.on_progress(Progress(self.received, self.file.size_bytes))
        return self.cancelled()

    def measure(self) -> int:
        """Bytes in the part file, from any process."""
        try:
            self.received = self.part.stat().st_size
        except FileNotFoundError:
            self.received = 0
        return self.received


class _Refused(Exception):
    """The server's answer is not the file; says why."""


@contextmanager
def _turn(job: _Job) -> Iterator[None]:
    """Wait while another thread or process downloads the file, showing its progress; then keep others out."""

    def must_stop() -> bool:
        job.measure()
        return job.must_stop()

    lock = FileLock(job.target.with_name(f"{job.target.name}.lock"))
    try:
        lock.acquire(poll_interval=_POLL, cancel_check=must_stop)
    except Timeout:
        raise WeightsError(f"{job.title} was not downloaded: cancelled") from None
    try:
        yield
    finally:
        lock.release()


def _download(job: _Job) -> None:
    """Fill the part file, verify it, give it its name. The lock must be held."""
    resumed = job.measure() > 0
    _check_space(job)
    _transfer(job)
    got = digest(job.part)
    if got.startswith(job.file.sha256):
        job.part.replace(job.target)
        return
    job.part.unlink()
    if resumed:  # what was there before may have been of another file
        _download(job)
        return
    raise _failure(
        job.title,
        f"what {job.host} sent is damaged or another file (its SHA-256 starts with {got[:8]}, "
        f"{job.file.sha256[:8]} was published), and was deleted",
    )


def _check_space(job: _Job) -> None:
    wanted = job.file.size_bytes - job.received + _SPARE
    free = shutil.disk_usage(job.target.parent).free
    if free < wanted:
        raise _failure(
            job.title,
            f"the disk is too full: {_mib(wanted)} are needed where the cache is, {_mib(free)} are free",
        )


def _transfer(job: _Job) -> None:
    """Receive in the background, so that a server that says nothing can't hold up a cancellation."""
    with start_blocking_portal() as portal:
        future = portal.start_task_soon(_receive, job)
        while not future.done():
            wait([future], timeout=_POLL)
            if job.must_stop():
                future.cancel()
    try:
        future.result()
    except CancelledError:
        raise WeightsError(f"{job.title} was not downloaded: cancelled after {job.amount}; {_AGAIN}") from None
    except _Refused as error:
        raise _failure(job.title, str(error)) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failure(job.title, _network_trouble(error, job)) from error


async def _receive(job: _Job) -> None:
    """Append to the part file what it lacks; returns when the server has no more to send."""
    # "identity": a compressed answer would not be the file, and its length not the file's.
    headers = {"Accept-Encoding": "identity"}
    if job.received:
        headers["Range"] = f"bytes={job.received}-"
    async with (
        httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=True) as client,
        client.stream("GET", job.url, headers=headers) as response,
    ):
        if job.received and response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing left to send; the digest tells whether that is the whole file
        _check_answer(response, job)
        if response.status_code == httpx.codes.OK:
            job.received = 0
        length = response.headers.get("Content-Length", "")
        _check_length(job.received + (int(length) if length.isdecimal() else 0), job)
        with job.part.open("ab" if job.received else "wb") as file:
            async for chunk in response.aiter_raw():
                _check_start(chunk, job)
                file.write(chunk)
                job.received += len(chunk)
                _check_length(job.received, job)
    if job.received + _ROUNDING < job.file.size_bytes:
        raise _Refused(f"{job.host} ended the file after {job.amount}; {_AGAIN}")


def _check_answer(response: httpx.Response, job: _Job) -> None:
    """Reject responses that are not the file, before they replace anything."""
    status = response.status_code
    if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise _Refused(f"{job.host} answered {status} {response.reason_phrase}".rstrip())
    if "html" in response.headers.get("Content-Type", ""):
        raise _Refused(_WEB_PAGE)
    if status == httpx.codes.PARTIAL_CONTENT:
        asked = f"bytes {job.received}-"
        if not job.received or not response.headers.get("Content-Range", "").startswith(asked):
            job.part.unlink(missing_ok=True)
            raise _Refused(f"{job.host} sent another part of the file than was asked for; trying again starts over")


def _check_start(chunk: bytes, job: _Job) -> None:
    """Sign-in pages don't always say that they are HTML; no weight file starts like it."""
    if not job.received and chunk.lstrip()[:1] == b"<":
        job.part.unlink()
        raise _Refused(_WEB_PAGE)


def _check_length(length: int, job: _Job) -> None:
    if length > job.file.size_bytes + _ROUNDING:
        job.part.unlink(missing_ok=True)
        size = _mib(job.file.size_bytes)
        raise _Refused(f"{job.host} sends another file: {_mib(length)} or more instead of {size}")


def _failure(title: str, reason: str) -> WeightsError:
    return WeightsError(f"{title} could not be downloaded: {reason}. {_OFFLINE}")


def _network_trouble(error: Exception, job: _Job) -> str:
    host = job.host
    if "certificate" in str(error).lower():
        return f"{host} could not prove its identity (TLS certificate); this network may be intercepting it"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy gave no connection to {host}"
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return f"no connection to {host}"
    if isinstance(error, httpx.TimeoutException):
        return f"{host} stopped answering after {job.amount}; {_AGAIN}"
    if isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError)):
        return f"the connection to {host} broke after {job.amount}; {_AGAIN}"
    return f"{host} gave no usable answer ({type(error).__name__})"


def _disk_trouble(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "the disk is full"
    return (
        f"the cache folder can't be written ({error.strerror or 'input/output error'}); "
        f"set {CACHE_VARIABLE} to a folder that can"
    )


def _mib(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"
