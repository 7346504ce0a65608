/** `list` in order, in place. What comes in order already, as most of what has times does, costs one walk. */
export function sortInPlace<T>(list: T[], compare: (a: T, b: T) => number): T[] {
  for (let at = 1; at < list.length; at++) {
    // Both indices lie within the list.
    if (compare(list[at - 1] as T, list[at] as T) > 0) return list.sort(compare);
  }
  return list;
}
