import { createReadStream } from 'node:fs';
import { messageOf } from '../../base/index.ts';
import { parseBase64 } from '../../verification/index.ts';
import { CommandError } from '../command-line/command.ts';

/** Bounds memory: many times the length of a signature in any encoding. */
const MAX_SIGNATURE_BYTES = 16_384;

/** The first byte of a DER signature: the tag of an ASN.1 SEQUENCE. */
const SEQUENCE_TAG = 0x30;

/** Reads one byte more than a signature may have, so that a longer file is recognised. */
const readFirstBytes = async (path: string): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: MAX_SIGNATURE_BYTES }))
    chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const isNoSuchFile = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG');

/** A DER signature always has bytes that are not base64 characters, so it is never mistaken for base64. */
const parseFile = (content: Buffer, path: string): Buffer => {
  if (content.length > MAX_SIGNATURE_BYTES)
    throw new CommandError(
      `--signature ${path}: not a signature: the file is longer than ${MAX_SIGNATURE_BYTES} bytes`,
    );
  return parseBase64(content.toString('latin1').trim()) ?? content;
};

/** Parses the base64 of a DER signature. A mistyped path may also be valid base64: it must not pass for a signature. */
const parseArgument = (argument: string): Buffer => {
  const signature = parseBase64(argument.trim());
  if (signature?.[0] !== SEQUENCE_TAG)
    throw new CommandError(
      `--signature ${argument}: file not found, and not a base64-encoded signature either`,
    );
  return signature;
};

/**
 * Reads the signature of `--signature`: a file in base64 or DER or, as with cosign, the base64 itself. Does not verify it.
 * Rejects with `CommandError`.
 */
export const readSignature = async (argument: string): Promise<Buffer> => {
  try {
    return parseFile(await readFirstBytes(argument), argument);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (isNoSuchFile(error)) return parseArgument(argument);
    throw new CommandError(`--signature ${argument}: cannot read the file: ${messageOf(error)}`);
  }
};
