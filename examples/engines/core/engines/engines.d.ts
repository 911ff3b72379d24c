// Written by `clibs engines types`; do not edit.

import type { Cpu } from "./cpu.d.ts";
import type { Disk } from "./disk.d.ts";
import type { Ram } from "./ram.d.ts";

/** All engines, by name. */
export interface Engines {
  cpu: Cpu;
  disk: Disk;
  ram: Ram;
}
