import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { secretOf, secretPath } from '../support/cluster-server.ts';
import { createTls } from '../support/tls.ts';
import { connectTo, startAndConnect, testDeadline } from './connected-cluster.ts';

const directory = mkdtempSync(join(tmpdir(), 'sailmark-cluster-'));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the CA of an API server that is kept in a file, as in a pod', () => {
  it('is trusted as it is now: a new file makes new connections, and the old ones end', async () => {
    const { server } = await startAndConnect();
    server.put(secretPath('sailmark', 'certificates'), secretOf({}));
    const file = join(directory, 'ca.crt');
    writeFileSync(file, server.tls.ca);
    const kubeconfig = server
      .kubeconfig()
      .replace(/"certificate-authority-data":"[^"]*"/, `"certificate-authority":${JSON.stringify(file)}`);
    const cluster = await connectTo(server, { kubeconfig });
    const readSecret = (): Promise<unknown> => cluster.readSecret('sailmark', 'certificates', testDeadline());
    await readSecret();
    await readSecret();
    expect(server.connections()).toBe(1);
    writeFileSync(file, createTls().ca);
    await expect(readSecret()).rejects.toThrow('no connection to the API server');
    writeFileSync(file, `${createTls().ca}${server.tls.ca}`);
    await readSecret();
  });
});
