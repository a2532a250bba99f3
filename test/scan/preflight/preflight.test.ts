import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Core } from '../../../src/compose.ts';
import { isNodeAgent, preflightKinds } from '../../../src/scan/preflight/installed.ts';
import { type Mirror, startMirror } from '../../support/mirror.ts';
import { injectorWebhooks } from './injector-webhooks.ts';
import { composeFor, type MemoryCluster, preflightOf } from './preflight-kit.ts';

let mirror: Mirror;
let core: Core;
let hub: string;
const [SIGNED, UNSIGNED] = ['1.28.0', '1.28.1'];

beforeAll(async () => {
  mirror = await startMirror();
  hub = `${mirror.registry.host}/istio`;
  for (const suffix of ['', '-distroless'])
    for (const component of ['proxyv2', 'pilot', 'install-cni', 'ztunnel']) {
      mirror.add({ component, tag: `${SIGNED}${suffix}` });
      mirror.add({ component, tag: `${UNSIGNED}${suffix}`, by: false });
    }
  mirror.add({ component: 'proxyv2', tag: `${SIGNED}-debug`, by: false });
  core = await composeFor(mirror);
});
afterAll(async () => {
  await core.close();
  await mirror.registry.close();
});

const WEBHOOKS = 'mutatingwebhookconfigurations';
const INJECTOR = 'configmaps istio-system/istio-sidecar-injector';
const MESH = 'configmaps istio-system/istio';
const TEMPLATE =
  'templates:\n  sidecar: |\n    containers:\n    - name: istio-proxy\n      image: "{{ .ProxyImage }}"\n';

const injectorOf = (tag: string, more: Readonly<Record<string, unknown>> = {}) => ({
  metadata: { name: 'istio-sidecar-injector', namespace: 'istio-system' },
  data: { values: JSON.stringify({ global: { hub, tag } }), config: TEMPLATE, ...more },
});
const meshOf = (text: string) => ({
  metadata: { name: 'istio', namespace: 'istio-system' },
  data: { mesh: text },
});

const SHOP = new Map([
  ['shop', { 'istio-injection': 'enabled' }],
  ['quiet', {}],
]);

const cluster = (
  objects: MemoryCluster['objects'],
  refused: MemoryCluster['refused'] = {},
): MemoryCluster => ({
  objects: { [WEBHOOKS]: [injectorWebhooks('default')], ...objects },
  refused,
});

const rowsOf = async (of: MemoryCluster, more = {}) => {
  const { rows } = await preflightOf(core, of, { namespaces: SHOP, ...more });
  return rows.map(({ source, reference, status, namespaces }) => ({ source, reference, status, namespaces }));
};

const SOURCE = 'ConfigMap istio-system/istio-sidecar-injector';
const unknown = { source: SOURCE, reference: '', status: 'unknown', namespaces: ['shop'] };

describe('an injector', () => {
  it('that names an unsigned image is refused for the namespaces that get it', async () => {
    expect(await rowsOf(cluster({ [INJECTOR]: injectorOf(UNSIGNED) }))).toEqual([
      { source: SOURCE, reference: `${hub}/proxyv2:${UNSIGNED}`, status: 'refused', namespaces: ['shop'] },
    ]);
  });

  it('that names a look-alike on somebody else’s hub in a template is refused', async () => {
    const config = `${TEMPLATE}  gateway: |\n    containers:\n    - name: istio-proxy\n      image: evil.example/istio/proxyv2:1.28.0\n`;
    expect(await rowsOf(cluster({ [INJECTOR]: injectorOf(SIGNED, { config }) }))).toMatchObject([
      { reference: 'evil.example/istio/proxyv2:1.28.0', status: 'refused' },
      { reference: `${hub}/proxyv2:${SIGNED}`, status: 'verified' },
    ]);
  });

  it.each([
    ['does not exist', {}, {}, 'sends pods to this injector'],
    ['may not be read', {}, { [INJECTOR]: 403 }, 'could not be read'],
    ['has no template', { [INJECTOR]: () => injectorOf(SIGNED, { config: '' }) }, {}, 'has no template'],
    [
      'has a template that is null',
      { [INJECTOR]: () => injectorOf(SIGNED, { config: null }) },
      {},
      'no template',
    ],
    [
      'has templates without an image',
      { [INJECTOR]: () => injectorOf(SIGNED, { config: 'policy: enabled' }) },
      {},
      'name no image',
    ],
    [
      'has values that are no JSON',
      { [INJECTOR]: () => injectorOf(SIGNED, { values: '{' }) },
      {},
      'not JSON',
    ],
    [
      'has an image that only injection completes',
      { [INJECTOR]: () => injectorOf(SIGNED, { config: 'image: "{{ .Unheard.Of }}/proxyv2:x"\n' }) },
      {},
      'only injection completes',
    ],
  ])('that %s is unknown, with a sentence', async (_, objects, refused, sentence) => {
    const made = Object.fromEntries(Object.entries(objects).map(([name, make]) => [name, make()]));
    const { rows } = await preflightOf(core, cluster(made, refused), { namespaces: SHOP });
    expect(rows).toContainEqual(
      expect.objectContaining({ ...unknown, message: expect.stringContaining(sentence) as string }),
    );
  });

  it('outside of the cluster is unknown', async () => {
    const webhooks = injectorWebhooks('default').webhooks.map((entry) => ({
      ...entry,
      clientConfig: { url: 'https://istiod.example/inject' },
    }));
    expect(await rowsOf(cluster({ [WEBHOOKS]: [injectorWebhooks('default', { webhooks })] }))).toMatchObject([
      { source: 'MutatingWebhookConfiguration istio-sidecar-injector', reference: '', status: 'unknown' },
    ]);
  });

  it('is found by its name, for namespaces that are not known, if the webhooks may not be listed', async () => {
    const of = cluster({ [INJECTOR]: injectorOf(UNSIGNED) }, { [WEBHOOKS]: 403 });
    const { rows, coverage } = await preflightOf(core, of, { namespaces: SHOP });
    expect(rows).toMatchObject([{ reference: `${hub}/proxyv2:${UNSIGNED}`, namespaces: null }]);
    expect(coverage.notSeen).toMatchObject([
      {
        resource: `${WEBHOOKS}.admissionregistration.k8s.io`,
        remedy: expect.stringContaining('list') as string,
      },
    ]);
  });

  it('is not looked for in any other namespace, nor is any list of ConfigMaps or Secrets read', async () => {
    const { asked } = await preflightOf(core, cluster({ [INJECTOR]: injectorOf(SIGNED) }));
    expect(asked.filter((name) => /configmap|secret/.test(name))).toEqual([INJECTOR, MESH]);
  });

  it('of every revision is read, in the namespace of its istiod', async () => {
    const at = (revision: string) => `configmaps istio-system/istio-sidecar-injector-${revision}`;
    const webhooks = ['default', '1-27', '1-28'].map((revision) => injectorWebhooks(revision));
    const objects = {
      [WEBHOOKS]: webhooks,
      [INJECTOR]: injectorOf(SIGNED),
      [at('1-27')]: injectorOf(UNSIGNED),
      [at('1-28')]: injectorOf(SIGNED),
    };
    const namespaces = new Map([
      ['old', { 'istio.io/rev': '1-27' }],
      ['new', { 'istio.io/rev': '1-28' }],
    ]);
    expect(await rowsOf({ objects }, { namespaces })).toEqual([
      {
        source: `${SOURCE}-1-27`,
        reference: `${hub}/proxyv2:${UNSIGNED}`,
        status: 'refused',
        namespaces: ['old'],
      },
      { source: SOURCE, reference: `${hub}/proxyv2:${SIGNED}`, status: 'verified', namespaces: [] },
      {
        source: `${SOURCE}-1-28`,
        reference: `${hub}/proxyv2:${SIGNED}`,
        status: 'verified',
        namespaces: ['new'],
      },
    ]);
  });

  it('is for namespaces that are not known if those may not be listed', async () => {
    const rows = await rowsOf(cluster({ [INJECTOR]: injectorOf(SIGNED) }), { namespaces: undefined });
    expect(rows).toMatchObject([{ status: 'verified', namespaces: null }]);
  });
});

describe('the type of the image', () => {
  const proxyConfig = (namespace: string, imageType: unknown) => ({
    metadata: { name: 'proxy', namespace },
    spec: { image: { imageType } },
  });

  it('is the mesh’s', async () => {
    const objects = {
      [INJECTOR]: injectorOf(SIGNED),
      [MESH]: meshOf('defaultConfig:\n  image:\n    imageType: debug\n'),
    };
    expect(await rowsOf(cluster(objects))).toMatchObject([
      { reference: `${hub}/proxyv2:${SIGNED}-debug`, status: 'refused' },
    ]);
  });

  it.each([
    ['is not YAML', meshOf('a: [')],
    ['has aliases without end', meshOf('a: &a [1]\nb: *a\n')],
    ['is a list', meshOf('- a')],
    ['is absent', { data: {} }],
    ['is null', { data: null }],
  ])('is not known if the mesh %s', async (_, mesh) => {
    const { rows } = await preflightOf(core, cluster({ [INJECTOR]: injectorOf(SIGNED), [MESH]: mesh }));
    expect(rows).toMatchObject([{ status: 'unknown', path: 'data.mesh' }, { status: 'verified' }]);
  });

  it('is not known if the mesh may not be read', async () => {
    const { rows, coverage } = await preflightOf(
      core,
      cluster({ [INJECTOR]: injectorOf(SIGNED) }, { [MESH]: 403 }),
    );
    expect(rows).toMatchObject([{ status: 'unknown', path: 'data.mesh' }, { status: 'verified' }]);
    expect(coverage.notSeen).toMatchObject([{ resource: 'configmaps' }]);
  });

  it('is that of a ProxyConfig in its namespace, and everywhere in the root namespace', async () => {
    const of = (...proxyconfigs: readonly object[]) =>
      cluster({ [INJECTOR]: injectorOf(SIGNED), proxyconfigs: proxyconfigs as never });
    const namespaces = new Map([
      ['shop', { 'istio-injection': 'enabled' }],
      ['bank', { 'istio-injection': 'enabled' }],
    ]);
    const debug = { reference: `${hub}/proxyv2:${SIGNED}-debug`, status: 'refused' };
    expect(await rowsOf(of(proxyConfig('shop', 'debug')), { namespaces })).toMatchObject([
      { ...debug, source: 'ProxyConfig shop/proxy', namespaces: ['shop'] },
      { status: 'verified' },
    ]);
    expect(await rowsOf(of(proxyConfig('istio-system', 'debug')), { namespaces })).toMatchObject([
      { ...debug, namespaces: ['shop', 'bank'] },
      { status: 'verified' },
    ]);
    const many = Array.from({ length: 300 }, () => proxyConfig('shop', 'debug'));
    const { rows: once, coverage } = await preflightOf(core, of(...many), { namespaces });
    expect(once.map(({ status }) => status)).toEqual(['refused', 'verified']);
    expect(coverage.cut).toEqual(['Only the first 200 of 300 ProxyConfigs were judged.']);
    const harmless = [proxyConfig('quiet', 'debug'), proxyConfig('shop', null), proxyConfig('shop', 7), {}];
    expect(await rowsOf(of(...harmless), { namespaces })).toHaveLength(1);
  });
});

describe('namespaces', () => {
  it.each([
    ['a revision that is gone', { 'istio.io/rev': '1-20' }, 'istio.io/rev="1-20"'],
    ['markup', { 'istio.io/rev': '"><script>' }, 'istio.io/rev="\'><script>"'],
  ])('that ask for %s are unknown', async (_, labels, named) => {
    const namespaces = new Map([['stale', labels]]);
    const { rows } = await preflightOf(core, cluster({ [INJECTOR]: injectorOf(SIGNED) }), { namespaces });
    expect(rows[0]).toMatchObject({ source: 'Namespace labels', status: 'unknown', namespaces: ['stale'] });
    expect(rows[0]?.message).toContain(named);
  });

  it.each([
    ['nothing', {}],
    ['a revision of ambient mode', { 'istio.io/rev': '1-20', 'istio.io/dataplane-mode': 'ambient' }],
    ['no injection', { 'istio-injection': 'disabled', 'istio.io/rev': '1-20' }],
    ['the revision that is there', { 'istio.io/rev': 'default' }],
  ])('that ask for %s are not named', async (_, labels) => {
    const namespaces = new Map([['fine', labels]]);
    const { rows } = await preflightOf(core, cluster({ [INJECTOR]: injectorOf(SIGNED) }), { namespaces });
    expect(rows).toMatchObject([{ status: 'verified' }]);
  });
});

describe('what is installed', () => {
  const sail = (kind: string, spec: object) => ({
    apiVersion: 'sailoperator.io/v1',
    kind,
    metadata: { name: 'default' },
    spec: { namespace: 'istio-system', ...spec },
  });
  const at = (tag: string) => ({ values: { global: { hub, tag } } });

  it.each([
    ['istiooperators', 'IstioOperator', ['pilot', 'proxyv2']],
    ['istios', 'Istio', ['pilot', 'proxyv2']],
    ['istiorevisions', 'IstioRevision', ['pilot', 'proxyv2']],
    ['istiocnis', 'IstioCNI', ['install-cni']],
    ['ztunnels', 'ZTunnel', ['ztunnel']],
  ])('by %s is judged', async (plural, kind, components) => {
    const apiVersion = kind === 'IstioOperator' ? 'install.istio.io/v1alpha1' : 'sailoperator.io/v1';
    const object = (tag: string) => ({
      ...sail(kind, kind === 'IstioOperator' ? { hub, tag } : at(tag)),
      apiVersion,
    });
    const of = (tag: string): MemoryCluster => ({ objects: { [plural]: [object(tag)] } });
    const summary = async (tag: string) =>
      (await rowsOf(of(tag))).map(({ source, reference, status }) => [source, reference, status]);
    const expected = (tag: string, status: string) =>
      components.map((component) => [`${kind} default`, `${hub}/${component}:${tag}`, status]);
    expect(await summary(UNSIGNED)).toEqual(expected(UNSIGNED, 'refused'));
    expect(await summary(SIGNED)).toEqual(expected(SIGNED, 'verified'));
  });

  it('by an operator with a hub of its own is unknown, unless the injector says it', async () => {
    const istios = [sail('Istio', { version: 'v1.28.0' })];
    expect(await rowsOf({ objects: { istios } })).toMatchObject([
      { source: 'Istio default', status: 'unknown' },
    ]);
    expect(await rowsOf(cluster({ istios, [INJECTOR]: injectorOf(SIGNED) }))).toMatchObject([
      { source: SOURCE, status: 'verified' },
    ]);
  });

  it('may not be listed: the coverage names the right', async () => {
    const { rows, coverage } = await preflightOf(core, {
      objects: {},
      refused: { ztunnels: 403, istios: 500 },
    });
    expect(rows).toEqual([]);
    expect(coverage.notSeen.map(({ resource }) => resource)).toEqual([
      'istios.sailoperator.io',
      'ztunnels.sailoperator.io',
    ]);
  });

  it('by DaemonSets is judged, if they could be Istio’s', async () => {
    const daemonSet = (name: string, image: string) => ({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name, namespace: 'istio-system' },
      spec: { template: { spec: { containers: [{ name, image }] } } },
    });
    const cni = daemonSet('install-cni', `${hub}/install-cni:${UNSIGNED}`);
    const other = daemonSet('fluent-bit', 'docker.io/fluent/fluent-bit:1');
    expect([cni, other, { kind: 'DaemonSet', spec: null }, null].map(isNodeAgent)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(await rowsOf({ objects: {} }, { daemonSets: [cni, other] })).toEqual([
      {
        source: 'DaemonSet istio-system/install-cni',
        reference: `${hub}/install-cni:${UNSIGNED}`,
        status: 'refused',
        namespaces: ['istio-system'],
      },
    ]);
  });
});

it('lists no kinds but those it names, and the webhooks', async () => {
  const { asked } = await preflightOf(core, { objects: {} });
  const listed = asked.filter((name) => !name.includes(' '));
  expect(listed.toSorted()).toEqual([...preflightKinds.map(({ plural }) => plural), WEBHOOKS].toSorted());
});

it('says nothing of a cluster without Istio', async () => {
  expect(await rowsOf({ objects: {} })).toEqual([]);
});

it('does not fail if the judge does', async () => {
  const judge = () => Promise.reject(new Error('broken'));
  expect(await rowsOf(cluster({ [INJECTOR]: injectorOf(SIGNED) }), { judge })).toEqual([unknown]);
});
