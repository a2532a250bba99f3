import { X509Certificate } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { CertificatePair } from '../../src/certificates/index.ts';
import { firstOnly, hang, refuse, webhooksOf } from '../support/cluster-server.ts';
import {
  caBundlesOf,
  closeAfterTest,
  SECRET,
  SETTINGS,
  secretDataOf,
  startApiServer,
  startReplica,
  testDeadline,
  WEBHOOKS,
  writeSecretData,
} from './replicas.ts';

const isPatch = ({ method }: { readonly method: string }): boolean => method === 'PATCH';
const isPut = ({ method }: { readonly method: string }): boolean => method === 'PUT';
const certificatesIn = (pem = ''): readonly X509Certificate[] =>
  (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(
    (block) => new X509Certificate(block),
  );

/** True if a client that trusts `bundle` accepts the certificate of a pair. */
const isTrustedBy = (bundle: string, { cert }: CertificatePair): boolean =>
  certificatesIn(bundle).some((ca) => new X509Certificate(cert).verify(ca.publicKey));

/** A clock that the test sets. */
const createClock = () => {
  let ahead = 0;
  return {
    now: (): number => Date.now() + ahead,
    pass: (milliseconds: number): void => {
      ahead += milliseconds;
    },
  };
};
const DAY = 24 * 3_600_000;

describe('the first certificate', () => {
  it('is none where there is no Secret, which says whose it is', async () => {
    const server = await startApiServer();
    server.delete(SECRET);
    const { certificates } = await startReplica(server);
    await expect(certificates.ensure(testDeadline())).rejects.toThrow(
      'the Secret sailmark/certificates does not exist: install it, empty, with the chart; sailmark has no permission to create it',
    );
  });

  it('is none where the caBundle may not be written: the fault names the rule', async () => {
    const server = await startApiServer();
    server.fault = (request, response) => isPatch(request) && refuse(403, 'no')(request, response);
    const { certificates } = await startReplica(server);
    await expect(certificates.ensure(testDeadline())).rejects.toMatchObject({
      name: 'ClusterFault',
      status: 403,
      message: expect.stringContaining('resourceNames: ["sailmark"], verbs: ["patch"]'),
    });
    expect(caBundlesOf(server)).toEqual(['', '']);
  });

  it('is none where the webhook configuration is not there, or the API does not answer in time', async () => {
    const server = await startApiServer();
    server.delete(WEBHOOKS);
    const { certificates } = await startReplica(server);
    await expect(certificates.ensure(testDeadline())).rejects.toMatchObject({ status: 404 });
    server.fault = hang;
    await expect(certificates.ensure(testDeadline(100))).rejects.toThrow(
      'the API server did not respond in time',
    );
  });

  it('is issued into the empty Secret, and its CA stands in every entry before it is handed out', async () => {
    const server = await startApiServer();
    const { certificates, codes } = await startReplica(server);
    const pair = await certificates.ensure(testDeadline());
    const data = secretDataOf(server);
    expect(pair).toEqual({ cert: data['tls.crt'], key: data['tls.key'] });
    expect(caBundlesOf(server)).toEqual([data['ca.crt'], data['ca.crt']]);
    expect(isTrustedBy(caBundlesOf(server)[0] ?? '', pair)).toBe(true);
    expect(codes()).toEqual(['authority-begun', 'ca-bundle-written']);
    const [leaf] = certificatesIn(pair.cert);
    expect(leaf?.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(leaf?.validToDate.getTime()).toBeCloseTo(Date.now() + SETTINGS.lifetime, -5);
  });

  it('is the one in the Secret, where that is good, and nothing is written', async () => {
    const server = await startApiServer();
    const first = await (await startReplica(server)).certificates.ensure(testDeadline());
    const before = [server.get(SECRET), server.get(WEBHOOKS)];
    const { certificates, codes } = await startReplica(server);
    expect(await certificates.ensure(testDeadline())).toEqual(first);
    expect([server.get(SECRET), server.get(WEBHOOKS)]).toEqual(before);
    expect(codes()).toEqual([]);
  });

  it('is one and the same for replicas that start at once', async () => {
    const server = await startApiServer();
    const replicas = await Promise.all(Array.from({ length: 4 }, () => startReplica(server)));
    const pairs = await Promise.all(replicas.map(({ certificates }) => certificates.ensure(testDeadline())));
    expect(new Set(pairs.map(({ cert }) => cert)).size).toBe(1);
    expect(caBundlesOf(server)).toEqual([secretDataOf(server)['ca.crt'], secretDataOf(server)['ca.crt']]);
    expect(
      replicas.flatMap(({ codes }) => codes()).filter((code) => code === 'authority-begun'),
    ).toHaveLength(1);
  });

  it('is read again where another replica was first', async () => {
    const server = await startApiServer();
    const other = await startReplica(server);
    let theirs: CertificatePair | undefined;
    let isOvertaken = false;
    const { certificates } = await startReplica(server);
    server.fault = (request, response) => {
      if (!isPut(request) || isOvertaken) return false;
      isOvertaken = true;
      void other.certificates.ensure(testDeadline()).then((pair) => {
        theirs = pair;
        return refuse(409, 'conflict')(request, response);
      });
      return true;
    };
    const ours = await certificates.ensure(testDeadline());
    expect(theirs).toBeDefined();
    expect(ours).toEqual(theirs);
  });

  it('gives up where somebody else writes the Secret all the time', async () => {
    const server = await startApiServer();
    server.fault = (request, response) => isPut(request) && refuse(409, 'conflict')(request, response);
    const { certificates } = await startReplica(server);
    await expect(certificates.ensure(testDeadline())).rejects.toThrow('keeps being changed by other clients');
  });

  it.each([
    { name: 'half-filled', change: { 'tls.key': '' } },
    { name: 'with another key', change: { 'tls.key': 'wrong' } },
    {
      name: 'corrupt in its certificate',
      change: { 'tls.crt': '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----' },
    },
  ])('is issued by the CA that is trusted already, where the Secret is $name', async ({ change }) => {
    const server = await startApiServer();
    await (await startReplica(server)).certificates.ensure(testDeadline());
    const bundle = caBundlesOf(server);
    writeSecretData(server, { ...secretDataOf(server), ...change });
    const { certificates, codes } = await startReplica(server);
    const pair = await certificates.ensure(testDeadline());
    expect(caBundlesOf(server)).toEqual(bundle);
    expect(isTrustedBy(bundle[0] ?? '', pair)).toBe(true);
    expect(codes()).toEqual(['certificate-renewed']);
  });

  it('is of a new CA where the old one cannot be read', async () => {
    const server = await startApiServer();
    await (await startReplica(server)).certificates.ensure(testDeadline());
    writeSecretData(server, { ...secretDataOf(server), 'ca.crt': 'x', 'ca.key': 'y' });
    const { certificates } = await startReplica(server);
    const pair = await certificates.ensure(testDeadline());
    expect(isTrustedBy(caBundlesOf(server)[0] ?? '', pair)).toBe(true);
  });

  it('is issued anew where a name is wanted that it lacks', async () => {
    const server = await startApiServer();
    await (await startReplica(server)).certificates.ensure(testDeadline());
    const { certificates } = await startReplica(server, { dnsNames: ['new.svc', '2001:db8::1'] });
    const [leaf] = certificatesIn((await certificates.ensure(testDeadline())).cert);
    expect(leaf?.subjectAltName).toBe(
      'DNS:new.svc, IP Address:2001:DB8:0:0:0:0:0:1, DNS:localhost, IP Address:127.0.0.1',
    );
    const before = server.get(SECRET);
    await (await startReplica(server)).certificates.ensure(testDeadline());
    await certificates.ensure(testDeadline());
    expect(server.get(SECRET)).toEqual(before);
  });
});

describe('watching', () => {
  /** Makes replicas check every few milliseconds. */
  const quick = { overlap: 40 };

  it('never throws where the API fails: it is told, and tried again', async () => {
    const server = await startApiServer();
    const { certificates, events } = await startReplica(server, quick);
    server.fault = refuse(500, 'down');
    const pairs: CertificatePair[] = [];
    closeAfterTest(certificates.watch((pair) => void pairs.push(pair)).stop);
    await vi.waitFor(() => expect(events.length).toBeGreaterThan(1));
    expect(events[0]).toEqual({
      code: 'certificates-failed',
      detail: 'GET secrets sailmark/certificates: the API server returned 500 (down)',
    });
    server.fault = undefined;
    await vi.waitFor(() =>
      expect(pairs).toEqual([
        { cert: secretDataOf(server)['tls.crt'], key: secretDataOf(server)['tls.key'] },
      ]),
    );
  });

  it('never hands over what is not trusted: a bundle that may not be written keeps the old certificate', async () => {
    const server = await startApiServer();
    const clock = createClock();
    const { certificates, events, codes } = await startReplica(server, quick, clock.now);
    await certificates.ensure(testDeadline());
    const pairs: CertificatePair[] = [];
    closeAfterTest(certificates.watch((pair) => void pairs.push(pair)).stop);
    server.fault = (request, response) => isPatch(request) && refuse(403, 'no')(request, response);
    writeSecretData(server, {});
    await vi.waitFor(() => expect(codes()).toContain('authority-begun'));
    const failures = (): number => events.filter(({ code }) => code === 'certificates-failed').length;
    await vi.waitFor(() => expect(failures()).toBeGreaterThan(3));
    expect(pairs).toEqual([]);
    server.fault = undefined;
    await vi.waitFor(() => expect(pairs).toHaveLength(1));
    expect(isTrustedBy(caBundlesOf(server)[0] ?? '', pairs[0] as CertificatePair)).toBe(true);
  });

  it('puts the bundle back that somebody took out, as an upgrade may', async () => {
    const server = await startApiServer();
    const { certificates } = await startReplica(server, quick);
    await certificates.ensure(testDeadline());
    const bundles = caBundlesOf(server);
    closeAfterTest(certificates.watch(() => {}).stop);
    server.put(WEBHOOKS, webhooksOf('enforce.sailmark.dev', 'audit.sailmark.dev'));
    await vi.waitFor(() => expect(caBundlesOf(server)).toEqual(bundles));
  });

  it('hands over a renewed certificate once, and offers again what was not taken', async () => {
    const server = await startApiServer();
    const clock = createClock();
    const { certificates, codes } = await startReplica(server, quick, clock.now);
    const first = await certificates.ensure(testDeadline());
    const offered: CertificatePair[] = [];
    let fails = 2;
    const take = (pair: CertificatePair): void => {
      offered.push(pair);
      fails -= 1;
      if (fails >= 0) throw new Error('not now');
    };
    closeAfterTest(certificates.watch(take).stop);
    clock.pass(21 * DAY);
    await vi.waitFor(() => expect(codes()).toContain('certificate-handed-over'));
    server.clearRequests();
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(12));
    expect(offered).toHaveLength(3);
    expect(new Set(offered.map(({ cert }) => cert)).size).toBe(1);
    expect(offered[0]?.cert).not.toBe(first.cert);
    expect(codes().filter((code) => code === 'certificates-failed')).toHaveLength(2);
    expect(codes().filter((code) => code === 'certificate-renewed')).toHaveLength(1);
  });

  it('ends when it is stopped, also under a look', async () => {
    const server = await startApiServer();
    const other = await startReplica(server, quick);
    const { certificates, codes } = await startReplica(server, quick);
    const pairs: CertificatePair[] = [];
    const watch = certificates.watch((pair) => void pairs.push(pair));
    server.fault = firstOnly(1, hang);
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    watch.stop();
    server.clearRequests();
    await other.certificates.ensure(testDeadline());
    expect(pairs).toEqual([]);
    expect(codes()).toEqual([]);
  });
});

describe('a whole rotation, as the clock has it', () => {
  it('goes from a leaf to a next CA, its first leaf, and the end of the old CA', async () => {
    const server = await startApiServer();
    const clock = createClock();
    const { certificates, codes } = await startReplica(server, {}, clock.now);
    await certificates.ensure(testDeadline());
    const [old] = caBundlesOf(server);
    const steps: (readonly string[])[] = [];
    const passAndLook = async (milliseconds: number): Promise<void> => {
      clock.pass(milliseconds);
      const before = codes().length;
      await certificates.ensure(testDeadline());
      steps.push(codes().slice(before));
    };
    await passAndLook(21 * DAY);
    await passAndLook(230 * DAY);
    await passAndLook(9 * 60_000);
    await passAndLook(2 * 60_000);
    await passAndLook(19 * DAY);
    await passAndLook(12 * DAY);
    expect(steps).toEqual([
      ['certificate-renewed'],
      ['certificate-renewed', 'authority-prepared', 'ca-bundle-written'],
      [],
      ['authority-promoted'],
      [],
      ['certificate-renewed', 'authority-retired', 'ca-bundle-written'],
    ]);
    expect(caBundlesOf(server)[0]).not.toContain(old);
    expect(certificatesIn(caBundlesOf(server)[0])).toHaveLength(1);
    expect(Object.keys(secretDataOf(server)).toSorted()).toEqual([
      'ca.crt',
      'ca.issued-until',
      'ca.key',
      'tls.crt',
      'tls.key',
    ]);
  });
});

it('the end of the CA that issues is told after each reconciliation', async () => {
  const server = await startApiServer();
  const { certificates, authorityEnds } = await startReplica(server);
  expect(authorityEnds).toEqual([]);
  await certificates.ensure(testDeadline());
  const [ca] = certificatesIn(secretDataOf(server)['ca.crt']);
  expect(authorityEnds).toEqual([ca?.validToDate.getTime()]);
});
