import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { expect, it } from 'vitest';
import { templateKinds } from '../../../src/scan/collect/kinds.ts';
import { preflightKinds } from '../../../src/scan/preflight/installed.ts';

const PAGE = readFileSync(new URL('../../../docs/scan.md', import.meta.url), 'utf8');

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const [, block = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];
const { rules } = load(block) as { readonly rules: readonly Rule[] };

const granted = rules.flatMap(({ apiGroups, resources, verbs }) =>
  apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
  ),
);

it('the ClusterRole of docs/scan.md grants what a scan reads, and nothing else', () => {
  const needed = [
    'list /pods',
    'get /namespaces',
    'list /namespaces',
    'get /configmaps',
    'list admissionregistration.k8s.io/validatingwebhookconfigurations',
    'list admissionregistration.k8s.io/mutatingwebhookconfigurations',
    ...[...templateKinds, ...preflightKinds].map(({ group, plural }) => `list ${group}/${plural}`),
  ];
  expect(granted.toSorted()).toEqual(needed.toSorted());
});

it('and neither Secrets nor a verb that changes something', () => {
  expect(block).not.toMatch(/secrets|\*|create|update|patch|delete|watch/);
});
