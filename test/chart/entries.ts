import { at, manifestOf, render } from './helm.ts';

/** Labels of a namespace. */
type Labels = Readonly<Record<string, string>>;

interface Expression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

/** An entry of a webhook configuration. */
export interface Entry {
  readonly name: string;
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly clientConfig: {
    readonly service?: { readonly path: string };
    readonly url?: string;
    readonly caBundle?: string;
  };
  readonly namespaceSelector: { readonly matchExpressions: readonly Expression[] };
  readonly matchConditions?: readonly unknown[];
  readonly [key: string]: unknown;
}

/**
 * Evaluates a selector as the API server does (k8s.io/apimachinery, labels.Requirement): NotIn also matches a missing
 * label.
 */
const holds = ({ key, operator, values = [] }: Expression, labels: Labels): boolean => {
  const value = labels[key];
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const isIn = value !== undefined && values.includes(value);
  return operator === 'In' ? isIn : !isIn;
};

const allEntriesOf = async (values: object, kind: string): Promise<readonly Entry[]> =>
  at(manifestOf(await render(values), kind), 'webhooks') as readonly Entry[];

const isOfWorkloads = ({ name }: Entry): boolean => name.startsWith('workloads-');

/** The entries of the release's webhook configuration that pods are sent to. */
export const entriesOf = async (
  values: object = {},
  kind = 'ValidatingWebhookConfiguration',
): Promise<readonly Entry[]> => (await allEntriesOf(values, kind)).filter((entry) => !isOfWorkloads(entry));

/** The entries that workloads are sent to. */
export const workloadEntriesOf = async (values: object = {}): Promise<readonly Entry[]> =>
  (await allEntriesOf(values, 'ValidatingWebhookConfiguration')).filter(isOfWorkloads);

/** The rules by entry that sailmark writes once a replica is ready; undefined: it writes none. */
export const rulesWhenReady = async (
  values: object = {},
): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const { annotations } = manifestOf(await render(values), 'ValidatingWebhookConfiguration').metadata;
  const text = annotations?.['sailmark.dev/rules-when-ready'];
  return text === undefined ? undefined : (JSON.parse(text) as Readonly<Record<string, unknown>>);
};

export const MODES = ['audit', 'warn', 'enforce'] as const;
export const LABELS = [undefined, '', 'audit', 'warn', 'enforce', 'Enforce', 'off', 'disabled'] as const;
export const NAMESPACES = [
  'apps',
  'default',
  'kube-system',
  'istio-system',
  'istio-cni',
  'sailmark',
  'istio-system-2',
] as const;
export const CRITICAL: readonly string[] = ['kube-system', 'istio-system', 'istio-cni', 'sailmark'];

interface Namespace {
  readonly namespace: string;
  /** The value of the mode label; undefined if there is none. */
  readonly label: string | undefined;
}

/** The paths that the API server sends a pod of the namespace to. */
export const sendTo = (
  entries: readonly Entry[],
  { namespace, label }: Namespace,
): readonly (string | undefined)[] => {
  const labels: Labels = {
    'kubernetes.io/metadata.name': namespace,
    ...(label === undefined ? {} : { 'sailmark.dev/mode': label }),
  };
  return entries
    .filter(({ namespaceSelector }) => namespaceSelector.matchExpressions.every((one) => holds(one, labels)))
    .map(({ clientConfig }) => clientConfig.service?.path);
};
