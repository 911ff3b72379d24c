/** Where symlinks of an unpacked tree lead. */

/** The system gives up after as many (ELOOP). */
const MOST_HOPS = 40;

/**
 * Whether following a symlink ever leaves the tree.
 *
 * Every symlink met on the way is followed as the kernel would, because
 * `a -> b/..` stays inside by its letters but not if `b` is a link itself.
 * Names that do not exist count as folders: they may be made later. A loop
 * leads nowhere, thus not outside.
 *
 * @param path Full name of the link, components joined by `/`.
 * @param links Text of every symlink of the tree, by its full name.
 * @param floor How many leading components are the tree's own root.
 */
export function leavesTree(
  path: string,
  links: ReadonlyMap<string, string>,
  floor: number,
): boolean {
  const place = path.split("/");
  const todo = [place.pop() as string];
  for (let hops = 0; todo.length > 0;) {
    const part = todo.pop() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (place.length <= floor) return true;
      place.pop();
      continue;
    }
    place.push(part);
    const target = links.size === 0 ? undefined : links.get(place.join("/"));
    if (target === undefined) continue;
    if (++hops > MOST_HOPS) return false;
    place.pop();
    todo.push(...target.split("/").reverse());
  }
  return false;
}
