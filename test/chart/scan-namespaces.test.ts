import { describe, expect, it } from 'vitest';
import { createCoverage } from '../../src/scan/collect/index.ts';
import { type NamespaceRule, readNamespacePolicy } from '../../src/scan/namespaces/index.ts';
import { startAndConnect, testDeadline } from '../kubernetes/connected-cluster.ts';
import { webhookPath } from '../support/cluster-server.ts';
import { entriesOf, LABELS, MODES, NAMESPACES, sendTo } from './entries.ts';
import { render } from './helm.ts';

type Mode = (typeof MODES)[number];

/** One namespace for each name and label; the names of critical and excluded ones stay as they are. */
const spaces = [
  ...NAMESPACES.map((name) => ({ name, label: undefined })),
  { name: 'lab', label: 'enforce' },
  { name: 'istio-cni-2', label: undefined },
  ...LABELS.map((label, index) => ({ name: `labelled-${index}`, label })),
];

/** Reads, from the release as it is installed, how each namespace would be judged in a mode. */
const readRules = async (installed: object, asked: Mode): Promise<ReadonlyMap<string, NamespaceRule>> => {
  const { server, cluster } = await startAndConnect();
  for (const { kind, metadata, ...rest } of await render(installed)) {
    const found = /^(Validating|Mutating)WebhookConfiguration$/.exec(kind)?.[1]?.toLowerCase();
    if (found === 'validating' || found === 'mutating') server.put(webhookPath(metadata.name, found), rest);
  }
  for (const { name, label } of spaces)
    server.put(`/api/v1/namespaces/${name}`, {
      metadata: { labels: label === undefined ? {} : { 'sailmark.dev/mode': label } },
    });
  const options = { cluster, coverage: createCoverage(), mode: asked, signal: testDeadline(20_000) };
  const { ruleFor, policy } = await readNamespacePolicy(options);
  expect(policy).toMatchObject({ mode: asked, webhook: 'sailmark' });
  return new Map(spaces.map(({ name }) => [name, ruleFor(name)]));
};

/** The paths that the API server sends pods to, by the chart's own entries. */
const sentBy = async (values: object): Promise<ReadonlyMap<string, readonly (string | undefined)[]>> => {
  const entries = [
    ...(await entriesOf(values)),
    ...(await entriesOf(values, 'MutatingWebhookConfiguration').catch(() => [])),
  ];
  return new Map(spaces.map(({ name, label }) => [name, sendTo(entries, { namespace: name, label })]));
};

const pathsOf = ({ mode, critical, excluded, pinned }: NamespaceRule): readonly string[] => {
  if (excluded) return [];
  const validate = `/validate/${critical ? 'critical/' : ''}${mode}`;
  return [validate, ...(pinned ? [`/mutate/${critical ? 'critical/' : ''}pin`] : [])];
};

/** In a release that audits, no entry says if labels may weaken a stronger one. */
const saysIfWeaker = (installed: Mode, asked: Mode, weaker: boolean): boolean =>
  !weaker || installed !== 'audit' || asked === 'audit';

/** In a release that enforces without weaker labels, `always` and `enforce` pin the same. */
const saysPin = (installed: Mode, asked: Mode, weaker: boolean, pin: string): boolean =>
  pin !== 'always' || installed !== 'enforce' || weaker || asked === 'enforce';

const cases = MODES.flatMap((installed) =>
  MODES.flatMap((asked) =>
    [false, true].flatMap((weaker) =>
      ['enforce', 'always', 'never'].map((pin) => ({ installed, asked, weaker, pin })),
    ),
  ),
).filter(
  ({ installed, asked, weaker, pin }) =>
    saysIfWeaker(installed, asked, weaker) && saysPin(installed, asked, weaker, pin),
);

describe('how scan judges namespaces', () => {
  it.each(cases)(
    'is what the chart would send where, from a release in $installed asked for $asked (weaker labels $weaker, pin $pin)',
    async ({ installed, asked, weaker, pin }) => {
      const values = { modes: { allowWeakerLabels: weaker }, pin, excludedNamespaces: ['lab'] };
      const rules = await readRules({ ...values, mode: installed }, asked);
      const sent = await sentBy({ ...values, mode: asked });
      expect(new Map([...rules].map(([name, rule]) => [name, pathsOf(rule)]))).toEqual(sent);
    },
  );
});
