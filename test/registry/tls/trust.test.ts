import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  certificatesProblem,
  createRegistries,
  type RegistriesOptions,
} from '../../../src/registry/index.ts';
import { readSystemCertificates } from '../../../src/registry/tls/system-certificates.ts';
import { registryLimits } from '../../support/registry-limits.ts';
import { createTls, type Tls } from '../../support/tls.ts';
import {
  BLOB,
  BLOB_PATH,
  closeAfterTest,
  createClient,
  DIGEST,
  faultOf,
  portOf,
  pushTestImage,
  resolverOf,
  respondWith,
  startTestRegistry,
  temporaryDirectory,
  writeDockerConfig,
} from '../test-client.ts';

const write = (path: string, text: string): string => {
  writeFileSync(path, text);
  return path;
};
const fileOf = (text: string): string => write(join(temporaryDirectory(), 'ca.pem'), text);
const directoryOf = (files: Readonly<Record<string, string>>): string => {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) write(join(directory, name), text);
  return directory;
};

/** Starts a registry over TLS, with the test image. */
const startWith = async (tls: Tls) => {
  const registry = await startTestRegistry({ tls });
  pushTestImage(registry);
  return registry;
};

const UNTRUSTED = { code: 'unavailable', message: expect.stringContaining('is not trusted') as string };

describe('the system’s authorities', () => {
  const damaged = (pem: string): string => pem.replace(/\n.{8}/, '\nAAAAAAAA');
  const ENVIRONMENTS: readonly (readonly [
    what: string,
    environment: (tls: Tls) => Readonly<Record<string, string>>,
  ])[] = [
    ['a file', ({ ca }) => ({ SSL_CERT_FILE: fileOf(ca) })],
    [
      'a file with text, a key and another block in it, and lines that end as on Windows',
      ({ ca, key }) => ({
        SSL_CERT_FILE: fileOf(`# corp\n${key}${damaged(ca)}${ca}`.replaceAll('\n', '\r\n')),
      }),
    ],
    ['a directory', ({ ca }) => ({ SSL_CERT_DIR: directoryOf({ 'corp.pem': ca }) })],
    ['a directory whose names are hashes', ({ ca }) => ({ SSL_CERT_DIR: directoryOf({ '0a1b2c3d.0': ca }) })],
    [
      'two directories, and one that is not there',
      ({ ca }) => ({ SSL_CERT_DIR: `/nonexistent:${directoryOf({})}:${directoryOf({ a: 'x', b: ca })}` }),
    ],
    [
      'a directory beside a file that is not there',
      ({ ca }) => ({ SSL_CERT_FILE: '/nonexistent', SSL_CERT_DIR: directoryOf({ 'corp.crt': ca }) }),
    ],
  ];

  it.each([
    [{}],
    [{ SSL_CERT_FILE: '/nonexistent' }],
    [{ SSL_CERT_DIR: '/nonexistent' }],
    [{ SSL_CERT_FILE: '/', SSL_CERT_DIR: '' }],
  ])('are not those that %j does not name', async (environment) => {
    const registry = await startWith(createTls());
    expect(await faultOf(createClient(registry.host, { environment }).repository().manifest())).toMatchObject(
      UNTRUSTED,
    );
  });

  it.each(['SSL_CERT_FILE', 'SSL_CERT_DIR'])(
    'are read past a pipe that nobody writes to, named by %s',
    async (variable) => {
      const tls = createTls();
      const directory = directoryOf({ 'corp.pem': tls.ca });
      const pipe = join(directory, 'a.pem');
      execFileSync('mkfifo', [pipe]);
      const read = await readSystemCertificates(
        { [variable]: variable === 'SSL_CERT_FILE' ? pipe : directory },
        { files: [], directories: [directory] },
      );
      expect(read).toContain(tls.ca.trim());
    },
  );

  it('are found behind as many unfinished blocks as a file can hold', async () => {
    const { ca } = createTls();
    const unfinished = '-----BEGIN X509 CRL-----\n'.repeat(250_000);
    const different = Array.from({ length: 40_000 }, (_, at) => `-----BEGIN ${at}-----\n`).join('');
    const environment = { SSL_CERT_FILE: fileOf(`${unfinished}${different}${ca}`) };
    const read = await readSystemCertificates(environment, { files: [], directories: [] });
    expect(read).toContain(ca.trim());
    expect(certificatesProblem(unfinished + different)).toBe('no PEM certificate found');
  });

  it('are not those of a damaged file', async () => {
    const tls = createTls();
    const registry = await startWith(tls);
    const environment = { SSL_CERT_FILE: fileOf(damaged(tls.ca)) };
    expect(await faultOf(createClient(registry.host, { environment }).repository().manifest())).toMatchObject(
      UNTRUSTED,
    );
  });

  it.each(ENVIRONMENTS)('are those of %s', async (_, environmentFor) => {
    const tls = createTls();
    const registry = await startWith(tls);
    const environment = environmentFor(tls);
    expect(await createClient(registry.host, { environment }).repository().manifest()).toMatchObject({
      digest: DIGEST,
    });
  });

  it('count beside those of the registry, and its own beside them', async () => {
    const [tls, other] = [createTls(), createTls()];
    const registry = await startWith(tls);
    const clients = [
      createClient(registry.host, { ca: other.ca, environment: { SSL_CERT_FILE: fileOf(tls.ca) } }),
      createClient(registry.host, { ca: tls.ca, environment: { SSL_CERT_FILE: fileOf(other.ca) } }),
      createClient(registry.host, { ca: other.ca, defaults: { ca: tls.ca } }),
      createClient(registry.host, { ca: tls.ca, defaults: { ca: other.ca } }),
    ];
    for (const client of clients)
      expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it('are in the first file and in every directory of the system, unless a variable names others', async () => {
    const [first, second, third, fourth] = [createTls().ca, createTls().ca, createTls().ca, createTls().ca];
    const directory = directoryOf({ 'a.pem': third });
    symlinkSync('a.pem', join(directory, '0a1b2c3d.0'));
    const store = { files: ['/nonexistent', fileOf(first), fileOf(second)], directories: [directory] };
    const read = async (environment: Readonly<Record<string, string>>): Promise<readonly string[]> => {
      const ofNode = new Set(await readSystemCertificates({}, { files: [], directories: [] }));
      const all = await readSystemCertificates(environment, store);
      return all.filter((pem) => !ofNode.has(pem)).map((pem) => `${pem}\n`);
    };
    expect(await read({})).toEqual([first, third]);
    expect(await read({ SSL_CERT_FILE: fileOf(fourth) })).toEqual([fourth, third]);
    expect(await read({ SSL_CERT_DIR: directoryOf({ x: fourth }) })).toEqual([first, fourth]);
  });
});

describe('the authorities of all registries', () => {
  it('count for token services and for the hosts that a registry redirects to, whatever the registry’s own are', async () => {
    const [own, shared] = [
      createTls(['registry.example']),
      createTls(['token.registry.example', 'storage.example']),
    ];
    const account = { username: 'ada', password: 's3cret' };
    const service = await startTestRegistry({ tls: shared, auth: { kind: 'token', account } });
    const store = await startTestRegistry({ tls: shared });
    store.fault = respondWith(200, {}, BLOB);
    const realm = `https://token.registry.example:${portOf(service)}/token`;
    const registry = await startTestRegistry({ tls: own, auth: { kind: 'token', account, realm } });
    pushTestImage(registry);
    const redirect = respondWith(307, { location: `https://storage.example:${portOf(store)}/x` });
    registry.fault = (request, response) =>
      request.url === BLOB_PATH && request.headers.authorization !== undefined && redirect(request, response);
    const host = `registry.example:${portOf(registry)}`;
    const names = ['registry.example', 'token.registry.example', 'storage.example'];
    const options = {
      ca: own.ca,
      lookUp: resolverOf(Object.fromEntries(names.map((name) => [name, ['127.0.0.1']]))),
      dockerConfig: writeDockerConfig(host, account),
    };
    expect(await faultOf(createClient(host, options).repository().blob())).toMatchObject({
      code: 'backend-unavailable',
    });
    const client = createClient(host, { ...options, defaults: { ca: shared.ca } });
    expect(await client.repository().blob()).toEqual(BLOB);
  });

  it('count for key URLs', async () => {
    const tls = createTls();
    const server = await startTestRegistry({ tls });
    server.fault = respondWith(200, {}, 'key');
    const fetchWith = (options: Partial<RegistriesOptions>): Promise<Uint8Array> => {
      const registries = createRegistries({
        settings: [],
        limits: registryLimits,
        now: Date.now,
        ...options,
      });
      closeAfterTest(registries);
      const signal = AbortSignal.timeout(5000);
      return registries.fetchDocument(`https://${server.host}/key.pub`, { bytes: 100, signal });
    };
    expect(await faultOf(fetchWith({}))).toMatchObject(UNTRUSTED);
    const environment = { SSL_CERT_FILE: fileOf(tls.ca) };
    for (const options of [{ environment }, { defaults: { ca: tls.ca } }])
      expect(Buffer.from(await fetchWith(options)).toString()).toBe('key');
  });
});

describe('an authority', () => {
  it('may be the certificate of the registry itself, as Go has it, and is that of no other registry', async () => {
    const [own, other] = [createTls(), createTls()];
    const [registry, another] = [await startWith(own), await startWith(other)];
    const client = createClient(registry.host, { defaults: { ca: own.cert } });
    expect(await faultOf(client.repositoryAt(another.host).manifest())).toMatchObject(UNTRUSTED);
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });
});

describe('a file of authorities', () => {
  it('is read again when the kubelet sets its link to another directory, for the connections after that', async () => {
    const [one, two] = [createTls(), createTls()];
    const [first, second, third] = [await startWith(one), await startWith(two), await startWith(one)];
    const place = temporaryDirectory();
    const put = (version: string, text: string): void => {
      mkdirSync(join(place, version));
      utimesSync(write(join(place, version, 'ca.pem'), text), 1, 1);
      symlinkSync(version, join(place, 'next'));
      renameSync(join(place, 'next'), join(place, '..data'));
    };
    put('..1', one.ca);
    symlinkSync('..data/ca.pem', join(place, 'ca.pem'));
    const authorities = { ca: one.ca, caFile: join(place, 'ca.pem') };
    const others = [second, third].map(({ host }) => ({ host, ...authorities }));
    const client = createClient(first.host, { ...authorities, others });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    put('..2', two.ca);
    const read = (host: string) => client.repositoryAt(host).manifest();
    expect(await read(second.host)).toMatchObject({ digest: DIGEST });
    expect(await faultOf(read(third.host))).toMatchObject(UNTRUSTED);
  });

  it('that cannot be read again changes nothing, and is reported once for each problem', async () => {
    const tls = createTls();
    const servers = await Promise.all(Array.from({ length: 4 }, () => startWith(tls)));
    const caFile = fileOf(tls.ca);
    const reported: string[] = [];
    const report = (error: unknown): string => `${reported.push(String(error))}`;
    const client = createClient('registry.example', { defaults: { ca: tls.ca, caFile }, report });
    const read = async (index: number): Promise<void> =>
      expect(await client.repositoryAt(servers[index]?.host ?? '').manifest()).toMatchObject({
        digest: DIGEST,
      });
    await read(0);
    expect(reported).toEqual([]);
    write(caFile, tls.key);
    await read(1);
    await read(2);
    const kept = 'the certificates last read from it stay trusted';
    expect(reported).toEqual([
      `UserError: ${caFile}: expected certificates only, got a PRIVATE KEY; ${kept}`,
    ]);
    write(caFile, tls.ca);
    await read(3);
    expect(reported).toHaveLength(1);
  });
});
