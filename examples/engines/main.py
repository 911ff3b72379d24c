"""The same pybind11 engine in Python; build it first: clibs engines build cpu"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "core" / "engines"))

import cpu

print(f"cpu   {cpu.get_usage(0.2):.0%} of {cpu.cores} cores busy")
