"""An SFTP server in this process, over a folder; import it only where paramiko is installed."""

import os
import socket
import threading
from contextlib import contextmanager

import paramiko

PASSWORD = "a-synthetic-password"


class Server:
    """`steps` is what was done to the files; `transports` are the connections, to be broken."""

    def __init__(self, root, can_rename_over):
        self.root, self.can_rename_over = root, can_rename_over
        self.key = paramiko.ECDSAKey.generate()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.steps, self.transports = [], []

    @property
    def pin(self):
        return f"{self.key.get_name()} {self.key.get_base64()}"

    def serve(self):
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(caller)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files, place=self)
            self.transports.append(transport)
            try:
                transport.start_server(server=Door())
            except (paramiko.SSHException, EOFError):
                transport.close()


class Door(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        is_right = (username, password) == ("cdp", PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED

    def check_channel_request(self, *_):
        return paramiko.OPEN_SUCCEEDED


def tried(work):
    def guarded(*arguments):
        try:
            found = work(*arguments)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return paramiko.SFTP_OK if found is None else found

    return guarded


class Files(paramiko.SFTPServerInterface):
    def __init__(self, door, place):
        super().__init__(door)
        self.server = place

    def real(self, path):
        return self.server.root / self.canonicalize(path).lstrip("/")

    @tried
    def list_folder(self, path):
        return [
            paramiko.SFTPAttributes.from_stat(entry.stat(), entry.name) for entry in sorted(self.real(path).iterdir())
        ]

    @tried
    def stat(self, path):
        return paramiko.SFTPAttributes.from_stat(self.real(path).stat())

    lstat = stat

    @tried
    def open(self, path, flags, _):
        handle = paramiko.SFTPHandle(flags)
        mode = "rb" if not flags & (os.O_WRONLY | os.O_RDWR) else "wb"
        if mode == "wb":
            self.server.steps.append(("write", path))
        handle.filename = str(self.real(path))
        handle.readfile = handle.writefile = self.real(path).open(mode)
        return handle

    @tried
    def remove(self, path):
        self.server.steps.append(("remove", path))
        self.real(path).unlink()

    @tried
    def rename(self, old, new):
        if self.real(new).exists():
            raise FileExistsError(17, "there is one")
        self.server.steps.append(("rename", new))
        self.real(old).rename(self.real(new))

    def posix_rename(self, old, new):
        if not self.server.can_rename_over:
            return paramiko.SFTP_OP_UNSUPPORTED
        self.server.steps.append(("rename", new))
        self.real(old).replace(self.real(new))
        return paramiko.SFTP_OK

    @tried
    def mkdir(self, path, _):
        self.real(path).mkdir()


@contextmanager
def serving(root, *, can_rename_over=True):
    server = Server(root, can_rename_over)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.socket.shutdown(socket.SHUT_RDWR)
        server.socket.close()
        for transport in server.transports:
            transport.close()
        thread.join()
