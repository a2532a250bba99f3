import { relative, resolve, sep } from 'node:path';
import { explain, explainBriefly, type Finding, groupOf, type Mode } from '../../policy/index.ts';
import type { Place, Report, ReportedCase, ReportedFinding } from '../../report/index.ts';
import { build } from '../shared/build.ts';
import { createFindLine, type FindLine } from './lines.ts';
import type { Origin, Reviewable } from './manifests.ts';
import type { UnjudgedObject } from './plan.ts';
import type { Results, ReviewedObject } from './print.ts';
import type { Source } from './sources.ts';
import { unjudgedImages } from './unjudged-images.ts';

/** Characters of a message that names what allows the image. */
const MAX_MESSAGE = 512;

/** Below the working directory, or absolute; with slashes, as in a URI. */
const fileOf = ({ path }: Source): string => {
  if (path === '-') return 'stdin';
  const below = relative('.', path);
  return (below.startsWith('..') ? resolve(path) : below).replaceAll(sep, '/');
};

type PlaceOf = (origin: Origin, path: string) => Place;

/** Creates the search for the places of objects; each text is parsed once. */
const createPlaceOf = async (objects: readonly Reviewable[]): Promise<PlaceOf> => {
  const searches = new Map<Source, FindLine>();
  for (const { origin } of objects)
    if (!searches.has(origin.source)) searches.set(origin.source, await createFindLine(origin.source.text));
  return ({ source, document, path: object }, path) => ({
    file: fileOf(source),
    line: searches.get(source)?.(document, [object, path].filter((part) => part !== '').join('.')) ?? 1,
  });
};

/**
 * The webhook only warns of a template, because it refuses the Pods made from it: where it enforces, that is an error all the
 * same. An undetermined image may start by then.
 */
const levelOf = (
  { reason, effect, refusesPods }: Finding,
  mode: Mode,
  isPod: boolean,
): ReportedFinding['level'] => {
  if (effect === 'exempt') return 'note';
  const isForetold = !isPod && mode === 'enforce' && groupOf(reason.code) !== 'undetermined';
  return effect === 'deny' || refusesPods === true || isForetold ? 'error' : 'warning';
};

type Found = Omit<ReportedFinding, 'object' | 'place'>;

const foundIn = (object: ReviewedObject, mode: Mode): readonly Found[] => {
  const { response, record, reasons } = object;
  const message = response.status?.message ?? response.warnings?.[0] ?? '';
  // A review that failed as a whole has no findings, and its record has one.
  if (reasons.length === 0)
    return record.findings.map(({ code, path, image }) => ({
      code,
      level: 'error',
      fails: true,
      message: message === '' ? code : message,
      image,
      path,
    }));
  return reasons.map((finding) => ({
    code: finding.reason.code,
    level: levelOf(finding, mode, record.kind === 'Pod'),
    fails: finding.effect !== 'exempt',
    message:
      finding.allowedBecause === undefined
        ? explain(finding.reason, finding.use)
        : explainBriefly(finding, MAX_MESSAGE),
    image: finding.use.image,
    path: finding.use.path,
  }));
};

const foundUnjudged = (object: UnjudgedObject | undefined): readonly Found[] =>
  object === undefined
    ? []
    : unjudgedImages(object).map((found) => ({ ...found, code: 'not-judged', level: 'error', fails: true }));

interface Named {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

const toCase = (
  { kind, namespace, name }: Named,
  origin: Origin,
  found: readonly Found[],
  placeOf: PlaceOf,
): ReportedCase => {
  const object = `${kind} ${namespace}/${name}`;
  const place = placeOf(origin, '');
  return {
    suite: place.file,
    name: object,
    type: kind,
    place,
    findings: found.map((each) => ({ ...each, object, place: placeOf(origin, each.path) })),
  };
};

/** Returns what a review found as a report: a case of each object that was reviewed or could not be. */
export const toReport = async (
  { reviewed, unjudged }: Results,
  objects: readonly Reviewable[],
  mode: Mode,
): Promise<Report> => {
  const placeOf = await createPlaceOf(objects);
  const origins = new Map(objects.map(({ place, origin }) => [place, origin]));
  const unjudgedAt = new Map(unjudged.map((object) => [object.place, object]));
  const places = new Set(reviewed.map(({ place }) => place));
  const caseOf = (place: string, named: Named, found: readonly Found[]): readonly ReportedCase[] => {
    const origin = origins.get(place);
    return origin === undefined ? [] : [toCase(named, origin, found, placeOf)];
  };
  return {
    command: 'review',
    version: build.version,
    complete: true,
    cases: [
      ...reviewed.flatMap((object) =>
        caseOf(object.place, object.record, [
          ...foundIn(object, mode),
          ...foundUnjudged(unjudgedAt.get(object.place)),
        ]),
      ),
      ...unjudged
        .filter(({ place }) => !places.has(place))
        .flatMap((object) => caseOf(object.place, object, foundUnjudged(object))),
    ],
    gaps: [],
  };
};
