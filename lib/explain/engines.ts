import type { Explanations } from "./codes.ts";

/** Failures of engines: their configuration, builds, prebuilts and loads. */
export const enginesErrors: Explanations = {
  CLIBS_POLICY: {
    title: "There is no such policy",
    text:
      "`prefer_prebuilt` (prebuilt, cache, build), `prefer_cache` (cache, prebuilt, build), `build_only` (always a build) and `prebuilt_only` (never a build) are all there is. engines.json may name one for each engine.",
  },
  CLIBS_MANIFEST: {
    title: "manifest.json of a folder with prebuilts is not valid",
    text:
      "The file vouches for the binaries beside it, so a damaged one is never passed over. It has `hashes`, an object of file names and SHA-256 digests. Restore it from version control, or remove the folder: the next build saves both anew.",
  },
  CLIBS_ENGINES_JSON: {
    title: "engines.json is not JSON",
    text:
      "The place in the message is where the text stops being JSON: a missing comma or quote, a comma too many, a comment.",
  },
  CLIBS_ENGINES_SCHEMA: {
    title: "engines.json has something that is not an override",
    text:
      "The file maps names of engines to overrides: `policy`, `kind` (ffi, napi, pybind11), `compiler`, `std`, `sources`, `include_dirs`, `packages`, `extra_compile_args`, `extra_link_args`, `python`, `smoke`, `nonblocking` and `allow_unverified`. schema/engines.schema.json describes them for editors.",
  },
  CLIBS_ENGINE_CONFIG: {
    title: "engines.json names a function that the engine does not have",
    text:
      '`nonblocking` lists `extern "C"` functions of the engine. Functions whose types cannot be passed are left out and cannot be named either.',
  },
  CLIBS_ENGINE_KIND: {
    title: "A source does not tell how it is loaded",
    text:
      "PYBIND11_MODULE makes an engine for Python, NODE_API_MODULE (or napi_register_module_v1) one for Node-API, functions declared `extern \"C\"` one for Deno's FFI. A file that is only a part of another engine belongs into that engine's `sources`.",
  },
  CLIBS_ENGINE_NAME: {
    title: "A source's name cannot be an engine's",
    text:
      "The name of the file is the name of the engine, of its module in Python and of its interface in TypeScript: letters, digits and _ only.",
  },
  CLIBS_ENGINE_SOURCES: {
    title: "The folder with the engines is not there",
    text:
      "Engines are looked for in core/engines unless --source-dir (sourceDir) names another folder.",
  },
  CLIBS_ENGINE_UNKNOWN: {
    title: "There is no engine of that name",
    text:
      "An engine is a file NAME.cpp in the source folder, or a prebuilt in assets/binaries. An entry of engines.json alone is not enough.",
  },
  CLIBS_ENGINE_COMPILER: {
    title: "There is no C++ compiler",
    text:
      "$CXX, g++, c++ and clang++ are tried. A machine that is not meant to compile can use prebuilts: build them on another with the same C library or an older one, and deliver assets/binaries.",
  },
  CLIBS_ENGINE_HEADERS: {
    title: "Headers of Python or pybind11 are not installed",
    text:
      "A pybind11 engine is compiled for one Python and needs its Python.h, and pybind11's headers. Debian has them in python3-dev and pybind11-dev; a virtual environment gets pybind11 through pip.",
  },
  CLIBS_ENGINE_COMPILE: {
    title: "The compiler or the linker failed",
    text:
      "The first error is usually the one to mend; the log has the whole output. The previous module, if there was one, is still in the cache and among the prebuilts, but no longer up to date.",
  },
  CLIBS_ENGINE_TIMEOUT: {
    title: "A compile took too long",
    text:
      "The compiler and everything it had started were ended. The limit is 300 s unless --timeout (timeoutMs) sets another.",
  },
  CLIBS_ENGINE_CHANGED: {
    title: "A source or header changed while it was compiled",
    text:
      "What was built may be a mix of old and new, so it is not kept. Run the command again.",
  },
  CLIBS_ENGINE_TYPES: {
    title: "Nothing tells the types of an ffi engine's functions",
    text:
      "A build writes NAME.interface.json beside the module, and the prebuilt has a copy. Without it, types are read off the module's debug information (`-g`), or off the sources if there is a compiler.",
  },
  CLIBS_ENGINE_UNAVAILABLE: {
    title: "No place that the policy allows has the engine",
    text:
      "Each place that was tried is listed with the reason: a digest that differs, a library or version of symbols that this machine lacks, a crash when it was first loaded. `clibs engines healthcheck` looks at all prebuilts.",
  },
  CLIBS_ENGINE_LOAD: {
    title: "A module was refused by the loader",
    text:
      "It was built or verified, but dlopen, Node-API or Python did not take it. The message is theirs. Undefined symbols mean a missing `extra_link_args` entry, such as -lz.",
  },
  CLIBS_ENGINES_FAILED: {
    title: "Some engines could not be loaded",
    text:
      "All were tried; those that work are in the error's `engines`, the others are listed with their reasons.",
  },
  CLIBS_PYTHON_MISSING: {
    title: "There is no Python",
    text:
      "python3 and python are looked for on PATH, unless --python (python), `python` in engines.json or $CLIBS_PYTHON name another.",
  },
  CLIBS_PYTHON_BROKEN: {
    title: "A program that should be Python does not run as one",
    text:
      "clibs asks it for its version, its binary interface and its headers. A shim of a version manager without a version behind it fails like this, and so does a file that cannot be executed.",
  },
  CLIBS_PYTHON_EXCEPTION: {
    title: "A function of a pybind11 engine raised an exception",
    text:
      "The exception's type, message and traceback are those of Python. C++ exceptions arrive as the Python exceptions that pybind11 makes of them.",
  },
  CLIBS_PYTHON_DIED: {
    title: "The Python process ended in the middle of a call",
    text:
      "The engine crashed, called exit, or was killed. Your program goes on: the next call starts a new Python and loads the engines again; what they held in memory is gone. `last words` has Python's own report of a crash, and what the engine printed last.",
  },
  CLIBS_PYTHON_TIMEOUT: {
    title: "A call of a pybind11 engine took too long",
    text:
      "C++ cannot be interrupted, so the Python process was ended; the next call starts a new one.",
  },
  CLIBS_CLEAN_ROOT: {
    title: "The project to clean would be / or the home folder",
    text:
      "The project's root is the nearest parent of the source folder with assets/, pyproject.toml or deno.json, else the parent of the source folder. Nothing is removed when that is no project.",
  },
  CLIBS_CLEAN_EXCLUDE: {
    title: "An exclude is outside of the project",
    text:
      "Nothing outside of the project is ever removed, so such an exclude is likely a slip. Paths are relative to the project's root, or absolute.",
  },
  CLIBS_SCRIPT_PATH: {
    title: "A script is outside of the scripts' folder",
    text:
      "Only what is in the folder is run; `..`, absolute paths elsewhere and links that lead out of it are refused.",
  },
  CLIBS_SCRIPT_KIND: {
    title: "A script is of no known kind",
    text:
      "`.py` runs in Python; `.js`, `.mjs` and `.ts` run in Deno. Another program can be called from one of those.",
  },
  CLIBS_SCRIPT_MISSING: {
    title: "There is no such script, or no folder with scripts",
    text:
      "Scripts are looked for in core/scripts unless --source-dir (sourceDir) names another folder.",
  },
  CLIBS_SCRIPT_PERMISSION: {
    title: "Deno has no such permission",
    text:
      "read, write, net, env, sys, run, ffi and import, each alone or with a value such as `net=localhost`. Scripts get none by default.",
  },
};
