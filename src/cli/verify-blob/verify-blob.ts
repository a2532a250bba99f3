import { type FileHandle, open } from 'node:fs/promises';
import { type BlobVerdict, type KeyRing, verifyBlob } from '../../verification/index.ts';
import { type Command, CommandError, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { keyFlags, readConfig } from '../flags/core-flags.ts';
import { inputName } from '../shared/input.ts';
import { progressFlag } from '../shared/progress.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { withProgress } from './progress.ts';
import { readSignature } from './signature.ts';

const exitCodes = [
  [12, 'the signature does not verify'],
  [20, 'it does not verify with the keys at hand, and a key named could not be loaded'],
] as const;

const KEY_HELP =
  "a public key that may have signed: PEM, JWK or JWKS; an https URL may carry the SHA-256 of the key's SubjectPublicKeyInfo as its pin";

/** The length of an r‖s signature on P-256, as JWS and WebCrypto write it. */
const RAW_LENGTH = 64;

/** Bytes read at a time. */
const CHUNK = 2 ** 20;

const requireText = (flags: Flags, name: string, why: string): string => {
  const text = flags.text(name);
  if (text === undefined) throw new UsageError(`--${name} is missing: ${why}`);
  return text;
};

const fileOf = ([file]: readonly string[]): string => {
  if (file === undefined)
    throw new UsageError(
      'no file is named: sailmark verify-blob --key KEY --signature SIGNATURE FILE, or - for standard input',
    );
  return file;
};

type Judge = (chunks: AsyncIterable<Uint8Array | string>, total?: number) => Promise<BlobVerdict>;

/** Every chunk stands in the same memory, and is gone with the next. */
async function* readChunks(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const memory = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const { bytesRead } = await handle.read(memory);
    if (bytesRead === 0) return;
    yield memory.subarray(0, bytesRead);
  }
}

/** Gives `judge` the chunks of a file and how many bytes to expect, which for a pipe nobody knows. */
const withFile = async (path: string, judge: Judge): Promise<BlobVerdict> => {
  const handle = await open(path);
  try {
    const status = await handle.stat();
    return await judge(readChunks(handle), status.isFile() ? status.size : undefined);
  } finally {
    await handle.close();
  }
};

const judgeFile = async (file: string, judge: Judge, { stdin }: Io): Promise<BlobVerdict> => {
  try {
    return await (file === '-' ? judge(stdin) : withFile(file, judge));
  } catch (error) {
    throw new CommandError(`${inputName(file)} cannot be read: ${(error as Error).message}`);
  }
};

const describeForm = (signature: Uint8Array): string =>
  signature.length === RAW_LENGTH
    ? 'the signature is 64 bytes, as r and s side by side (IEEE P1363, JWS) are; it must be DER, as `openssl dgst -sign` and cosign write it'
    : `the signature (${signature.length} bytes) is not an ECDSA P-256 signature in DER, or is damaged`;

const describeKeys = ({ keys }: KeyRing): string => {
  const sources = [...new Set([...keys.values()].map(({ source }) => source))];
  return sources.length === 1 ? `the key ${sources[0]}` : `any of the keys ${sources.join(', ')}`;
};

/** Prints what came of it, as `cosign verify-blob` does, and gives the exit code. */
const report = (
  verdict: BlobVerdict,
  {
    file,
    signature,
    ring,
  }: { readonly file: string; readonly signature: Uint8Array; readonly ring: KeyRing },
  { stderr }: Io,
): number => {
  if (verdict.valid) {
    stderr.write('Verified OK\n');
    return 0;
  }
  const name = inputName(file);
  if (verdict.problem === 'form') {
    stderr.write(`Error: ${name}: ${describeForm(signature)}\n`);
    return 12;
  }
  stderr.write(`Error: ${name}: the signature is not by ${describeKeys(ring)} over these bytes\n`);
  return ring.missing.length === 0 ? 12 : 20;
};

const verify = async (flags: Flags, operands: readonly string[], io: Io): Promise<number> => {
  requireText(flags, 'key', "nothing but images is signed with Istio's release keys, so there is no default");
  const argument = requireText(flags, 'signature', 'the file with the signature, or the signature in base64');
  const file = fileOf(operands);
  const signature = await readSignature(argument);
  const config = await readConfig(flags, io);
  return withCore(config, io, async (core) => {
    const ring = core.ring();
    checkKeys(ring, config, flags, io);
    const judge: Judge = (chunks, total) =>
      verifyBlob(ring.keys.values(), signature, withProgress(chunks, total, io, flags));
    const verdict = await judgeFile(file, judge, io);
    return report(verdict, { file, signature, ring }, io);
  });
};

export const command: Command = {
  usage: 'verify-blob --key KEY --signature SIGNATURE [flags] FILE',
  description:
    'Verifies a signature over a file (ECDSA P-256 over its SHA-256), as `cosign verify-blob --key KEY --signature SIGNATURE --insecure-ignore-tlog FILE` and `openssl dgst -sha256 -verify KEY -signature SIGNATURE FILE` do. The file is read once and may have any size; - stands for standard input.\nIstio signs nothing but images with its release keys, so --key is required.',
  flags: [
    ...keyFlags
      .filter(({ name }) => name !== 'config')
      .map((flag) => (flag.name === 'key' ? { ...flag, help: KEY_HELP } : flag)),
    {
      name: 'signature',
      value: 'FILE|BASE64',
      help: 'the signature: a file with it, in base64 or DER, or the base64 itself',
    },
    progressFlag,
  ],
  examples: [
    'sailmark verify-blob --key cosign.pub --signature tool.tar.gz.sig tool.tar.gz',
    'sailmark verify-blob --key https://corp.example/release.pub#sha256=HEX --signature "$SIG" - < tool.tar.gz',
  ],
  exitCodes,
  maxOperands: 1,
  run: verify,
};
