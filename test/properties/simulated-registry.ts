import {
  type Content,
  contentOf,
  digestOfImage,
  FIRST_TAGS,
  NO_REFERRERS,
  REPOSITORIES,
  type RepositoryName,
  referrersListOf,
  SIGNED_LATER,
  type StoredManifest,
  storedOf,
} from './images.ts';
import type { Behaviour, Elsewhere, Schedule } from './schedule.ts';

/** The hosts of a simulation, with their ports. */
export interface Hosts {
  readonly mirror: string;
  /** The mirror's token service. */
  readonly tokens: string;
  /** The mirror redirects there. */
  readonly storage: string;
}

export const VIRTUAL_HOSTS: Hosts = {
  mirror: 'mirror.example',
  tokens: 'auth.mirror.example',
  storage: 'storage.example',
};
/** A token service that the mirror may not name. */
const FOREIGN_TOKENS = 'auth.elsewhere.example';

export interface SimulatedRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
}

export interface SimulatedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Milliseconds until it arrives. */
  readonly after: number;
}

/** The fate of a request. */
export type Fate = SimulatedResponse | 'silence' | 'no connection';

const SLOW = 1_200;
const EMPTY = new Uint8Array();
const HUGE = Buffer.alloc(5 * 1024 * 1024, '{"schemaVersion":2} ');
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Referrers that are no signatures: 150 manifests of 20 KiB. */
const MANY: readonly StoredManifest[] = Array.from({ length: 150 }, (_, number) =>
  storedOf(
    MANIFEST,
    JSON.stringify({ schemaVersion: 2, layers: [], annotations: { number, padding: 'x'.repeat(20_000) } }),
  ),
);
const MANY_BY_DIGEST = new Map(MANY.map((stored) => [stored.digest as string, stored]));
const LIST_OF_MANY = referrersListOf(MANY);

/** The digest that a tag of an image stands for at a time from the schedule's begin. */
export const digestOfTag = (
  { moves }: Schedule,
  repository: RepositoryName,
  tag: string,
  time: number,
): string | undefined => {
  const moved = moves
    .filter((move) => move.repository === repository && move.tag === tag && move.at <= time)
    .toSorted((left, right) => left.at - right.at)
    .at(-1);
  const image = moved?.image ?? FIRST_TAGS[tag];
  return image === undefined ? undefined : digestOfImage(repository, image);
};

/** True if an image has a signature at a time from the schedule's begin. */
export const isSigned = (
  { lateSignatures }: Schedule,
  repository: RepositoryName,
  image: number,
  time: number,
): boolean =>
  image <= 5 ||
  lateSignatures.some((late) => late.repository === repository && late.image === image && late.at <= time);

interface ParsedPath {
  readonly path: string;
  /** Undefined if there is no such repository. */
  readonly repository: RepositoryName | undefined;
  readonly resource: string;
  readonly reference: string;
}

const parsePath = ({ pathname }: URL): ParsedPath => {
  const [, path = '', resource = '', reference = ''] =
    /^\/v2\/istio\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(pathname) ?? [];
  return { path, repository: REPOSITORIES.find((name) => name === path), resource, reference };
};

/** The hosts of a schedule: the mirror, its token service, and the storage that it redirects to. A function of the time alone. */
export const createSimulatedRegistry = (
  schedule: Schedule,
  hosts: Hosts,
  now: () => number,
): ((request: SimulatedRequest) => Fate) => {
  const { latency, oddities, auth } = schedule;
  const behaviours = (where: RepositoryName | 'mirror'): readonly Behaviour[] =>
    oddities
      .filter((oddity) => oddity.where === where && oddity.from <= now() && now() < oddity.to)
      .map(({ behaviour }) => behaviour);
  const findBehaviour = <Kind extends Behaviour['kind']>(where: RepositoryName | 'mirror', kind: Kind) =>
    behaviours(where).find((one): one is Extract<Behaviour, { kind: Kind }> => one.kind === kind);

  const respond = (
    status: number,
    headers: Readonly<Record<string, string>> = {},
    body: Uint8Array = EMPTY,
    after = latency,
  ): SimulatedResponse => ({ status, headers, body, after });
  const respondWith = (stored: StoredManifest, after: number): SimulatedResponse =>
    respond(
      200,
      { 'content-type': stored.mediaType, 'docker-content-digest': stored.digest },
      stored.bytes,
      after,
    );
  const notFound = (code: string): SimulatedResponse =>
    respond(404, {}, Buffer.from(JSON.stringify({ errors: [{ code }] })));

  const lateImages = (repository: RepositoryName): ReadonlySet<string> =>
    new Set(
      SIGNED_LATER.filter((image) => !isSigned(schedule, repository, image, now())).map((image) =>
        digestOfImage(repository, image),
      ),
    );

  const manifestOf = (
    repository: RepositoryName,
    content: Content,
    reference: string,
  ): StoredManifest | undefined => {
    const byDigest = content.manifests.get(reference) ?? MANY_BY_DIGEST.get(reference);
    if (byDigest !== undefined) return byDigest;
    const subject = reference.replace(/^sha256-/, 'sha256:').replace(/\.sig$/, '');
    if (lateImages(repository).has(subject)) return undefined;
    const digest = content.tags.get(reference) ?? digestOfTag(schedule, repository, reference, now());
    return digest === undefined ? undefined : content.manifests.get(digest);
  };

  const serve = (
    repository: RepositoryName,
    resource: string,
    reference: string,
    after: number,
  ): SimulatedResponse => {
    const content = contentOf(repository);
    const huge = findBehaviour(repository, 'huge')?.what;
    if (resource === 'manifests') {
      if (huge === 'manifests') return respond(200, { 'content-type': MANIFEST }, HUGE, after);
      const stored = manifestOf(repository, content, reference);
      return stored === undefined ? notFound('MANIFEST_UNKNOWN') : respondWith(stored, after);
    }
    if (resource === 'blobs') {
      const blob = content.blobs.get(reference);
      return blob === undefined ? notFound('BLOB_UNKNOWN') : respond(200, {}, blob, after);
    }
    if (huge === 'list of referrers')
      return respond(200, { 'content-type': NO_REFERRERS.mediaType }, HUGE, after);
    if (huge === 'many referrers') return respondWith(LIST_OF_MANY, after);
    const list = lateImages(repository).has(reference) ? undefined : content.referrers.get(reference);
    return respondWith(list ?? NO_REFERRERS, after);
  };

  const answerElsewhere = (elsewhere: Exclude<Elsewhere, 'content'>): Fate =>
    elsewhere === 'silence'
      ? 'silence'
      : respond(elsewhere, { 'retry-after': '60', 'www-authenticate': 'Basic realm="x"' });

  const bearer = (host: string): Readonly<Record<string, string>> => ({
    'www-authenticate': `Bearer realm="https://${host}/token",service="mirror"`,
  });
  const refusalOf = (
    repository: RepositoryName | undefined,
    path: string,
    authorization: string | undefined,
  ): SimulatedResponse | undefined => {
    const challenge = repository && findBehaviour(repository, 'challenge')?.scheme;
    if (challenge === 'none') return respond(401);
    if (challenge === 'Basic') return respond(401, { 'www-authenticate': 'Basic realm="mirror"' });
    if (challenge !== undefined)
      return respond(401, bearer(challenge === 'Bearer' ? hosts.tokens : FOREIGN_TOKENS));
    return auth === 'token' && authorization !== `Bearer ${path}`
      ? respond(401, bearer(hosts.tokens))
      : undefined;
  };

  const fateAt = (where: RepositoryName | 'mirror'): Fate | undefined => {
    for (const behaviour of behaviours(where)) {
      if (behaviour.kind === 'silence' || behaviour.kind === 'no connection') return behaviour.kind;
      if (behaviour.kind !== 'status') continue;
      const { status, retryAfter } = behaviour;
      return respond(status, retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` });
    }
    return undefined;
  };

  const mirror = ({ url, authorization }: SimulatedRequest): Fate => {
    const parsed = parsePath(url);
    const { repository } = parsed;
    return (
      fateAt('mirror') ??
      (repository && fateAt(repository)) ??
      refusalOf(repository, parsed.path, authorization) ??
      respondFrom(url, parsed)
    );
  };

  const respondFrom = (url: URL, { repository, resource, reference }: ParsedPath): Fate => {
    if (repository === undefined) return notFound('NAME_UNKNOWN');
    const redirect = findBehaviour(repository, 'redirect');
    if (redirect?.of === 'all' || redirect?.of === resource)
      return respond(307, { location: `https://${hosts.storage}${url.pathname}` });
    const isSlow = findBehaviour(repository, 'slow') !== undefined;
    return serve(repository, resource, reference, isSlow ? SLOW : latency);
  };

  const tokens = ({ url }: SimulatedRequest): Fate => {
    const path = /^repository:istio\/(.+):pull$/.exec(url.searchParams.get('scope') ?? '')?.[1] ?? '';
    const repository = REPOSITORIES.find((name) => name === path);
    const answer = repository && findBehaviour(repository, 'token')?.answer;
    if (answer !== undefined && answer !== 'content') return answerElsewhere(answer);
    return respond(200, {}, Buffer.from(JSON.stringify({ token: path, expires_in: 20 })));
  };

  const storage = ({ url }: SimulatedRequest): Fate => {
    const { repository, resource, reference } = parsePath(url);
    if (repository === undefined) return notFound('NAME_UNKNOWN');
    const to = findBehaviour(repository, 'redirect')?.to ?? 'content';
    return to === 'content' ? serve(repository, resource, reference, latency) : answerElsewhere(to);
  };

  const servers: Readonly<Record<string, (request: SimulatedRequest) => Fate>> = {
    [hosts.mirror]: mirror,
    [hosts.tokens]: tokens,
    [hosts.storage]: storage,
  };
  return (request) => servers[request.url.host]?.(request) ?? 'no connection';
};
