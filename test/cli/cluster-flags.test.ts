import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/command-line/arguments.ts';
import type { Io } from '../../src/cli/command-line/command.ts';
import { clusterFlags, openNamedCluster } from '../../src/cli/flags/cluster-flags.ts';
import { startCluster, type TestCluster } from '../support/cluster-server.ts';

let home = '';
let server: TestCluster;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sailmark-kubeconfig-'));
  server = await startCluster();
  server.put('/version', { gitVersion: 'v1.36.3' });
});
afterEach(async () => {
  for (const cluster of opened.splice(0)) await cluster.close();
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

const write = (name: string, content: unknown): string => {
  const path = join(home, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const open = async (args: readonly string[], env: Io['env'] = {}) => {
  const command = {
    usage: '',
    description: '',
    flags: clusterFlags,
    examples: [],
    maxOperands: 0,
    run: () => Promise.resolve(0),
  };
  const output = { write: () => true };
  const io: Io = {
    stdout: output,
    stderr: output,
    stdin: (async function* () {})(),
    env: { HOME: home, PATH: process.env['PATH'], ...env },
    takeShutdownSignal: () => new AbortController().signal,
  };
  const found = await openNamedCluster(parseArguments(command, args).flags, io);
  opened.push(found.cluster);
  return {
    ...found,
    version: () =>
      found.cluster.serverVersion(AbortSignal.timeout(10_000)).catch((error: unknown) => {
        throw found.explain(error);
      }),
  };
};

/** A kubeconfig of this server whose user, cluster or context differs. */
const kubeconfig = ({
  user = { token: 'test-token' },
  cluster = {},
  name = 'test',
}: {
  readonly user?: object;
  readonly cluster?: object;
  readonly name?: string;
} = {}) => ({
  clusters: [
    {
      name,
      cluster: {
        server: server.origin,
        'certificate-authority-data': Buffer.from(server.tls.ca).toString('base64'),
        ...cluster,
      },
    },
  ],
  users: [{ name, user }],
  contexts: [{ name, context: { cluster: name, user: name } }],
  'current-context': name,
});

/** A credential program. */
const program = (name: string, script: string): string => {
  const path = write(name, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
};

const credential = (status: object): string =>
  `echo '${JSON.stringify({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status })}'`;

const exec = (command: string, more: object = {}) => ({
  exec: { apiVersion: 'client.authentication.k8s.io/v1', command, ...more },
});

describe('the cluster of a command', () => {
  it('is none without a kubeconfig', async () => {
    await expect(open([])).rejects.toThrow(
      'no kubeconfig: --kubeconfig is not given, $KUBECONFIG names no file that exists, and there is no ~/.kube/config; name one with --kubeconfig FILE',
    );
    await expect(open([], { KUBECONFIG: join(home, 'gone') })).rejects.toThrow('no kubeconfig');
  });

  it.each<[string, unknown, string]>([
    ['a file that is no YAML', '{ user: secret', 'is not YAML: '],
    ['a list', '[]', 'is no kubeconfig: it must be an object'],
    ['an empty file', '', 'names no current context: choose one with --context (it has no contexts)'],
    [
      'no current context',
      { contexts: [{ name: 'a\u001B[2J' }] },
      'choose one with --context (it has "a?[2J")',
    ],
    ['no such context', { 'current-context': 'b', contexts: [{ name: 'a' }] }, 'there is no context "b" in'],
    [
      'no such cluster',
      { 'current-context': 'a', contexts: [{ name: 'a', context: { cluster: 'x' } }] },
      'the cluster "x" of the context "a" of',
    ],
    [
      'no server',
      {
        'current-context': 'a',
        clusters: [{ name: 'x', cluster: { server: null } }],
        contexts: [{ name: 'a', context: { cluster: 'x' } }],
      },
      'has no server with an https URL: repair the kubeconfig',
    ],
    [
      'a server without TLS',
      {
        'current-context': 'a',
        clusters: [{ name: 'x', cluster: { server: 'http://127.0.0.1:1' } }],
        contexts: [{ name: 'a', context: { cluster: 'x' } }],
      },
      'has an http URL, over which credentials can be read: use https',
    ],
    [
      'no such user',
      {
        'current-context': 'a',
        clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
        contexts: [{ name: 'a', context: { cluster: 'x', user: 'y' } }],
      },
      'the user "y" of the context "a" of',
    ],
  ])('is none with %s, and the file is named', async (_case, content, message) => {
    const file = write('config', content);
    const failure = await open(['--kubeconfig', file]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringContaining(message) });
    expect(failure).toMatchObject({ message: expect.stringContaining(file) });
    expect((failure as Error).message).not.toContain('secret');
  });

  it('is none with a file that cannot be read', async () => {
    await expect(open(['--kubeconfig', join(home, 'gone')])).rejects.toThrow('cannot read the kubeconfig');
    await expect(open(['--kubeconfig', home])).rejects.toThrow('EISDIR');
  });

  it('is said to be out of reach, or not to accept the credentials', async () => {
    const gone = await startCluster();
    await gone.close();
    const file = write('config', kubeconfig({ cluster: { server: gone.origin } }));
    const { version } = await open(['--kubeconfig', file]);
    await expect(version()).rejects.toThrow(
      `cannot reach the API server ${gone.origin} of context "test" of ${file}: no connection to the API server (ECONNREFUSED); \`kubectl cluster-info\` should reach it from here`,
    );
    const expired = await open([
      '--kubeconfig',
      write('expired', kubeconfig({ user: { token: 'expired' } })),
    ]);
    await expect(expired.version()).rejects.toThrow(
      `the API server ${server.origin} does not accept the credentials of context "test"`,
    );
  });

  it('is not trusted without its authority, unless the kubeconfig says so, which is warned of', async () => {
    const cluster = { 'certificate-authority-data': undefined };
    const unknown = await open(['--kubeconfig', write('a', kubeconfig({ cluster }))]);
    await expect(unknown.version()).rejects.toThrow('no connection to the API server');
    const skipping = { ...cluster, 'insecure-skip-tls-verify': true };
    const file = write('b', kubeconfig({ cluster: skipping }));
    const insecure = await open(['--kubeconfig', file]);
    expect(await insecure.version()).toBe('v1.36.3');
    expect(insecure.warnings).toEqual([
      `the context "test" of ${file} has insecure-skip-tls-verify: whoever is between may answer as the cluster`,
    ]);
  });

  it('has another name in its certificate only if the kubeconfig says which', async () => {
    const wrong = { 'tls-server-name': 'other.example' };
    const { version } = await open(['--kubeconfig', write('a', kubeconfig({ cluster: wrong }))]);
    await expect(version()).rejects.toThrow('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('is found in ~/.kube/config, and by --context', async () => {
    write('.kube/config', kubeconfig());
    const found = await open([]);
    expect(await found.version()).toBe('v1.36.3');
    expect(found).toMatchObject({ server: server.origin, context: 'test', warnings: [] });
    await expect(open(['--context', 'prod'])).rejects.toThrow('there is no context "prod" in the kubeconfig');
  });

  it('is found in the files of $KUBECONFIG: the first entry of a name counts, paths are relative to their file', async () => {
    const first = { 'current-context': 'other', contexts: kubeconfig().contexts };
    const second = kubeconfig({ name: 'other', user: { tokenFile: 'secrets/token', token: 'wrong' } });
    const files = [
      join(home, 'gone'),
      write('one/config', first),
      write('two/config', second),
      write('three/config', { ...kubeconfig({ name: 'other', user: { token: 'wrong' } }) }),
    ];
    write('two/secrets/token', 'test-token\n');
    const found = await open([], { KUBECONFIG: files.join(':') });
    expect(found.context).toBe('other');
    expect(await found.version()).toBe('v1.36.3');
  });

  it('is reached through the proxy of the kubeconfig, or else of the environment, but for its exceptions', async () => {
    const gone = await startCluster();
    await gone.close();
    const proxy = gone.origin.replace('https', 'http');
    const cluster = { server: 'https://cluster.invalid' };
    const file = write('config', kubeconfig({ cluster }));
    const proxied = await open(['--kubeconfig', file], { HTTPS_PROXY: proxy });
    await expect(proxied.version()).rejects.toThrow('ECONNREFUSED');
    const direct = await open(['--kubeconfig', file], {
      HTTPS_PROXY: proxy,
      NO_PROXY: '.invalid',
    });
    await expect(direct.version()).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
    const own = kubeconfig({ cluster: { 'proxy-url': proxy } });
    const named = await open(['--kubeconfig', write('own', own)]);
    await expect(named.version()).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a credential program', () => {
  it.each<[string, string, string]>([
    ['fails', 'echo "session   expired" >&2; exit 3', 'failed with 3: session expired'],
    ['prints nothing', 'true', 'printed no credential'],
    ['prints something else', 'echo "{}"', 'printed no credential'],
    ['prints an empty credential', credential({ token: '' }), 'printed no credential'],
  ])('that %s is said with its words', async (_case, script, message) => {
    const command = program('login', script);
    const file = write('config', kubeconfig({ user: exec(command) }));
    const { version } = await open(['--kubeconfig', file]);
    await expect(version()).rejects.toThrow(
      `the credential program "${command}" of the kubeconfig ${message}`,
    );
    expect(server.requests).toEqual([]);
  });

  it('that is not there is said with the hint of the kubeconfig', async () => {
    const user = exec('gke-gcloud-auth-plugin-none', { installHint: 'Install it\n\nfrom example.com' });
    const { version } = await open(['--kubeconfig', write('config', kubeconfig({ user }))]);
    await expect(version()).rejects.toThrow(
      'the credential program "gke-gcloud-auth-plugin-none" of the kubeconfig was not found: install it (Install it from example.com)',
    );
  });

  it('that asks and waits is ended with the request', async () => {
    const user = exec(program('login', 'echo password? >&2; exec sleep 30'));
    const { cluster } = await open(['--kubeconfig', write('config', kubeconfig({ user }))]);
    await expect(cluster.serverVersion(AbortSignal.timeout(300))).rejects.toThrow(
      'did not end in time: log in first, for example with `kubectl get namespaces`',
    );
  });

  it('runs once, with its arguments and environment, relative to its kubeconfig', async () => {
    program(
      'bin/login',
      `echo x >> ${home}/runs; env > ${home}/env; echo "$@" > ${home}/args; ${credential({ token: 'test-token' })}`,
    );
    const user = exec('./bin/login', {
      args: ['get-token', 'a b'],
      env: [{ name: 'AWS_PROFILE', value: 'prod' }],
      provideClusterInfo: true,
    });
    const { version } = await open(['--kubeconfig', write('config', kubeconfig({ user }))]);
    expect(await version()).toBe('v1.36.3');
    expect(await version()).toBe('v1.36.3');
    expect(readFileSync(join(home, 'runs'), 'utf8')).toBe('x\n');
    expect(readFileSync(join(home, 'args'), 'utf8')).toBe('get-token a b\n');
    const env = readFileSync(join(home, 'env'), 'utf8');
    expect(env).toContain('AWS_PROFILE=prod\n');
    expect(env).toContain('"kind":"ExecCredential"');
    expect(env).toContain(`"server":"${server.origin}"`);
  });

  it('runs again once its credential has expired, or is refused', async () => {
    const runs = `echo x >> ${home}/runs; `;
    program(
      'login',
      `${runs}${credential({ token: 'test-token', expirationTimestamp: '2020-01-01T00:00:00Z' })}`,
    );
    const user = exec(join(home, 'login'));
    const { version } = await open(['--kubeconfig', write('config', kubeconfig({ user }))]);
    await version();
    await version();
    expect(readFileSync(join(home, 'runs'), 'utf8')).toBe('x\nx\n');
    program('login', `${runs}${credential({ token: 'expired' })}`);
    await expect(version()).rejects.toThrow('does not accept the credentials');
    expect(readFileSync(join(home, 'runs'), 'utf8')).toBe('x\nx\nx\nx\n');
  });
});
