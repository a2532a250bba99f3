import { quoted } from '../../base/index.ts';
import { type BlobResult, type KeyRing, type TrustedKey, verifyBlob } from '../../verification/index.ts';
import { type Command, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { keyFlags, readConfig } from '../flags/core-flags.ts';
import { inputName } from '../shared/input.ts';
import { progressFlag } from '../shared/progress.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { withChunks } from './chunks.ts';
import { describeForm } from './describe-form.ts';
import { withProgress } from './progress.ts';
import { type GivenSignature, readBundle, readSignature } from './signature.ts';

const exitCodes = [
  [12, 'the signature does not verify'],
  [20, 'the signature does not verify, but one of the keys could not be loaded'],
] as const;

const KEY_HELP =
  "a trusted public key: PEM, DER, JWK or JWKS; an https URL may be pinned to the SHA-256 of the key's SubjectPublicKeyInfo";

const requireFile = ([file]: readonly string[]): string => {
  if (file === undefined)
    throw new UsageError(
      'no file given: sailmark verify-blob --key KEY --signature SIGNATURE FILE, or - for standard input',
    );
  return file;
};

const describeKeys = ({ keys }: KeyRing): string => {
  const sources = [...new Set([...keys.values()].map(({ source }) => source))];
  return sources.length === 1 ? `the key ${sources[0]}` : `any of the keys ${sources.join(', ')}`;
};

/** How a bundle names a key: cosign writes the SHA-256 of the SubjectPublicKeyInfo in base64. */
const hintOf = ({ spkiSha256 }: TrustedKey): string => Buffer.from(spkiSha256, 'hex').toString('base64');

/** Explains a signature that does not verify by the hint of its bundle, which is not signed and proves nothing. */
const describeHint = ({ keyHint }: GivenSignature, { keys }: KeyRing): string =>
  keyHint === undefined || keyHint === '' || [...keys.values()].some((key) => hintOf(key) === keyHint)
    ? ''
    : `; the bundle names another key, ${quoted(keyHint, 60)}`;

const describeProblem = (
  problem: Extract<BlobResult, { valid: false }>['problem'],
  given: GivenSignature,
  ring: KeyRing,
): string => {
  if (problem === 'form') return describeForm(given);
  if (problem === 'digest') return 'the bundle is for another file: its SHA-256 is not that of this one';
  return `the signature does not verify with ${describeKeys(ring)}${describeHint(given, ring)}`;
};

/** Prints the verdict as `cosign verify-blob` does, and returns the exit code. */
const printVerdict = (
  verdict: BlobResult,
  { file, given, ring }: { readonly file: string; readonly given: GivenSignature; readonly ring: KeyRing },
  { stderr }: Io,
): number => {
  if (verdict.valid) {
    stderr.write('Verified OK\n');
    return 0;
  }
  const { problem } = verdict;
  stderr.write(`Error: ${inputName(file)}: ${describeProblem(problem, given, ring)}\n`);
  return problem === 'no-key' && ring.missing.length > 0 ? 20 : 12;
};

/** Returns the reader of the signature that the flags name. Throws `UsageError` unless they name one. */
const signatureReader = (flags: Flags): (() => ReturnType<typeof readBundle>) => {
  const [signature, bundle] = [flags.text('signature'), flags.text('bundle')];
  if (signature !== undefined && bundle !== undefined)
    throw new UsageError('--signature and --bundle: give one of them, the other is in it or not needed');
  if (bundle !== undefined) return () => readBundle(bundle);
  if (signature !== undefined) return () => readSignature(signature);
  throw new UsageError(
    '--signature is missing: name the file with the signature, or give the signature in base64; or name a bundle of cosign with --bundle',
  );
};

const verify = async (flags: Flags, operands: readonly string[], io: Io): Promise<number> => {
  if (flags.text('key') === undefined)
    throw new UsageError(
      "--key is missing: there is no default, because Istio's release keys sign only images",
    );
  const read = signatureReader(flags);
  const file = requireFile(operands);
  const config = await readConfig(flags, io);
  return withCore(config, io, async (core) => {
    const ring = core.ring();
    // A key of another kind comes first: a signature by it has another form too.
    checkKeys(ring, config, flags, io);
    const given = await read();
    if ('problem' in given) {
      io.stderr.write(`Error: ${flags.text('bundle')}: the bundle ${given.problem}\n`);
      return 12;
    }
    const verdict = await withChunks(file, io, (chunks, size) =>
      verifyBlob(ring.keys.values(), given, withProgress(chunks, size, io, flags)),
    );
    return printVerdict(verdict, { file, given, ring }, io);
  });
};

export const command: Command = {
  usage: 'verify-blob --key KEY --signature SIG|--bundle FILE [flags] FILE',
  description:
    "Verifies a signature over a file (ECDSA P-256 over its SHA-256), as `cosign verify-blob --key KEY --signature SIGNATURE --insecure-ignore-tlog FILE` and `openssl dgst -sha256 -verify KEY -signature SIGNATURE FILE` do. With --bundle it verifies the signature in a bundle that `cosign sign-blob --key --bundle` wrote, and ignores the transparency log too. The file is read once and may have any size; - is standard input.\n--key is required, because Istio's release keys sign only images.",
  flags: [
    ...keyFlags
      .filter(({ name }) => name !== 'config')
      .map((flag) => (flag.name === 'key' ? { ...flag, help: KEY_HELP } : flag)),
    {
      name: 'signature',
      value: 'FILE|BASE64',
      help: 'a file with the signature, in base64 or DER, or the signature in base64',
    },
    {
      name: 'bundle',
      value: 'FILE',
      help: 'a Sigstore bundle with the signature of the file by a key, as `cosign sign-blob --bundle` writes it; what it says of keys and logs is not used',
    },
    progressFlag,
  ],
  examples: [
    'sailmark verify-blob --key cosign.pub --bundle tool.tar.gz.sigstore.json tool.tar.gz',
    'sailmark verify-blob --key cosign.pub --signature tool.tar.gz.sig tool.tar.gz',
    'sailmark verify-blob --key https://corp.example/release.pub#sha256=HEX --signature "$SIG" - < tool.tar.gz',
  ],
  exitCodes,
  maxOperands: 1,
  run: verify,
};
