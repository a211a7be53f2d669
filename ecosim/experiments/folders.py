"""Files and folders that appear whole or not at all, also when two processes make the same one."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ecosim.errors import StoreError

_TEMPORARY = re.compile(r"^\.(?P<target>.+)\.(?P<host>[^.]+)\.(?P<pid>\d+)-[0-9a-f]+\.tmp$")
_STALE_S = 7 * 86400.0


def slug(name: str) -> str:
    """Return a name that is safe as one folder's name: letters, digits, `.`, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:100] or "unnamed"


def host() -> str:
    """Return this machine's name, safe as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname()) or "host"


def temporary_name(target: Path) -> Path:
    """Return a sibling of `target` that no other attempt uses: host, process id, random digits."""
    unique = f"{host()}.{os.getpid()}-{secrets.token_hex(6)}"
    return target.with_name(f".{target.name}.{unique}.tmp")


def intended(name: str) -> str:
    """Return the name that a temporary file or folder is to have; of any other, its own."""
    matched = _TEMPORARY.match(name)
    return name if matched is None else matched["target"]


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that, after a crash too, it holds all of the old or all of the new data."""
    temporary = temporary_name(path)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Flush a file or a folder's list of names to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Flush everything in a folder, then the folder itself."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(parent, name))
        sync(Path(parent))


@contextlib.contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Make a folder and prove that it takes files; remove what was made when the body fails.

    Raises:
        StoreError: the folder cannot be made or written.

    """
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = temporary_name(folder / "probe")
            probe.mkdir()
            probe.rmdir()
        except OSError as error:
            raise StoreError(
                f"{folder}: cannot hold results ({error.strerror or error}); choose another folder"
                " with --out"
            ) from error
        yield
    except BaseException:
        for parent in missing:  # innermost first; one that another process filled stays
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def publish(
    temporary: Path, target: Path, *, keep: Callable[[Path], bool] = lambda target: False
) -> bool:
    """Rename a finished temporary folder to `target`; return False when another one stays there.

    `keep(target)` says whether a folder that is already there is to stay. One that is not is moved
    aside first: only a rename ever makes or removes `target`.
    """
    while True:
        try:
            temporary.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            sync(target.parent)
            return True
        if keep(target):
            shutil.rmtree(temporary)
            return False
        aside = temporary_name(target)
        with contextlib.suppress(FileNotFoundError):
            target.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)


def stale(folder: Path) -> list[Path]:
    """Return what dead attempts left in a folder, files and folders.

    Attempts of living processes are not among it; those of other machines from a week on.
    """
    found = []
    for path in folder.glob(".*.tmp"):
        matched = _TEMPORARY.match(path.name)
        if matched is not None and not alive(path, matched["host"], int(matched["pid"])):
            found.append(path)
    return sorted(found)


def sweep(folder: Path, finished: Callable[[Path], bool]) -> None:
    """Clear what dead attempts left in a folder.

    A finished folder that a crash kept from its name gets it, if the name is free. Attempts of
    living processes are left alone; those of other machines until they are a week old.
    """
    for path in stale(folder):
        matched = _TEMPORARY.match(path.name)
        assert matched is not None
        with contextlib.suppress(OSError):
            target = path.with_name(matched["target"])
            if path.is_dir() and finished(path) and not target.exists():
                path.rename(target)
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def alive(path: Path, machine: str, pid: int) -> bool:
    """Return whether the process that made a file may live: on another machine, for a week."""
    if machine != host():
        try:
            return time.time() - path.stat().st_mtime < _STALE_S
        except OSError:
            return True
    return lives(pid)


def lives(pid: int) -> bool:
    """Return whether a process of this machine has not ended."""
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
