/**
 * `list` in order, in place; what is equal keeps its order. What comes in order already, as most of what has times does,
 * costs one walk, and what is only here and there out of order little more.
 */
export function sortInPlace<T>(list: T[], compare: (a: T, b: T) => number): T[] {
  let moves = list.length * MOVES;
  for (let at = 1; at < list.length; at++) {
    // All indices lie within the list.
    const item = list[at] as T;
    let to = at;
    while (to > 0 && compare(list[to - 1] as T, item) > 0) {
      if (moves-- === 0) {
        list[to] = item;
        return list.sort(compare);
      }
      list[to] = list[to - 1] as T;
      to--;
    }
    if (to < at) list[to] = item;
  }
  return list;
}

/** For each item, before the engine's own way of sorting is the cheaper one. */
const MOVES = 2;
