/* oxlint-disable vitest/no-conditional-tests, vitest/expect-expect -- what is compared with openssl says where openssl is not */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncProperty, boolean, assert as check, nat, tuple, uint8Array } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { createSigner } from '../support/signing-kit.ts';

/*
 * `verify-blob` against `openssl dgst -sha256 -verify`, which it replaces. Each case also runs openssl itself.
 */

const OPENSSL = 'openssl';
const HAS_OPENSSL = spawnSync(OPENSSL, ['version']).status === 0;

const signer = createSigner();
const stranger = createSigner();
const CONTENT = Buffer.from('what was released');
const EMPTY = Buffer.alloc(0);
const signed = (content: Uint8Array, privateKey: KeyObject = signer.privateKey): Buffer =>
  sign('sha256', content, privateKey);

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-openssl-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const writeAll = async (
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<readonly [string, string, string]> => {
  const paths = Object.entries(files).map(async ([name, content]) => {
    await writeFile(join(directory, name), content);
    return join(directory, name);
  });
  return (await Promise.all(paths)) as [string, string, string];
};

/** True for each program that accepts the signature: `[openssl, sailmark]`. */
const acceptedBy = async (
  content: Uint8Array,
  signature: Uint8Array,
): Promise<readonly [boolean, boolean]> => {
  const [key, file, der] = await writeAll({ 'key.pub': signer.publicPem, file: content, der: signature });
  const openssl = spawnSync(OPENSSL, ['dgst', '-sha256', '-verify', key, '-signature', der, file]);
  const { code, stderr } = await runCli(['verify-blob', '--key', key, '--signature', der, file]);
  if (code !== 0 && code !== 12) throw new Error(`verify-blob ended with ${code}: ${stderr}`);
  return [openssl.status === 0, code === 0];
};

const flipBit = (bytes: Uint8Array, bit: number): Buffer => {
  const flipped = Buffer.from(bytes);
  const index = Math.floor(bit / 8) % flipped.length;
  flipped[index] = (flipped[index] ?? 0) ^ (1 << (bit % 8));
  return flipped;
};

const integer = (magnitude: Uint8Array): Buffer => {
  const content =
    (magnitude[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), magnitude]) : Buffer.from(magnitude);
  return Buffer.concat([Buffer.of(2, content.length), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
};

/** The two integers of a DER signature, each with its header. */
const integersOf = (der: Buffer): readonly [Buffer, Buffer] => {
  const middle = 4 + (der[3] ?? 0);
  return [der.subarray(2, middle), der.subarray(middle)];
};

/** `openssl dgst` reads only so many bytes of a signature file: the maximum length of a P-256 signature. */
const LONGEST = 72;
const signedWithLength = (suits: (length: number) => boolean): Buffer => {
  for (;;) {
    const der = signed(CONTENT);
    if (suits(der.length)) return der;
  }
};

const DER = signedWithLength((length) => length < LONGEST);
const [R, S] = integersOf(DER);
const N = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const bytesOf = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
const valueOf = (whole: Buffer): bigint => BigInt(`0x${whole.subarray(2).toString('hex')}`);
const padded = (whole: Buffer): Buffer =>
  Buffer.concat([Buffer.of(2, whole.length - 1, 0), whole.subarray(2)]);

const CASES: readonly (readonly [
  what: string,
  content: Uint8Array,
  signature: Uint8Array,
  accepted: boolean,
])[] = [
  ['a valid signature', CONTENT, DER, true],
  ['a valid signature of an empty file', EMPTY, signed(EMPTY), true],
  ['a valid signature with n−s for s', CONTENT, sequence(R, integer(bytesOf(N - valueOf(S)))), true],
  ['a stranger’s signature', CONTENT, signed(CONTENT, stranger.privateKey), false],
  ['a signature of another file', CONTENT, signed(Buffer.from('another')), false],
  ['a signature of another file, for an empty one', EMPTY, DER, false],
  ['an empty signature', CONTENT, EMPTY, false],
  ['a truncated signature', CONTENT, DER.subarray(0, -1), false],
  ['half a signature', CONTENT, DER.subarray(0, 36), false],
  ['a trailing byte', CONTENT, Buffer.concat([DER, Buffer.of(0)]), false],
  ['a trailing byte inside the sequence', CONTENT, sequence(R, S, Buffer.of(0)), false],
  ['a third integer', CONTENT, sequence(R, S, S), false],
  ['BER: the length in long form', CONTENT, Buffer.concat([Buffer.of(0x30, 0x81), DER.subarray(1)]), false],
  [
    'BER: the indefinite length',
    CONTENT,
    Buffer.concat([Buffer.of(0x30, 0x80), R, S, Buffer.of(0, 0)]),
    false,
  ],
  ['BER: a padded integer', CONTENT, sequence(padded(R), S), false],
  [
    'P1363: r and s side by side',
    CONTENT,
    sign('sha256', CONTENT, { key: signer.privateKey, dsaEncoding: 'ieee-p1363' }),
    false,
  ],
  ['r and s swapped', CONTENT, sequence(S, R), false],
  ['r of zero', CONTENT, sequence(integer(Buffer.of(0)), S), false],
  ['s of zero', CONTENT, sequence(R, integer(Buffer.of(0))), false],
  [
    's + n',
    CONTENT,
    sequence(
      R,
      integer(Buffer.from((valueOf(S) + N).toString(16).padStart(66, '0').replace(/^00/, ''), 'hex')),
    ),
    false,
  ],
  ['text', CONTENT, Buffer.from('signature'), false],
  ['over SHA-512', CONTENT, sign('sha512', CONTENT, signer.privateKey), false],
];

/** Keys that openssl accepts and sailmark does not, with sailmark's message. */
const REFUSED_KEYS: readonly (readonly [
  what: string,
  pem: () => string,
  signature: () => Buffer,
  problem: string,
])[] = [
  ['on P-384', () => p384.pem, () => signed(CONTENT, p384.privateKey), 'is a P-384 key'],
  ['of RSA', () => rsa.pem, () => signed(CONTENT, rsa.privateKey), 'is an RSA key'],
  [
    'with another one behind it',
    () => `${signer.publicPem}${createSigner().publicPem}`,
    () => DER,
    'has several PEM blocks',
  ],
];

const makeKey = ({
  publicKey,
  privateKey,
}: {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}) => ({
  pem: publicKey.export({ type: 'spki', format: 'pem' }),
  privateKey,
});
const p384 = makeKey(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
const rsa = makeKey(generateKeyPairSync('rsa', { modulusLength: 2048 }));

const defineComparison = (): void => {
  it.each(CASES)('agree on %s', async (_what, content, signature, accepted) => {
    expect(await acceptedBy(content, signature)).toEqual([accepted, accepted]);
  });

  it('agree on every bit flipped in signature or file, and refuse them', async () => {
    const bits = tuple(boolean(), nat({ max: 8 * DER.length - 1 }));
    await check(
      asyncProperty(bits, async ([inSignature, bit]) => {
        const [content, signature] = inSignature
          ? [CONTENT, flipBit(DER, bit)]
          : [flipBit(CONTENT, bit), DER];
        expect(await acceptedBy(content, signature)).toEqual([false, false]);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('agree on files of any content and length', async () => {
    await check(
      asyncProperty(uint8Array({ maxLength: 4096 }), async (content) => {
        expect(await acceptedBy(content, signed(content))).toEqual([true, true]);
      }),
      { numRuns: 50 },
    );
  }, 60_000);

  it.each(REFUSED_KEYS)('differ on a key %s, which we refuse', async (_what, pem, signature, problem) => {
    const [key, file, der] = await writeAll({ 'other.pub': pem(), file: CONTENT, der: signature() });
    const openssl = spawnSync(OPENSSL, ['dgst', '-sha256', '-verify', key, '-signature', der, file]);
    const { code, stderr } = await runCli(['verify-blob', '--key', key, '--signature', der, file]);
    expect({ openssl: openssl.status, code, stderr }).toEqual({
      openssl: 0,
      code: 1,
      stderr: expect.stringContaining(problem),
    });
  });

  it('differ on what follows the longest signature, which openssl never reads and we refuse', async () => {
    const longest = signedWithLength((length) => length === LONGEST);
    expect(await acceptedBy(CONTENT, Buffer.concat([longest, Buffer.of(0)]))).toEqual([true, false]);
  });

  it('differ on a signature in base64, which openssl does not read', async () => {
    expect(await acceptedBy(CONTENT, Buffer.from(DER.toString('base64')))).toEqual([false, true]);
  });
};

if (HAS_OPENSSL)
  describe('verify-blob and openssl dgst -sha256 -verify', () => {
    defineComparison();
  });
else it('NOT RUN: openssl is not installed', (context) => context.skip());
