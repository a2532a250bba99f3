import { describe, expect, it } from 'vitest';
import {
  compareVersions,
  lastingHub,
  needsSecondKey,
  parseRelease,
  releaseKeys,
  retiringHubs,
  secondKey,
  supportOf,
} from '../../src/istio/index.ts';

const TODAY = '2026-11-30';

describe('the support of a version', () => {
  it.each(['1.32', '1.99', '2.0', '', '1', '1.28.1', '1.28-dev', '__proto__', 'constructor'])(
    'of %j is not known',
    (version) => {
      expect(supportOf(version, TODAY)).toEqual({ ends: null, supported: null, expected: null });
    },
  );

  it('is not known from the month on in which it is only expected to end', () => {
    expect(supportOf('1.30', '2027-01-01')).toEqual({ ends: null, supported: null, expected: '2027-01' });
    expect(supportOf('1.30', '2027-06-01').supported).toBeNull();
  });

  it.each(['0.8', '1.0', '1.5'])('of %s has ended on a day that the table lacks', (version) => {
    expect(supportOf(version, TODAY)).toEqual({ ends: null, supported: false, expected: null });
  });

  it('lasts through its last day', () => {
    expect(supportOf('1.29', '2026-10-12')).toEqual({ ends: '2026-10-12', supported: true, expected: null });
    expect(supportOf('1.29', '2026-10-13').supported).toBe(false);
  });

  it('lasts if its end is expected later', () => {
    expect(supportOf('1.31', TODAY)).toEqual({ ends: null, supported: true, expected: '2027-02' });
  });

  it('ends in the order of the versions', () => {
    const versions = Array.from({ length: 26 }, (_, index) => `1.${index + 6}`);
    const ends = versions.map((version) => {
      const { ends: day, expected } = supportOf(version, TODAY);
      return day ?? expected ?? '';
    });
    expect(ends.every((end) => /^\d{4}-\d{2}(?:-\d{2})?$/.test(end))).toBe(true);
    expect(ends.toSorted()).toEqual(ends);
  });
});

it('sorts versions by number', () => {
  expect(['1.10', '2.0', '1.9', '1.30', '1.3'].toSorted(compareVersions)).toEqual([
    '1.3',
    '1.9',
    '1.10',
    '1.30',
    '2.0',
  ]);
});

describe('a release', () => {
  it.each([
    'latest',
    '1.28',
    '1.28-dev',
    '1.28.1-fips',
    '1.28.1 ',
    'v1.28.1',
    '1.2345.1',
    '',
    '1.28.1-rc.1.2',
  ])('is not %j', (tag) => {
    expect(parseRelease(tag)).toBeUndefined();
  });

  it.each([
    ['1.28.1', '1.28.1', '1.28'],
    ['1.28.1-distroless', '1.28.1', '1.28'],
    ['1.31.0-rc.4-debug', '1.31.0-rc.4', '1.31'],
  ])('is %s', (tag, release, version) => {
    expect(parseRelease(tag)).toMatchObject({ release, version });
  });

  it.each([
    ['1.30.9', false],
    ['1.31.0', false],
    ['1.31.0-rc.4', false],
    ['1.31.1', true],
    ['1.31.12-distroless', true],
    ['1.32.0-alpha.0', true],
    ['2.0.0', true],
  ])('%s needs the second key: %s', (tag, needed) => {
    const release = parseRelease(tag);
    expect(release && needsSecondKey(release)).toBe(needed);
  });
});

it('names the second key by the address in the default key ring', () => {
  expect(releaseKeys.map(({ location }) => 'url' in location && location.url)).toContain(secondKey.url);
});

it('names no hub that stays as one that goes', () => {
  for (const { hub } of retiringHubs) expect(lastingHub.startsWith(hub)).toBe(false);
});
