import type { Io } from '../command-line/command.ts';
import { createPaint, type Paint } from '../shared/terminal.ts';
import type { ReviewedObject } from './review-object.ts';

const VERDICT_TEXTS = {
  allow: 'allowed',
  deny: 'refused',
  warn: 'allowed, with a warning',
  audit: 'allowed, with audit annotations',
} as const;
const COLOURS = { allow: 'green', deny: 'red', warn: 'yellow', audit: 'yellow' } as const;

const toPinMessage = ({ image, digest }: ReviewedObject['pinned'][number]): string =>
  `would be pinned to ${image}@${digest}`;

const toText = ({ response, record, pinned }: ReviewedObject, paint: Paint): string => {
  const { kind, namespace, name, verdict } = record;
  const head = `${kind} ${namespace}/${name}: ${paint(VERDICT_TEXTS[verdict], COLOURS[verdict])}`;
  const letThrough = response.auditAnnotations['let-through'];
  const details = [
    ...(response.status === undefined ? [] : [response.status.message]),
    ...(response.warnings ?? []).map((warning) => warning.replace(/^sailmark: /, '')),
    ...(verdict === 'audit'
      ? record.findings.map(({ image, path, code }) => `image "${image}" (${path}): ${code}`)
      : []),
    ...(letThrough === undefined ? [] : [letThrough]),
    ...pinned.map((pin) => `image "${pin.image}" (${pin.path}): ${toPinMessage(pin)}`),
    ...(record.skipped === undefined ? [] : [`not judged: ${record.skipped}`]),
  ];
  return [head, ...details.map((detail) => `  ${detail}`)].join('\n');
};

const toJson = (reviewed: readonly ReviewedObject[], skipped: number): string => {
  const objects = reviewed.map(({ place, response, record, pinned }) => ({
    place,
    kind: record.kind,
    namespace: record.namespace,
    name: record.name,
    verdict: record.verdict,
    allowed: response.allowed,
    message: response.status?.message ?? null,
    warnings: response.warnings ?? [],
    auditAnnotations: response.auditAnnotations,
    findings: record.findings,
    images: record.images,
    pinned: pinned.map((pin) => ({ ...pin, message: toPinMessage(pin) })),
    requests: record.requests,
  }));
  return `${JSON.stringify({ schema: 'sailmark.dev/review/v1', objects, skipped }, null, 2)}\n`;
};

const toSummary = (reviewed: readonly ReviewedObject[], skipped: number): string => {
  const refused = reviewed.filter(({ response }) => !response.allowed).length;
  const withFindings = reviewed.filter(({ record }) => record.findings.length > 0).length;
  return `${reviewed.length} reviewed, ${refused} refused, ${withFindings} with findings, ${skipped} without pods`;
};

/** Prints the responses in the order of the objects. */
export const printReviews = (
  reviewed: readonly ReviewedObject[],
  skipped: number,
  output: 'text' | 'json',
  io: Io,
): void => {
  if (output === 'json') {
    io.stdout.write(toJson(reviewed, skipped));
    return;
  }
  const paint = createPaint(io);
  const lines = [...reviewed.map((object) => toText(object, paint)), toSummary(reviewed, skipped)];
  io.stdout.write(`${lines.join('\n')}\n`);
};
