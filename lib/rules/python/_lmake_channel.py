"""The job's end of the request channel; see docs/request-channel.md."""

import os
import threading


class Error(RuntimeError):
    """What the runner refuses; `code` is stable, such as CLIBS_JOB_ARGUMENT."""

    def __init__(self, code, message, hint=None):
        super().__init__(message if hint is None else f"{message}\nhint: {hint}")
        self.code = code
        self.message = message
        self.hint = hint


# As programs name it, and see it when nobody caught it.
Error.__module__ = "lmake"


def flat(values):
    """Values one by one, also those in lists within lists."""
    for value in values:
        if isinstance(value, (list, tuple, set, frozenset)):
            yield from flat(value)
        else:
            yield value


def argument_error(call, cause):
    """A mistake in the arguments of a call."""
    return Error("CLIBS_JOB_ARGUMENT", f"Cannot call {call}: {cause}")


_SOCKET = "CLIBS_JOB_SOCKET"
_JOB = "CLIBS_JOB_ID"

_local = threading.local()


def assert_in_job(call):
    """Refuses what only makes sense while a job runs."""
    if os.environ.get(_SOCKET) and os.environ.get(_JOB):
        return
    raise Error(
        "CLIBS_JOB_OUTSIDE",
        f"Cannot call {call}: it only works while a job runs",
        "call it in a program that the cmd of a rule runs",
    )


def ask(op, **fields):
    """Ask the runner and wait for its answer."""
    assert_in_job(_snake(op))
    import json

    request = {"id": 1, "op": op, "cwd": os.getcwd()}
    request.update(fields)
    try:
        channel = _connection()
        channel.send(json.dumps(request))
        reply = json.loads(channel.receive())
    except OSError as error:
        _local.channel = None
        message = f"Cannot ask the runner: {error}"
        raise Error("CLIBS_JOB_CHANNEL", message) from None
    except BaseException:
        # An answer that nobody waited for would be taken for the next one.
        _local.channel = None
        raise
    error = reply.get("error")
    if error is None:
        return reply.get("result")
    message = error["message"]
    if error["code"] == "CLIBS_JOB_ARGUMENT":
        message = _in_snake_case(message)
    raise Error(error["code"], message, error.get("hint"))


def _dial(address):
    """Connect to `/path`, or `tcp:host:port`; `@host` is out of reach."""
    import socket

    if address.startswith("@"):
        raise Error(
            "CLIBS_JOB_NODE",
            f"Cannot reach the runner on {address[1:]} from this machine",
            "set lmake.config.slurm.address to a name by which nodes know that "
            "machine, or run the job there",
        )
    if address.startswith("tcp:"):
        host, _, port = address[4:].rpartition(":")
        return socket.create_connection((host, int(port)))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


class _Channel:
    """A connection: a descriptor only, which nobody warns about at the end."""

    def __init__(self):
        with _dial(os.environ[_SOCKET]) as connection:
            self._fd = connection.detach()
        self.pid = os.getpid()

    def __del__(self, close=os.close):
        fd = getattr(self, "_fd", None)
        if fd is not None:
            close(fd)

    def send(self, text):
        # The escapes of JSON keep it ASCII; names that are not UTF-8 come out
        # as the runner spells them.
        payload = text.encode("ascii")
        rest = memoryview(len(payload).to_bytes(4, "little") + payload)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def receive(self):
        return self._exactly(int.from_bytes(self._exactly(4), "little"))

    def _exactly(self, count):
        parts = []
        while count > 0:
            part = os.read(self._fd, min(count, 1 << 20))
            if not part:
                raise OSError("it hung up")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def _connection():
    """The connection of this thread; a process that was forked makes its own."""
    known = getattr(_local, "channel", None)
    if known is not None and known.pid == os.getpid():
        return known
    import json

    channel = _Channel()
    channel.send(json.dumps({"hello": 1, "job": os.environ[_JOB]}))
    _local.channel = channel
    return channel


def _snake(name):
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


# Names of calls and options that the two languages spell differently.
_CAMEL = (
    "checkDeps",
    "followSymlinks",
    "ignoreError",
    "listDeps",
    "listRoot",
    "listTargets",
    "minLength",
    "noStar",
    "noWarning",
    "readdirOk",
    "sourceOk",
    "xxhsumFile",
)


def _in_snake_case(message):
    import re

    return re.sub(
        rf"\b({'|'.join(_CAMEL)})\b", lambda found: _snake(found[1]), message
    )
