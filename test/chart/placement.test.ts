import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { at, configurationOf, type Manifest, manifestOf, render } from './helm.ts';

const nodeSelectorOf = (manifests: readonly Manifest[]): unknown =>
  at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'spec', 'nodeSelector');

describe('the pods, on their nodes,', () => {
  it('run on Linux, and on other nodes only if the values say so', async () => {
    expect(nodeSelectorOf(await render())).toEqual({ 'kubernetes.io/os': 'linux' });
    expect(nodeSelectorOf(await render({ nodeSelector: { pool: 'system' } }))).toEqual({
      'kubernetes.io/os': 'linux',
      pool: 'system',
    });
  });

  it('keep no node from being removed by an emptyDir, unless an annotation says so', async () => {
    const EVICT = 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes';
    const evictable = async (values: object): Promise<unknown> =>
      at(
        manifestOf(await render(values), 'Deployment'),
        'spec',
        'template',
        'metadata',
        'annotations',
        EVICT,
      );
    const kept = { evidence: { write: { kind: 'emptyDir' } } };
    const more = { extraVolumes: [{ name: 'more', emptyDir: {} }] };
    expect(await evictable({})).toBeUndefined();
    expect(await evictable(kept)).toBe('kept');
    expect(await evictable({ ...kept, ...more })).toBe('kept,more');
    expect(await evictable({ ...kept, podAnnotations: { [EVICT]: 'none' } })).toBe('none');
  });

  it('listen on every address by default, and on the one of the values', async () => {
    const addressesOf = async (address?: string) => {
      const { server } = load(configurationOf(await render({ listen: { address } }))) as {
        readonly server: { readonly listen: string; readonly probes: string };
      };
      return [server.listen, server.probes];
    };
    expect(await addressesOf()).toEqual([':8443', ':8081']);
    expect(await addressesOf('192.0.2.1')).toEqual(['192.0.2.1:8443', '192.0.2.1:8081']);
    expect(await addressesOf('::')).toEqual(['[::]:8443', '[::]:8081']);
  });
});
