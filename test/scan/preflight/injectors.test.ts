import { describe, expect, it } from 'vitest';
import { findInjectors } from '../../../src/scan/preflight/injectors.ts';
import { injectorWebhooks } from './injector-webhooks.ts';

const summary = (configurations: readonly Readonly<Record<string, unknown>>[]) =>
  findInjectors(configurations).map(({ revision, namespace, configurations: names }) => ({
    revision,
    namespace,
    names,
  }));

describe('the injectors of a cluster', () => {
  it.each([
    ['nothing', {}],
    ['webhooks that are null', { webhooks: null }],
    ['webhooks that are none', { webhooks: 'x' }],
    ['webhooks of null', { webhooks: [null, 1, {}] }],
    ['another webhook', { webhooks: [{ name: 'pods.cert-manager.io', clientConfig: { service: null } }] }],
    [
      'a name that only begins like theirs',
      { webhooks: [{ name: 'sidecar-injector.istio.io.example.com', clientConfig: {} }] },
    ],
  ])('are not found in %s', (_, configuration) => {
    expect(findInjectors([configuration])).toEqual([]);
  });

  it('are one for each revision, with its tags', () => {
    const tag = {
      ...injectorWebhooks('1-28'),
      metadata: {
        name: 'istio-revision-tag-prod',
        labels: { 'istio.io/rev': '1-28', 'istio.io/tag': 'prod' },
      },
    };
    expect(summary([injectorWebhooks('default'), injectorWebhooks('1-28'), tag])).toEqual([
      { revision: 'default', namespace: 'istio-system', names: ['istio-sidecar-injector'] },
      {
        revision: '1-28',
        namespace: 'istio-system',
        names: ['istio-sidecar-injector-1-28', 'istio-revision-tag-prod'],
      },
    ]);
  });

  it('are known by the Service of istiod without a label, and by no namespace if they are outside', () => {
    const { webhooks } = injectorWebhooks('1-28');
    const [first] = webhooks;
    expect(summary([{ metadata: {}, webhooks }])).toMatchObject([{ revision: '1-28' }]);
    expect(
      summary([
        { metadata: { name: 'x' }, webhooks: [{ ...first, clientConfig: { url: 'https://x/inject' } }] },
      ]),
    ).toMatchObject([{ revision: 'default', namespace: undefined }]);
  });

  it('are for the namespaces that their selectors choose for a pod without labels', () => {
    const [injector] = findInjectors([injectorWebhooks('default')]);
    const isFor = (labels: Readonly<Record<string, string>>) => injector?.isFor(labels);
    expect(isFor({})).toBe(false);
    expect(isFor({ 'istio-injection': 'disabled' })).toBe(false);
    expect(isFor({ 'istio.io/rev': '1-28' })).toBe(false);
    expect(isFor({ 'istio.io/rev': 'default', 'istio-injection': 'disabled' })).toBe(false);
    expect(isFor({ 'istio-injection': 'enabled' })).toBe(true);
    expect(isFor({ 'istio.io/rev': 'default' })).toBe(true);
  });
});
