import { messageOf, readFirstBytes } from '../../base/index.ts';
import { type BlobBundle, parseBase64, parseBlobBundle } from '../../verification/index.ts';
import { CommandError } from '../command-line/command.ts';

/** Bounds memory: many times the length of a signature in any encoding. */
const MAX_SIGNATURE_BYTES = 16_384;
/** Bounds memory: many times the length of a bundle with several log entries. */
const MAX_BUNDLE_BYTES = 1_048_576;

/** The first byte of a DER signature: the tag of an ASN.1 SEQUENCE. */
const SEQUENCE_TAG = 0x30;

/** The signature as it was given. */
export interface GivenSignature extends Partial<Omit<BlobBundle, 'signature'>> {
  readonly signature: Uint8Array;
  /** The content of the file, or the argument. */
  readonly content: Buffer;
}

const isNoSuchFile = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG');

/** The text of a file without the byte order mark that editors of Windows write. */
const textOf = (content: Buffer): string =>
  content
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trim();

/** A DER signature always has bytes that are not base64 characters, so it is never mistaken for base64. */
const parseFile = (content: Buffer, path: string): GivenSignature => {
  if (content.length > MAX_SIGNATURE_BYTES)
    throw new CommandError(
      `--signature ${path}: not a signature: the file is longer than ${MAX_SIGNATURE_BYTES} bytes`,
    );
  return { signature: parseBase64(textOf(content)) ?? content, content };
};

/** Parses the base64 of a DER signature. A mistyped path may also be valid base64: it must not pass for a signature. */
const parseArgument = (argument: string): GivenSignature => {
  const signature = parseBase64(argument.trim());
  if (signature?.[0] !== SEQUENCE_TAG)
    throw new CommandError(
      `--signature ${argument}: file not found, and not a base64-encoded signature either`,
    );
  return { signature, content: Buffer.from(argument) };
};

/**
 * Reads the signature of `--signature`: a file in base64 or DER or, as with cosign, the base64 itself. Does not verify it.
 * Rejects with `CommandError`.
 */
export const readSignature = async (argument: string): Promise<GivenSignature> => {
  try {
    return parseFile(await readFirstBytes(argument, MAX_SIGNATURE_BYTES, { fromShell: true }), argument);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (isNoSuchFile(error)) return parseArgument(argument);
    throw new CommandError(`--signature ${argument}: cannot read the file: ${messageOf(error)}`);
  }
};

/**
 * Reads the signature in the bundle of `--bundle`, or the problem of the bundle. Does not verify it. Rejects with
 * `CommandError` if the file cannot be read.
 */
export const readBundle = async (path: string): Promise<GivenSignature | { readonly problem: string }> => {
  const content = await readFirstBytes(path, MAX_BUNDLE_BYTES, { fromShell: true }).catch(
    (error: unknown) => {
      throw new CommandError(`--bundle ${path}: cannot read the file: ${messageOf(error)}`);
    },
  );
  if (content.length > MAX_BUNDLE_BYTES) return { problem: `is longer than ${MAX_BUNDLE_BYTES} bytes` };
  const bundle = parseBlobBundle(content);
  return 'problem' in bundle ? bundle : { ...bundle, content };
};
