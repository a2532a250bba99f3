import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { defaultLimits, limitTable } from '../../src/config/index.ts';
import { configurationSchema } from '../../src/config/schema/configuration-schema.ts';
import { parse, refusals } from './parse.ts';

const MIB = 1024 * 1024;

describe('the limits', () => {
  it('have the defaults that were agreed', () => {
    expect(defaultLimits).toEqual({
      reviewBytes: 24 * MIB,
      reviewBytesAtOnce: 128 * MIB,
      imageUsesPerReview: 10_000,
      valuesPerReview: 500_000,
      reviewMargin: 1000,
      reviewDeadline: 10_000,
      imagesPerReview: 64,
      verificationsAtOnce: 8,
      manifestBytes: 4 * MIB,
      blobBytes: MIB,
      tokenBytes: 65_536,
      redirects: 5,
      referrerPages: 10,
      requestTimeout: 10_000,
      requestsPerRegistry: 64,
      signatureCandidates: 100,
      signatureBytes: 8 * MIB,
      signatureManifestBytes: MIB,
      referrerBytes: 65_536,
      signaturesPerDigest: 8,
      payloadBytes: 65_536,
      verifiedBytes: 32 * MIB,
      rejectedMemory: 10_000,
      rejectedEntries: 10_000,
      tagEntries: 10_000,
      flightDeadline: 30_000,
      sharedEvidenceBytes: 786_432,
      requestBudget: 60,
      requestBudgetPerSecond: 2,
      registrySilence: 3_000,
      keyBytes: 65_536,
      keyRefresh: 3_600_000,
      keepAlive: 120_000,
      requestTime: 120_000,
      drain: 15_000,
    });
  });

  it('are each named once, with a default within its bounds and what happens at it', () => {
    const names = limitTable.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const limit of limitTable) {
      expect(limit.min).toBeLessThanOrEqual(limit.default);
      expect(limit.max).toBeGreaterThanOrEqual(limit.default);
      expect(limit.effect).not.toBe('');
    }
  });

  it('are refused outside their bounds, each at both ends', async () => {
    for (const { name, min, max, unit } of limitTable) {
      const written = (value: number): string => (unit === 'milliseconds' ? `${value}ms` : String(value));
      for (const value of [min - 1, max + 1].filter((one) => one >= 0))
        expect(await refusals(`limits: {${name}: ${written(value)}}`)).toEqual([
          expect.stringMatching(new RegExp(`^limits\\.${name}: must be from .+ to `)),
        ]);
      for (const value of [min, max])
        expect((await parse(`limits: {${name}: ${written(value)}}`)).limits).toEqual({
          ...defaultLimits,
          [name]: value,
        });
    }
  });

  it('are refused in another unit, and under another name', async () => {
    expect(await refusals('limits: {drain: 15, redirects: 5s, reviewBytes: 24MB, blobByte: 1MiB}')).toEqual([
      'limits.blobByte: is not a known key: did you mean blobBytes?',
      'limits.drain: must be a duration such as 500ms, 10s, 1m30s or 24h (0 is none)',
      'limits.redirects: must be a whole number',
      'limits.reviewBytes: must be a size such as 64KiB or 24MiB, or a whole number of bytes',
    ]);
  });

  it.each([
    ['drain', '15'],
    ['drain', '"15"'],
    ['drain', '""'],
    ['drain', '-1'],
    ['drain', '1.5'],
    ['drain', '1s1m'],
    ['reviewBytes', '1.5'],
    ['reviewBytes', '-1'],
    ['reviewBytes', '"1048576"'],
    ['redirects', '1.5'],
    ['redirects', '-1'],
    ['redirects', '"5"'],
  ])('are refused once, by the schema that the chart has too: %s: %s', async (name, value) => {
    const ajv = new Ajv({ allowUnionTypes: true });
    const { limits } = configurationSchema.properties;
    expect(ajv.validate(limits, load(`{${name}: ${value}}`))).toBe(false);
    expect(await refusals(`limits: {${name}: ${value}}`)).toEqual([
      expect.stringMatching(new RegExp(`^limits\\.${name}: must be a `)),
    ]);
  });

  it.each(['0', '"0"', '0s', '1m30s', '500ms'])('may be the duration %s for the schema', (value) => {
    const { tagMemory } = configurationSchema.properties;
    expect(new Ajv({ allowUnionTypes: true }).validate(tagMemory, load(value))).toBe(true);
  });

  it('never let an idle connection end before the API server drops it', () => {
    const keepAlive = limitTable.find(({ name }) => name === 'keepAlive');
    expect(keepAlive?.min).toBeGreaterThan(90_000);
  });
});
