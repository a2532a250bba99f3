import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { review as admissionReview, container, deployment, pod } from '../support/builders.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner, imageManifest, push, pushSignatures, sign } from '../support/signing-kit.ts';

let registry: TestRegistry;
let directory: string;
let config: string;
let signed: string;
let unsigned: string;
/** The same configuration, with images pinned in enforce mode. */
let pinning: string;
let signedDigest: string;

beforeAll(async () => {
  registry = await startRegistry();
  directory = await mkdtemp(join(tmpdir(), 'sailmark-review-'));
  const signer = createSigner();
  const digest = push(registry, 'istio/proxyv2', imageManifest('signed'), '1.28.0');
  signedDigest = digest;
  pushSignatures(registry, 'istio/proxyv2', digest, [sign(signer, 'docker.io/istio/proxyv2', digest)]);
  push(registry, 'istio/proxyv2', imageManifest('unsigned'), '1.28.1');
  signed = `${registry.host}/istio/proxyv2:1.28.0`;
  unsigned = `${registry.host}/istio/proxyv2:1.28.1`;
  config = join(directory, 'config.yaml');
  pinning = join(directory, 'pinning.yaml');
  const content = {
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    keys: [{ inline: signer.publicPem }],
    mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
    exemptions: [
      {
        images: [`${registry.host}/istio/proxyv2:1.28.1`],
        namespaces: ['legacy'],
        reason: 'being moved',
        owner: 'mesh',
        expires: '2099-01-01',
      },
    ],
  };
  await writeFile(config, JSON.stringify(content));
  await writeFile(pinning, JSON.stringify({ ...content, pin: 'enforce' }));
});
afterAll(async () => {
  await registry.close();
  await rm(directory, { recursive: true, force: true });
});

const review = (input: string | object, ...argv: readonly string[]) =>
  runCli(['review', '-f', '-', '--config', config, '--allow-http-registry', ...argv], {
    stdin: typeof input === 'string' ? input : JSON.stringify(input),
  });

interface Printed {
  readonly schema: string;
  readonly skipped: number;
  readonly objects: readonly {
    readonly verdict: string;
    readonly allowed: boolean;
    readonly findings: readonly { readonly code: string }[];
  }[];
}

const printed = async (input: string | object, ...argv: readonly string[]) => {
  const { code, stdout } = await review(input, '--output', 'json', ...argv);
  const { objects, skipped } = JSON.parse(stdout) as Printed;
  return {
    code,
    skipped,
    objects: objects.map(({ verdict, allowed, findings }) => ({
      verdict,
      allowed,
      codes: findings.map(({ code: reason }) => reason),
    })),
  };
};

describe('review refuses to read', () => {
  it.each([
    ['', 'standard input is empty'],
    ['kind: Pod\n---\n{', 'standard input: document 2, line 3: invalid YAML'],
    ['- 1\n- 2\n', 'standard input: document 1: not a Kubernetes object'],
    ['{"apiVersion":"v1"}', 'standard input: document 1: not a Kubernetes object: it has no kind'],
    [
      '{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"a","image":7}]}}',
      'standard input: document 1: not a valid AdmissionReview',
    ],
  ])('%j', async (input, message) => {
    const { code, stdout, stderr } = await review(input);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`Error: ${message}`);
  });
});

/** A pod whose member `x` expands, by nested aliases, to ten to the power of `levels` values. */
const nestedAliases = (levels: number, value = 'x'): string => {
  const names = Array.from({ length: levels }, (_, level) => `a${level}`);
  const lists = names.map(
    (name, level) =>
      `  ${name}: &${name} [${Array(10)
        .fill(level === 0 ? value : `*a${level - 1}`)
        .join(', ')}]`,
  );
  return ['apiVersion: v1', 'kind: Pod', 'x:', ...lists].join('\n');
};

describe('review refuses aliases', () => {
  const EXPANDS =
    'aliases expand to more than 1000000 characters; write the values out where the aliases are, or split the input';
  const CYCLE = 'an alias refers to a value that contains it; write the value out';
  const DEEP = 'aliases nest values more than 100 levels deep; write fewer aliases inside other values';

  it.each([
    ['nested', nestedAliases(12), `document 1: ${EXPANDS}`],
    ['nested, in a later document', `kind: Other\n---\n${nestedAliases(7)}`, `document 2: ${EXPANDS}`],
    [
      'too many in all documents together',
      Array(6).fill(nestedAliases(5)).join('\n---\n'),
      `document 5: ${EXPANDS}`,
    ],
    [
      'to a long text',
      `kind: Pod\na: &a ${'x'.repeat(100_000)}\nb: [${Array(20).fill('*a').join(', ')}]`,
      `document 1: ${EXPANDS}`,
    ],
    ['to the list they are in', 'kind: List\nitems: &a\n- *a', `document 1: ${CYCLE}`],
    ['to the object they are in', '&a\nkind: Pod\nspec:\n  b: [*a]', `document 1: ${CYCLE}`],
    [
      'that nest',
      `kind: Pod\na0: &a0 []\n${Array.from({ length: 20_000 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}]`).join('\n')}`,
      `document 1: ${DEEP}`,
    ],
  ])('%s', async (_, input, message) => {
    expect(await review(input)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`Error: standard input: ${message}`),
    });
  });

  it.each([
    ['brackets', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['an object in JSON', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['a list', `${'- '.repeat(100_000)}x`],
  ])('and values nested 100,000 levels deep: %s', async (_, input) => {
    const { code, stderr } = await review(`kind: Other\n---\n${input}`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(
        'Error: standard input: document 2, line 3: invalid YAML: nesting exceeded maxDepth (100)',
      ),
    });
  });
});

describe('review reads', () => {
  it('anchors, aliases and merge keys', async () => {
    const input = `
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: &meta {name: web, labels: &labels {app: web}}
  spec: {containers: [&app {name: app, image: "${signed}"}]}
- apiVersion: v1
  kind: Pod
  metadata: *meta
  spec: {containers: [*app]}
- apiVersion: v1
  kind: Pod
  metadata: {name: other, labels: *labels}
  spec: {containers: [{<<: *app, image: "${unsigned}"}, {<<: *app, name: sidecar}]}
`;
    const { code, objects } = await printed(input);
    expect({ code, verdicts: objects.map(({ verdict }) => verdict) }).toEqual({
      code: 10,
      verdicts: ['allow', 'allow', 'deny'],
    });
  });

  it('a long input without aliases', async () => {
    const other = { apiVersion: 'v1', kind: 'ConfigMap', data: { a: Array(1000).fill('x'.repeat(100)) } };
    const input = {
      apiVersion: 'v1',
      kind: 'List',
      items: [...Array.from({ length: 30 }, () => other), pod([signed])],
    };
    expect(await printed(input)).toMatchObject({ code: 0, skipped: 30 });
  });
});

describe('review prints', () => {
  it('JSON of one shape, whole', async () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [pod([unsigned, signed])] };
    const { code, stdout } = await review(list, '--output', 'json');
    const found = `image "${unsigned}" in container "app" (spec.containers[0].image): no signature was found`;
    expect(code).toBe(10);
    expect(JSON.parse(stdout)).toEqual({
      schema: 'sailmark.dev/review/v1',
      objects: [
        {
          place: 'standard input: document 1, item 1',
          kind: 'Pod',
          namespace: 'default',
          name: 'web',
          verdict: 'deny',
          allowed: false,
          message: `${found} (signature-missing); use a released Istio image; copy its signatures along when mirroring (cosign copy)`,
          warnings: [],
          auditAnnotations: {
            verdict: 'deny',
            mode: 'enforce',
            reason: 'signature-missing',
            images: expect.stringContaining(unsigned),
            'key-id': expect.any(String),
          },
          findings: [
            { image: unsigned, path: 'spec.containers[0].image', code: 'signature-missing', effect: 'deny' },
          ],
          images: [unsigned, signed],
          pinned: [],
          requests: expect.any(Number),
        },
      ],
      skipped: 0,
    });
  });

  it('what would only be noted in audit mode, and a warning in warn mode', async () => {
    const audit = await review(pod([unsigned]), '--mode', 'audit');
    expect(audit.stdout).toContain('Pod default/web: allowed, with audit annotations\n');
    expect(audit.stdout).toContain(`  image "${unsigned}" (spec.containers[0].image): signature-missing\n`);
    const warn = await review(pod([unsigned]), '--mode', 'warn');
    expect(warn.stdout).toContain('Pod default/web: allowed, with a warning\n');
    expect(warn.stdout).toContain(`  image "${unsigned}" in container "app"`);
  });

  it('the name that a pod’s is generated from', async () => {
    const { stdout } = await review(pod(['redis'], { generateName: 'web-' }));
    expect(stdout).toContain('Pod default/web-*: allowed\n');
  });

  it('why a captured review was not judged', async () => {
    const captured = admissionReview(pod([unsigned]), { operation: 'DELETE', object: null });
    const { code, stdout } = await review(captured);
    expect(code).toBe(0);
    expect(stdout).toMatch(/: allowed\n {2}not judged: \S+/);
  });
});

describe('review, where images must be pinned,', () => {
  const reviewPinned = (input: object, ...argv: readonly string[]) =>
    runCli(['review', '-f', '-', '--config', pinning, '--allow-http-registry', ...argv], {
      stdin: JSON.stringify(input),
    });

  it('refuses what is not signed with that reason, pinned or not', async () => {
    const { code, stdout } = await reviewPinned(pod([unsigned]));
    expect([code, stdout]).toEqual([
      10,
      expect.stringContaining('no signature was found (signature-missing)'),
    ]);
    expect(stdout).not.toContain('would be pinned');
  });

  it('judges a pod as it would be pinned, and says so', async () => {
    const { code, stdout } = await reviewPinned(pod([signed, 'nginx']));
    expect([code, stdout]).toEqual([
      0,
      `Pod default/web: allowed
  image "${signed}" (spec.containers[0].image): would be pinned to ${signed}@${signedDigest}
1 reviewed, 0 refused, 0 with findings, 0 without pods
`,
    ]);
  });

  it('says in JSON which images would be pinned: of a template those of its Pods, of a captured review too', async () => {
    const captured = admissionReview(pod([signed]));
    const input = { apiVersion: 'v1', kind: 'List', items: [deployment([signed]), captured] };
    const { stdout } = await reviewPinned(input, '--output', 'json');
    const { objects } = JSON.parse(stdout) as { objects: { verdict: string; pinned: object[] }[] };
    const pin = (path: string) => ({
      image: signed,
      path,
      digest: signedDigest,
      source: 'verified',
      message: `would be pinned to ${signed}@${signedDigest}`,
    });
    expect(objects.map(({ verdict, pinned }) => ({ verdict, pinned }))).toEqual([
      { verdict: 'allow', pinned: [pin('spec.template.spec.containers[0].image')] },
      { verdict: 'allow', pinned: [pin('spec.containers[0].image')] },
    ]);
  });

  it('pins an exempt image, which stays exempt', async () => {
    const { code, stdout } = await reviewPinned(pod([unsigned]), '--namespace', 'legacy');
    expect([code, stdout]).toEqual([0, expect.stringContaining('would be pinned to ')]);
  });

  it('pins nothing in a mode that does not', async () => {
    const { code, stdout } = await reviewPinned(pod([signed]), '--mode', 'audit');
    expect([code, stdout]).toEqual([0, expect.not.stringContaining('would be pinned')]);
  });
});

describe('review', () => {
  it('refuses an unsigned pod with the webhook’s sentence, and ends with 10', async () => {
    const { code, stdout } = await review(pod([unsigned]));
    expect(code).toBe(10);
    expect(stdout).toContain('Pod default/web: refused\n');
    expect(stdout).toContain(
      `image "${unsigned}" in container "app" (spec.containers[0].image): no signature was found (signature-missing)`,
    );
    expect(stdout).toContain('1 reviewed, 1 refused, 1 with findings, 0 without pods\n');
  });

  it('allows a signed pod, and ends with 0', async () => {
    expect(await printed(pod([signed]))).toEqual({
      code: 0,
      skipped: 0,
      objects: [{ verdict: 'allow', allowed: true, codes: [] }],
    });
  });

  it('warns of a Deployment, and ends with the code of what it found', async () => {
    expect(await printed(deployment([unsigned]))).toEqual({
      code: 10,
      skipped: 0,
      objects: [{ verdict: 'warn', allowed: true, codes: ['signature-missing'] }],
    });
  });

  it('takes `image: auto` in a Deployment for what it cannot judge, because the injector chooses it, and in a Pod for what it did not', async () => {
    const spec = { containers: [container('auto', 'istio-proxy')] };
    expect(await printed(deployment(spec))).toMatchObject({
      code: 20,
      objects: [{ verdict: 'allow', codes: [] }],
    });
    expect(await printed(pod(spec))).toMatchObject({
      code: 30,
      objects: [{ verdict: 'warn', codes: ['image-unrecognised'] }],
    });
  });

  it('takes lists and documents apart, and counts what holds no pod', async () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } };
    const list = { apiVersion: 'v1', kind: 'List', items: [pod([signed]), service, pod([unsigned])] };
    const { code, skipped, objects } = await printed(
      `${JSON.stringify(list)}\n---\n${JSON.stringify(service)}\n---\n${JSON.stringify(deployment([signed]))}\n`,
    );
    expect({ code, skipped }).toEqual({ code: 10, skipped: 2 });
    expect(objects.map(({ verdict }) => verdict)).toEqual(['allow', 'deny', 'allow']);
  });

  it('knows what the items of a typed list are', async () => {
    const { kind: _kind, apiVersion: _apiVersion, ...item } = pod([unsigned]);
    expect(await printed({ apiVersion: 'v1', kind: 'PodList', items: [item] })).toMatchObject({
      code: 10,
      objects: [{ verdict: 'deny' }],
    });
    const { kind: _other, apiVersion: _group, ...template } = deployment([unsigned]);
    expect(await printed({ apiVersion: 'apps/v1', kind: 'DeploymentList', items: [template] })).toMatchObject(
      {
        code: 10,
        objects: [{ verdict: 'warn' }],
      },
    );
  });

  it('reads a file, and names it where it says what is wrong', async () => {
    const file = join(directory, 'pods.yaml');
    const argv = ['review', '-f', file, '--config', config, '--allow-http-registry'];
    await writeFile(
      file,
      `# pods\n---\n${JSON.stringify(pod([signed]))}\n---\n${JSON.stringify(pod([unsigned]))}\n`,
    );
    expect((await runCli(argv)).code).toBe(10);
    await writeFile(file, '# pods\n---\nkind: Pod\n---\na: b: c\n');
    expect((await runCli(argv)).stderr).toContain(`Error: ${file}: document 2, line 5: invalid YAML: `);
    expect((await runCli(['review', '-f', join(directory, 'none.yaml')])).stderr).toContain(
      `Error: cannot read ${join(directory, 'none.yaml')}: ENOENT`,
    );
  });

  it('asks nobody, and loads no key, where there is nothing to review', async () => {
    const service = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } });
    const none = join(directory, 'none.pub');
    const { code, stdout } = await runCli(['review', '-f', '-', '--key', none], { stdin: service });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '0 reviewed, 0 refused, 0 with findings, 1 without pods\n',
    });
  });

  it('answers a captured AdmissionReview as it is', async () => {
    const captured = admissionReview(pod([unsigned]), { operation: 'UPDATE', oldObject: pod([unsigned]) });
    expect(await printed(captured)).toEqual({
      code: 0,
      skipped: 0,
      objects: [{ verdict: 'allow', allowed: true, codes: [] }],
    });
  });

  it('lets nothing be refused in warn and audit mode, and ends with the same code', async () => {
    expect(await printed(pod([unsigned]), '--mode', 'warn')).toMatchObject({
      code: 10,
      objects: [{ verdict: 'warn', allowed: true }],
    });
    expect(await printed(pod([unsigned]), '--mode', 'audit')).toMatchObject({
      code: 10,
      objects: [{ verdict: 'audit', allowed: true }],
    });
    expect((await review(pod([unsigned]), '--exit-zero')).code).toBe(0);
  });

  it('takes a manifest without a namespace to be in the one that is named', async () => {
    expect(await printed(pod([unsigned]), '--namespace', 'legacy')).toMatchObject({
      code: 0,
      objects: [{ verdict: 'allow' }],
    });
    const { stdout } = await review(pod([unsigned]), '--namespace', 'legacy');
    expect(stdout).toContain('exempt until 2099-01-01 (mesh): being moved');
  });

  it('says so where there is nothing to review', async () => {
    const { code, stderr } = await review({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } });
    expect(code).toBe(0);
    expect(stderr).toContain('nothing to review: no object has a pod or pod template');
  });

  it('has nothing against a list without items, as kubectl prints it of an empty namespace', async () => {
    const { code, stdout } = await review({ apiVersion: 'v1', kind: 'List', items: [] });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '0 reviewed, 0 refused, 0 with findings, 0 without pods\n',
    });
  });
});
