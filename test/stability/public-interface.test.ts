import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type PublicInterface, readInterface } from './public-interface.ts';

/*
 * The public interface, recorded: what is removed or renamed fails here, and so does what is new until it is recorded. To record
 * it: SAILMARK_RECORD=1 vitest run --config test/vitest.config.ts test/stability
 */

const FILE = new URL('../fixtures/stability/interface.json', import.meta.url);

const GONE =
  'was public and is gone. Users build on it: keep it and deprecate it first (docs/stability.md, "How something ends"). If its time is up, remove it from test/fixtures/stability/interface.json and name it in CHANGELOG.md below "Removed"';
const NEW = 'is new: once recorded it is a promise. Record it with SAILMARK_RECORD=1';

/** The differences of two lists, as sentences. */
const differences = (recorded: PublicInterface, actual: PublicInterface): readonly string[] => {
  const kinds = [...new Set([...Object.keys(recorded), ...Object.keys(actual)])];
  return kinds.flatMap((kind) => {
    const [before, now] = [new Set(recorded[kind]), new Set(actual[kind])];
    return [
      ...[...before].filter((name) => !now.has(name)).map((name) => `${kind} ${name} ${GONE}`),
      ...[...now].filter((name) => !before.has(name)).map((name) => `${kind} ${name} ${NEW}`),
    ];
  });
};

describe('the public interface', () => {
  let actual: PublicInterface;
  let recorded: PublicInterface;
  beforeAll(async () => {
    actual = await readInterface();
    if (process.env['SAILMARK_RECORD'] === '1') writeFileSync(FILE, `${JSON.stringify(actual, null, 1)}\n`);
    recorded = JSON.parse(readFileSync(FILE, 'utf8')) as PublicInterface;
  });

  it('misses nothing that was recorded, and has nothing that is not', () => {
    expect(differences(recorded, actual)).toEqual([]);
  });

  it('is read at all: no kind is empty', () => {
    expect(Object.entries(actual).filter(([, names]) => names.length < 5)).toEqual([]);
  });

  it('cannot lose or gain a name unnoticed, of whatever kind', () => {
    for (const [kind, names] of Object.entries(actual)) {
      const [first = '', ...others] = names;
      const less = { ...actual, [kind]: others };
      expect(differences(actual, less)).toEqual([`${kind} ${first} ${GONE}`]);
      expect(differences(less, actual)).toEqual([`${kind} ${first} ${NEW}`]);
    }
  });

  it('is described in docs/stability.md, every kind of it', () => {
    const page = readFileSync(new URL('../../docs/stability.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| ([^|`]+?) \| (?:stable|free) \|/gm)].map(([, kind = '']) => kind);
    for (const kind of Object.keys(actual)) expect(rows).toContain(kind);
  });
});
