"""What the command of a job may call, for jobs written in Python.

It is on PYTHONPATH of every job. Calls go to the runner through the socket
that docs/request-channel.md describes; what a job opens and writes does not
pass here, the tracer sees that by itself.

Python 3.8 or newer, standard library only. Nothing is imported or connected
before the first call, and each thread has a connection of its own.
"""

import os

from _lmake_channel import Error, ask, assert_in_job, flat

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

#: Root of the repo, absolute: this file is LMAKE/lib/lmake.py in it.
repo_root = os.path.abspath(f"{os.path.dirname(__file__)}/../..")

#: Root of the outermost repo.
top_repo_root = repo_root


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
    told = ask(
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
    ask(
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
    return ask("checkDeps", delay=delay, sync=bool(sync))


def list_deps(dir=None, regexpr=None):
    """Deps so far as a tuple, in order of time."""
    return _listed("listDeps", dir, regexpr)


def list_targets(dir=None, regexpr=None):
    """Targets that exist as a tuple, in order of time."""
    return _listed("listTargets", dir, regexpr)


def list_root(dir):
    """A folder as the lists spell it."""
    return ask("listRoot", dir=os.fsdecode(dir))


def _listed(op, dir, regexpr):
    names = ask(op, dir=None if dir is None else os.fsdecode(dir))
    if regexpr is None:
        return tuple(names)
    import re

    # Here, not by the runner: these are Python's regular expressions.
    whole = re.compile(regexpr)
    return tuple(name for name in names if whole.fullmatch(name))


# --- trees of targets


def cp_target_tree(from_dir, to_dir, regexpr=None):
    """Copy targets below a folder: bytes, execute bits, links as they are."""
    import _lmake_trees

    _lmake_trees.copy(from_dir, to_dir, regexpr)


def mv_target_tree(from_dir, to_dir, regexpr=None):
    """Move targets below a folder, and remove folders that are empty then."""
    import _lmake_trees

    _lmake_trees.move(from_dir, to_dir, regexpr)


def rm_target_tree(dir, regexpr=None):
    """Remove targets below a folder, and folders that are empty then."""
    import _lmake_trees

    _lmake_trees.remove(dir, regexpr)


# --- tables of codes, checksums


def encode(file, ctx, val, min_length=1):
    """The code of a value in a table, a new one if it has none."""
    return ask(
        "encode",
        table=os.fsdecode(file),
        context=ctx,
        value=str(val),
        minLength=min_length,
    )


def decode(file, ctx, code):
    """The value of a code in a table."""
    return ask("decode", table=os.fsdecode(file), context=ctx, code=code)


def xxhsum(text):
    """Checksum of a text: 16 digits, never that of a file."""
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text).decode("utf-8", "surrogateescape")
    return ask("xxhsum", text=text)


def xxhsum_file(file):
    """Checksum of a file, which becomes a dep: none, empty-R, ...-R or ...-L."""
    return ask("xxhsumFile", file=os.fsdecode(file))


# --- recording of accesses

# Names whose stat the tracers take as a switch: SWITCHES of
# lib/rules/job/autodep.ts.
_SWITCH_ON = "/proc/self/clibs-trace/on"
_SWITCH_OFF = "/proc/self/clibs-trace/off"

_is_active = None


def get_autodep():
    """Whether accesses are recorded."""
    global _is_active
    assert_in_job("get_autodep")
    if _is_active is None:
        _is_active = not os.environ.get("CLIBS_TRACE_OFF")
    return _is_active


def set_autodep(active):
    """Have accesses recorded, or not: of this process, and those it starts."""
    global _is_active
    assert_in_job("set_autodep")
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


# --- imports, compilers


def report_import(module_name=None, path=None, module_suffixes=None):
    """Declare what the import of a module looked at.

    Only the last component of the name counts. Without a name, only the
    folders of the path may be listed. Defaults: sys.path, and the suffixes of
    this Python, as packages and as modules.
    """
    import _lmake_imports

    _lmake_imports.report(module_name, path, module_suffixes)


def watch_imports(module_suffixes=None):
    """Have each import from now on reported, as report_import() does.

    Python itself looks into folders for what is not there, which tells nobody
    what it was looking for. Suffixes that are used in the repo are enough:
    ("/__init__.py", ".py").
    """
    import _lmake_imports

    _lmake_imports.watch(module_suffixes)


def run_cc(*cmd_line, marker="...", stdin=None):
    """Run a C compiler once the folders on its command line surely exist.

    `stdin` is a text. The result is what the command printed on its standard
    output.
    """
    import _lmake_cc

    return _lmake_cc.run(cmd_line, marker, stdin)


# --- arguments


def _names(values, are_patterns):
    """Names one by one or in lists; paths are names as well."""
    if are_patterns:
        return list(flat(values))
    return [os.fsdecode(value) for value in flat(values)]


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
