"""A folder on an SFTP server whose host key is known beforehand: a file store like those of file_store.py."""

import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reverse_etl.destination import DestinationRefused

TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Login:
    """Who to be, where, and which key the server must show (`ssh-ed25519 AAAA…`)."""

    host: str
    port: int
    user: str
    host_key: str
    password: str | None = None
    key_file: str | None = None
    passphrase: str | None = None


class SFTPFolder:
    """Files are uploaded beside and renamed; a connection that broke is opened again for the next file."""

    def __init__(self, login: Login, folder: str) -> None:
        self._login, self._folder = login, folder.rstrip("/")
        self._client: Any = None
        self._session: Any = None
        self._made: set[str] = set()

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as made:
            yield Path(made)

    def names(self) -> list[str]:
        with self._sftp() as sftp:
            return sorted(_names(sftp, self._folder, ""))

    def fetch(self, name: str, workspace: Path) -> Path | None:
        copy = workspace / f"copy-{name.replace('/', '-')}"
        with self._sftp() as sftp:
            try:
                sftp.get(f"{self._folder}/{name}", str(copy))
            except FileNotFoundError:
                return None
        return copy

    def put(self, file: Path, name: str) -> None:
        target = f"{self._folder}/{name}"
        with self._sftp() as sftp:
            self._make(sftp, target.rpartition("/")[0])
            sftp.put(str(file), f"{target}.part", confirm=True)  # confirmed: its size there is its size here
            try:
                sftp.posix_rename(f"{target}.part", target)
            except OSError:
                # A server without that extension doesn't rename over a file: for a moment there is none.
                with suppress(FileNotFoundError):
                    sftp.remove(target)
                sftp.rename(f"{target}.part", target)

    def drop(self, name: str) -> None:
        with self._sftp() as sftp, suppress(FileNotFoundError):
            sftp.remove(f"{self._folder}/{name}")

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = self._session = None

    def _make(self, sftp: Any, folder: str) -> None:
        for end in [place for place, letter in enumerate(folder) if letter == "/" and place] + [len(folder)]:
            one = folder[:end]
            if not one or one in self._made:
                continue
            try:
                sftp.stat(one)
            except FileNotFoundError:
                sftp.mkdir(one, 0o700)
            self._made.add(one)

    @contextmanager
    def _sftp(self) -> Iterator[Any]:
        import paramiko  # noqa: PLC0415 — the extra `sftp`

        try:
            if self._session and not self._client.get_transport().is_active():
                self.close()  # it broke while nothing was asked: nothing of this request can have arrived
            if self._session is None:
                self._client = _connected(self._login)
                self._session = self._client.open_sftp()
                self._session.get_channel().settimeout(TIMEOUT_SECONDS)
            yield self._session
        except (paramiko.SSHException, EOFError, TimeoutError, ConnectionError) as error:
            self.close()
            raise OSError(f"the connection broke: {type(error).__name__}") from error


def _connected(login: Login) -> Any:
    """Log in, when the server shows the key that is pinned: no other is ever added."""
    import paramiko  # noqa: PLC0415

    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    name = login.host if login.port == 22 else f"[{login.host}]:{login.port}"  # noqa: PLR2004 — as known_hosts has it
    key = _host_key(login.host_key)
    client.get_host_keys().add(name, key.get_name(), key)
    try:
        client.connect(
            login.host,
            login.port,
            login.user,
            password=login.password,
            key_filename=login.key_file,
            passphrase=login.passphrase,
            allow_agent=False,
            look_for_keys=False,
            timeout=TIMEOUT_SECONDS,
            banner_timeout=TIMEOUT_SECONDS,
            auth_timeout=TIMEOUT_SECONDS,
        )
    except (paramiko.BadHostKeyException, paramiko.ssh_exception.IncompatiblePeer) as error:
        raise DestinationRefused(f"{login.host} does not show the host key that is pinned: nothing was sent") from error
    except paramiko.AuthenticationException as error:
        raise PermissionError(f"{login.host} refuses the login") from error
    except paramiko.SSHException as error:
        raise OSError(f"no connection: {type(error).__name__}") from error
    return client


def _host_key(said: str) -> Any:
    from paramiko import hostkeys  # noqa: PLC0415

    try:
        entry = hostkeys.HostKeyEntry.from_line(f"host {said}")
    except hostkeys.InvalidHostKey:
        entry = None
    if entry is None or entry.key is None:
        raise DestinationRefused("the host key must be like `ssh-ed25519 AAAA…`, as `ssh-keyscan` prints it")
    return entry.key


def _names(sftp: Any, folder: str, below: str) -> Iterator[str]:
    try:
        entries = sftp.listdir_attr(f"{folder}/{below}")
    except FileNotFoundError:
        return
    for entry in entries:
        if stat.S_ISDIR(entry.st_mode or 0):
            yield from _names(sftp, folder, f"{below}{entry.filename}/")
        else:
            yield f"{below}{entry.filename}"
