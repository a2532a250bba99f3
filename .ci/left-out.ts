import { join, posix, relative, sep } from 'node:path';
import type { OnResolveArgs, OnResolveResult, Plugin } from 'esbuild';

/*
 * An esbuild plugin that leaves out of the bundle what a dependency drags along and this program never runs.
 *
 * node-jose reads JWK and JWKS here and computes RFC 7638 thumbprints (src/verification/keys). All else that it implements in
 * JavaScript, RSA, AES, elliptic curves, ASN.1, JWE with its zlib, and JWS, is two thirds of a megabyte that every command would
 * parse at start. Each of its modules in the tables below is replaced: one of `REFUSING` throws as soon as anything of it is called,
 * and a table of algorithms or key types (`EMPTY`) has no entries, so that node-jose itself rejects with "unsupported …".
 *
 * @kubernetes/client-node has a class for every kind of the API, and its entry points export all of them. `ENTRIES` replaces these
 * by what is used here; a name that is missing there fails the build.
 */

const ROOT = join(import.meta.dirname, '..');

/** Modules of node-jose, relative to its `lib`, and packages that it requires. */
const REFUSING = ['deps/ecc', 'deps/forge', 'jwe', 'jws', 'parse'];
const REFUSING_PACKAGES = ['es6-promise', 'lodash/flatten', 'lodash/intersection', 'lodash/uniq', 'uuid'];
const EMPTY = [
  ...[
    'aes-cbc-hmac-sha2',
    'aes-gcm',
    'aes-kw',
    'concat',
    'dir',
    'ecdh',
    'ecdsa',
    'hkdf',
    'hmac',
    'pbes2',
    'rsaes',
    'rsassa',
  ].map((name) => `algorithms/${name}`),
  'jwk/octkey',
  'jwk/rsakey',
];

/** Matches, among others, the ends of all specifiers that the tables mean: esbuild asks this program for nothing else. */
const REPLACED = new RegExp(
  `(?:^|/)(?:${[...REFUSING, ...REFUSING_PACKAGES, ...EMPTY].map((name) => name.split('/').at(-1)).join('|')})(?:\\.js)?$`,
);

/** A module of which names may be read, as node-jose does when it is loaded; whatever else is done with it throws. */
const refusingModule = (name: string): string => `
const refuse = (path) => () => { throw new Error(path + ' of node-jose is left out of this program'); };
const absent = (path) => new Proxy(function () {}, {
  get: (_, key) => typeof key === 'symbol' ? refuse(path)() : absent(path + '.' + key),
  ...Object.fromEntries(['apply', 'construct', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf', 'set',
    'setPrototypeOf', 'defineProperty', 'deleteProperty', 'isExtensible', 'preventExtensions'].map((trap) => [trap, refuse(path)])),
});
module.exports = absent(${JSON.stringify(name)});
`;

const NODE_JOSE = join(ROOT, 'node_modules/node-jose/lib');
const KUBERNETES = join(ROOT, 'node_modules/@kubernetes/client-node/dist');

const isIn = (directory: string, file: string): boolean => file.startsWith(directory + sep);

/** The name of a module that node-jose requires, as the tables have it. */
const nameOf = ({ path, resolveDir }: OnResolveArgs): string => {
  if (!path.startsWith('.')) return path;
  return relative(NODE_JOSE, join(resolveDir, path)).split(sep).join(posix.sep).replace(/\.js$/, '');
};

/** Replaces modules of node-jose. Fails if a module of the tables is none that it requires: the tables then say less than they seem to. */
const leaveOutOfNodeJose: Plugin = {
  name: 'leave-out-of-node-jose',
  setup(build) {
    const missed = new Set([...REFUSING, ...REFUSING_PACKAGES, ...EMPTY]);
    build.onResolve({ filter: REPLACED }, (args): OnResolveResult | undefined => {
      if (!isIn(NODE_JOSE, args.importer)) return undefined;
      const name = nameOf(args);
      missed.delete(name);
      if (EMPTY.includes(name)) return { path: name, namespace: 'empty' };
      return REFUSING.includes(name) || REFUSING_PACKAGES.includes(name)
        ? { path: name, namespace: 'left-out' }
        : undefined;
    });
    build.onLoad({ filter: /./, namespace: 'empty' }, () => ({ contents: 'module.exports = {};' }));
    build.onLoad({ filter: /./, namespace: 'left-out' }, ({ path }) => ({ contents: refusingModule(path) }));
    build.onEnd(() => ({
      errors: [...missed].map((name) => ({ text: `node-jose requires no ${name}: correct .ci/left-out.ts` })),
    }));
  },
};

/** Entry points of @kubernetes/client-node, by the specifier that they are imported with; paths are relative to its `dist`. */
const ENTRIES: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': `
    export { KubeConfig } from './config.js';
    export { IsomorphicFetchHttpLibrary, RequestContext } from './gen/http/http.js';`,
  './gen/index.js': `
    export { createConfiguration } from './gen/configuration.js';
    export { ServerConfiguration } from './gen/servers.js';`,
};

/** Replaces the entry points of @kubernetes/client-node. */
const narrowKubernetesClient: Plugin = {
  name: 'narrow-kubernetes-client',
  setup(build) {
    build.onResolve(
      { filter: /^(?:@kubernetes\/client-node|\.\/gen\/index\.js)$/ },
      ({ path, importer }): OnResolveResult | undefined =>
        path.startsWith('@') || isIn(KUBERNETES, importer) ? { path, namespace: 'entry' } : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'entry' }, ({ path }) => ({
      contents: ENTRIES[path] ?? '',
      resolveDir: KUBERNETES,
    }));
  },
};

/** Plugins of esbuild that leave these modules out. */
export const leftOut: readonly Plugin[] = [leaveOutOfNodeJose, narrowKubernetesClient];
