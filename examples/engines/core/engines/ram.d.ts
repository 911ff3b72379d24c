// Written by `clibs engines types` from ram.cpp; do not edit.

/** Memory that is passed by its address. */
export type Pointer = ArrayBuffer | ArrayBufferView | Deno.PointerValue;

/** struct Memory, 16 bytes. */
export interface Memory {
  total: bigint;
  available: bigint;
}

/** Functions of the engine ram. */
export interface Ram {
  /** bool read_memory(Memory* memory) */
  read_memory(memory: Memory | Pointer): boolean;
  /** double used_share(double total, double available) */
  used_share(total: number, available: number): number;
}
