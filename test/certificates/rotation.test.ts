import type { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import type { CertificatePair } from '../../src/certificates/index.ts';
import type { TestCluster } from '../support/cluster-server.ts';
import {
  caBundlesOf,
  closeAfterTest,
  type Replica,
  SECRET,
  secretDataOf,
  startApiServer,
  startReplica,
  writeSecretData,
} from './replicas.ts';

/*
 * A whole rotation in real time: validities of seconds, two replicas with a TLS server each, and a client that trusts
 * the CAs that the API server trusts at that moment, and no others.
 */

const TIMES = { caLifetime: 9_000, lifetime: 6_000, overlap: 1_000 };

/** Starts a server with the certificates of a replica. Resolves with its port. */
const serveBy = async ({ certificates }: Replica): Promise<number> => {
  const first = await certificates.ensure(AbortSignal.timeout(5_000));
  const server: Server = createServer(first, (_request, response) => response.end());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const watch = certificates.watch((pair: CertificatePair) => server.setSecureContext(pair));
  closeAfterTest(() => {
    watch.stop();
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
};

/** Resolves with the certificate of a new connection. Rejects if it is not trusted. */
const connectAndVerify = (port: number, ca: string): Promise<X509Certificate | undefined> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca,
      checkServerIdentity: () => undefined,
    });
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate());
      socket.destroy();
    });
    socket.once('error', reject);
  });

/** Connects to every server continuously, trusting the current bundle, and records failures. */
const connectContinuously = (server: TestCluster, ports: readonly number[]) => {
  const failures: string[] = [];
  const leaves = new Set<string>();
  const issuers = new Set<string>();
  const end = new AbortController();
  const once = async (port: number): Promise<void> => {
    const bundle = caBundlesOf(server)[0] ?? '';
    try {
      const leaf = await connectAndVerify(port, bundle);
      leaves.add(leaf?.fingerprint256 ?? '');
      issuers.add(leaf?.issuer ?? '');
    } catch (error) {
      failures.push(`${port}: ${String(error)}`);
    }
  };
  const run = async (port: number): Promise<void> => {
    while (!end.signal.aborted) {
      await once(port);
      await pause(5);
    }
  };
  const running = Promise.all(ports.map(run));
  return {
    failures,
    leaves,
    issuers,
    end: async (): Promise<void> => {
      end.abort();
      await running;
    },
  };
};

const countCas = (bundle: string): number => bundle.split('BEGIN CERTIFICATE').length - 1;

describe('a rotation, leaf and CA, with two replicas', () => {
  it('fails no handshake at any time', { timeout: 60_000 }, async () => {
    const server = await startApiServer();
    const replicas = [await startReplica(server, TIMES), await startReplica(server, TIMES)];
    const ports = await Promise.all(replicas.map(serveBy));
    const [firstBundle] = caBundlesOf(server);
    const client = connectContinuously(server, ports);
    await vi.waitFor(
      () => {
        const bundle = caBundlesOf(server)[0] ?? '';
        expect(bundle).not.toContain(firstBundle);
        expect(countCas(bundle)).toBe(1);
      },
      { timeout: 45_000, interval: 50 },
    );
    await client.end();
    expect(client.failures).toEqual([]);
    expect(client.issuers.size).toBeGreaterThanOrEqual(2);
    expect(client.leaves.size).toBeGreaterThanOrEqual(3);
    const codes = replicas.flatMap((replica) => replica.codes());
    expect(codes).not.toContain('certificates-failed');
    for (const code of [
      'authority-prepared',
      'authority-promoted',
      'authority-retired',
      'certificate-renewed',
    ])
      expect(codes).toContain(code);
  });

  it('fails no handshake where the Secret is emptied meanwhile', { timeout: 60_000 }, async () => {
    const server = await startApiServer();
    const times = { caLifetime: 60_000, lifetime: 30_000, overlap: 1_000 };
    const replicas = [await startReplica(server, times), await startReplica(server, times)];
    const ports = await Promise.all(replicas.map(serveBy));
    const [firstBundle] = caBundlesOf(server);
    const client = connectContinuously(server, ports);
    await vi.waitFor(() => expect(client.leaves.size).toBeGreaterThan(0));
    writeSecretData(server, {});
    await vi.waitFor(
      () => {
        expect(client.issuers.size).toBe(2);
        expect(caBundlesOf(server)[0]).not.toContain(firstBundle);
      },
      { timeout: 30_000, interval: 50 },
    );
    await client.end();
    expect(client.failures).toEqual([]);
    expect(server.get(SECRET)).toBeDefined();
    expect(countCas(secretDataOf(server)['ca.crt'] ?? '')).toBe(1);
  });
});
