/** Waiting for everybody. */

/**
 * What all promises come to, like `Promise.all`, but it fails only once none
 * goes on: whoever is told of a failure may take away what the others use.
 */
export async function all<T>(
  promises: readonly Promise<T>[],
): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}
