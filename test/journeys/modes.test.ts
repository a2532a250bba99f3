import { describe, expect, it } from 'vitest';
import { workloads } from '../../src/admission/index.ts';
import {
  container,
  deployment,
  type KubernetesObject,
  type PodSpec,
  pod,
  review,
} from '../support/builders.ts';
import {
  allowed,
  audited,
  refused,
  responseSummary,
  startWithImages,
  warned,
} from '../support/webhook-and-images.ts';

/*
 * The effect of a verdict, by the path of the request and by the kind of object.
 */

describe.each(['', 'critical/'])('a pod posted to /validate/%s…', (prefix) => {
  it.each([
    ['enforce', refused],
    ['warn', warned],
    ['audit', audited],
  ])('%s', async (mode, expected) => {
    const { webhook, signed, unsigned } = await startWithImages();
    const path = `/validate/${prefix}${mode}`;
    expect(await responseSummary(webhook, review(pod([unsigned.byTag])), path)).toEqual(expected);
    expect(await responseSummary(webhook, review(pod([unsigned.byDigest, signed.byTag])), path)).toEqual(
      expected,
    );
    expect(await responseSummary(webhook, review(pod([signed.byTag])), path)).toEqual(allowed);
    const { auditAnnotations } = await webhook.sendReview(path, review(pod([signed.byTag])));
    expect(auditAnnotations?.['mode']).toBe(mode);
    expect(webhook.lastRecord()?.critical).toBe(prefix === 'critical/');
  });
});

describe('an object that holds a template of pods', () => {
  /** An object of that kind, with the pod's specification where the kind has it. */
  const holding = (
    { group, kind, podSpec }: (typeof workloads)[number],
    content: PodSpec | readonly string[],
  ): KubernetesObject => {
    const { spec } = pod(content);
    const below = podSpec.reduceRight<unknown>((inner, field) => ({ [field]: inner }), spec);
    const apiVersion = group === '' ? 'v1' : `${group}/v1`;
    return { apiVersion, kind, metadata: { name: 'web' }, ...(below as object) };
  };
  const templates = workloads.filter(({ holds }) => holds === 'template');

  it('is one of these kinds', () => {
    expect(templates.map(({ kind }) => kind).toSorted()).toEqual([
      'CronJob',
      'DaemonSet',
      'Deployment',
      'DeploymentConfig',
      'Job',
      'PodTemplate',
      'ReplicaSet',
      'ReplicationController',
      'StatefulSet',
    ]);
  });

  it.each(templates)('$kind: gets a warning where its pods would be refused', async (workload) => {
    const { webhook, signed, unsigned } = await startWithImages();
    const bad = review(holding(workload, [unsigned.byTag]));
    expect(await responseSummary(webhook, bad)).toEqual(warned);
    expect(await responseSummary(webhook, bad, '/validate/audit')).toEqual(audited);
    expect(await responseSummary(webhook, review(holding(workload, [signed.byTag])))).toEqual(allowed);
  });

  it('may hold the placeholder that injection replaces; a pod may not keep it', async () => {
    const { webhook } = await startWithImages({ unrecognised: 'deny' });
    const spec = { containers: [container('auto', 'istio-proxy')] };
    expect(await responseSummary(webhook, review(deployment(spec)))).toEqual(allowed);
    expect(await responseSummary(webhook, review(pod(spec)))).toEqual({
      ...refused,
      reasons: ['image-unrecognised'],
    });
  });
});
