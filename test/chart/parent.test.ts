import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, containerOf, helm, type Manifest, manifestOf, withImage } from './helm.ts';

const dependency = { name: 'sailmark', version: '0.1.0' };

interface Parent {
  readonly global?: object;
  readonly sailmark?: object;
}

describe('a chart that has this one as a part', () => {
  let directory: string;
  const parents = { conditional: { ...dependency, condition: 'sailmark.enabled' }, plain: dependency };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sailmark-parent-'));
    for (const [name, part] of Object.entries(parents)) {
      const chart = { apiVersion: 'v2', name, version: '1.0.0', dependencies: [part] };
      await mkdir(join(directory, name, 'charts'), { recursive: true });
      await cp('charts/sailmark', join(directory, name, 'charts', 'sailmark'), { recursive: true });
      await writeFile(join(directory, name, 'Chart.yaml'), JSON.stringify(chart));
    }
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const template = (parent: keyof typeof parents, { sailmark = {}, ...values }: Parent) =>
    helm(
      ['template', 'mesh', join(directory, parent), '--values', '-'],
      JSON.stringify({ ...values, sailmark: withImage(sailmark) }),
    );
  const manifestsOf = async (values: Parent): Promise<readonly Manifest[]> => {
    const { code, stdout, stderr } = await template('conditional', values);
    // Helm 3 warns where null takes the place of a table, and takes the table away.
    const errors = stderr.replace(/^coalesce\.go:\d+: warning: cannot overwrite table .*\n/gm, '');
    expect([code, errors]).toEqual([0, '']);
    return (loadAll(stdout) as readonly (Manifest | null)[]).filter((one) => one !== null);
  };

  it('is refused where it switches a part off that has no condition', async () => {
    const { code, stderr } = await template('plain', { sailmark: { enabled: false } });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('* enabled is false, and the chart is rendered'),
    ]);
  });

  it('is refused by the value’s name where it sets one to null that must be there', async () => {
    const { code, stderr } = await template('conditional', {
      sailmark: { webhook: { failurePolicy: null } },
    });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/sailmark:\s+- at '\/webhook': .*failurePolicy/),
    ]);
  });

  it('switches it off by the condition', async () => {
    expect(await manifestsOf({ sailmark: { enabled: false } })).toEqual([]);
    expect(manifestOf(await manifestsOf({ sailmark: { enabled: true } }), 'Deployment')).toBeDefined();
  });

  it('takes values away by null', async () => {
    const sailmark = { replicas: null, nodeSelector: null, resources: null, config: null, strategy: null };
    const deployment = manifestOf(await manifestsOf({ sailmark }), 'Deployment');
    expect(deployment['spec']).not.toHaveProperty('replicas');
    expect(at(deployment, 'spec', 'template', 'spec')).not.toHaveProperty('nodeSelector');
  });

  it('says where images come from, and with which Secrets', async () => {
    const manifests = await manifestsOf({
      global: { imageRegistry: 'mirror.corp.example:5000', imagePullSecrets: ['pull'] },
    });
    expect(at(containerOf(manifests), 'image')).toBe('mirror.corp.example:5000/sailmark:0.1.0');
    expect(at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'spec', 'imagePullSecrets')).toEqual([
      { name: 'pull' },
    ]);
  });
});
