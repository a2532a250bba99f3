import { execFile } from 'node:child_process';
import { loadAll } from 'js-yaml';

/** A manifest, limited to the members that every test reads; {@link at} reads the others. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

export interface Release {
  readonly name?: string;
  readonly namespace?: string;
  /** APIs of the cluster besides Kubernetes' own. */
  readonly apis?: readonly string[];
  /** The cluster's version; by default the newest that Helm knows. */
  readonly kubernetes?: string;
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const CHART = 'charts/sailmark';

/** The image's repository in every rendering: the chart has none of its own. */
export const REPOSITORY = 'registry.corp.example/sailmark';

/** Adds {@link REPOSITORY} to values that name no other. */
export const withImage = (values: object): object => {
  const { image = {} } = values as { readonly image?: object | null };
  return image === null ? values : { ...values, image: { repository: REPOSITORY, ...image } };
};

export const helm = (args: readonly string[], stdin = ''): Promise<Ran> =>
  new Promise((resolve) => {
    const program = process.env['HELM'] ?? 'helm';
    const child = execFile(program, args, { maxBuffer: 2 ** 24 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, stdout, stderr: stderr || (error?.message ?? '') }),
    );
    child.stdin?.end(stdin);
  });

const template = (
  values: object,
  { name = 'sailmark', namespace = 'sailmark', apis = [], kubernetes }: Release,
) =>
  helm(
    [
      'template',
      name,
      CHART,
      '--namespace',
      namespace,
      '--values',
      '-',
      ...apis.flatMap((api) => ['--api-versions', api]),
      ...(kubernetes === undefined ? [] : ['--kube-version', kubernetes]),
    ],
    JSON.stringify(withImage(values)),
  );

/** Renders the values. Resolves with the manifests in Helm's order; rejects if the values are refused. */
export const render = async (values: object = {}, release: Release = {}): Promise<readonly Manifest[]> => {
  const { code, stdout, stderr } = await template(values, release);
  if (code !== 0) throw new Error(stderr);
  return (loadAll(stdout) as readonly (Manifest | null | undefined)[]).filter((manifest) => manifest != null);
};

/** Resolves with the reasons why the values are refused, one line each. Rejects if they are not refused. */
export const refusals = async (values: object, release: Release = {}): Promise<readonly string[]> => {
  const { code, stderr } = await template(values, release);
  if (code === 0) throw new Error('not refused');
  return stderr
    .split('\n')
    .map((line) => /^\s*(?:\*|- at) (.+)$/.exec(line)?.[1] ?? '')
    .filter((line) => line !== '');
};

/** Returns the value at a path of keys and indices, or undefined. */
export const at = (tree: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((node, key) => (node as Record<string | number, unknown> | undefined)?.[key], tree);

/** Returns the only manifest of a kind, or the one with a name. Throws if there is none. */
export const manifestOf = (manifests: readonly Manifest[], kind: string, name?: string): Manifest => {
  const found = manifests.filter(
    (manifest) => manifest.kind === kind && (name ?? manifest.metadata.name) === manifest.metadata.name,
  );
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} ${kind} ${name ?? ''}`);
  return found[0];
};

/** `Kind namespace/name` of each manifest. */
export const namesOf = (manifests: readonly Manifest[]): readonly string[] =>
  manifests.map(
    ({ kind, metadata: { namespace, name } }) =>
      `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
  );

/** The configuration file of a release, an annotation of its pods. */
export const configurationOf = (manifests: readonly Manifest[]): string =>
  at(
    manifestOf(manifests, 'Deployment'),
    'spec',
    'template',
    'metadata',
    'annotations',
    'sailmark.dev/configuration',
  ) as string;

/** The container of the Deployment. */
export const containerOf = (manifests: readonly Manifest[]): unknown =>
  at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'spec', 'containers', 0);
