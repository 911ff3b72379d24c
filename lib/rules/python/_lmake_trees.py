"""Copies, moves and removes the targets below a folder."""

import os

from _lmake_channel import argument_error
from lmake import Autodep, list_root, list_targets


def copy(from_dir, to_dir, regexpr):
    call = "cp_target_tree"
    to = _other_folder(call, from_dir, to_dir)
    for name, rest in _targets_in(call, from_dir, regexpr):
        copy = f"{to}/{rest}"
        _make_way(copy)
        if os.path.islink(name):
            os.symlink(os.readlink(name), copy)
        else:
            _copy_file(name, copy)


def move(from_dir, to_dir, regexpr):
    call = "mv_target_tree"
    to = _other_folder(call, from_dir, to_dir)
    targets = _targets_in(call, from_dir, regexpr)
    for name, rest in targets:
        moved = f"{to}/{rest}"
        _make_way(moved)
        os.rename(name, moved)
    _remove_empty(targets)


def remove(dir, regexpr):
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
            raise argument_error(call, f"{name} is neither a file nor a link")
    return [(name, name[skip:]) for name in names]


def _folder(call, dir):
    dir = os.fsdecode(dir)
    if dir == "":
        raise argument_error(call, "the name of a folder is empty")
    if dir.startswith("/"):
        raise argument_error(call, f"{dir} is absolute, not below this folder")
    parts = [part for part in dir.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise argument_error(call, f"{dir} leads out of this folder")
    return "/".join(parts) or "."


def _other_folder(call, from_dir, to_dir):
    to = _folder(call, to_dir)
    if to == _folder(call, from_dir):
        raise argument_error(call, f"{from_dir} and {to_dir} are the same folder")
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
