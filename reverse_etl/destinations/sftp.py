"""CSV or Parquet on an SFTP server: the files of the destination `files`, each uploaded beside and renamed.

It needs the extra: pip install -e '.[sftp]'. SFTP_PASSWORD, or SFTP_KEY_FILE with SFTP_KEY_PASSPHRASE if it has one,
logs in. The server's host key is pinned: one that shows another, or none was given for, gets nothing.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from reverse_etl.destination import DestinationRefused
from reverse_etl.destinations import files
from reverse_etl.file_store import FileStore
from reverse_etl.sftp_folder import Login, SFTPFolder
from reverse_etl.sync import BadDeclaration, Sync


class Settings(BaseSettings):
    """SFTP_*, read when a run sends; the address and the host key may also be options."""

    model_config = SettingsConfigDict(env_prefix="SFTP_")

    password: SecretStr | None = None
    key_file: str | None = None
    key_passphrase: SecretStr | None = None
    host_key: str = ""


class Destination(files.Destination):
    """Options: `url` (sftp://user@host/folder, default SFTP_URL), `host_key` (`ssh-ed25519 AAAA…`, SFTP_HOST_KEY).

    `format`, `keep_runs` and `spreadsheets` are those of `files`.
    """

    def __init__(self, sync: Sync) -> None:
        super().__init__(sync.model_copy(update={"options": {**sync.options, "folder": "sftp"}}))
        self._sync, self._host_key = sync.name, str(sync.options.get("host_key") or "")
        self._url = urlsplit(str(sync.options.get("url") or os.environ.get("SFTP_URL", "")))
        wrong = self._url.scheme != "sftp" or not self._url.hostname or not self._url.username
        if wrong or self._url.password or not self._url.path.strip("/"):
            raise BadDeclaration(f"{sync.name}: options.url must be sftp://user@host/folder, without a password")

    @contextmanager
    def opened(self) -> Iterator[FileStore]:
        if not find_spec("paramiko"):
            raise DestinationRefused(f"{self._sync}: SFTP needs paramiko: pip install -e '.[sftp]'")
        settings = Settings(_env_file=os.environ.get("CDP_SECRETS"))  # type: ignore[call-arg]  # pydantic-settings' own
        login = Login(
            host=self._url.hostname or "",
            port=self._url.port or 22,
            user=unquote(self._url.username or ""),
            host_key=self._host_key or settings.host_key,
            password=_open(settings.password),
            key_file=settings.key_file,
            passphrase=_open(settings.key_passphrase),
        )
        if not login.host_key:
            raise DestinationRefused(f"{self._sync}: pin the server's host key as options.host_key or SFTP_HOST_KEY")
        if not login.password and not login.key_file:
            raise DestinationRefused(f"{self._sync}: set SFTP_PASSWORD or SFTP_KEY_FILE")
        with closing(SFTPFolder(login, unquote(self._url.path))) as folder:
            yield folder


def _open(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
