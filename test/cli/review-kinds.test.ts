import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { review as admissionReview, container, deployment, pod } from '../support/builders.ts';
import { type ReviewKit, startReviewKit } from '../support/review-kit.ts';
import { runCli } from '../support/run-cli.ts';

/* Images in objects that hold no pod of Kubernetes' own kinds: those of other projects, and Istio's configuration. */

let kit: ReviewKit;
beforeAll(async () => {
  kit = await startReviewKit();
});
afterAll(() => kit.close());

interface Printed {
  readonly objects: readonly {
    readonly kind: string;
    readonly verdict: string;
    readonly images: readonly string[];
    readonly findings: readonly { readonly image: string; readonly path: string; readonly code: string }[];
  }[];
  readonly notJudged?: readonly {
    readonly kind: string;
    readonly images: readonly { readonly image: string; readonly path: string }[];
    readonly unknown: readonly string[];
  }[];
}

const printed = async (input: string | object) => {
  const { code, stdout, stderr } = await kit.review(input, '--output', 'json');
  if (stdout === '') throw new Error(stderr);
  const { objects, notJudged = [] } = JSON.parse(stdout) as Printed;
  return { code, objects, notJudged };
};

/** The exit code, and the paths of what was found. */
const found = async (input: string | object) => {
  const { code, objects, notJudged } = await printed(input);
  return {
    code,
    findings: objects.flatMap(({ findings }) => findings.map((one) => `${one.path}: ${one.code}`)),
    notJudged: notJudged.flatMap(({ images, unknown }) => [...images.map(({ path }) => path), ...unknown]),
  };
};

const spec = (image: string, name: string | undefined = 'istio-proxy') => ({
  containers: [{ ...(name === undefined ? {} : { name }), image }],
});
const template = (image: string) => ({ metadata: { labels: { app: 'web' } }, spec: spec(image) });
const at = (path: string): string => `${path}.containers[0].image`;

type Kind = readonly [kind: string, document: (image: string) => object, path: string];

const KINDS: readonly Kind[] = [
  [
    'a Rollout of Argo',
    (image) => ({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name: 'web' },
      spec: { replicas: 1, template: template(image), strategy: { canary: {} } },
    }),
    at('spec.template.spec'),
  ],
  [
    'a CloneSet of OpenKruise',
    (image) => ({
      apiVersion: 'apps.kruise.io/v1alpha1',
      kind: 'CloneSet',
      spec: { template: template(image) },
    }),
    at('spec.template.spec'),
  ],
  [
    'a Service of Knative, whose container has no name',
    (image) => ({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      spec: { template: { spec: { containers: [{ image }] } } },
    }),
    at('spec.template.spec'),
  ],
  [
    'a ControllerRevision',
    (image) => ({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      revision: 1,
      data: { spec: { template: { $patch: 'replace', ...template(image) } } },
    }),
    at('data.spec.template.spec'),
  ],
  [
    'a JobSet',
    (image) => ({
      apiVersion: 'jobset.x-k8s.io/v1alpha2',
      kind: 'JobSet',
      spec: { replicatedJobs: [{ name: 'a', template: { spec: { template: template(image) } } }] },
    }),
    at('spec.replicatedJobs[0].template.spec.template.spec'),
  ],
  [
    'a LeaderWorkerSet',
    (image) => ({
      apiVersion: 'leaderworkerset.x-k8s.io/v1',
      kind: 'LeaderWorkerSet',
      spec: { leaderWorkerTemplate: { workerTemplate: template(image) } },
    }),
    at('spec.leaderWorkerTemplate.workerTemplate.spec'),
  ],
  [
    'a Template of OpenShift',
    (image) => ({
      apiVersion: 'template.openshift.io/v1',
      kind: 'Template',
      objects: [{ kind: 'Deployment', spec: { template: template(image) } }],
    }),
    at('objects[0].spec.template.spec'),
  ],
  [
    'a Deployment of a group that is gone',
    (image) => ({
      apiVersion: 'extensions/v1beta1',
      kind: 'Deployment',
      spec: { template: template(image) },
    }),
    at('spec.template.spec'),
  ],
  [
    'a kind of nobody, at a depth of its own',
    (image) => ({
      apiVersion: 'a.example/v1',
      kind: 'Thing',
      spec: { 'a.b/c': [[{ deep: { er: spec(image) } }]] },
    }),
    at('spec["a.b/c"][0][0].deep.er'),
  ],
  [
    'an init container of a kind without containers',
    (image) => ({
      apiVersion: 'a.example/v1',
      kind: 'Thing',
      spec: { initContainers: [container(image, 'istio-init')] },
    }),
    'spec.initContainers[0].image',
  ],
];

describe('a pod template is judged in', () => {
  it.each(KINDS)('%s: an unsigned image is a finding', async (_name, document, path) => {
    expect(await found(document(`${kit.hub}/proxyv2:${kit.unsigned}`))).toEqual({
      code: 10,
      findings: [`${path}: signature-missing`],
      notJudged: [],
    });
  });

  it.each(KINDS)('%s: a signed one is allowed', async (_name, document) => {
    const image = `${kit.hub}/proxyv2:${kit.signed}`;
    const { code, objects } = await printed(document(image));
    expect([code, objects.map(({ verdict, images }) => [verdict, images])]).toEqual([
      0,
      [['allow', [image]]],
    ]);
  });

  it('a kind of another project that runs istiod, by the name of its container', async () => {
    const rollout = (labels: object) => ({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      spec: { template: { metadata: { labels }, spec: spec('corp.example/control:1', 'discovery') } },
    });
    expect(await found(rollout({ app: 'istiod' }))).toMatchObject({
      code: 30,
      findings: [`${at('spec.template.spec')}: image-unrecognised`],
    });
    expect(await found(rollout({ app: 'eureka' }))).toMatchObject({ code: 0, findings: [] });
  });

  it('a list of another project’s kind', async () => {
    const item = { spec: { template: template(`${kit.hub}/proxyv2:${kit.unsigned}`) } };
    const list = { apiVersion: 'argoproj.io/v1alpha1', kind: 'RolloutList', items: [item] };
    expect((await printed(list)).objects).toMatchObject([{ kind: 'Rollout', verdict: 'warn' }]);
  });

  it('a captured AdmissionReview of another project’s kind, which the webhook is not asked about', async () => {
    const [, document] = KINDS[0] ?? [];
    const rollout = document?.(`${kit.hub}/proxyv2:${kit.unsigned}`) as Parameters<typeof admissionReview>[0];
    expect(await found(admissionReview(rollout))).toMatchObject({ code: 10 });
  });

  it('an annotation with which a pod chooses the injected image', async () => {
    const annotations = { 'sidecar.istio.io/proxyImage': `${kit.hub}/proxyv2:${kit.unsigned}` };
    const path = 'metadata.annotations["sidecar.istio.io/proxyImage"]: signature-missing';
    expect(await found(pod(['nginx'], { annotations }))).toMatchObject({ code: 10, findings: [path] });
    const name = { 'sidecar.istio.io/proxyImage': 'proxyv2' };
    expect(await found(pod(['nginx'], { annotations: name }))).toMatchObject({ code: 0, findings: [] });
    const injected = {
      ...pod(['nginx'], { annotations }),
      spec: spec(`${kit.hub}/proxyv2:${kit.signed}`, 'istio-proxy'),
    };
    expect(await found(injected)).toMatchObject({ code: 20, findings: [] });
    expect(await found({ ...injected, spec: spec('auto', 'istio-proxy') })).toMatchObject({
      findings: expect.arrayContaining([path]),
    });
    const { kind, apiVersion, metadata } = deployment(['nginx']);
    const workload = {
      kind,
      apiVersion,
      metadata,
      spec: { template: { metadata: { annotations }, spec: spec('nginx', 'app') } },
    };
    expect(await found(workload)).toMatchObject({ code: 10, findings: [`spec.template.${path}`] });
    expect(await found({ ...workload, kind: 'Rollout', apiVersion: 'argoproj.io/v1alpha1' })).toMatchObject({
      code: 10,
      findings: [`spec.template.${path}`],
    });
  });
});

describe('an image that could be Istio’s and was not judged is named, with the exit code 20,', () => {
  const custom = (more: object) => ({ apiVersion: 'a.example/v1', kind: 'Thing', ...more });
  const PLACES: readonly (readonly [string, (image: string) => object, string])[] = [
    ['in a field of an unknown kind', (image) => custom({ spec: { image } }), 'spec.image'],
    [
      'in a step of a Task',
      (image) => custom({ spec: { steps: [{ name: 'a', image }] } }),
      'spec.steps[0].image',
    ],
    ['in a list of images', (image) => custom({ spec: { images: ['nginx', image] } }), 'spec.images[1]'],
    [
      'in a ConfigMap, as a whole manifest in YAML',
      (image) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        data: { 'pod.yaml': `spec:\n  containers:\n  - image: "${image}"\n` },
      }),
      'data.pod.yaml',
    ],
    [
      'in a ConfigMap, as JSON',
      (image) => ({ apiVersion: 'v1', kind: 'ConfigMap', data: { it: JSON.stringify({ image }) } }),
      'data.it',
    ],
    [
      'in an argument of a container',
      (image) => ({
        ...pod([]),
        spec: { containers: [{ ...container('nginx'), args: [`--proxy=${image}`] }] },
      }),
      'spec.containers[0].args[0]',
    ],
    [
      'in an environment variable of an operator',
      (image) =>
        deployment({ containers: [{ ...container('operator'), env: [{ name: 'A', value: image }] }] }),
      'spec.template.spec.containers[0].env[0].value',
    ],
    ['as an OCI URL', (image) => custom({ spec: { url: `oci://${image}` } }), 'spec.url'],
  ];

  it.each(PLACES)('%s', async (_name, document, path) => {
    const image = `${kit.hub}/proxyv2:${kit.signed}`;
    expect(await found(document(image))).toEqual({ code: 20, findings: [], notJudged: [path] });
  });

  it('as a look-alike, and as a hub of another kind’s values', async () => {
    const values = { global: { hub: 'docker.io/istio', tag: '1.28.0' } };
    expect(await found(custom({ spec: { image: 'evil.example/ztunnel:1', values } }))).toMatchObject({
      code: 20,
      notJudged: ['spec.image', 'spec.values.global.hub'],
    });
    const registry = { spec: { runtime: { imageRegistry: 'docker.io/istio', imageTag: '1.28.0' } } };
    expect(await found(custom(registry))).toMatchObject({
      code: 20,
      notJudged: ['spec.runtime.imageRegistry'],
    });
    for (const hub of ['registry.corp.example/mesh', 'registry.corp.example', 'localhost:5000'])
      expect(await found(custom({ spec: { values: { global: { hub, tag: '1.28.0' } } } }))).toMatchObject({
        code: 20,
        notJudged: ['spec.values.global.hub'],
      });
    for (const other of [{ github: 'corp/mesh' }, { hub: 'eastus' }, { registry: 'registry.corp.example' }])
      expect(await found(custom({ spec: other }))).toMatchObject({ code: 0, notJudged: [] });
    const text = custom({ spec: { helm: { values: 'global:\n  hub: docker.io/istio\n  tag: 1.28.0\n' } } });
    expect(await found(text)).toMatchObject({ code: 20, notJudged: ['spec.helm.values'] });
  });

  it('in parts that stand in fields of their own', async () => {
    const [registry = '', ...rest] = kit.hub.split('/');
    const repository = `${rest.join('/')}/proxyv2`;
    const tag = kit.signed;
    const image = `${kit.hub}/proxyv2:${tag}`;
    const cases: readonly (readonly [string, object, string])[] = [
      ['spec.a.name', { registry, name: repository, tag }, image],
      ['spec.a.repository', { registry, repository, tag }, image],
      ['spec.a.image', { hub: kit.hub, image: 'proxyv2', tag }, image],
      ['spec.a.name', { repository: kit.hub, name: 'proxyv2' }, `${kit.hub}/proxyv2`],
      [
        'spec.a.imageName',
        { imageRegistry: registry, imageName: repository, imageTag: 1.2 },
        `${kit.hub}/proxyv2:1.2`,
      ],
      ['spec.a.repository', { repository: 'istio/proxyv2', tag }, `istio/proxyv2:${tag}`],
      [
        'spec.a.name',
        { name: 'evil.example/ztunnel', digest: `sha256:${'a'.repeat(64)}` },
        `evil.example/ztunnel@sha256:${'a'.repeat(64)}`,
      ],
      ['spec.a.newName', { name: 'nginx', newName: 'istio/proxyv2' }, 'istio/proxyv2'],
    ];
    for (const [path, a, named] of cases) {
      const { code, notJudged } = await printed(custom({ spec: { a } }));
      expect([code, notJudged.flatMap(({ images }) => images)]).toEqual([20, [{ image: named, path }]]);
    }
  });

  it('in a Kustomization, by the name that it gives a tag or a new name', async () => {
    const kustomization = (image: object) => ({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      images: [image],
    });
    const named = async (image: object) => found(kustomization(image));
    expect(await named({ name: 'istio/proxyv2', newTag: '1.20.0' })).toMatchObject({
      code: 20,
      notJudged: ['images[0].name'],
    });
    expect(await named({ name: 'web', newName: 'docker.io/istio/pilot', newTag: '1' })).toMatchObject({
      code: 20,
      notJudged: ['images[0].newName'],
    });
    expect(await named({ name: 'nginx', newTag: '1.20.0' })).toMatchObject({ code: 0, notJudged: [] });
    const flux = custom({ spec: { kustomize: { images: ['nginx=istio/proxyv2'] } } });
    expect(await found(flux)).toMatchObject({ code: 20, notJudged: ['spec.kustomize.images[0]'] });
    const data = { it: 'images:\n- name: istio/proxyv2\n  newTag: 1.20.0\n' };
    expect(await found({ apiVersion: 'v1', kind: 'ConfigMap', data })).toMatchObject({
      code: 20,
      notJudged: ['data.it'],
    });
  });

  it('in JSON that is escaped inside JSON, however often', async () => {
    const image = 'docker.io/istio/proxyv2:1.20.0';
    const once = JSON.stringify({ spec: { image } });
    const texts = [
      JSON.stringify({ a: once }),
      JSON.stringify({ a: JSON.stringify({ b: once }) }),
      JSON.stringify({ a: `b: 1\nimage: ${image}\nc: 2` }),
      JSON.stringify({ a: `command:\n${image}` }),
      once.replaceAll('/', '\\/'),
      once.replaceAll('/', '\\u002f'),
    ];
    for (const text of texts) {
      const { code, notJudged } = await printed({ apiVersion: 'v1', kind: 'ConfigMap', data: { it: text } });
      expect([code, notJudged.flatMap(({ images }) => images)]).toEqual([20, [{ image, path: 'data.it' }]]);
    }
    const hub = JSON.stringify({ a: 'b: 1\nhub: docker.io/istio' });
    const named = async (text: string) =>
      (await found({ apiVersion: 'v1', kind: 'ConfigMap', data: { it: text } })).code;
    expect(await named(hub)).toBe(20);
    expect(await named('\\'.repeat(200_000))).toBe(0);
  });

  it('under the names of the values that Istio’s chart keeps, if the ConfigMap is another', async () => {
    const values = (metadata: object) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: {
        'merged-values': 'image: docker.io/istio/proxyv2:1.0',
        'original-values': 'hub: docker.io/istio',
      },
    });
    const both = { code: 20, notJudged: ['data.merged-values', 'data.original-values'] };
    expect(await found(values({ name: 'any' }))).toMatchObject(both);
    expect(await found(values({ name: 'values' }))).toMatchObject(both);
    const labels = { 'operator.istio.io/component': 'Pilot' };
    expect(await found(values({ name: 'any', labels }))).toMatchObject(both);
    for (const name of ['values', 'values-1-28'])
      expect(await found(values({ name, labels }))).toMatchObject({ code: 0, notJudged: [] });
  });

  it('in a field that is for no image, with a tag or digest, or below a hub', async () => {
    const texts = [
      'evil.example/ztunnel:1',
      `evil.example/istio/pilot@sha256:${'b'.repeat(64)}`,
      'docker.io/istio/proxyv2',
      'istio/proxyv2:1',
      'oci://evil.example/ztunnel:1',
    ];
    for (const note of texts)
      expect(await found(custom({ spec: { note } }))).toMatchObject({ code: 20, notJudged: ['spec.note'] });
    for (const image of [
      'evil.example/ztunnel',
      'evil.example/charts/ztunnel',
      'https://docker.io/istio/pilot:1',
    ])
      expect(await found(custom({ spec: { image } }))).toMatchObject({ code: 20, notJudged: ['spec.image'] });
  });

  it('and not for what is no image: an identity, a chart, an address, a path, a pattern, or source code', async () => {
    const chart = 'gcr.io/istio-release/charts/ztunnel';
    const fields: readonly (readonly [string, unknown])[] = [
      ['principals', ['cluster.local/ns/istio-system/sa/ztunnel', 'spiffe://cluster.local/ns/a/sa/ztunnel']],
      ['url', [`oci://${chart}`, `oci://${chart}:1.28.0`, chart, 'oci://gcr.io/istio-release/charts']],
      [
        'dependencies',
        { name: 'ztunnel', repository: 'oci://gcr.io/istio-release/charts', version: '1.28.0' },
      ],
      [
        'source',
        ['github.com/istio/ztunnel', 'https://github.com/istio/ztunnel', 'github.com/istio/ztunnel:main'],
      ],
      [
        'repository',
        [
          'github.com/istio/ztunnel',
          'git@github.com:istio/ztunnel.git',
          'ssh://git@github.com/istio/ztunnel',
        ],
      ],
      ['address', 'ztunnel.istio-system.svc:15008/ztunnel'],
      [
        'note',
        'connects to ztunnel.istio-system.svc:15008/ztunnel as cluster.local/ns/istio-system/sa/ztunnel',
      ],
      [
        'imageReferences',
        [
          'docker.io/istio/*',
          '*/istio/proxyv2:*',
          'docker.io/istio/proxyv2:1.2?',
          '^docker.io/istio/proxyv2:',
        ],
      ],
      ['backgroundImage', ['/img/istio/pilot', './istio/pilot', '../istio/pilot', '~/istio/pilot']],
      ['image', ['https://hub.docker.com/r/istio/proxyv2', 'https://a.example/img/istio/pilot.png']],
    ];
    for (const [field, value] of fields)
      expect([field, await found(custom({ spec: { [field]: value } }))]).toMatchObject([
        field,
        { code: 0, notJudged: [] },
      ]);
  });

  it('and never called allowed', async () => {
    const image = `${kit.hub}/proxyv2:${kit.signed}`;
    const unknown = await kit.review(custom({ metadata: { name: 'x' }, spec: { image } }));
    expect(unknown).toMatchObject({
      code: 20,
      stdout: `Thing default/x: not judged
  not judged: "${image}" (spec.image) could be an image of Istio
0 reviewed, 0 refused, 0 with findings, 1 without pods, 1 not judged, or not as a whole
`,
    });
    const [, inArgument] = PLACES.find(([name]) => name.includes('argument')) ?? [];
    const partly = await kit.review(inArgument?.(image) ?? {});
    expect(partly.stdout).toContain('Pod default/web: judged in part\n');
    expect(partly.stdout).not.toContain('allowed');
  });

  it('after a long text without blanks too, in linear time', async () => {
    const data = {
      hex: 'deadbeef'.repeat(100_000),
      name: `${'image.'.repeat(100_000)}x`,
      it: 'evil.example/ztunnel:1',
    };
    expect(await found({ apiVersion: 'v1', kind: 'ConfigMap', data })).toMatchObject({
      code: 20,
      notJudged: ['data.it'],
    });
  });

  it('but for --exit-zero, and beside a worse finding', async () => {
    const document = custom({ spec: { image: `${kit.hub}/proxyv2:${kit.signed}` } });
    expect((await kit.review(document, '--exit-zero')).code).toBe(0);
    const items = [document, pod([`${kit.hub}/proxyv2:${kit.unsigned}`])];
    expect((await kit.review({ apiVersion: 'v1', kind: 'List', items })).code).toBe(10);
  });

  it('and nothing is named that was judged, is a copy, or is not an image', async () => {
    const image = `${kit.hub}/proxyv2:${kit.signed}`;
    const annotations = {
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
        image: 'docker.io/istio/pilot:1',
      }),
      note: image,
    };
    const status = { containerStatuses: [{ image: 'docker.io/istio/pilot:1.2', imageID: 'x' }] };
    const running = {
      ...pod([image], { labels: { app: 'ztunnel' }, annotations }),
      status,
    };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      spec: { group: 'security.istio.io', description: 'See https://istio.io/docs/ztunnel for ztunnel.' },
    };
    expect(await found({ apiVersion: 'v1', kind: 'List', items: [running, crd] })).toEqual({
      code: 0,
      findings: [],
      notJudged: [],
    });
  });
});

describe('Istio’s own configuration is judged by the images that it causes:', () => {
  const injector = (tag: string, more: object = {}, config = '') => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio-sidecar-injector-1-28', namespace: 'istio-system' },
    data: { config, values: JSON.stringify({ global: { hub: kit.hub, tag, ...more } }) },
  });

  it('the injector’s ConfigMap with an unsigned tag, or image', async () => {
    expect(await found(injector(kit.unsigned))).toEqual({
      code: 10,
      findings: ['data.values.global.hub: signature-missing'],
      notJudged: [],
    });
    const image = `${kit.hub}/proxyv2:${kit.unsigned}`;
    expect(await found(injector(kit.signed, { proxy: { image } }))).toMatchObject({
      code: 10,
      findings: ['data.values.global.proxy.image: signature-missing'],
    });
    expect(await found(injector(kit.signed, { hub: 'evil.example/x' }))).toMatchObject({
      code: 30,
      findings: ['data.values.global.hub: image-look-alike'],
    });
  });

  it('the injector’s templates where they name an image themselves', async () => {
    const config = `templates:\n  sidecar: |\n    spec:\n      containers:\n      - image: "{{ .Values.global.hub }}/proxyv2:${kit.unsigned}"\n`;
    expect(await found(injector(kit.signed, {}, config))).toMatchObject({
      code: 10,
      findings: ['data.config: signature-missing'],
    });
    const open = config.replace(kit.unsigned, '{{ .Something }}');
    expect(await found(injector(kit.signed, {}, open))).toMatchObject({
      code: 20,
      notJudged: [expect.stringContaining('an image that only injection completes')],
    });
  });

  const inTemplate = (items: string): string =>
    `templates:\n  sidecar: |\n    spec:\n      containers:\n${items.replaceAll(/^/gm, '      ')}\n`;
  const OTHER = 'registry.corp.example/mesh/envoy-sidecar:1.28.0';

  it.each([
    ['after its name', `- name: istio-proxy\n  image: ${OTHER}`],
    ['before its name', `- image: '${OTHER}' # ours\n  env:\n  - name: A\n  name: istio-proxy`],
    [
      'after branches and other lists',
      `- name: app\n  image: nginx\n{{- if .Values.a }}\n- name: b\n{{ else }}\n- name: istio-init\n{{ end }}\n  env:\n    - name: A\n  {{ if .X }}\n  image: "${OTHER}"\n  {{ end }}`,
    ],
    ['in braces', `- {name: istio-init, env: [{name: A}], image: ${OTHER}}`],
    ['in JSON', `- {\n  "name":"istio-validation",\n  "image":"${OTHER}",\n  "args":[]}`],
    ['in a folded text', `- name: istio-proxy\n  image: >-\n    ${OTHER}`],
    ['on the next line', `- name: istio-proxy\n  image:\n    ${OTHER}`],
    ['from other values', `- name: istio-proxy\n  image: "{{ .Values.global.mesh.image }}"`],
  ])('an image of any other name in a template’s container of Istio’s, %s', async (_name, text) => {
    const config = inTemplate(text);
    expect(await found(injector(kit.signed, { mesh: { image: OTHER } }, config))).toEqual({
      code: 30,
      findings: ['data.config: image-unrecognised'],
      notJudged: [],
    });
  });

  it.each([
    ['in a container without a name', `- image: ${OTHER}`, 'not known by name'],
    [
      'in a container that injection names',
      `- name: "{{ $c.Name }}"\n  image: ${OTHER}`,
      'not known by name',
    ],
    ['in braces without a name', `- {image: ${OTHER}}`, 'not known by name'],
    [
      'behind an expression',
      `- name: istio-proxy\n  {{ if .X }}image: ${OTHER}{{ end }}`,
      'form that is not read',
    ],
    [
      'that an expression writes',
      `- name: istio-proxy\n  {{ print "image: ${OTHER}" }}`,
      'form that is not read',
    ],
    ['with an anchor', `- name: istio-proxy\n  image: &it ${OTHER}`, 'form that is not read'],
    ['by an alias', '- name: istio-proxy\n  image: *it', 'not read'],
    [
      'over several lines',
      '- name: istio-proxy\n  image: >-\n    a.example/x\n    :1',
      'form that is not read',
    ],
    [
      'of values that are not set',
      '- name: istio-proxy\n  image: "{{ .Values.mesh.image }}"',
      'only injection completes',
    ],
  ])('a template’s image %s is named', async (_name, text, sentence) => {
    expect(await found(injector(kit.signed, {}, inTemplate(text)))).toMatchObject({
      code: 20,
      notJudged: [expect.stringContaining(sentence)],
    });
  });

  it('but a template’s container of its own has its own image', async () => {
    const config = inTemplate(
      `# image: x\n- name: logs\n  image: ${OTHER}\n- {name: more, image: "nginx:1"}\n- name: istio-proxy\n  image: "{{ .ProxyImage }}"\n  imagePullPolicy: Always`,
    );
    expect(await found(injector(kit.signed, {}, config))).toEqual({ code: 0, findings: [], notJudged: [] });
  });

  it('the injector’s ConfigMap without values that can be read', async () => {
    const broken = { ...injector(kit.signed), data: { values: '{' } };
    expect(await found(broken)).toMatchObject({ code: 20, findings: [] });
  });

  it('the injector’s ConfigMap as Istio renders it', async () => {
    const file =
      '../fixtures/istio/golden/operator/cmd/mesh/testdata/manifest-generate/output/pilot_default.golden.yaml';
    const text = await readFile(new URL(file, import.meta.url), 'utf8');
    const rendered = text.replaceAll('registry.istio.io/release', kit.hub).replaceAll('1.1.4', kit.unsigned);
    const { code, objects, notJudged } = await printed(rendered);
    expect([code, notJudged, objects.map(({ kind, images }) => [kind, images])]).toEqual([
      10,
      [],
      [
        ['ConfigMap', [`${kit.hub}/proxyv2:${kit.unsigned}`]],
        ['Deployment', [`${kit.hub}/pilot:${kit.unsigned}`]],
      ],
    ]);
    const { code: clean } = await printed(rendered.replaceAll(kit.unsigned, kit.signed));
    expect(clean).toBe(0);
  });

  const gateway = (labels: object = {}, more: object = {}) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'gateway' },
    spec: {
      selector: { matchLabels: {} },
      template: { metadata: { labels, ...more }, spec: spec('auto') },
    },
  });
  const list = (...items: readonly object[]) => ({ apiVersion: 'v1', kind: 'List', items });
  const chosen = (path: string) => [expect.stringContaining(`(${path}) is chosen by the injector`)];

  it('a gateway’s `image: auto` is not allowed without the injector’s ConfigMap', async () => {
    expect(await found(gateway())).toEqual({
      code: 20,
      findings: [],
      notJudged: chosen(at('spec.template.spec')),
    });
    const { stdout } = await kit.review(gateway());
    expect(stdout).toContain(
      'Deployment default/gateway: judged in part\n  not judged: the image of container "istio-proxy"',
    );
    expect(stdout).toContain('review that ConfigMap (istio-sidecar-injector) too');
    expect(stdout).not.toContain('allowed');
    const rollout = { ...gateway(), apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' };
    expect(await found(rollout)).toMatchObject({ code: 20, notJudged: chosen(at('spec.template.spec')) });
    const init = deployment({ ...spec('nginx', 'app'), initContainers: [container('auto', 'istio-proxy')] });
    expect(await found(init)).toMatchObject({
      code: 20,
      notJudged: chosen('spec.template.spec.initContainers[0].image'),
    });
  });

  it('a gateway’s `image: auto` is what the injector’s ConfigMap of its revision in the same input says', async () => {
    const labels = { 'istio.io/rev': '1-28' };
    expect(await found(list(gateway(labels), injector(kit.signed)))).toMatchObject({
      code: 0,
      notJudged: [],
    });
    expect(await found(list(gateway(), injector(kit.signed)))).toMatchObject({ code: 0, notJudged: [] });
    expect(await found(list(gateway(), injector(kit.unsigned)))).toMatchObject({ code: 10, notJudged: [] });
    const other = list(gateway({ 'istio.io/rev': 'canary' }), injector(kit.signed));
    expect(await found(other)).toMatchObject({ code: 20, notJudged: chosen(at('spec.template.spec')) });
    const elsewhere = { ...injector(kit.signed), kind: 'Secret' };
    expect((await found(list(gateway(), elsewhere))).code).toBe(20);
  });

  it('a gateway’s `image: auto` is what its annotation says', async () => {
    const annotated = (image: string) =>
      gateway({}, { annotations: { 'sidecar.istio.io/proxyImage': image } });
    expect(await found(annotated(`${kit.hub}/proxyv2:${kit.signed}`))).toMatchObject({
      code: 0,
      notJudged: [],
    });
    expect(await found(annotated('proxyv2'))).toMatchObject({ code: 20 });
  });

  it('the gateway of Istio’s own chart', async () => {
    const file = '../fixtures/istio/golden/operator/pkg/helm/testdata/output/gateway-deployment.golden.yaml';
    const text = await readFile(new URL(file, import.meta.url), 'utf8');
    expect(await found(text)).toMatchObject({ code: 20, notJudged: chosen(at('spec.template.spec')) });
    const both = `${text}\n---\n${JSON.stringify(injector(kit.signed))}\n`;
    expect(await found(both)).toMatchObject({ code: 0, notJudged: [] });
  });

  const operator = (more: object) => ({
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: { name: 'mesh' },
    spec: { hub: kit.hub, tag: kit.signed, ...more },
  });
  const sail = (kind: string, more: object) => ({
    apiVersion: 'sailoperator.io/v1',
    kind,
    metadata: { name: 'default' },
    spec: more,
  });

  it('an IstioOperator', async () => {
    expect(await found(operator({ tag: kit.unsigned }))).toMatchObject({
      code: 10,
      findings: ['spec.hub: signature-missing', 'spec.hub: signature-missing'],
    });
    const pilot = { components: { pilot: { tag: kit.unsigned } } };
    expect(await found(operator(pilot))).toMatchObject({
      code: 10,
      findings: ['spec.components.pilot.tag: signature-missing'],
    });
    const values = { values: { global: { tag: kit.unsigned } } };
    expect((await found(operator(values))).code).toBe(10);
    const type = { meshConfig: { defaultConfig: { image: { imageType: 'distroless' } } } };
    expect((await printed(operator(type))).objects[0]?.images).toEqual([
      `${kit.hub}/pilot:${kit.signed}`,
      `${kit.hub}/proxyv2:${kit.signed}-distroless`,
    ]);
    const withoutPilot = { profile: 'empty', components: { ingressGateways: [{ enabled: true }] } };
    expect((await printed(operator(withoutPilot))).objects[0]?.images).toEqual([
      `${kit.hub}/proxyv2:${kit.signed}`,
    ]);
    const untagged = operator({ tag: undefined });
    expect(await found(untagged)).toMatchObject({
      code: 20,
      notJudged: ['spec.hub', 'the IstioOperator sets no tag, so its images are not known'],
    });
    const ambient = await printed(operator({ profile: 'ambient' }));
    expect([ambient.code, ambient.objects[0]?.images]).toEqual([
      0,
      ['pilot', 'proxyv2', 'install-cni', 'ztunnel'].map(
        (name) => `${kit.hub}/${name}:${kit.signed}-distroless`,
      ),
    ]);
  });

  it('what replaces an image in an IstioOperator or an Istio', async () => {
    const other = 'evil.example/x:1';
    const overlay = (patch: object) => {
      const pilot = { k8s: { overlays: [{ kind: 'Deployment', name: 'istiod', patches: [patch] }] } };
      return found(operator({ components: { pilot } }));
    };
    const path = 'spec.template.spec.containers.[name:discovery]';
    const patched = 'spec.components.pilot.k8s.overlays[0].patches[0].value';
    expect(await overlay({ path: `${path}.image`, value: other })).toMatchObject({
      code: 30,
      findings: [`${patched}: image-unrecognised`],
    });
    expect(await overlay({ path, value: { image: other } })).toMatchObject({
      code: 30,
      findings: [`${patched}.image: image-unrecognised`],
    });
    for (const unnamed of [
      { path: 'spec.template.spec.containers.[0].image', value: other },
      { path: `${path}.image`, value: [other] },
      { path: 'data.config', value: `image: ${other}` },
    ])
      expect(await overlay(unnamed)).toMatchObject({
        code: 20,
        notJudged: [expect.stringContaining('patches[0]')],
      });
    expect(await overlay({ path: `${path}.resources`, value: {} })).toMatchObject({ code: 0 });
    const text = `spec:\n  containers:\n  - name: istio-proxy\n    image: ${other}\n`;
    for (const [values, setting] of [
      [{ global: { proxy_init: { image: other } } }, 'global.proxy_init.image'],
      [{ sidecarInjectorWebhook: { templates: { mine: text } } }, 'sidecarInjectorWebhook.templates.mine'],
    ] as const) {
      const expected = { code: 30, findings: [`spec.values.${setting}: image-unrecognised`] };
      expect(await found(operator({ values }))).toMatchObject(expected);
      const global = { hub: kit.hub, ...('global' in values ? values.global : {}) };
      const istio = sail('Istio', { version: `v${kit.signed}`, values: { ...values, global } });
      expect(await found(istio)).toMatchObject(expected);
    }
  });

  it('an IstioOperator’s components, but for those that are switched off', async () => {
    const withGateway = (enabled: boolean) =>
      found(operator({ components: { ingressGateways: [{ enabled, tag: kit.unsigned }] } }));
    expect(await withGateway(true)).toMatchObject({
      code: 10,
      findings: ['spec.components.ingressGateways[0].tag: signature-missing'],
    });
    expect(await withGateway(false)).toEqual({ code: 0, findings: [], notJudged: [] });
    const components = { cni: { enabled: false }, ztunnel: { enabled: false } };
    const ambient = await printed(operator({ profile: 'ambient', components }));
    expect(ambient.objects[0]?.images).toEqual(
      ['pilot', 'proxyv2'].map((name) => `${kit.hub}/${name}:${kit.signed}-distroless`),
    );
  });

  it('the resources of the Sail operator', async () => {
    const global = { hub: kit.hub, tag: kit.unsigned };
    const cases = [
      ['Istio', 'spec.values.global.hub', 2],
      ['IstioRevision', 'spec.values.global.hub', 2],
      ['IstioCNI', 'spec.values.global.hub', 1],
      ['ZTunnel', 'spec.values.global.hub', 1],
    ] as const;
    for (const [kind, path, count] of cases) {
      expect(await found(sail(kind, { values: { global } }))).toEqual({
        code: 10,
        findings: Array(count).fill(`${path}: signature-missing`),
        notJudged: [],
      });
      const good = { version: `v${kit.signed}`, values: { global: { hub: kit.hub } } };
      expect((await found(sail(kind, good))).code).toBe(0);
      expect(await found(sail(kind, { version: `v${kit.signed}` }))).toMatchObject({
        code: 20,
        notJudged: [`the ${kind} sets no hub, so its images are not known`],
      });
    }
    const cni = sail('IstioCNI', { values: { cni: { hub: kit.hub, tag: kit.unsigned } } });
    expect(await found(cni)).toMatchObject({
      code: 10,
      findings: ['spec.values.cni.hub: signature-missing'],
    });
  });
});

it('gives a CI runner no command by the name of a kind', async () => {
  const manifest = {
    apiVersion: 'example.com/v1',
    kind: '::stop-commands::x',
    metadata: { name: '##[error]', namespace: 'shop' },
    spec: { image: 'docker.io/istio/proxyv2:1.28.0' },
  };
  const { stdout } = await runCli(['review', '-f', '-'], { stdin: JSON.stringify(manifest) });
  expect(stdout).toContain('stop-commands');
  expect(stdout).not.toMatch(/^\s*::|##\[/m);
});
