import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../src/cli/command-line/arguments.ts';
import { exitCodeOfScan, failOnFlag, parseFailOn } from '../../../src/cli/scan/fail-on.ts';
import type { ScanResult } from '../../../src/scan/index.ts';
import { exampleScan } from '../../support/example-scan.ts';

const parse = (...values: readonly string[]) => {
  const command = {
    usage: '',
    description: '',
    flags: [failOnFlag],
    examples: [],
    maxOperands: 0,
    run: () => Promise.resolve(0),
  };
  const argv = values.map((value) => `--fail-on=${value}`);
  return parseFailOn(parseArguments(command, argv).flags);
};

const codeOf = (result: ScanResult, ...values: readonly string[]): number =>
  exitCodeOfScan(result, parse(...values));

const example = exampleScan();
const none = { refused: 0, unknown: 0, reported: 0, exempt: 0, verified: 0 };

/** A scan that found nothing wrong. */
const clean = (more: Partial<ScanResult> = {}): ScanResult =>
  exampleScan({
    images: example.images.filter(({ status }) => status === 'verified' || status === 'exempt'),
    owners: example.owners.filter(({ status }) => status === 'exempt'),
    summary: {
      ...example.summary,
      images: { ...none, exempt: 1, verified: 1 },
      pods: { ...none, exempt: 1, verified: 40, all: 48, other: 7 },
      ownersRefused: 0,
      reasons: {},
      drifted: 0,
      driftUnknown: 0,
      preflightRefused: 0,
    },
    preflight: [],
    drift: [],
    keys: [],
    coverage: { resources: [], notSeen: [], cut: [] },
    ...more,
  });

const count = (more: Partial<ScanResult['summary']>): Partial<ScanResult> => ({
  summary: { ...clean().summary, ...more },
});

describe('--fail-on', () => {
  it('refuses what it does not know, and none beside something', () => {
    expect(() => parse('refsed')).toThrow('must be one of refused, unknown, drift, preflight, none');
    expect(() => parse('')).toThrow('must be one of');
    expect(() => parse('drift,')).toThrow('must be one of');
    expect(() => parse('none', 'drift')).toThrow('--fail-on none stands alone');
  });

  it('counts what would be refused with each choice but none', () => {
    expect(parse()).toEqual(new Set(['refused']));
    expect(parse('unknown, drift', 'preflight')).toEqual(
      new Set(['refused', 'unknown', 'drift', 'preflight']),
    );
    expect(parse('none')).toEqual(new Set());
  });
});

describe('the exit code of a scan', () => {
  it('is never 0 if it was interrupted', () => {
    expect(codeOf(clean({ complete: false }))).toBe(20);
    expect(codeOf(clean({ complete: false }), 'none')).toBe(20);
    expect(codeOf(exampleScan({ complete: false }))).toBe(10);
  });

  it('is that of the most serious refusal', () => {
    // image-never-signed (10) and image-look-alike (30).
    expect(codeOf(example)).toBe(10);
    expect(codeOf(exampleScan({ images: example.images.slice(0, 1), owners: [] }))).toBe(30);
  });

  it('is that of a refusal that no image is listed for', () => {
    expect(codeOf(clean(count({ ownersRefused: 1 })))).toBe(30);
    expect(codeOf(clean({ owners: example.owners.slice(0, 1) }))).toBe(30);
  });

  it('tells nothing of what is not asked for', () => {
    expect(codeOf(example, 'none')).toBe(0);
    const images = example.images.filter(({ status }) => status === 'unknown');
    expect(codeOf(clean({ images, ...count({ images: { ...none, unknown: 1 } }) }))).toBe(0);
    expect(codeOf(clean({ drift: example.drift, ...count({ drifted: 1 }) }))).toBe(0);
    expect(codeOf(clean({ preflight: example.preflight }))).toBe(0);
  });

  it('with unknown is 20 for all that is not known', () => {
    expect(codeOf(clean(), 'unknown')).toBe(0);
    const { coverage } = example;
    const unknown: readonly Partial<ScanResult>[] = [
      count({ images: { ...none, unknown: 1 } }),
      count({ driftUnknown: 1 }),
      count({ preflightUnknown: 1 }),
      { coverage },
      { coverage: { ...clean().coverage, cut: ['past 100,000 pods'] } },
    ];
    expect(unknown.map((more) => codeOf(clean(more), 'unknown'))).toEqual(unknown.map(() => 20));
  });

  it('with drift is 30, with preflight that of the configured image', () => {
    expect(codeOf(clean({ drift: example.drift, ...count({ drifted: 1 }) }), 'drift')).toBe(30);
    expect(codeOf(clean({ preflight: example.preflight }), 'preflight')).toBe(10);
  });
});
