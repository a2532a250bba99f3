import { describe, expect, it } from 'vitest';
import { issueAuthority } from '../../src/certificates/issue.ts';
import { createTrust } from '../../src/certificates/trust.ts';
import type { CertificateSettings } from '../../src/config/index.ts';
import { openCluster } from '../../src/kubernetes/index.ts';
import { firstOnly, type TestCluster, webhookPath, webhooksOf } from '../support/cluster-server.ts';
import {
  caBundlesOf,
  closeAfterTest,
  SETTINGS,
  secretDataOf,
  startApiServer,
  testDeadline,
  WEBHOOKS,
  writeSecretData,
} from './replicas.ts';

const now = Date.now();
const [ONE, TWO] = [
  (await issueAuthority(now, 3_600_000)).cert,
  (await issueAuthority(now + 60_000, 3_600_000)).cert,
];

const trustFor = async (
  server: TestCluster,
  clock = (): number => now,
  settings: CertificateSettings = SETTINGS,
) => {
  const cluster = await openCluster({ kubeconfig: server.kubeconfig() });
  closeAfterTest(() => cluster.close());
  return createTrust({ cluster, namespace: 'sailmark', settings, now: clock });
};

describe('letting the CAs of the Secret be trusted', () => {
  it('writes no bundle where the Secret has none: the API server would trust what its system trusts', async () => {
    const server = await startApiServer();
    const trust = await trustFor(server);
    expect(await trust(testDeadline())).toMatchObject({ trustedSince: undefined, wasWritten: false });
    expect(caBundlesOf(server)).toEqual(['', '']);
  });

  it('does not take the bundle away where the Secret is emptied between two readings', async () => {
    const server = await startApiServer();
    writeSecretData(server, { 'ca.crt': ONE });
    const trust = await trustFor(server);
    server.fault = firstOnly(
      1,
      () => {
        writeSecretData(server, {});
        return false;
      },
      ({ path }) => path === WEBHOOKS,
    );
    await trust(testDeadline());
    expect(caBundlesOf(server)).toEqual([ONE, ONE]);
  });

  it('never takes out what another replica has put in: the Secret is read after the configuration', async () => {
    const server = await startApiServer();
    writeSecretData(server, { 'ca.crt': ONE });
    const trust = await trustFor(server);
    server.fault = firstOnly(
      1,
      () => {
        writeSecretData(server, { 'ca.crt': ONE + TWO });
        return false;
      },
      ({ path }) => path === WEBHOOKS,
    );
    const { secret } = await trust(testDeadline());
    expect(caBundlesOf(server)).toEqual([ONE + TWO, ONE + TWO]);
    expect(secret.data).toEqual(secretDataOf(server));
  });

  it('reads the Secret again where another replica wrote the configuration in between', async () => {
    const server = await startApiServer();
    writeSecretData(server, { 'ca.crt': ONE });
    const trust = await trustFor(server);
    const other = await trustFor(server);
    let isOvertaken = false;
    server.fault = (request) => {
      if (request.method !== 'PATCH' || isOvertaken) return false;
      isOvertaken = true;
      writeSecretData(server, { 'ca.crt': ONE + TWO });
      server.put(WEBHOOKS, webhooksOf('enforce.sailmark.dev', 'audit.sailmark.dev'));
      return false;
    };
    await trust(testDeadline());
    expect(isOvertaken).toBe(true);
    expect(caBundlesOf(server)).toEqual([ONE + TWO, ONE + TWO]);
    expect(await other(testDeadline())).toMatchObject({ wasWritten: false });
  });

  it('counts the time from when a bundle stood as it stands: others and set-back clocks begin it anew', async () => {
    const server = await startApiServer();
    writeSecretData(server, { 'ca.crt': ONE });
    let time = 1000;
    const trust = await trustFor(server, () => time);
    const sinceAt = async (at: number): Promise<number | undefined> => {
      time = at;
      return (await trust(testDeadline())).trustedSince;
    };
    expect(await sinceAt(1000)).toBe(1000);
    expect(await sinceAt(2000)).toBe(1000);
    server.put(WEBHOOKS, webhooksOf('enforce.sailmark.dev'));
    expect(await sinceAt(3000)).toBe(3000);
    writeSecretData(server, { 'ca.crt': ONE + TWO });
    expect(await sinceAt(4000)).toBe(4000);
    expect(await sinceAt(3500)).toBe(3500);
    expect(await sinceAt(5000)).toBe(3500);
  });
});

describe('of two webhook configurations', () => {
  const PINNING = webhookPath('zz-sailmark', 'mutating');
  const both = { ...SETTINGS, mutatingWebhookConfiguration: 'zz-sailmark' };

  it('both trust the newest CAs, though the Secret changes between the two', async () => {
    const server = await startApiServer();
    server.put(PINNING, webhooksOf('pin.sailmark.dev'));
    writeSecretData(server, { 'ca.crt': ONE });
    const trust = await trustFor(server, undefined, both);
    server.fault = firstOnly(
      1,
      () => {
        writeSecretData(server, { 'ca.crt': ONE + TWO });
        return false;
      },
      ({ path }) => path === WEBHOOKS,
    );
    const { state, wasWritten } = await trust(testDeadline());
    expect([state.trusted.length, wasWritten]).toEqual([2, true]);
    expect(caBundlesOf(server, PINNING)).toEqual([ONE + TWO]);
    expect(caBundlesOf(server)).toEqual([ONE + TWO, ONE + TWO]);
    expect((await trust(testDeadline())).wasWritten).toBe(false);
  });

  it('the mutating one may be absent: the validating one is written', async () => {
    const server = await startApiServer();
    writeSecretData(server, { 'ca.crt': ONE });
    const trust = await trustFor(server, undefined, both);
    expect(await trust(testDeadline())).toMatchObject({ wasWritten: true });
    expect(caBundlesOf(server)).toEqual([ONE, ONE]);
    server.put(PINNING, webhooksOf('pin.sailmark.dev'));
    expect(await trust(testDeadline())).toMatchObject({ wasWritten: true });
    expect(caBundlesOf(server, PINNING)).toEqual([ONE]);
  });

  it('fail where the Secret never stays the same', async () => {
    const server = await startApiServer();
    server.put(PINNING, webhooksOf('pin.sailmark.dev'));
    writeSecretData(server, { 'ca.crt': ONE });
    const trust = await trustFor(server, undefined, both);
    let written = 0;
    server.fault = ({ path, method }) => {
      if (path === WEBHOOKS && method === 'GET') written += 1;
      if (path === WEBHOOKS && method === 'GET')
        writeSecretData(server, { 'ca.crt': written % 2 === 0 ? ONE : ONE + TWO });
      return false;
    };
    await expect(trust(testDeadline())).rejects.toThrow('changes faster than its CAs are made trusted');
  });
});
