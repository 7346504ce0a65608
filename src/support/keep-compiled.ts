/**
 * Keeps an object of a class for good. The engine drops what it compiled for a class when it finds no object of it any
 * more, which for one that is made anew for every request is so between two of them.
 */
export function keepCompiled(object: object): void {
  kept.push(object);
}

const kept: object[] = [];
