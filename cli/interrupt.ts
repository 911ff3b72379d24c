/** Ctrl-C: once to end what is running, twice to leave at once. */

import { CancelledError } from "../mod.ts";

/** Exit code of an interrupted command. */
export const INTERRUPTED = 130;

/** Listens to the signals that end a program. */
export interface Interrupts {
  /** Fires at the first of them. */
  readonly signal: AbortSignal;
  /** Gives the signals back. */
  close(): void;
}

/**
 * Aborts a signal at the first interrupt; exits at the second.
 *
 * @param onFirst Called at the first, before the abort.
 * @param onSecond Called at the second, just before the exit.
 */
export function listenToInterrupts(
  onFirst: () => void,
  onSecond: () => void,
): Interrupts {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) {
      onSecond();
      Deno.exit(INTERRUPTED);
    }
    onFirst();
    controller.abort(new CancelledError());
  };
  const signals = signalsToHear();
  for (const name of signals) Deno.addSignalListener(name, interrupt);
  return {
    signal: controller.signal,
    close() {
      for (const name of signals) Deno.removeSignalListener(name, interrupt);
    },
  };
}

/**
 * Ends this process by SIGINT, as shells want to see it of a program that was
 * interrupted. Nobody may listen to that signal any more. Where signals do not
 * end programs, it returns.
 */
export function dieOfInterrupt(): void {
  if (Deno.build.os !== "windows") Deno.kill(Deno.pid, "SIGINT");
}

/** For a command that deals with signals itself. */
export function noInterrupts(): Interrupts {
  return { signal: new AbortController().signal, close() {} };
}

/** Hands signals on to a program that is run. */
export interface PassedSignals {
  /** To be called when the program runs, with what sends it a signal. */
  readonly to: (kill: (signal: Deno.Signal) => void) => void;
  /** Gives the signals back. */
  close(): void;
}

/**
 * Leaves signals to the program that is run; before there is one, they end this
 * process.
 *
 * Ctrl-C and Ctrl-\ reach all programs in the foreground of a terminal, so
 * there they are not handed on: the program would get them twice.
 */
export function passSignals(): PassedSignals {
  let kill: ((signal: Deno.Signal) => void) | undefined;
  const isOfTerminal = hasTerminal();
  const listeners = signalsToPass().map((name) => {
    const ofTerminal = name === "SIGINT" || name === "SIGQUIT";
    const listener = () => {
      if (!kill) Deno.exit(INTERRUPTED);
      if (!ofTerminal || !isOfTerminal) kill(name);
    };
    Deno.addSignalListener(name, listener);
    return () => Deno.removeSignalListener(name, listener);
  });
  return {
    to: (start) => void (kill = start),
    close: () => listeners.forEach((remove) => remove()),
  };
}

function signalsToPass(): Deno.Signal[] {
  const signals = signalsToHear();
  return Deno.build.os === "windows" ? signals : [...signals, "SIGQUIT"];
}

/** Whether there is a terminal that may send signals. */
function hasTerminal(): boolean {
  try {
    Deno.openSync("/dev/tty").close();
    return true;
  } catch {
    return false;
  }
}

function signalsToHear(): Deno.Signal[] {
  if (Deno.build.os === "windows") return ["SIGINT", "SIGBREAK"];
  return isIgnored(1) ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP"];
}

/** Whether our parent had us ignore a signal, as nohup does with SIGHUP. */
function isIgnored(signal: number): boolean {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    const mask = status.match(/^SigIgn:\s*([0-9a-f]+)/m)?.[1] ?? "0";
    return (BigInt(`0x${mask}`) >> BigInt(signal - 1) & 1n) === 1n;
  } catch {
    return false;
  }
}
