import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { HOST, startControlPlane } from '../control-plane/control-plane.ts';

/*
 * The start of a control plane: nothing remains of one that fails half-way, and no file is read half-written.
 */

const RELEASE = '1.36';
const ETCD_PORT = 2379;
const API_PORT = 6443;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-start-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));
// Other runs on this machine have control planes in the usual directory.
beforeEach(() => void vi.stubEnv('TMPDIR', directory));
afterEach(() => void vi.unstubAllEnvs());

/** Replaces one of the control plane's programs with a script for Node that fails. */
const useStandIn = async (variable: string, script: string): Promise<void> => {
  const path = join(directory, variable);
  await writeFile(path, `#!${process.execPath}\n${script}`);
  await chmod(path, 0o755);
  vi.stubEnv(variable, path);
};

const isListening = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
/** The names of the control plane's processes in this PID namespace. */
const runningParts = async (): Promise<readonly string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')));
  return names.map((name) => name.trim()).filter((name) => /^(?:etcd|kube-)/.test(name));
};
const directories = async (): Promise<readonly string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('sailmark-control-plane-'));

describe('a control plane that fails to start', () => {
  it.each([
    ['its API server', 'KUBE_APISERVER_1_36'],
    ['its controller manager', 'KUBE_CONTROLLER_MANAGER'],
  ])('because of %s leaves no process, port or directory behind', async (_part, variable) => {
    await useStandIn(variable, 'console.error("stand-in failed"); process.exit(3);');
    await expect(startControlPlane(RELEASE)).rejects.toThrow(/ended with 3: stand-in failed/);
    expect(await runningParts()).toEqual([]);
    expect([await isListening('127.0.0.1', ETCD_PORT), await isListening(HOST, API_PORT)]).toEqual([
      false,
      false,
    ]);
    expect(await directories()).toEqual([]);
  });

  it('has given the API server a certificate that is whole when it starts', async () => {
    await useStandIn(
      'KUBE_APISERVER_1_36',
      `const { readFileSync } = require('node:fs');
      const { X509Certificate, createPrivateKey } = require('node:crypto');
      const flag = (name) => process.argv.find((one) => one.startsWith(name + '=')).slice(name.length + 1);
      const certificate = new X509Certificate(readFileSync(flag('--tls-cert-file')));
      const key = createPrivateKey(readFileSync(flag('--tls-private-key-file')));
      console.error('matches: ' + certificate.checkPrivateKey(key)); process.exit(4);`,
    );
    await expect(startControlPlane(RELEASE)).rejects.toThrow(/ended with 4: matches: true/);
  });
});

describe('a control plane that starts', () => {
  it('is not kept from it by a process left behind on its usual ports, and proves itself with the CA it was given', async () => {
    const first = await startControlPlane(RELEASE);
    try {
      const second = await startControlPlane(RELEASE);
      try {
        expect(new URL(second.url).port).not.toBe(`${API_PORT}`);
        expect(new X509Certificate(second.ca).ca).toBe(true);
        expect(await second.api.send('GET', '/readyz')).toMatchObject({ status: 200 });
      } finally {
        await second.stop();
      }
    } finally {
      await first.stop();
    }
    expect(await runningParts()).toEqual([]);
  });
});
