import { type BlobResult, type KeyRing, verifyBlob } from '../../verification/index.ts';
import { type Command, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { keyFlags, readConfig } from '../flags/core-flags.ts';
import { inputName } from '../shared/input.ts';
import { progressFlag } from '../shared/progress.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { withChunks } from './chunks.ts';
import { withProgress } from './progress.ts';
import { readSignature } from './signature.ts';

const exitCodes = [
  [12, 'the signature does not verify'],
  [20, 'the signature does not verify, but one of the keys could not be loaded'],
] as const;

const KEY_HELP =
  "a trusted public key: PEM, DER, JWK or JWKS; an https URL may be pinned to the SHA-256 of the key's SubjectPublicKeyInfo";

/** The length in bytes of an r‖s signature on P-256, as JWS and WebCrypto write it. */
const RAW_LENGTH = 64;

const requireText = (flags: Flags, name: string, hint: string): string => {
  const text = flags.text(name);
  if (text === undefined) throw new UsageError(`--${name} is missing: ${hint}`);
  return text;
};

const requireFile = ([file]: readonly string[]): string => {
  if (file === undefined)
    throw new UsageError(
      'no file given: sailmark verify-blob --key KEY --signature SIGNATURE FILE, or - for standard input',
    );
  return file;
};

const describeForm = (signature: Uint8Array): string =>
  signature.length === RAW_LENGTH
    ? 'expected a signature in DER, as `openssl dgst -sign` and cosign write it, got 64 bytes, the length of r and s side by side (IEEE P1363, JWS)'
    : `the signature is malformed: expected ECDSA P-256 in DER, got ${signature.length} other bytes`;

const describeKeys = ({ keys }: KeyRing): string => {
  const sources = [...new Set([...keys.values()].map(({ source }) => source))];
  return sources.length === 1 ? `the key ${sources[0]}` : `any of the keys ${sources.join(', ')}`;
};

/** Prints the verdict as `cosign verify-blob` does, and returns the exit code. */
const printVerdict = (
  verdict: BlobResult,
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
  stderr.write(`Error: ${name}: the signature does not verify with ${describeKeys(ring)}\n`);
  return ring.missing.length === 0 ? 12 : 20;
};

const verify = async (flags: Flags, operands: readonly string[], io: Io): Promise<number> => {
  requireText(flags, 'key', "there is no default, because Istio's release keys sign only images");
  const argument = requireText(
    flags,
    'signature',
    'name the file with the signature, or give the signature in base64',
  );
  const file = requireFile(operands);
  const signature = await readSignature(argument);
  const config = await readConfig(flags, io);
  return withCore(config, io, async (core) => {
    const ring = core.ring();
    checkKeys(ring, config, flags, io);
    const verdict = await withChunks(file, io, (chunks, size) =>
      verifyBlob(ring.keys.values(), signature, withProgress(chunks, size, io, flags)),
    );
    return printVerdict(verdict, { file, signature, ring }, io);
  });
};

export const command: Command = {
  usage: 'verify-blob --key KEY --signature SIGNATURE [flags] FILE',
  description:
    "Verifies a signature over a file (ECDSA P-256 over its SHA-256), as `cosign verify-blob --key KEY --signature SIGNATURE --insecure-ignore-tlog FILE` and `openssl dgst -sha256 -verify KEY -signature SIGNATURE FILE` do. The file is read once and may have any size; - is standard input.\n--key is required, because Istio's release keys sign only images.",
  flags: [
    ...keyFlags
      .filter(({ name }) => name !== 'config')
      .map((flag) => (flag.name === 'key' ? { ...flag, help: KEY_HELP } : flag)),
    {
      name: 'signature',
      value: 'FILE|BASE64',
      help: 'a file with the signature, in base64 or DER, or the signature in base64',
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
