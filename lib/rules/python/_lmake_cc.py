"""Runs a C compiler in a job."""

import os
import subprocess

from _lmake_channel import Error, argument_error, flat
from lmake import check_deps, depend

# Longest first: -isystem also begins like -i... of others.
_CC_FLAGS = ("-idirafter", "-isystem", "-iquote", "-I", "-L")


def run(cmd_line, marker, stdin):
    command = [os.fsdecode(word) for word in flat(cmd_line)]
    if not command:
        raise argument_error("run_cc", "there is no command")
    if not isinstance(marker, str) or marker == "":
        raise argument_error("run_cc", "marker is not the name of a file")
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
