import type { ObjectResponse, ObjectResult } from '../../admission/index.ts';
import { oneLine } from '../../base/index.ts';
import { withoutCommands } from '../../report/index.ts';
import type { Io } from '../command-line/command.ts';
import { createPaint, type Paint } from '../shared/terminal.ts';
import type { Plan, UnjudgedObject } from './plan.ts';
import { unjudgedImages } from './unjudged-images.ts';

/** The responses for one object, and the place of the object in the input. */
export interface ReviewedObject extends ObjectResponse {
  readonly place: string;
  readonly reasons: ObjectResult['findings'];
}

const VERDICT_TEXTS = {
  allow: 'allowed',
  deny: 'refused',
  warn: 'allowed, with a warning',
  audit: 'allowed, with audit annotations',
} as const;
const COLOURS = { allow: 'green', deny: 'red', warn: 'yellow', audit: 'yellow' } as const;

const toPinMessage = ({ image, digest }: ReviewedObject['pinned'][number]): string =>
  `would be pinned to ${image}@${digest}`;

/** The results of a run: what was reviewed, and what was not judged. */
export type Results = Omit<Plan, 'reviewed'> & { readonly reviewed: readonly ReviewedObject[] };

const toUnjudgedMessage = (object: UnjudgedObject): readonly string[] =>
  unjudgedImages(object).map(({ message }) => message);

const toUnjudgedText = (object: UnjudgedObject, paint: Paint): string => {
  const { kind, namespace, name } = object;
  const head = `${oneLine(kind, 128)} ${namespace}/${oneLine(name, 253)}: ${paint('not judged', 'yellow')}`;
  return [head, ...toUnjudgedMessage(object).map((line) => `  ${line}`)].join('\n');
};

const toText = (
  { response, record, pinned }: ReviewedObject,
  unjudged: UnjudgedObject | undefined,
  paint: Paint,
): string => {
  const { kind, namespace, name, verdict } = record;
  const isInPart = verdict === 'allow' && unjudged !== undefined;
  const verdictText = isInPart
    ? paint('judged in part', 'yellow')
    : paint(VERDICT_TEXTS[verdict], COLOURS[verdict]);
  const head = `${kind} ${namespace}/${name}: ${verdictText}`;
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
    ...(unjudged === undefined ? [] : toUnjudgedMessage(unjudged)),
  ];
  return [head, ...details.map((detail) => `  ${detail}`)].join('\n');
};

/** `notJudged` is there only if something was not judged. */
const toJson = ({ reviewed, unjudged, skipped }: Results): string => {
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
  const notJudged = unjudged.map((object) => ({
    ...object,
    message: toUnjudgedMessage(object).join('; '),
  }));
  const more = notJudged.length === 0 ? {} : { notJudged };
  const document = { schema: 'sailmark.dev/review/v1', objects, ...more, skipped };
  return `${JSON.stringify(document, null, 2)}\n`;
};

const toSummary = ({ reviewed, unjudged, skipped }: Results): string => {
  const refused = reviewed.filter(({ response }) => !response.allowed).length;
  const withFindings = reviewed.filter(({ record }) => record.findings.length > 0).length;
  const rest = unjudged.length === 0 ? '' : `, ${unjudged.length} not judged, or not as a whole`;
  return `${reviewed.length} reviewed, ${refused} refused, ${withFindings} with findings, ${skipped} without pods${rest}`;
};

/** Prints the responses in the order of the objects, then what was not judged. */
export const printReviews = (results: Results, output: 'text' | 'json', io: Io): void => {
  if (output === 'json') {
    io.stdout.write(toJson(results));
    return;
  }
  const paint = createPaint(io);
  const { reviewed, unjudged } = results;
  const byPlace = new Map(unjudged.map((object) => [object.place, object]));
  const places = new Set(reviewed.map(({ place }) => place));
  const lines = [
    ...reviewed.map((object) => toText(object, byPlace.get(object.place), paint)),
    ...unjudged.filter(({ place }) => !places.has(place)).map((object) => toUnjudgedText(object, paint)),
    toSummary(results),
  ];
  io.stdout.write(withoutCommands(`${lines.join('\n')}\n`));
};
