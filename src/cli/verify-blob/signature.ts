import { createReadStream } from 'node:fs';
import { parseBase64 } from '../../verification/index.ts';
import { CommandError } from '../command-line/command.ts';

/** Many times what a signature has, in any of its spellings. */
const MOST_BYTES = 16_384;

/** The first byte of an ASN.1 SEQUENCE, which every signature is. */
const SEQUENCE = 0x30;

const readStart = async (path: string): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: MOST_BYTES })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const isNoSuchFile = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG');

/** Bytes of a DER signature hold some that base64 has not, so that its own text is never taken for base64. */
const signatureOfFile = (content: Buffer, path: string): Buffer => {
  if (content.length > MOST_BYTES)
    throw new CommandError(
      `--signature ${path}: the file is no signature: it is longer than ${MOST_BYTES} bytes`,
    );
  return parseBase64(content.toString('latin1').trim()) ?? content;
};

/** A mistyped path must not pass for a signature, which base64 of few letters otherwise would. */
const signatureOfArgument = (argument: string): Buffer => {
  const signature = parseBase64(argument.trim());
  if (signature?.[0] !== SEQUENCE)
    throw new CommandError(
      `--signature ${argument}: there is no such file, and it is not a signature in base64 either`,
    );
  return signature;
};

/**
 * The bytes of the signature that `--signature` gives: a file with base64 or DER in it or, as cosign takes it, base64
 * itself. What it is a signature of nobody has looked at yet. Rejects with `CommandError`.
 */
export const readSignature = async (argument: string): Promise<Buffer> => {
  try {
    return signatureOfFile(await readStart(argument), argument);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (isNoSuchFile(error)) return signatureOfArgument(argument);
    throw new CommandError(`--signature ${argument}: the file cannot be read: ${(error as Error).message}`);
  }
};
