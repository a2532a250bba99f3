import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/*
 * The repository speaks of itself alone: no file names a machine on which it was written or built, a person's directory on it, or
 * a host of a private network.
 */

const root = new URL('..', import.meta.url).pathname;

/** Files whose bytes are other projects'. */
const FOREIGN = /^test\/fixtures\/|^package-lock\.json$|\.(?:png|gz|tgz|der|bin)$/;

/** Private addresses of the tests and examples, as beginnings. Those of documentation (RFC 5737) and of this machine are not private. */
const EXAMPLE_NETWORKS = [
  '10.0.0.',
  '10.1.2.',
  '10.88.', // the pods of test/e2e/control-plane
  '10.96.0.', // its services
  '10.200.0.1',
  '172.16.0.',
  '172.31.255.255',
  '192.168.0.',
  '192.168.1.',
];

const HOME = /(?<![\w.$}-])\/(?:home|Users)\/(?!ada\b)[a-z_][\w.-]*/gi;
const WORKPLACE =
  /(?<![\w.$}/-])\/(?:work|workspace|workspaces|builds|mnt|data|srv|root|tmp\/wt)\/(?!\.npm\b)[\w.-]+/g;
const PRIVATE_HOST = /\b[\w-]+(?:\.[\w-]+)*\.(?:internal|intranet|lan|localdomain|home\.arpa)\b/gi;
const LOCAL_HOST = /\b(?!(?:[\w-]+\.)*cluster\.local\b)[\w-]+(?:\.[\w-]+)*\.local\b(?![/\w])/gi;
const PRIVATE_ADDRESS =
  /(?<![\w.])(?:10\.\d+\.\d+\.\d+|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+|192\.168\.\d+\.\d+)(?![\w.]*\w)/g;
const PACKAGE_SOURCE =
  /(?:\bregistry\s*=|--(?:extra-)?index-url[ =]|\bGOPROXY=|\bGOSUMDB=)\s*["']?https?:\/\/(?!127\.0\.0\.1|localhost)\S+/gi;

/** Texts that name a machine or a host of a private network. */
const machineNames = (text: string): string[] =>
  [HOME, WORKPLACE, PRIVATE_HOST, LOCAL_HOST, PRIVATE_ADDRESS, PACKAGE_SOURCE]
    .flatMap((pattern) => text.match(pattern) ?? [])
    .filter((found) => !EXAMPLE_NETWORKS.some((network) => found.startsWith(network)));

describe('a name of a machine', () => {
  it.each([
    ['a home directory', '/home/someone/sailmark'],
    ['a home directory of macOS', 'see /Users/someone/x'],
    ['a checkout', ['cd /work', 'main'].join('/')],
    ['a directory below that of root', '"/root/.cache/sailmark"'],
    ['a worktree', '/tmp/wt/somewhere'],
    ['a host of a private zone', 'https://build-7.eu.internal/x'],
    ['a host of a home network', 'nas.local:8080'],
    ['a private address', 'http://10.37.4.1:3128'],
    ['another private address', '192.168.77.5'],
    ['a package registry of its own', 'registry=https://npm.mirror.example/'],
    ['a module proxy of its own', 'GOPROXY=https://go.mirror.example'],
    ['a package index of its own', 'pip install --index-url https://pypi.mirror.example/simple x'],
  ])('would be found: %s', (_, text) => {
    expect(machineNames(text)).toHaveLength(1);
  });

  it.each([
    'sailmark.sailmark.svc.cluster.local',
    'docker run -v "$PWD:/work:ro" -w /work',
    'http://10.0.0.1/',
    '192.0.2.1',
    '127.0.0.1',
    '/root.json',
    '~/.cache',
    'version 10.1.20',
  ])('is not seen in %j', (text) => {
    expect(machineNames(text)).toEqual([]);
  });
});

const listFiles = (): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\0')
    .filter((path) => path !== '' && !FOREIGN.test(path) && existsSync(`${root}${path}`));

const isCheckout = existsSync(`${root}.git`);

describe('the files of the repository', () => {
  it.skipIf(!isCheckout)('name no machine and no private host', () => {
    const own = import.meta.url.split('/').at(-1) ?? '';
    const files = listFiles().filter((path) => !path.endsWith(own));
    expect(files.length).toBeGreaterThan(500);
    // The path of this very checkout is found whatever it looks like, if it is long enough not to be a word.
    const here = root.split('/').length > 4 ? [root.replace(/\/$/, '')] : [];
    const found = files.flatMap((path) => {
      const text = readFileSync(`${root}${path}`, 'utf8');
      return [...machineNames(text), ...here.filter((name) => text.includes(name))].map(
        (name) => `${path}: ${name}`,
      );
    });
    expect(found).toEqual([]);
  });

  it.skipIf(!isCheckout)('hold no conflict that a merge left', () => {
    const conflict = /^(?:<{7}|>{7}) /m;
    expect(listFiles().filter((path) => conflict.test(readFileSync(`${root}${path}`, 'utf8')))).toEqual([]);
  });
});
