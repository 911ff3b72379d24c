/** Helpers of tests about drawings. */

/** Whether a text is XML, as far as tags and entities go. */
export function isWellFormed(text: string): boolean {
  const open: string[] = [];
  let rest = text.trim();
  let seen = 0;
  while (rest !== "") {
    const plain = /^[^<&]+/.exec(rest) ?? /^&(#\d+|lt|gt|amp|quot);/.exec(rest);
    if (plain) {
      if (open.length === 0 && plain[0].trim() !== "") return false;
      rest = rest.slice(plain[0].length);
      continue;
    }
    const tag =
      /^<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<&]*(?:&#\d+;[^"<&]*)*")*)\s*(\/?)>/
        .exec(rest);
    if (!tag) return false;
    const [all, close, name = "", , empty] = tag;
    if (close) {
      if (open.pop() !== name) return false;
    } else {
      if (open.length === 0 && seen++ > 0) return false;
      if (!empty) open.push(name);
    }
    rest = rest.slice(all.length);
  }
  return open.length === 0 && seen === 1;
}

/** Numbers from 0 to 1, the same ones for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
