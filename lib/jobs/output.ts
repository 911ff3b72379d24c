/** What is kept of a job's output to tell why it failed. */

/** How many of the last lines of output are shown. */
const TAIL_LINES = 20;

/** How far the first error may lie behind: log lines kept in memory. */
const KEPT_LINES = 20;

/** Collects what a failure report needs while the output streams by. */
export class OutputDigest {
  #tail: string[] = [];
  #firstError: string | undefined;

  /** Takes one line of output. */
  add(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > KEPT_LINES) this.#tail.shift();
    if (this.#firstError === undefined && isError(line)) {
      this.#firstError = line.trim();
    }
  }

  /** The first line that says what went wrong. */
  get firstError(): string | undefined {
    return this.#firstError;
  }

  /** The last lines, oldest first. */
  get tail(): readonly string[] {
    return this.#tail.slice(-TAIL_LINES);
  }
}

/**
 * Lines by which compilers, linkers and build systems report an error; checked
 * in order of appearance, so a compiler's line wins over make's echo of it.
 */
const ERROR_LINES: readonly RegExp[] = [
  /^\S.*:\d+(:\d+)?: (fatal )?error\b/, // gcc, clang
  /^CMake Error\b/,
  /^\S+\.build:\d+:\d+: ERROR:/, // Meson
  /^configure: error:/,
  /undefined reference to /,
  /\bld(\.\w+)?: (error|cannot find)/,
  /^(\S*\/)?(ld|collect2)(\.\w+)?: /,
  /^make(\[\d+\])?: \*\*\* /,
  /^ninja: error:/,
  /\berror C\d{4}:/, // MSVC
  /: (command not found|No such file or directory|Permission denied)$/,
  /^(error|ERROR|Error|fatal)[:[]/,
];

function isError(line: string): boolean {
  const plain = line.trim();
  return ERROR_LINES.some((pattern) => pattern.test(plain));
}
