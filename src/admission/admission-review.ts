import { isAbsent, isJsonObject, type JsonObject, oneLine } from '../base/index.ts';
import { createProblems, type Note } from './malformed-review.ts';

export const API_VERSION = 'admission.k8s.io/v1';

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const;

/** The members of an AdmissionRequest that reviews use; an absent string is empty. `object` and `oldObject` are not validated. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: (typeof OPERATIONS)[number];
  readonly kind: string;
  readonly group: string;
  readonly resource: string;
  readonly subResource: string;
  readonly namespace: string;
  readonly name: string;
  readonly username: string;
  readonly groups: readonly unknown[];
  readonly dryRun: boolean;
  readonly object: unknown;
  readonly oldObject: unknown;
}

const EMPTY: JsonObject = {};

const objectAt = (from: JsonObject, name: string, path: string, note: Note): JsonObject => {
  const value = from[name];
  if (isJsonObject(value)) return value;
  note(path, 'must be an object');
  return EMPTY;
};

const textAt = (from: JsonObject, name: string, path: string, note: Note): string => {
  const value = from[name];
  if (typeof value === 'string') return value;
  note(path, 'must be a string');
  return '';
};

const optionalTextAt = (from: JsonObject, name: string, path: string, note: Note): string =>
  isAbsent(from[name]) ? '' : textAt(from, name, path, note);

const uidAt = (request: JsonObject, note: Note): string => {
  const uid = request['uid'];
  if (typeof uid === 'string' && uid !== '') return uid;
  note('request.uid', 'must be a non-empty string');
  return '';
};

const operationAt = (request: JsonObject, note: Note): AdmissionRequest['operation'] => {
  const operation = OPERATIONS.find((name) => name === request['operation']);
  if (operation === undefined) note('request.operation', `must be one of ${OPERATIONS.join(', ')}`);
  return operation ?? 'CREATE';
};

const dryRunAt = (request: JsonObject, note: Note): boolean => {
  const dryRun = request['dryRun'];
  if (!isAbsent(dryRun) && typeof dryRun !== 'boolean') note('request.dryRun', 'must be true or false');
  return dryRun === true;
};

const userAt = (request: JsonObject, note: Note): Pick<AdmissionRequest, 'username' | 'groups'> => {
  if (isAbsent(request['userInfo'])) return { username: '', groups: [] };
  const user = objectAt(request, 'userInfo', 'request.userInfo', note);
  const groups = user['groups'];
  if (!isAbsent(groups) && !Array.isArray(groups)) note('request.userInfo.groups', 'must be a list');
  return {
    username: optionalTextAt(user, 'username', 'request.userInfo.username', note),
    groups: Array.isArray(groups) ? groups : [],
  };
};

const checkEnvelope = (body: JsonObject, note: Note): void => {
  const { kind, apiVersion } = body;
  if (kind !== 'AdmissionReview') note('kind', 'must be AdmissionReview');
  if (apiVersion === API_VERSION) return;
  const actual = typeof apiVersion === 'string' ? `, not ${oneLine(apiVersion, 60)}` : '';
  note(
    'apiVersion',
    `must be ${API_VERSION}${actual} (admissionReviewVersions: [v1] in the webhook's configuration)`,
  );
};

const readRequest = (request: JsonObject, note: Note): AdmissionRequest => {
  const kind = objectAt(request, 'kind', 'request.kind', note);
  const resource = objectAt(request, 'resource', 'request.resource', note);
  return {
    uid: uidAt(request, note),
    operation: operationAt(request, note),
    kind: textAt(kind, 'kind', 'request.kind.kind', note),
    group: textAt(resource, 'group', 'request.resource.group', note),
    resource: textAt(resource, 'resource', 'request.resource.resource', note),
    subResource: optionalTextAt(request, 'subResource', 'request.subResource', note),
    namespace: optionalTextAt(request, 'namespace', 'request.namespace', note),
    name: optionalTextAt(request, 'name', 'request.name', note),
    ...userAt(request, note),
    dryRun: dryRunAt(request, note),
    object: request['object'],
    oldObject: request['oldObject'],
  };
};

/**
 * Reads an AdmissionReview of admission.k8s.io/v1 (k8s.io/api/admission/v1/types.go) from a parsed body. Unknown members
 * are ignored. Throws `MalformedReview` with every bad path, and nothing else.
 */
export const parseAdmissionReview = (body: unknown): AdmissionRequest => {
  const { note, check } = createProblems();
  if (!isJsonObject(body)) {
    note('the body', 'must be an object');
    check();
  }
  const review = isJsonObject(body) ? body : EMPTY;
  checkEnvelope(review, note);
  const request = review['request'];
  if (!isJsonObject(request)) note('request', 'must be an object');
  const parsed = readRequest(
    isJsonObject(request) ? request : EMPTY,
    isJsonObject(request) ? note : () => {},
  );
  check();
  return parsed;
};
