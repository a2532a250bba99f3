import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { PinRecord, ReviewRecord } from '../../src/admission/index.ts';

const page = readFileSync(new URL('../../docs/logs.md', import.meta.url), 'utf8');

const fieldsBelow = (heading: string): readonly string[] => {
  const [, section = ''] = page.split(new RegExp(`^## ${heading}$`, 'm'));
  return [...(section.split(/^## /m, 1)[0] ?? '').matchAll(/^\| `(\w+)` \| \S/gm)].map(
    ([, name = '']) => name,
  );
};

/** The fields of a record: one that is missing or unknown does not compile. */
const namesOf = <Record_>(fields: Readonly<Record<keyof Record_, true>>): readonly string[] =>
  Object.keys(fields);

const common = {
  uid: true,
  namespace: true,
  kind: true,
  name: true,
  operation: true,
  critical: true,
  dryRun: true,
  skipped: true,
  images: true,
  keyIds: true,
  verifications: true,
  fromMemory: true,
  requests: true,
  incident: true,
  route: true,
} as const;

const sorted = (names: readonly string[]) => names.toSorted((a, b) => (a < b ? -1 : 1));

it('docs/logs.md lists every field of a review, and no other', () => {
  const fields = namesOf<ReviewRecord>({ ...common, mode: true, verdict: true, findings: true, told: true });
  expect(sorted(fieldsBelow('A review'))).toEqual(sorted(fields));
});

it('docs/logs.md lists every field of a pin, and no other', () => {
  const fields = namesOf<PinRecord>({ ...common, pinned: true, unpinned: true });
  expect(sorted(fieldsBelow('A pin'))).toEqual(sorted(fields));
});
