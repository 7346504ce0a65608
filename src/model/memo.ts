/**
 * Remembers what a pure function of a string answered, because a host has few tool names and asks for them again and
 * again. At `max` entries it starts anew, so that names without end do no harm.
 */
export function memoised<Value>(max: number, make: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(key);
    if (known.size >= max) known.clear();
    known.set(key, made);
    return made;
  };
}
