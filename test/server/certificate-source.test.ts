import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type Certificate,
  type CertificateSource,
  createFileCertificates,
  parsePair,
  withFallback,
} from '../../src/server/index.ts';
import { createTls, type Tls } from '../support/tls.ts';
import { allowAll, body, send, startServer, tls } from './review-server.ts';

const EVERY = 5;
const where = { cert: 'tls.crt', key: 'tls.key' };

/** A Secret as the kubelet mounts it: the files are links into `..data`, which is a link that is swapped. */
const mountSecret = async (first: Pick<Tls, 'cert' | 'key'>) => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-mount-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  let version = 0;
  const put = async (content: Readonly<Record<string, string>>): Promise<void> => {
    version += 1;
    const data = `..${version}`;
    await mkdir(join(directory, data));
    for (const [name, text] of Object.entries(content)) await writeFile(join(directory, data, name), text);
    await symlink(data, join(directory, '..new'));
    await rename(join(directory, '..new'), join(directory, '..data'));
  };
  await put({ 'tls.crt': first.cert, 'tls.key': first.key });
  for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), join(directory, name));
  return { put, files: { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') } };
};

const follow = (source: CertificateSource) => {
  const used: string[] = [];
  const problems: string[] = [];
  const stop = source.watch({
    onChange: ({ cert }) => void used.push(cert),
    onProblem: (error) => void problems.push(String(error)),
  });
  onTestFinished(stop);
  return { used, problems };
};

/** The certificate that a new connection gets. */
const servedCertificate = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.toString() ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });

const certificateBy = (pair: Pick<Tls, 'cert' | 'key'>): Certificate => parsePair(pair, where);

/** A source whose certificates the test sets. */
const createManualSource = (first: Certificate) => {
  let hand: (certificate: Certificate) => void = () => {};
  const source: CertificateSource = {
    first: () => Promise.resolve(first),
    watch: ({ onChange: use }) => {
      hand = use;
      return () => {};
    },
  };
  return { source, give: (certificate: Certificate) => hand(certificate) };
};

describe('files that a certificate is read from', () => {
  it('are told of once, and change nothing, where they are half a pair, no certificate, or gone', async () => {
    const other = createTls();
    const { put, files } = await mountSecret(tls);
    const { used, problems } = follow(createFileCertificates(files, EVERY));
    await vi.waitFor(() => expect(used).toEqual([tls.cert]));
    await put({ 'tls.crt': other.cert, 'tls.key': tls.key });
    await vi.waitFor(() => expect(problems).toEqual([expect.stringContaining('is not the private key of')]));
    // A source may read one file before a swap and the other after it: at each step the two files do not match.
    await put({ 'tls.crt': 'half a cert', 'tls.key': tls.key });
    await vi.waitFor(() => expect(problems[1]).toContain('does not contain a PEM certificate'));
    await put({ 'tls.key': tls.key });
    await vi.waitFor(() => expect(problems[2]).toContain('cannot read '));
    await put({ 'tls.crt': other.cert, 'tls.key': other.key });
    await vi.waitFor(() => expect(used).toEqual([tls.cert, other.cert]));
    expect(problems).toEqual([
      expect.stringContaining('is not the private key of'),
      expect.stringContaining('does not contain a PEM certificate'),
      expect.stringMatching(/cannot read .*tls\.crt/),
    ]);
  });
});

describe('a certificate that is issued, and also mounted', () => {
  const never: CertificateSource = {
    first: () => Promise.reject(new Error('no API')),
    watch: () => () => {},
  };

  it('is missing only where neither has one, for the reason of the one that issues', async () => {
    await expect(withFallback(never, never, () => true).first()).rejects.toThrow('no API');
    const { files } = await mountSecret(tls);
    const mounted = createFileCertificates(files, EVERY);
    await expect(withFallback(never, mounted, () => false).first()).rejects.toThrow('no API');
    const first = await withFallback(never, mounted, () => true).first();
    expect(first.cert).toBe(tls.cert);
  });

  it('is followed where it is issued, never where it is mounted', async () => {
    const other = createTls();
    const { put, files } = await mountSecret(tls);
    const issuing = createManualSource(certificateBy(tls));
    const { used, problems } = follow(
      withFallback(issuing.source, createFileCertificates(files, EVERY), () => true),
    );
    await put({ 'tls.crt': other.cert, 'tls.key': other.key });
    issuing.give(certificateBy(tls));
    expect([used, problems]).toEqual([[tls.cert], []]);
  });
});

describe('a server whose certificate is replaced', () => {
  it('shows it to new connections and drops none that is open', async () => {
    const other = createTls();
    const { source, give } = createManualSource(certificateBy(tls));
    const { port, logged } = await startServer(allowAll, {}, { certificate: source });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const before = await send(port, '/validate/enforce', body, { agent });
    give(certificateBy(other));
    const after = await send(port, '/validate/enforce', body, { agent });
    expect([before.status, after.status, after.connection]).toEqual([200, 200, before.connection]);
    expect(await servedCertificate(port)).toBe(other.cert);
    expect((await send(port, '/validate/enforce', body, { ca: other.ca })).status).toBe(200);
    await expect(send(port, '/validate/enforce', body)).rejects.toThrow(/certificate/);
    expect(logged).toEqual([{ notAfter: new Date(certificateBy(other).notAfter).toISOString() }]);
  });
});
