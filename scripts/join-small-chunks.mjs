import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';

/**
 * What entries share is split off by who shares it, which makes many files of a few lines, each of which an import looks
 * for, reads and links. The small ones that `import 'spanplan'` needs are joined into one: every entry is made to import them
 * all, so that all are shared by the same.
 *
 * @param outputs of a build without this plugin, from its metafile.
 */
export function joinSmallChunks(root, outputs) {
  const modules = smallChunks(outputs).flatMap((chunk) => Object.keys(outputs[chunk].inputs));
  const starts = Object.values(outputs).flatMap(({ entryPoint }) =>
    entryPoint ? [resolve(root, entryPoint)] : [],
  );
  return {
    name: 'join-small-chunks',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^joined$/ }, () => ({ path: 'joined', namespace: 'joined' }));
      onLoad({ filter: /.*/, namespace: 'joined' }, () => ({
        contents: modules.map((path) => `import './${path}';`).join('\n'),
        resolveDir: root,
      }));
      onLoad({ filter: /\.ts$/ }, async ({ path }) =>
        starts.includes(path)
          ? { contents: `${await readFile(path, 'utf8')}\nimport 'joined';`, loader: 'ts' }
          : undefined,
      );
    },
  };
}

/** Those that need nothing but one another, and no package. */
function smallChunks(outputs) {
  const start = Object.keys(outputs).find((output) => outputs[output].entryPoint === 'src/index.ts');
  const isSmall = (output) =>
    outputs[output].entryPoint === undefined &&
    outputs[output].bytes < 8_192 &&
    outputs[output].imports.every(({ path, external }) => (external ? isBuiltin(path) : isSmall(path)));
  return [...reachable(outputs, start)].filter(isSmall);
}

function reachable(outputs, from, found = new Set()) {
  found.add(from);
  for (const { path, kind, external } of outputs[from].imports) {
    if (kind === 'import-statement' && !external && !found.has(path)) reachable(outputs, path, found);
  }
  return found;
}
