import { styleText } from 'node:util';
import type { AdmissionAnswer, ReviewRecord } from '../admission/index.ts';
import type { Io } from './command.ts';
import type { Reviewable } from './manifests.ts';

/** What the webhook would answer to one object. */
export interface Reviewed {
  readonly object: Reviewable;
  readonly response: AdmissionAnswer['response'];
  readonly record: ReviewRecord;
}

const WORDS = {
  allow: 'allowed',
  deny: 'refused',
  warn: 'allowed, with a warning',
  audit: 'allowed, noted for audit',
} as const;
const COLOURS = { allow: 'green', deny: 'red', warn: 'yellow', audit: 'yellow' } as const;

const colour = (text: string, name: 'green' | 'red' | 'yellow', { stdout, env }: Io): string =>
  stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''
    ? styleText(name, text, { validateStream: false })
    : text;

const toText = ({ object, response, record }: Reviewed, io: Io): string => {
  const head = `${object.kind} ${object.namespace}/${object.name}: ${colour(WORDS[record.verdict], COLOURS[record.verdict], io)}`;
  const through = response.auditAnnotations['let-through'];
  const details = [
    ...(response.status === undefined ? [] : [response.status.message]),
    ...(response.warnings ?? []).map((warning) => warning.replace(/^sailmark: /, '')),
    ...(record.verdict === 'audit'
      ? record.findings.map(({ image, path, code }) => `image "${image}" (${path}): ${code}`)
      : []),
    ...(through === undefined ? [] : [`let through: ${through}`]),
    ...(record.skipped === undefined ? [] : [`not judged: ${record.skipped}`]),
  ];
  return [head, ...details.map((detail) => `  ${detail}`)].join('\n');
};

const toJson = (reviewed: readonly Reviewed[], skipped: number): string => {
  const objects = reviewed.map(({ object: { kind, namespace, name, place }, response, record }) => ({
    place,
    kind,
    namespace,
    name,
    verdict: record.verdict,
    allowed: response.allowed,
    message: response.status?.message ?? null,
    warnings: response.warnings ?? [],
    auditAnnotations: response.auditAnnotations,
    findings: record.findings,
    images: record.images,
    requests: record.requests,
  }));
  return `${JSON.stringify({ schema: 'sailmark.dev/review/v1', objects, skipped }, null, 2)}\n`;
};

const countOf = (reviewed: readonly Reviewed[], skipped: number): string => {
  const refused = reviewed.filter(({ response }) => !response.allowed).length;
  const found = reviewed.filter(({ record }) => record.findings.length > 0).length;
  return `${reviewed.length} reviewed, ${refused} refused, ${found} with findings, ${skipped} without pods`;
};

/** Prints answers in the order of the objects. */
export const printReviews = (
  reviewed: readonly Reviewed[],
  skipped: number,
  output: 'text' | 'json',
  io: Io,
): void => {
  if (output === 'json') {
    io.stdout.write(toJson(reviewed, skipped));
    return;
  }
  for (const one of reviewed) io.stdout.write(`${toText(one, io)}\n`);
  io.stdout.write(`${countOf(reviewed, skipped)}\n`);
};
