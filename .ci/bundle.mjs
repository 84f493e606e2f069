/**
 * Bundles the program: a director's agent starts, and a command runs, in a fraction of the time
 * when Node reads a few files in place of several hundred.
 *
 *   node .ci/bundle.mjs FOLDER    writes main.js and the scripts of src/scripts.ts to FOLDER
 */
import { build } from 'esbuild';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('usage: node .ci/bundle.mjs FOLDER');

/** Where a package in CommonJS asks for a module of Node, this is what it calls. */
const banner = {
  js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
};

/** What all bundles have in common. */
const common = {
  outbase: 'src',
  outdir: folder,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // It loads native code from its own folder.
  external: ['koffi'],
  banner,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
};

const main = 'src/main.ts';
const scripts = (await scriptNames()).map((name) => `src/${name}.ts`);
// A command loads only what it needs, from files that must lie beside main.js: see src/scripts.ts.
await build({ ...common, entryPoints: [main], splitting: true, chunkNames: 'part-[hash]' });
await build({ ...common, entryPoints: scripts.filter((script) => script !== main) });

/** The list of src/scripts.ts, which is TypeScript. */
async function scriptNames() {
  const { outputFiles } = await build({
    entryPoints: ['src/scripts.ts'],
    format: 'esm',
    write: false,
  });
  const module = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  return module.scriptNames;
}
