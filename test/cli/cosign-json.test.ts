import { describe, expect, it } from 'vitest';
import { cosignJson } from '../../src/cli/verify/cosign-json.ts';

const CRITICAL = {
  identity: { 'docker-reference': 'index.docker.io/istio/pilot' },
  image: { 'docker-manifest-digest': `sha256:${'a'.repeat(64)}` },
  type: 'cosign container image signature',
};
const CRITICAL_TEXT = JSON.stringify(CRITICAL);

const signature = (optional: unknown, logBundle?: string) => ({
  keyId: 'key',
  format: 'simple-signing' as const,
  signedReference: undefined,
  payload: JSON.stringify({ critical: CRITICAL, ...(optional === undefined ? {} : { optional }) }),
  logBundle,
  logged: undefined,
});

const PRINTED = { reference: 'istio/pilot:1', digest: `sha256:${'a'.repeat(64)}` };

const BUNDLE = {
  Payload: { logID: 'c0ff', logIndex: 7, integratedTime: 1_700_000_000, body: 'Ym9keQ==' },
  SignedEntryTimestamp: 'c2V0',
};
const BUNDLE_TEXT =
  '{"SignedEntryTimestamp":"c2V0","Payload":{"body":"Ym9keQ==","integratedTime":1700000000,"logIndex":7,"logID":"c0ff"}}';

const printedOptional = (optional: unknown, logBundle?: string): string => {
  const text = cosignJson([signature(optional, logBundle)], PRINTED);
  const before = `\n[{"critical":${CRITICAL_TEXT},"optional":`;
  expect(text.startsWith(before)).toBe(true);
  return text.slice(before.length, -'}]\n'.length);
};

describe('cosign’s JSON', () => {
  it.each([
    ['nothing', undefined, 'null'],
    ['null', null, 'null'],
    ['an empty map', {}, '{}'],
    ['keys out of order', { b: '2', a: { d: 1, c: [true, null] } }, '{"a":{"c":[true,null],"d":1},"b":"2"}'],
    ['what HTML reads as markup', { a: '<&>\u2028' }, String.raw`{"a":"\u003c\u0026\u003e\u2028"}`],
  ])('writes optional as Go does: %s', (_, optional, expected) => {
    expect(printedOptional(optional)).toBe(expected);
  });

  it('has the log’s bundle among what was signed, in the order of their names', () => {
    expect(printedOptional(null, JSON.stringify(BUNDLE))).toBe(`{"Bundle":${BUNDLE_TEXT}}`);
    expect(printedOptional({ A: '1', z: '2' }, JSON.stringify(BUNDLE))).toBe(
      `{"A":"1","Bundle":${BUNDLE_TEXT},"z":"2"}`,
    );
  });

  it('has the log’s bundle in place of what was signed under its name', () => {
    expect(printedOptional({ Bundle: 'mine' }, JSON.stringify(BUNDLE))).toBe(`{"Bundle":${BUNDLE_TEXT}}`);
  });

  it.each([
    'no JSON',
    '{}',
    'null',
    '{"Payload":null}',
    JSON.stringify({ ...BUNDLE, SignedEntryTimestamp: ['c2V0'] }),
    JSON.stringify({ ...BUNDLE, Payload: { ...BUNDLE.Payload, logIndex: '7' } }),
    JSON.stringify({ ...BUNDLE, Payload: { ...BUNDLE.Payload, integratedTime: 1.5 } }),
  ])('leaves a bundle out that is none: %s', (bundle) => {
    expect(printedOptional(null, bundle)).toBe('null');
  });

  it('is one array of all signatures', () => {
    const one = `{"critical":${CRITICAL_TEXT},"optional":null}`;
    expect(cosignJson([signature(null), signature(null)], PRINTED)).toBe(`\n[${one},${one}]\n`);
  });

  it('has of a bundle the reference as asked, the digest that was verified and its own annotations', () => {
    const statement = {
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      subject: [
        { name: 'without a digest' },
        { digest: { sha256: 'b'.repeat(64) }, annotations: { of: 'another' } },
        { digest: { sha256: 'a'.repeat(64) }, annotations: { rel: '1.30', channel: 'stable' } },
      ],
    };
    const bundle = {
      ...signature(null),
      format: 'sigstore-bundle' as const,
      payload: JSON.stringify(statement),
    };
    expect(cosignJson([bundle], PRINTED)).toBe(
      `\n[{"critical":{"identity":{"docker-reference":"istio/pilot:1"},"image":{"docker-manifest-digest":"sha256:${'a'.repeat(64)}"},"type":"https://sigstore.dev/cosign/sign/v1"},"optional":{"channel":"stable","rel":"1.30"}}]\n`,
    );
  });
});
