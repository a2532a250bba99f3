import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { bundleImage } from '../control-plane/kubelet/container.ts';
import { type Kubelet, startKubelet } from '../control-plane/kubelet/kubelet.ts';
import type { Pod } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';

/*
 * The simulated kubelet, which the other tests rely on, does what a kubelet does. Its pods run the short program below,
 * which responds with what it finds in its environment.
 */

const NAMESPACE = 'played';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
/** Without root the user namespace of the tests has a single user. */
const USER = /\b1$/.test(readFileSync('/proc/self/uid_map', 'utf8').trim()) ? 0 : 4711;
const PROGRAM = `
const { readFileSync, writeFileSync, existsSync } = require('node:fs');
const own = (path) => { try { writeFileSync(path, 'x'); return true; } catch { return false; } };
const starts = existsSync('/kept/starts') ? Number(readFileSync('/kept/starts')) + 1 : 1;
writeFileSync('/kept/starts', String(starts));
process.on('SIGTERM', () => { console.log('asked to end'); setTimeout(() => process.exit(0), 300); });
require('node:http').createServer((request, response) => {
  response.statusCode = readFileSync('/secret/ready', 'utf8') === 'yes' ? 200 : 503;
  response.end(JSON.stringify({
    starts, user: process.getuid(), name: process.env.NAME, argument: process.argv[1], rootIsWritten: own('/x'),
    token: readFileSync('/api/token', 'utf8').split('.').length,
  }));
}).listen(8080);`;

let plane: ControlPlane;
let kubelet: Kubelet;
beforeAll(async () => {
  plane = await startControlPlane('1.36');
  const { api } = plane;
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await api.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'state', namespace: NAMESPACE },
    stringData: { ready: 'no' },
  });
  const image = bundleImage(new URL('.', import.meta.url).pathname);
  kubelet = await startKubelet(plane, {
    namespace: NAMESPACE,
    image: (reference) => (reference === 'played' ? image : undefined),
    syncPeriod: 100,
  });
  await until('its service account', () =>
    api.find(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`),
  );
  await api.create(podOf('web', 'played'));
});
afterAll(async () => {
  await kubelet?.stop();
  await plane?.stop();
});

const podOf = (name: string, image: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE },
  spec: {
    terminationGracePeriodSeconds: 5,
    automountServiceAccountToken: false,
    securityContext: { runAsUser: 4711, runAsGroup: 4711, fsGroup: 4711 },
    containers: [
      {
        name: 'web',
        image,
        command: ['/nodejs/bin/node', '--eval', PROGRAM],
        args: ['$(NAME)'],
        env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        ports: [{ name: 'http', containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1, failureThreshold: 1 },
        securityContext: { readOnlyRootFilesystem: true },
        volumeMounts: [
          { name: 'secret', mountPath: '/secret', readOnly: true },
          { name: 'api', mountPath: '/api', readOnly: true },
          { name: 'kept', mountPath: '/kept' },
        ],
      },
    ],
    volumes: [
      { name: 'secret', secret: { secretName: 'state', defaultMode: 0o400 } },
      { name: 'api', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      { name: 'kept', emptyDir: {} },
    ],
  },
});

const findPod = (name: string): Promise<Pod | undefined> => plane.api.find<Pod>(`${PODS}/${name}`);
const readyOf = async (): Promise<string | undefined> => {
  const pod = await findPod('web');
  return pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
};
const untilReadyIs = async (wanted: string): Promise<void> => {
  await until(`ready: ${wanted}`, async () => (await readyOf()) === wanted, { seconds: 15 });
};
/** Waits until a pod is gone from the API, and then from the kubelet, which learns of it later. */
const untilGone = async (name: string): Promise<void> => {
  await until(
    `${name} is gone`,
    async () =>
      (await findPod(name)) === undefined && kubelet.pods().every(({ pod }) => pod.metadata.name !== name),
  );
};
const tellReady = (value: string): Promise<unknown> =>
  plane.api.patch(`/api/v1/namespaces/${NAMESPACE}/secrets/state`, { stringData: { ready: value } });
const asked = async (): Promise<unknown> => {
  const [life] = kubelet.pods();
  const response = await fetch(`http://${life?.address}:8080/`);
  return response.json();
};

it('runs a pod with its own user, mounts, environment and token, and a root that nobody writes', async () => {
  await until('it answers', asked);
  expect(await asked()).toEqual({
    starts: 1,
    user: USER,
    name: 'web',
    argument: 'web',
    rootIsWritten: false,
    token: 3,
  });
  await untilReadyIs('False');
});

it('takes over what changes in a Secret, and tells what the readiness probe finds', async () => {
  await tellReady('yes');
  await untilReadyIs('True');
  await tellReady('no');
  await untilReadyIs('False');
  expect(kubelet.pods().map(({ ready, restarts }) => ({ ready, restarts }))).toEqual([
    { ready: false, restarts: 0 },
  ]);
});

it('starts a program again that ended', async () => {
  await tellReady('yes');
  await untilReadyIs('True');
  kubelet.pods()[0]?.process?.signal('SIGKILL');
  await until('it runs again', async () => {
    const { starts } = (await asked()) as { readonly starts: number };
    return starts === 2;
  });
  await untilReadyIs('True');
  expect(kubelet.pods().map(({ restarts }) => restarts)).toEqual([1]);
});

it('tells nobody of a loss of power, and starts everything again after it', async () => {
  await kubelet.cutPower();
  expect([kubelet.pods(), await readyOf()]).toEqual([[], 'True']);
  await kubelet.restorePower();
  await until('it runs again', async () => {
    const { starts } = (await asked()) as { readonly starts: number };
    return starts === 3;
  });
});

it('says of an image that cannot be pulled, and lets its pod be deleted', async () => {
  await plane.api.create(podOf('unpullable', 'unknown'));
  await until('it is told', async () =>
    JSON.stringify(await findPod('unpullable')).includes('ImagePullBackOff'),
  );
  await plane.api.remove(`${PODS}/unpullable`, { gracePeriodSeconds: 5 });
  await untilGone('unpullable');
  expect(kubelet.pods().map(({ pod }) => pod.metadata.name)).toEqual(['web']);
});

it('asks a program to end before its pod is gone', async () => {
  const [life] = kubelet.pods();
  await plane.api.remove(`${PODS}/web`, { gracePeriodSeconds: 5 });
  await untilGone('web');
  expect(life?.logs()).toBe('asked to end\n');
  expect(kubelet.pods()).toEqual([]);
});
