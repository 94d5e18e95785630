// Bundles the product into dist/ and the programs that the tests start into .tmp/test/.
// `--if-stale` does nothing when every source is older than the last build.
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const stamp = join(root, 'dist', '.stamp');
// jsonc-parser makes 1,200 strings for its formatter when it is loaded, and does not tell bundlers that this may be left out.
const dropUnused = {
  name: 'drop-unused',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/string-intern$/ }, ({ path, resolveDir }) => {
      return { path: join(resolveDir, `${path}.js`), sideEffects: false };
    });
  },
};
// What the bundles of the command line share, so that `instanceof` holds among them. Of anything else, each has its own copy.
const shared = ['lib/errors.ts'];
const sourceFolders = ['bin', 'lib', 'supervisor', 'worker', 'test'];

if (process.argv.includes('--if-stale') && !isStale()) process.exit(0);
await build();

async function build() {
  const { build: bundle } = await import('esbuild').catch(() => {
    console.error('The build needs the development packages. Run `npm ci` without --omit=dev.');
    process.exit(1);
  });
  const startedAt = new Date();
  const programs = testPrograms();
  if (programs.length > 0) {
    await bundle({ ...options(), entryPoints: programs, outdir: '.tmp/test', outbase: 'test' });
  }
  // Built beside and swapped in, so that nobody ever sees half of it.
  const fresh = join(root, `.dist-${process.pid}`);
  await bundle({
    ...options(),
    entryPoints: ['worker/index.ts', 'worker/sentinel-thread.ts'],
    outdir: fresh,
    outbase: '.',
  });
  await buildPrograms(bundle, join(fresh, 'bin'));
  cpSync(join(root, 'worker/console'), join(fresh, 'console'), { recursive: true });
  writeFileSync(join(fresh, 'xopc.schema.json'), `${JSON.stringify(await readConfigSchema(bundle), null, 2)}\n`);
  writeFileSync(join(fresh, '.stamp'), startedAt.toISOString());
  const old = `${fresh}-old`;
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
  renameSync(fresh, join(root, 'dist'));
  rmSync(old, { recursive: true, force: true });
}

/**
 * The command line and the supervisor, as CommonJS: that way a process needs some megabytes and milliseconds less. Each module
 * that is imported at run time becomes a bundle of its own, all of them in one folder.
 */
async function buildPrograms(bundle, folder) {
  const entries = new Set(['bin/xopc.ts', 'supervisor/responder.ts']);
  for (const entry of entries) {
    await bundle({
      ...commonOptions(),
      format: 'cjs',
      define: { ...commonOptions().define, 'import.meta.dirname': '__dirname', 'import.meta.url': 'bundleUrl' },
      inject: [join(root, 'lib', 'bundle-url.mjs')],
      // Else Node would start its loader of ES modules for them.
      supported: { 'dynamic-import': false },
      plugins: [dropUnused, keepApart(entries)],
      entryPoints: [entry],
      outfile: join(folder, bundleName(entry)),
    });
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}\n');
}

/** Leaves out what is imported at run time or shared, and adds it to the entries. */
function keepApart(entries) {
  return {
    name: 'keep-apart',
    setup({ onResolve }) {
      onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ kind, path, resolveDir }) => {
        const file = relative(root, join(resolveDir, path));
        const isApart = kind === 'dynamic-import' || (kind === 'import-statement' && shared.includes(file));
        if (!isApart) return undefined;
        entries.add(file);
        return { path: `./${bundleName(file)}`, external: true };
      });
    },
  };
}

/** `xopc.js` for `bin/xopc.ts`, `commands-status.js` for `bin/commands/status.ts`, `supervisor-port.js` for `supervisor/port.ts`. */
function bundleName(file) {
  return file
    .replace(/^bin\//, '')
    .replaceAll('/', '-')
    .replace(/\.ts$/, '.js');
}

/** Runs the schema's own code, so that the file for editors is never older than it. */
async function readConfigSchema(bundle) {
  const outfile = join(root, '.tmp', `json-schema-${process.pid}.mjs`);
  await bundle({
    ...options(),
    entryPoints: ['lib/config/json-schema.ts'],
    splitting: false,
    sourcemap: false,
    outfile,
  });
  try {
    const { buildConfigJsonSchema } = await import(outfile);
    return buildConfigJsonSchema();
  } finally {
    rmSync(outfile);
  }
}

function options() {
  return {
    ...commonOptions(),
    splitting: true,
    format: 'esm',
    chunkNames: 'chunks/[name]-[hash]',
    // Bundled CommonJS packages still call require() and read __dirname. None of these names may be one that a package declares.
    banner: {
      js: [
        "import{createRequire as __bundleRequire}from'node:module';",
        "import{fileURLToPath as __bundleToPath}from'node:url';",
        "import{dirname as __bundleDirname}from'node:path';",
        'globalThis.require??=__bundleRequire(import.meta.url);',
        'const __bundleFile=__bundleToPath(import.meta.url),__bundleFolder=__bundleDirname(__bundleFile);',
      ].join(''),
    },
    define: { ...commonOptions().define, __filename: '__bundleFile', __dirname: '__bundleFolder' },
  };
}

function commonOptions() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // bunyan asks for four optional packages at import; absent, it falls back to what we want.
  const absent = join(root, 'lib', 'absent-package.cjs');
  return {
    absWorkingDir: root,
    bundle: true,
    // Names stay as they are, for stack traces; esbuild's own keepNames costs every closure a defineProperty call.
    minifySyntax: true,
    minifyWhitespace: true,
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'linked',
    sourcesContent: false,
    mainFields: ['module', 'main'],
    external: ['@photostructure/sqlite', 'autocannon'],
    plugins: [dropUnused],
    alias: { 'dtrace-provider': absent, mv: absent, 'safe-json-stringify': absent, 'source-map-support': absent },
    define: { __XOPC_VERSION__: JSON.stringify(version) },
    logLevel: 'warning',
  };
}

function testPrograms() {
  const test = join(root, 'test');
  if (!existsSync(test)) return [];
  return listFiles(test)
    .map((path) => path.slice(root.length + 1))
    .filter((path) =>
      /^test\/(emulators\/[^/]+\/main|bench\/main|chaos\/long-run|fixtures\/[^/]+\.program)\.ts$/.test(path),
    );
}

function isStale() {
  if (!existsSync(stamp)) return true;
  const built = Date.parse(readFileSync(stamp, 'utf8'));
  const sources = [join(root, 'build.mjs'), join(root, 'package.json')];
  for (const folder of sourceFolders) {
    if (existsSync(join(root, folder))) sources.push(...listFiles(join(root, folder)));
  }
  return sources.some((path) => !path.endsWith('.test.ts') && statSync(path).mtimeMs > built);
}

function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
