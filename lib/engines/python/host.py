"""The Python side of clibs: loads modules and calls their functions.

Requests come in on standard input, answers go out on standard output. Each is a
length (4 bytes, little-endian), that much JSON, and the bytes that it announces
in "sizes". The first answer comes after MARK. What modules print is sent along
as lines.
"""

import sys

# The folder that the program happens to run in: a json.py there is not ours.
if sys.path[:1] == [""]:
    del sys.path[0]

import signal

# Ctrl-C is for the program; it ends this process by closing the requests.
signal.signal(signal.SIGINT, signal.SIG_IGN)

import faulthandler
import fcntl
import importlib.machinery
import importlib.util
import json
import os
import select
import struct
import threading
import traceback

MAX_DEPTH = 200
SAFE_INT = 2**53 - 1
GRACE_S = 2.0
# A shim or a site hook may have printed something before it.
MARK = b"\0clibs\n"


def watch(requests, host, alive, printed, last_words):
    """Ends the host when nobody can send requests any more.

    When the host ends otherwise, passes on what was printed last: why C++
    called std::terminate is still in the pipe when the host is gone.

    Runs in a process of its own: a module that computes without giving up the
    interpreter's lock would keep a thread from noticing.
    """
    poll = select.poll()
    poll.register(requests, 0)
    poll.register(alive, 0)
    ended = [fd for fd, _ in poll.poll()]
    if alive not in ended:
        poll.unregister(requests)
        if not poll.poll(GRACE_S * 1000) and os.getppid() == host:
            os.kill(host, signal.SIGKILL)
    else:
        try:
            while data := os.read(printed, 65536):
                os.write(last_words, data)
        except OSError:
            pass
    os._exit(0)


class Output:
    """Everything that is printed in this process, line by line."""

    def __init__(self, send, read_end, write_end):
        self.send = send
        self.rest = b""
        self.lock = threading.Lock()
        self.read_end = read_end
        os.dup2(write_end, 1)
        os.dup2(write_end, 2)
        os.close(write_end)
        threading.Thread(target=self.forward, daemon=True).start()

    def forward(self):
        while True:
            select.select([self.read_end], [], [])
            self.drain()

    def drain(self):
        with self.lock:
            while True:
                try:
                    data = os.read(self.read_end, 65536)
                except BlockingIOError:
                    return
                if not data:
                    return
                *lines, self.rest = (self.rest + data).split(b"\n")
                for line in lines:
                    self.send({"output": line.decode("utf-8", "replace")}, [])

    def flush(self):
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:
                pass
        self.drain()


class Unpassable(Exception):
    """A value that has no form on the other side."""


class Encoder:
    """Turns values into JSON and attachments."""

    def __init__(self):
        self.parts = []
        self.open = set()

    def attach(self, data):
        self.parts.append(data)
        return len(self.parts) - 1

    def encode(self, value, path="result", depth=0):
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            if -SAFE_INT <= value <= SAFE_INT:
                return value
            return {"$": "int", "v": format(value, "x")}
        if kind is float:
            if value != value or value in (float("inf"), float("-inf")):
                return {"$": "float", "v": repr(value)}
            return value
        if kind in (bytes, bytearray) or kind is memoryview:
            return {"$": "bytes", "i": self.attach(bytes(value))}
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.ndarray):
            return self.array(numpy, value, path)
        if numpy is not None and isinstance(value, numpy.generic):
            plain = value.item()
            # Extended floats stay what they are; times become bare numbers.
            if isinstance(plain, numpy.generic) or value.dtype.kind in "mM":
                raise Unpassable(f"cannot pass a {kind.__name__} at {path}")
            return self.encode(plain, path, depth + 1)
        if depth > MAX_DEPTH:
            raise Unpassable(f"values are too deep inside of each other at {path}")
        if isinstance(value, (list, tuple, set, frozenset, dict)):
            if id(value) in self.open:
                raise Unpassable(f"a value holds itself at {path}")
            self.open.add(id(value))
            try:
                if isinstance(value, dict):
                    return self.mapping(value, path, depth)
                return [
                    self.encode(item, f"{path}[{index}]", depth + 1)
                    for index, item in enumerate(value)
                ]
            finally:
                self.open.discard(id(value))
        for base in (bool, int, float, str):
            if isinstance(value, base):
                return self.encode(base(value), path, depth + 1)
        raise Unpassable(f"cannot pass a {kind.__name__} at {path}")

    def mapping(self, value, path, depth):
        for key in value:
            if not isinstance(key, str):
                raise Unpassable(
                    f"cannot pass a dict with a key of type {type(key).__name__} at {path}"
                )
        pairs = [
            (key, self.encode(item, f"{path}.{key}", depth + 1))
            for key, item in value.items()
        ]
        if "$" in value:
            return {"$": "dict", "v": pairs}
        return dict(pairs)

    def array(self, numpy, value, path):
        if value.dtype == numpy.float16:
            value = value.astype(numpy.float32)
        if value.dtype.kind not in "biuf" or value.dtype.itemsize > 8:
            raise Unpassable(f"cannot pass an array of {value.dtype} at {path}")
        plain = numpy.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        code = "u1" if plain.dtype.kind == "b" else plain.dtype.str[1:]
        index = self.attach(plain.tobytes())
        return {"$": "array", "i": index, "t": code, "s": list(value.shape)}


def decode(value, parts):
    if isinstance(value, list):
        return [decode(item, parts) for item in value]
    if not isinstance(value, dict):
        return value
    mark = value.get("$")
    if mark is None:
        return {key: decode(item, parts) for key, item in value.items()}
    if mark == "int":
        return int(value["v"], 16)
    if mark == "float":
        return float(value["v"])
    if mark == "dict":
        return {key: decode(item, parts) for key, item in value["v"]}
    if mark == "bytes":
        return parts[value["i"]]
    return decode_array(value, parts)


CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I",
         "i8": "q", "u8": "Q", "f4": "f", "f8": "d"}


def decode_array(value, parts):
    data, code = parts[value["i"]], value["t"]
    try:
        import numpy
    except ImportError:
        import array

        plain = array.array(CODES[code])
        plain.frombytes(data)
        return plain
    return numpy.frombuffer(bytearray(data), "<" + code).reshape(value["s"])


def failure(error):
    """Tells of an exception, also of one that fails when it is asked."""
    kind = type(error)
    name = kind.__qualname__
    place = getattr(kind, "__module__", None)
    if isinstance(place, str) and place not in ("builtins", "__main__"):
        name = f"{place}.{name}"
    try:
        message = str(error)
    except Exception:
        message = "<its message cannot be read>"
    trace = error.__traceback__
    own = trace.tb_next and trace.tb_next.tb_next
    try:
        lines = traceback.format_exception(kind, error, own or None)
    except Exception:
        lines = [f"{name}: {message}"]
    return {"type": name, "message": message,
            "traceback": "".join(lines).rstrip()}


class Host:
    def __init__(self):
        self.requests = os.dup(0)
        self.answers = os.dup(1)
        self.modules = {}
        self.failures = {}
        self.lock = threading.Lock()
        os.write(self.answers, MARK)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        last_words = os.dup(2)
        faulthandler.enable(file=last_words, all_threads=False)
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        self.watch(last_words, read_end, write_end)
        for fd in (self.requests, self.answers, last_words):
            fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        self.output = Output(self.send, read_end, write_end)

    def watch(self, last_words, printed, write_end):
        read_end, self.alive = os.pipe()
        host = os.getpid()
        if os.fork() == 0:
            for fd in (1, 2, self.answers, write_end, self.alive):
                os.close(fd)
            watch(self.requests, host, read_end, printed, last_words)
        os.close(read_end)

    def send(self, header, parts):
        header["sizes"] = [len(part) for part in parts]
        text = json.dumps(header).encode("ascii")
        data = b"".join([struct.pack("<I", len(text)), text, *parts])
        with self.lock:
            view = memoryview(data)
            while view:
                view = view[os.write(self.answers, view):]

    def read(self, size):
        chunks = []
        while size > 0:
            chunk = os.read(self.requests, min(size, 1 << 20))
            if not chunk:
                self.output.flush()
                os._exit(0)
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def run(self):
        while True:
            (size,) = struct.unpack("<I", self.read(4))
            request = json.loads(self.read(size))
            parts = [self.read(part) for part in request["sizes"]]
            answer, attached = self.answer(request, parts)
            self.output.flush()
            self.send({"id": request["id"], **answer}, attached)

    def answer(self, request, parts):
        encoder = Encoder()
        try:
            if request["op"] == "load":
                value = self.load(request["name"], request["path"], encoder)
            else:
                value = encoder.encode(self.call(request, parts))
            return {"value": value}, encoder.parts
        except Unpassable as error:
            return {"unpassable": str(error)}, []
        except BaseException as error:
            # SystemExit too: a module must not end the host by chance.
            return {"error": failure(error)}, []

    def call(self, request, parts):
        module = self.modules.get(request["module"])
        if module is None:
            raise self.failures[request["module"]].with_traceback(None)
        function = getattr(module, request["name"])
        return function(*decode(request["args"], parts))

    def load(self, name, path, encoder):
        try:
            self.modules[name] = module = self.module(name, path)
        except Exception as error:
            # Loaded again after a crash, nobody waits for the answer.
            self.failures[name] = error
            raise
        functions, constants = [], {}
        for key in dir(module):
            if key.startswith("__"):
                continue
            value = getattr(module, key)
            if callable(value) and not isinstance(value, type):
                functions.append({"name": key, "doc": value.__doc__ or ""})
                continue
            try:
                constants[key] = encoder.encode(value, key)
            except Unpassable:
                pass
        return {"functions": functions, "constants": constants,
                "doc": module.__doc__ or ""}

    def module(self, name, path):
        loader = importlib.machinery.ExtensionFileLoader(name, path)
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        return module


Host().run()
