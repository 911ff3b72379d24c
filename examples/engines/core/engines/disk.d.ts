// Written by `clibs engines types` from disk.cpp; do not edit.

/** Functions of the engine disk; Node-API does not tell their types. */
export interface Disk {
  // deno-lint-ignore no-explicit-any
  getSpace(...args: unknown[]): any;
}
