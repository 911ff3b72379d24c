/** A progress view on a stage: with a clock, a timer and a screen of the test's. */

import type { ProgressView, ViewOptions } from "../../cli/progress.ts";
import { FeedbackBus } from "../../mod.ts";

/** What a test holds of the stage. */
export interface Stage {
  bus: FeedbackBus;
  view: ProgressView;
  /** What was written since the last call. */
  output(): string;
  /** Sets the clock, in milliseconds. */
  at(ms: number): void;
  /** Sets the clock and lets the timer fire. */
  tick(ms: number): void;
  /** How many timers are set. */
  timers(): number;
  /** Size of the terminal; may be changed. */
  size: { columns: number; rows: number };
}

/** Sets the stage. */
export function stage(make: (options: ViewOptions) => ProgressView): Stage {
  let now = 0;
  let written = "";
  const ticks = new Set<() => void>();
  const size = { columns: 80, rows: 24 };
  const view = make({
    write: (text) => written += text,
    now: () => now,
    every(_ms, tick) {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
    size: () => size,
    quiet: false,
    verbose: false,
    color: false,
  });
  const bus = new FeedbackBus(() => now);
  bus.subscribe((event) => view.show(event));
  return {
    bus,
    view,
    size,
    output() {
      const text = written;
      written = "";
      return text;
    },
    at: (ms) => now = ms,
    tick(ms) {
      now = ms;
      for (const tick of ticks) tick();
    },
    timers: () => ticks.size,
  };
}
