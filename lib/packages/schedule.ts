/** Runs the nodes of a graph in parallel, each after those it needs. */

/** A node: something that needs other nodes first. */
export interface Schedulable<N> {
  /** Nodes that must be finished first; they must be in the list too. */
  needs: readonly N[];
}

/**
 * Calls `work` for every node, at most `limit` at a time.
 *
 * Nodes are started in the order of the list whenever what they need is
 * finished; whether it went well is the caller's to record. If `work` throws,
 * no more nodes are started and the first error is thrown when the running
 * ones have ended.
 *
 * @param work Gets the node and how many nodes may run beside it, itself
 *   included: the share of the machine that it should take is 1 in that many.
 */
export async function schedule<N extends Schedulable<N>>(
  nodes: readonly N[],
  limit: number,
  work: (node: N, beside: number) => Promise<void>,
): Promise<void> {
  const waiting = new Set(nodes);
  const finished = new Set<N>();
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  const isReady = (node: N) => node.needs.every((need) => finished.has(need));
  while (waiting.size > 0 || running.size > 0) {
    const ready = failure ? [] : [...waiting].filter(isReady);
    const free = Math.max(0, limit - running.size);
    const beside = Math.min(limit, running.size + ready.length);
    for (const node of ready.slice(0, free)) {
      waiting.delete(node);
      const run: Promise<void> = work(node, beside).then(
        () => void finished.add(node),
        (error) => {
          failure ??= { error };
        },
      ).finally(() => running.delete(run));
      running.add(run);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (failure) throw failure.error;
}
