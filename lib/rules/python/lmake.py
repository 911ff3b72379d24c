"""What the command of a job may call, for jobs written in Python.

It is on PYTHONPATH of every job. Calls go to the runner through the socket
that docs/request-channel.md describes; what a job opens and writes does not
pass here, the tracer sees that by itself.

Python 3.8 or newer, standard library only. Nothing is imported or connected
before the first call, and each thread has a connection of its own.
"""

import os
import sys
import threading

__all__ = [
    "Autodep",
    "Error",
    "check_deps",
    "cp_target_tree",
    "decode",
    "depend",
    "encode",
    "get_autodep",
    "list_deps",
    "list_root",
    "list_targets",
    "mv_target_tree",
    "report_import",
    "repo_root",
    "rm_target_tree",
    "run_cc",
    "set_autodep",
    "target",
    "top_repo_root",
    "watch_imports",
    "xxhsum",
    "xxhsum_file",
]

_HERE = os.path.dirname(os.path.abspath(__file__))

#: Root of the repo, absolute: this file is LMAKE/lib/lmake.py in it.
repo_root = os.path.dirname(os.path.dirname(_HERE))

#: Root of the outermost repo.
top_repo_root = repo_root


class Error(RuntimeError):
    """What the runner refuses; `code` is stable, such as CLIBS_JOB_ARGUMENT."""

    def __init__(self, code, message, hint=None):
        super().__init__(message if hint is None else f"{message}\nhint: {hint}")
        self.code = code
        self.message = message
        self.hint = hint


# --- deps and targets


def depend(
    *deps,
    follow_symlinks=False,
    direct=False,
    verbose=False,
    read=False,
    critical=False,
    essential=False,
    ignore=False,
    ignore_error=False,
    readdir_ok=False,
    required=True,
    regexpr=False,
    no_star=True,
):
    """Declare deps, all at once: no order exists between them.

    With `direct`, they are built first, and the result is whether all are
    well. With `verbose`, the result is a dict with `ok` and `checksum` of each
    by its name; both are None where nothing is known.
    """
    names = _names(deps, regexpr)
    told = _ask(
        "depend",
        files=[_pattern(name) for name in names] if regexpr else names,
        options=_options(
            followSymlinks=follow_symlinks,
            direct=direct,
            verbose=verbose,
            read=read,
            critical=critical,
            essential=essential,
            ignore=ignore,
            ignoreError=ignore_error,
            readdirOk=readdir_ok,
            # Left out where it is true: the runner knows what else it hangs on.
            required=None if required else False,
            regexpr=regexpr,
            noStar=None if no_star else False,
        ),
    )
    if verbose:
        return {
            name: {"ok": state.get("ok"), "checksum": state.get("checksum")}
            for name, state in told.items()
        }
    return told


def target(
    *targets,
    follow_symlinks=False,
    write=False,
    regexpr=False,
    allow=True,
    essential=False,
    ignore=False,
    incremental=False,
    no_warning=False,
    source_ok=False,
    critical=False,
    ignore_error=False,
    readdir_ok=False,
    required=False,
    no_star=True,
):
    """Declare targets besides those of the rule, before they are first read."""
    names = _names(targets, regexpr)
    _ask(
        "target",
        files=[_pattern(name) for name in names] if regexpr else names,
        options=_options(
            followSymlinks=follow_symlinks,
            write=write,
            regexpr=regexpr,
            allow=None if allow else False,
            essential=essential,
            ignore=ignore,
            incremental=incremental,
            noWarning=no_warning,
            sourceOk=source_ok,
            critical=critical,
            ignoreError=ignore_error,
            readdirOk=readdir_ok,
            required=required,
            noStar=None if no_star else False,
        ),
    )


def check_deps(delay=0, sync=False):
    """Have all deps so far checked; a job with one out of date is ended.

    With `sync`, the result is whether all are without error. `delay` is in
    seconds.
    """
    return _ask("checkDeps", delay=delay, sync=bool(sync))


def list_deps(dir=None, regexpr=None):
    """Deps so far as a tuple, in order of time."""
    return _listed("listDeps", dir, regexpr)


def list_targets(dir=None, regexpr=None):
    """Targets that exist as a tuple, in order of time."""
    return _listed("listTargets", dir, regexpr)


def list_root(dir):
    """A folder as the lists spell it."""
    return _ask("listRoot", dir=os.fsdecode(dir))


def _listed(op, dir, regexpr):
    names = _ask(op, dir=None if dir is None else os.fsdecode(dir))
    if regexpr is None:
        return tuple(names)
    import re

    # Here, not by the runner: these are Python's regular expressions.
    whole = re.compile(regexpr)
    return tuple(name for name in names if whole.fullmatch(name))


# --- trees of targets


def cp_target_tree(from_dir, to_dir, regexpr=None):
    """Copy targets below a folder: bytes, execute bits, links as they are."""
    call = "cp_target_tree"
    to = _other_folder(call, from_dir, to_dir)
    for name, rest in _targets_in(call, from_dir, regexpr):
        copy = f"{to}/{rest}"
        _make_way(copy)
        if os.path.islink(name):
            os.symlink(os.readlink(name), copy)
        else:
            _copy_file(name, copy)


def mv_target_tree(from_dir, to_dir, regexpr=None):
    """Move targets below a folder, and remove folders that are empty then."""
    call = "mv_target_tree"
    to = _other_folder(call, from_dir, to_dir)
    targets = _targets_in(call, from_dir, regexpr)
    for name, rest in targets:
        moved = f"{to}/{rest}"
        _make_way(moved)
        os.rename(name, moved)
    _remove_empty(targets)


def rm_target_tree(dir, regexpr=None):
    """Remove targets below a folder, and folders that are empty then."""
    targets = _targets_in("rm_target_tree", dir, regexpr)
    for name, _ in targets:
        os.unlink(name)
    _remove_empty(targets)


def _targets_in(call, dir, regexpr):
    """Names of targets, and what of each comes after the folder."""
    import stat

    folder = _folder(call, dir)
    names = list_targets(folder, regexpr)
    root = list_root(folder)
    skip = 0 if root == "." else len(root) + 1
    # All before the first is touched.
    for name in names:
        mode = os.lstat(name).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            raise _argument_error(call, f"{name} is neither a file nor a link")
    return [(name, name[skip:]) for name in names]


def _folder(call, dir):
    dir = os.fsdecode(dir)
    if dir == "":
        raise _argument_error(call, "the name of a folder is empty")
    if dir.startswith("/"):
        raise _argument_error(call, f"{dir} is absolute, not below this folder")
    parts = [part for part in dir.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _argument_error(call, f"{dir} leads out of this folder")
    return "/".join(parts) or "."


def _other_folder(call, from_dir, to_dir):
    to = _folder(call, to_dir)
    if to == _folder(call, from_dir):
        raise _argument_error(call, f"{from_dir} and {to_dir} are the same folder")
    return to


def _make_way(name):
    """Make the folder, and remove what is there: a write would follow a link.

    Looking whether there is something must not count as reading it: the file
    would be a dep, and a target as soon as it is written.
    """
    with Autodep(False):
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        try:
            os.unlink(name)
        except FileNotFoundError:
            pass


def _copy_file(name, copy):
    with open(name, "rb") as source:
        mode = os.fstat(source.fileno()).st_mode & 0o777
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(os.open(copy, flags, mode), "wb") as sink:
            while True:
                chunk = source.read(1 << 18)
                if not chunk:
                    break
                sink.write(chunk)
    # The umask may have taken it away.
    if mode & 0o111:
        os.chmod(copy, mode)


def _remove_empty(targets):
    """Remove folders that have lost their last file, up to the one listed."""
    folders = set()
    for name, rest in targets:
        least = len(name) - len(rest) - 1
        dir = os.path.dirname(name)
        while dir != "" and len(dir) >= least:
            folders.add(dir)
            dir = os.path.dirname(dir)
    # Folders are no files: whether one is there is nothing to depend on.
    with Autodep(False):
        for dir in sorted(folders, key=len, reverse=True):
            try:
                os.rmdir(dir)
            except OSError:
                pass  # Not empty, or gone.


# --- tables of codes, checksums


def encode(file, ctx, val, min_length=1):
    """The code of a value in a table, a new one if it has none."""
    return _ask(
        "encode",
        table=os.fsdecode(file),
        context=ctx,
        value=str(val),
        minLength=min_length,
    )


def decode(file, ctx, code):
    """The value of a code in a table."""
    return _ask("decode", table=os.fsdecode(file), context=ctx, code=code)


def xxhsum(text):
    """Checksum of a text: 16 digits, never that of a file."""
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text).decode("utf-8", "surrogateescape")
    return _ask("xxhsum", text=text)


def xxhsum_file(file):
    """Checksum of a file, which becomes a dep: none, empty-R, ...-R or ...-L."""
    return _ask("xxhsumFile", file=os.fsdecode(file))


# --- recording of accesses

# Names whose stat the tracers take as a switch: SWITCHES of
# lib/rules/job/autodep.ts.
_SWITCH_ON = "/proc/self/clibs-trace/on"
_SWITCH_OFF = "/proc/self/clibs-trace/off"

_is_active = None


def get_autodep():
    """Whether accesses are recorded."""
    global _is_active
    _assert_in_job("get_autodep")
    if _is_active is None:
        _is_active = not os.environ.get("CLIBS_TRACE_OFF")
    return _is_active


def set_autodep(active):
    """Have accesses recorded, or not: of this process, and those it starts."""
    global _is_active
    _assert_in_job("set_autodep")
    _is_active = bool(active)
    try:
        os.lstat(_SWITCH_ON if _is_active else _SWITCH_OFF)
    except OSError:
        pass  # There is never such a file. Only the tracer understands.


class Autodep:
    """`with Autodep(False):` has accesses within it not recorded."""

    def __init__(self, active):
        self.active = bool(active)
        self._before = []

    def __enter__(self):
        self._before.append(get_autodep())
        set_autodep(self.active)
        return self

    def __exit__(self, *_):
        set_autodep(self._before.pop())


# --- imports


def report_import(module_name=None, path=None, module_suffixes=None):
    """Declare what the import of a module looked at.

    Only the last component of the name counts. Without a name, only the
    folders of the path may be listed. Defaults: sys.path, and the suffixes of
    this Python, as packages and as modules.
    """
    _assert_in_job("report_import")
    standard = _module_suffixes()
    folders = _strings("path", path) or sys.path
    suffixes = _strings("module_suffixes", module_suffixes) or standard
    if module_name is not None and not isinstance(module_name, str):
        raise TypeError("Cannot call report_import: module_name is not a str")
    dirs = []
    for dir in folders:
        dir = os.fsdecode(dir).rstrip("/") or ("/" if dir else ".")
        if dir not in dirs:
            dirs.append(dir)
    local = [dir for dir in dirs if _is_local(dir)]
    if local:
        depend(local, readdir_ok=True, required=False)
    name = (module_name or "").split(".")[-1]
    if not name:
        return
    for dir in dirs:
        tracked = dir in local
        for suffix in suffixes if tracked else standard:
            file = name + suffix if dir == "." else f"{dir}/{name}{suffix}"
            if tracked:
                depend(file, read=True, required=False)
            # The dep is declared already, with the accesses that matter.
            with Autodep(False):
                if os.path.isfile(file):
                    return


def _module_suffixes():
    """All suffixes, in the order in which this Python looks for them."""
    import importlib.machinery as machinery

    suffixes = [
        *machinery.EXTENSION_SUFFIXES,
        *machinery.SOURCE_SUFFIXES,
        *machinery.BYTECODE_SUFFIXES,
    ]
    return [f"/__init__{suffix}" for suffix in suffixes] + suffixes


def watch_imports(module_suffixes=None):
    """Have each import from now on reported, as report_import() does.

    Python itself looks into folders for what is not there, which tells nobody
    what it was looking for. Suffixes that are used in the repo are enough:
    ("/__init__.py", ".py").
    """
    report_import()
    suffixes = _strings("module_suffixes", module_suffixes)
    sys.meta_path.insert(0, _ImportWatcher(suffixes))


class _ImportWatcher:
    """Finds nothing: it is only asked first."""

    def __init__(self, suffixes):
        self._suffixes = suffixes

    def find_spec(self, fullname, path=None, target=None):
        # What a report imports itself is none of the program's.
        if fullname in sys.builtin_module_names or getattr(_local, "busy", False):
            return None
        _local.busy = True
        try:
            folders = None if path is None else list(path)
            report_import(fullname, folders, self._suffixes)
        finally:
            _local.busy = False
        return None


def _is_local(dir):
    """Whether a folder is in the repo, by its name, and not clibs' own."""
    full = os.path.normpath(os.path.join(os.getcwd(), dir))
    private = os.path.dirname(_HERE)
    if full == private or full.startswith(f"{private}/"):
        return False
    return full == repo_root or full.startswith(f"{repo_root}/")


def _strings(name, values):
    if values is None:
        return None
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"Cannot call report_import: {name} is not a list")
    return list(values)


# --- compilers

# Longest first: -isystem also begins like -i... of others.
_CC_FLAGS = ("-idirafter", "-isystem", "-iquote", "-I", "-L")


def run_cc(*cmd_line, marker="...", stdin=None):
    """Run a C compiler once the folders on its command line surely exist.

    `stdin` is a text. The result is what the command printed on its standard
    output.
    """
    import subprocess

    command = [os.fsdecode(word) for word in _flat(cmd_line)]
    if not command:
        raise _argument_error("run_cc", "there is no command")
    if not isinstance(marker, str) or marker == "":
        raise _argument_error("run_cc", "marker is not the name of a file")
    folders = _cc_folders(command)
    if folders:
        markers = [os.path.join(folder, marker) for folder in folders]
        depend(markers, read=True, required=False)
    if not check_deps(sync=True):
        message = f"Cannot run {command[0]}: a dep of the job is in error"
        raise Error("CLIBS_JOB_COMMAND", message)
    return subprocess.run(
        command,
        check=True,
        input=stdin,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    ).stdout


def _cc_folders(command):
    folders = []
    words = iter(command[1:])
    for word in words:
        flag = next((flag for flag in _CC_FLAGS if word.startswith(flag)), None)
        if flag is None:
            continue
        folder = next(words, "") if word == flag else word[len(flag) :]
        # Those below the compiler's own root are none of ours.
        if not folder or folder.startswith(("=", "$SYSROOT")):
            continue
        folder = folder.rstrip("/") or "/"
        if folder not in folders:
            folders.append(folder)
    return folders


# --- arguments


def _flat(values):
    for value in values:
        if isinstance(value, (list, tuple, set, frozenset)):
            yield from _flat(value)
        else:
            yield value


def _names(values, are_patterns):
    """Names one by one or in lists; paths are names as well."""
    if are_patterns:
        return list(_flat(values))
    return [os.fsdecode(value) for value in _flat(values)]


def _pattern(regexpr):
    """A regular expression as the runner writes them."""
    text = getattr(regexpr, "pattern", regexpr)
    if not isinstance(text, str):
        raise TypeError(f"a regular expression is a str, not {text!r}")
    return text.replace("(?P<", "(?<")


def _options(**given):
    """Options that were given: those left out are what the runner says."""
    return {
        name: bool(value) for name, value in given.items() if value is not None
    }


def _argument_error(call, cause):
    return Error("CLIBS_JOB_ARGUMENT", f"Cannot call {call}: {cause}")


# --- the channel

_SOCKET = "CLIBS_JOB_SOCKET"
_JOB = "CLIBS_JOB_ID"

_local = threading.local()


def _assert_in_job(call):
    if os.environ.get(_SOCKET) and os.environ.get(_JOB):
        return
    raise Error(
        "CLIBS_JOB_OUTSIDE",
        f"Cannot call {call}: it only works while a job runs",
        "call it in a program that the cmd of a rule runs",
    )


def _ask(op, **fields):
    """Ask the runner and wait for its answer."""
    _assert_in_job(_snake(op))
    import json

    request = {"id": 1, "op": op, "cwd": os.getcwd()}
    request.update(fields)
    try:
        channel = _channel()
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


class _Channel:
    """A connection: a descriptor only, which nobody warns about at the end."""

    def __init__(self):
        import socket

        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with connection:
            connection.connect(os.environ[_SOCKET])
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


def _channel():
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
