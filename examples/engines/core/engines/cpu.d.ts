// Written by `clibs engines types` from cpu.cpp; do not edit.

/** Processor time of this machine */
export interface Cpu {
  readonly cores: number;
  /** get_load() -> List[float] */
  get_load(): Promise<number[]>;
  /** get_usage(seconds: float = 0.1) -> float */
  get_usage(seconds?: number): Promise<number>;
}
