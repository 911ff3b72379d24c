/**
 * The feedback bus: the one way in which the library tells what it is doing.
 *
 * @module
 */

/** How much an event matters. `engine` is output of a loaded or built engine. */
export type Level =
  | "debug"
  | "info"
  | "success"
  | "warn"
  | "error"
  | "engine";

/** What a task is: decides how its progress is counted and shown. */
export type TaskKind = "fetch" | "extract" | "git" | "build" | "work";

/** Fields of each event, by the event's code. */
export interface EventFields {
  /** A piece of work that takes time has started. */
  "task.start": { task: string; kind: TaskKind; label: string };
  /** A task got further. Counters only grow; `line` is its last output line. */
  "task.progress": {
    task: string;
    bytes?: number;
    totalBytes?: number;
    entries?: number;
    line?: string;
  };
  /** A task has ended. */
  "task.end": {
    task: string;
    status: "done" | "failed" | "cancelled";
    durationMs: number;
  };
  /** How far the whole has got, as a line below the tasks; empty: there is none. */
  "status": { line: string };
  /** Another process holds a lock that is needed. `owner` as it wrote itself. */
  "lock.wait": { path: string; owner: string };
  /** One line that a command wrote. */
  "command.output": { task: string; stream: "stdout" | "stderr"; line: string };
  /** Anything else worth saying; `about` is its stable name. */
  "note": { about: string } & Record<string, unknown>;
}

/** Code of an event. */
export type EventCode = keyof EventFields;

/** One thing that happened. */
export type FeedbackEvent = {
  [C in EventCode]: {
    /** Milliseconds since the epoch. */
    time: number;
    /** How much it matters. */
    level: Level;
    /** What kind of event it is; decides {@linkcode EventFields}. */
    code: C;
    /** A line for a person, without a full stop. */
    message: string;
    /** The same for a program. */
    fields: EventFields[C];
  };
}[EventCode];

/** Receives events. Must not throw; what it throws is dropped. */
export type Subscriber = (event: FeedbackEvent) => void;

/** What the library needs of a bus: a place to put events. */
export interface Feedback {
  /** Reports one event. */
  emit<C extends EventCode>(
    level: Level,
    code: C,
    message: string,
    fields: EventFields[C],
  ): void;
}

/** A bus: every subscriber gets every event, in order. */
export class FeedbackBus implements Feedback {
  #subscribers = new Set<Subscriber>();
  #now: () => number;

  /**
   * Makes a bus without subscribers.
   *
   * @param now Clock, in milliseconds since the epoch.
   */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Adds a subscriber.
   *
   * @param subscriber Called at once, for every later event.
   * @returns A function that removes it again.
   */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** Reports one event to every subscriber. */
  emit<C extends EventCode>(
    level: Level,
    code: C,
    message: string,
    fields: EventFields[C],
  ): void {
    const event = {
      time: this.#now(),
      level,
      code,
      message,
      fields,
    } as FeedbackEvent;
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(event);
      } catch {
        // A broken view must not break the work it shows.
      }
    }
  }
}

/** A bus nobody listens to. */
export const silent: Feedback = { emit() {} };

/**
 * Runs a piece of work as a task: start, progress and end events.
 *
 * @param feedback Where the events go.
 * @param kind What the task is.
 * @param label What a person calls it, such as `zlib-1.3.tar.gz`.
 * @param work Gets a function that reports progress.
 * @returns What the work returned.
 */
export async function runTask<T>(
  feedback: Feedback,
  kind: TaskKind,
  label: string,
  work: (
    progress: (fields: Omit<EventFields["task.progress"], "task">) => void,
    task: string,
  ) => Promise<T>,
): Promise<T> {
  const task = `${kind}-${++taskCount}`;
  const started = performance.now();
  feedback.emit("info", "task.start", `${kind} ${label}`, {
    task,
    kind,
    label,
  });
  const end = (status: EventFields["task.end"]["status"]) =>
    feedback.emit(
      status === "failed" ? "error" : "info",
      "task.end",
      `${kind} ${label}: ${status}`,
      { task, status, durationMs: Math.round(performance.now() - started) },
    );
  try {
    const result = await work(
      (fields) =>
        feedback.emit("debug", "task.progress", `${kind} ${label}`, {
          task,
          ...fields,
        }),
      task,
    );
    end("done");
    return result;
  } catch (error) {
    end(
      (error as Error)?.name === "CancelledError" ? "cancelled" : "failed",
    );
    throw error;
  }
}

let taskCount = 0;
