"""Declares what the imports of a program looked at."""

import os
import sys
import threading

from _lmake_channel import assert_in_job
from lmake import Autodep, depend, repo_root

_threads = threading.local()


def report(module_name, path, module_suffixes):
    assert_in_job("report_import")
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


def watch(module_suffixes):
    report(None, None, None)
    suffixes = _strings("module_suffixes", module_suffixes)
    sys.meta_path.insert(0, _ImportWatcher(suffixes))


class _ImportWatcher:
    """Finds nothing: it is only asked first."""

    def __init__(self, suffixes):
        self._suffixes = suffixes

    def find_spec(self, fullname, path=None, target=None):
        # What a report imports itself is none of the program's.
        if fullname in sys.builtin_module_names or getattr(_threads, "busy", False):
            return None
        _threads.busy = True
        try:
            folders = None if path is None else list(path)
            report(fullname, folders, self._suffixes)
        finally:
            _threads.busy = False
        return None


def _is_local(dir):
    """Whether a folder is in the repo, by its name, and not clibs' own."""
    full = os.path.normpath(os.path.join(os.getcwd(), dir))
    private = f"{repo_root}/LMAKE"
    if full == private or full.startswith(f"{private}/"):
        return False
    return full == repo_root or full.startswith(f"{repo_root}/")


def _strings(name, values):
    if values is None:
        return None
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"Cannot call report_import: {name} is not a list")
    return list(values)
