import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { perform } from '../../src/certificates/perform.ts';
import { plan } from '../../src/certificates/plan.ts';
import { bundleOf, readState, writeState } from '../../src/certificates/state.ts';
import { parseScanCounts } from '../../src/observability/index.ts';
import { createTagTable } from '../../src/registry/layout/tag-table.ts';
import { createEvidenceKind } from '../../src/registry/shared-evidence/evidence-kind.ts';
import { createTagKind } from '../../src/registry/shared-evidence/tag-kind.ts';
import { formatFoundOwners, parseFoundOwners } from '../../src/scan/publish/found-owners.ts';
import { type ActivationPlan, planActivation } from '../../src/webhook/activation/plan.ts';
import { SETTINGS } from '../certificates/replicas.ts';

/*
 * Texts that one release stores and another reads: after an upgrade, after a rollback, and while replicas of both run. The texts are
 * those that release 0.1.0 writes (test/fixtures/stability/stored.json); every later release must read them.
 */

interface Stored {
  readonly evidence: { readonly key: string; readonly text: string };
  readonly tag: { readonly key: string; readonly text: string };
  readonly tagFile: string;
  readonly counts: string;
  readonly owners: string;
  readonly rules: string;
  readonly secretKeys: readonly string[];
}

const stored = JSON.parse(
  await readFile(new URL('../fixtures/stability/stored.json', import.meta.url), 'utf8'),
) as Stored;

const NOW = Date.UTC(2027, 0, 1);
const DAY = 86_400_000;
const evidenceKind = createEvidenceKind(() => NOW);
const tagKind = createTagKind(DAY, () => NOW);

/** Reads the table of tags of a directory, and resolves with the last digest of the recorded tag. */
const lastInFile = async (text: string): Promise<unknown> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-stored-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'sailmark-tags.json'), text);
  const table = createTagTable(directory, { maxTags: 10, now: () => NOW, report: () => undefined });
  await table.load();
  const { repository, tag } = JSON.parse(stored.tag.text) as { repository: string; tag: string };
  return table.last(repository, tag)?.digest;
};

/** Plans what to do about entries that have no rules yet, where the annotation has this text. */
const planOf = (rules: string): ActivationPlan => {
  const entries = Object.keys(JSON.parse(stored.rules) as object).map((name) => ({
    name,
    caBundle: undefined,
    host: undefined,
    rules: [],
  }));
  return planActivation({ version: '1', annotations: { 'sailmark.dev/rules-when-ready': rules }, entries });
};

/** Each stored text, with what a reader makes of it; undefined: nothing. */
const FORMATS: readonly {
  readonly name: string;
  readonly text: string;
  readonly read: (text: string) => unknown;
}[] = [
  {
    name: 'the evidence of an image, in a ConfigMap',
    text: stored.evidence.text,
    read: (text) => evidenceKind.parse(stored.evidence.key, text)?.entries.length,
  },
  {
    name: 'the last digest of a tag, in a ConfigMap',
    text: stored.tag.text,
    read: (text) => tagKind.parse(stored.tag.key, text)?.resolution.digest,
  },
  { name: 'the table of tags, in a directory', text: stored.tagFile, read: lastInFile },
  { name: 'the counts of a scan', text: stored.counts, read: (text) => parseScanCounts(text)?.pods.refused },
  {
    name: 'the owners that a scan found',
    text: stored.owners,
    read: (text) => parseFoundOwners(text)?.owners.length,
  },
];

/** The same text in a format of a later release, and with a member that this release does not know. */
const inLaterFormat = (text: string): string => {
  const object = JSON.parse(text) as { readonly schema?: string };
  const { schema } = object;
  const later = schema === undefined ? { format: 2 } : { schema: schema.replace('/v1', '/v2') };
  return JSON.stringify({ ...object, ...later });
};

describe('what a release stored for another', () => {
  it.each(FORMATS)('is absent in a format that this release does not know: $name', async ({ text, read }) => {
    expect(await read(inLaterFormat(text))).toBeUndefined();
  });

  it.each(FORMATS)(
    'is absent where it is malformed, and nothing is thrown: $name',
    async ({ text, read }) => {
      for (const broken of ['', 'null', '[]', '{}', '"text"', text.slice(0, -1), '{"format":1}'])
        expect([broken, await read(broken)]).toEqual([broken, undefined]);
    },
  );

  it.each(FORMATS)('is read as release 0.1.0 wrote it: $name', async ({ text, read }) => {
    expect(await read(text)).toBeTruthy();
  });

  it.each(FORMATS)(
    'is read although it has members that this release does not know: $name',
    async ({ text, read }) => {
      const more = JSON.stringify({ ...(JSON.parse(text) as object), later: { anything: [1] } });
      expect(await read(more)).toEqual(await read(text));
    },
  );
});

describe('the rules that come into force', () => {
  it('are left as they are where the annotation has a format that this release does not know', () => {
    for (const rules of [JSON.stringify({ format: 2, entries: [] }), '[]', 'rules: later'])
      expect(planOf(rules)).toMatchObject({ state: 'unusable' });
  });

  it('are those that the chart of 0.1.0 wrote', () => {
    expect(planOf(stored.rules)).toMatchObject({ state: 'inactive' });
  });
});

describe('the Secret with the certificates', () => {
  const now = Date.now();
  const context = { now, settings: SETTINGS, lastTrusted: [] };
  const nothing = { trusted: [], issuedUntil: new Map<string, number>() };
  const begin = async () => writeState(await perform({ do: 'begin' }, nothing, context), {});

  it('of a release whose CA this one cannot use keeps its certificate and every CA trusted, until both have rotated', async () => {
    const later: Readonly<Record<string, string>> = {
      ...(await begin()),
      'ca.key': 'a key that this release cannot read',
      format: '2',
    };
    const state = readState(later);
    expect(state.issuer).toBeUndefined();
    expect(bundleOf(state)).toBe(later['ca.crt']);
    expect(state.leaf?.cert).toBe(later['tls.crt']);
    expect(plan({ state, trustedSince: now - DAY, now, settings: SETTINGS })).toEqual({ do: 'prepare' });
    const written = writeState(await perform({ do: 'prepare' }, state, context), later);
    expect(written['ca.crt']).toContain(later['ca.crt'] ?? 'none');
    expect(written['format']).toBe('2');
  });

  it('has the keys that release 0.1.0 wrote', async () => {
    const written = await begin();
    expect(Object.keys(written).toSorted()).toEqual(stored.secretKeys);
    expect(readState(written)).toMatchObject({ issuer: expect.anything(), leaf: expect.anything() });
  });
});

describe('what this release stores', () => {
  it('is what is recorded: a change needs another number, and a reader of the old one', async () => {
    const row = evidenceKind.parse(stored.evidence.key, stored.evidence.text);
    const merged = row && evidenceKind.merge(row, { ...row, used: row.used + 2 * DAY });
    expect(Object.keys(JSON.parse(merged?.text ?? '{}') as object)).toEqual(
      Object.keys(JSON.parse(stored.evidence.text) as object),
    );
    const owners = parseFoundOwners(stored.owners);
    expect(owners && formatFoundOwners(owners)).toBe(stored.owners);
  });
});
