import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type MatchCase,
  matchConfiguration,
  mustMatch,
  mustMatchConfigured,
  mustNotMatch,
} from '../../support/match-condition-cases.ts';
import type { ApiResponse } from '../control-plane/api.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { sumOf } from '../control-plane/metrics.ts';
import { RELEASES } from '../control-plane/programs.ts';
import { until } from '../control-plane/until.ts';
import { runOrThrow } from '../tools.ts';
import { type RecordingWebhook, startRecordingWebhook } from './recording-webhook.ts';

/*
 * The output of `sailmark match-conditions` in a real API server: which pods it sends to the webhook, and that only
 * their cost makes the conditions fail.
 */

const PROGRAM = 'dist/main.js';
const PODS = '/api/v1/namespaces/default/pods';
const HOOK = 'conditions';

const conditionsOf = async (configuration: object): Promise<readonly object[]> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-conditions-'));
  const file = join(directory, 'config.yaml');
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(file, JSON.stringify({ ...head, ...configuration }));
  const argv = [PROGRAM, 'match-conditions', '--config', file, '--output', 'json'];
  const printed = await runOrThrow(process.execPath, argv);
  await rm(directory, { recursive: true });
  return (JSON.parse(printed) as { readonly matchConditions: readonly object[] }).matchConditions;
};

const hookOf = ({ clientConfig }: RecordingWebhook, matchConditions: readonly object[]) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: HOOK },
  webhooks: [
    {
      name: 'conditions.sailmark.dev',
      admissionReviewVersions: ['v1'],
      clientConfig,
      sideEffects: 'None',
      failurePolicy: 'Fail',
      matchConditions,
      rules: [
        {
          apiGroups: [''],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['pods', 'pods/ephemeralcontainers'],
        },
      ],
    },
  ],
});

const podOf = (name: string, spec: object, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels },
  spec,
});

describe.each(RELEASES)('the match conditions in Kubernetes %s', (release) => {
  let plane: ControlPlane;
  let recorder: RecordingWebhook;
  beforeAll(async () => {
    plane = await startControlPlane(release);
    recorder = await startRecordingWebhook();
  });
  afterAll(async () => {
    await recorder?.close();
    await plane?.stop();
  });

  /** Reports whether the API server calls the webhook for a pod that all conditions match. */
  const isAsked = async (): Promise<boolean> => {
    recorder.reviews.splice(0);
    const probe = podOf('probe', { containers: [{ name: 'istio-proxy', image: 'istio/proxyv2' }] });
    await plane.api.tryCreate(probe, '?dryRun=All');
    return recorder.reviews.length > 0;
  };
  /**
   * Applies these conditions: waits until the API server no longer uses the earlier ones, and then until it uses these.
   */
  const use = async (configuration: object): Promise<void> => {
    await plane.api.remove(`/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${HOOK}`);
    await until('no conditions are in force', async () => !(await isAsked()));
    await plane.api.create(hookOf(recorder, await conditionsOf(configuration)));
    await until('the conditions are in force', isAsked);
  };

  /** Changes an existing pod: its ephemeral containers through their subresource, its images, or a label. */
  const change = (name: string, { spec, before, labels }: MatchCase): Promise<ApiResponse> => {
    const type = 'application/strategic-merge-patch+json';
    const { ephemeralContainers, volumes: _, ...rest } = spec;
    const added = ephemeralContainers !== undefined && before?.ephemeralContainers === undefined;
    return added
      ? plane.api.send('PATCH', `${PODS}/${name}/ephemeralcontainers?dryRun=All`, {
          type,
          body: { spec: { ephemeralContainers } },
        })
      : plane.api.send('PATCH', `${PODS}/${name}?dryRun=All`, {
          type,
          body: { metadata: { labels: { ...labels, changed: 'yes' } }, spec: rest },
        });
  };

  /** Reports whether the API server called the webhook. The pod must be valid. */
  const isSent = async (name: string, tried: MatchCase): Promise<boolean> => {
    const { labels, labelsBefore = labels } = tried;
    if (tried.before !== undefined) await plane.api.create(podOf(name, tried.before, labelsBefore));
    recorder.reviews.splice(0);
    const { status, body } =
      tried.before === undefined
        ? await plane.api.tryCreate(podOf(name, tried.spec, labels), '?dryRun=All')
        : await change(name, tried);
    if (status >= 300) throw new Error(`${tried.name}: ${JSON.stringify(body)}`);
    return recorder.reviews.length > 0;
  };

  const sentOf = async (prefix: string, cases: readonly MatchCase[]): Promise<readonly string[]> => {
    const sent: string[] = [];
    for (const [place, tried] of cases.entries()) {
      if (release === '1.30' && tried.hasImageVolume === true) continue;
      if (await isSent(`${prefix}-${place}`, tried)) sent.push(tried.name);
    }
    return sent;
  };
  const namesOf = (cases: readonly MatchCase[]): readonly string[] =>
    cases
      .filter(({ hasImageVolume }) => release !== '1.30' || hasImageVolume !== true)
      .map(({ name }) => name);

  it('send every pod that could be of interest, and no other', async () => {
    await use({});
    expect(await sentOf('no', mustNotMatch)).toEqual([]);
    expect(await sentOf('yes', mustMatch)).toEqual(namesOf(mustMatch));
    expect(await sentOf('later', mustMatchConfigured)).toEqual([]);
  });

  it('send what a configuration adds', async () => {
    await use(matchConfiguration);
    expect(await sentOf('never', mustNotMatch)).toEqual([]);
    expect(await sentOf('still', mustMatch)).toEqual(namesOf(mustMatch));
    expect(await sentOf('too', mustMatchConfigured)).toEqual(namesOf(mustMatchConfigured));
  });

  it('fail for their cost and for nothing else, and then refuse the pod', async () => {
    await use({});
    const errors = async (): Promise<number> =>
      sumOf(await plane.metrics(), 'apiserver_admission_match_condition_evaluation_errors_total');
    expect(await errors()).toBe(0);
    const padded = podOf('padded', { containers: [{ name: 'app', image: '<'.repeat(1_300_000) }] });
    recorder.reviews.splice(0);
    const { status, body } = await plane.api.tryCreate(padded, '?dryRun=All');
    expect({ status, body: JSON.stringify(body) }).toEqual({
      status: 403,
      body: expect.stringContaining('actual cost limit exceeded') as string,
    });
    expect(recorder.reviews).toEqual([]);
    expect(await errors()).toBe(1);
  });
});
