import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRepository } from '../../../src/image/index.ts';
import {
  createRegistries,
  createSourceCaller,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../../src/registry/index.ts';
import { registryLimits } from '../../support/registry-limits.ts';
import { DIGEST, writeJsonFile } from '../test-client.ts';

/*
 * A registry that responds to each request as it likes, and then for good as a registry does. Whatever it responded before,
 * a request ends after a bounded number of requests, and the first one afterwards succeeds.
 */

const HOST = 'r.example';
const PATH = 'istio/pilot';
const ACCOUNT = { username: 'ada', password: 'secret' };
const BASIC = `Basic ${Buffer.from('ada:secret').toString('base64')}`;

const responseOf = (
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): HttpResponse => ({
  status,
  by: 'registry',
  header: (name) => headers[name],
  headers: (name) => (headers[name] === undefined ? [] : [headers[name]]),
  body: Buffer.from(body),
});
const FOUND = responseOf(200, { 'docker-content-digest': DIGEST });
const challenged = (header?: string): HttpResponse =>
  responseOf(401, header === undefined ? {} : { 'www-authenticate': header });
const bearer = (name: string): HttpResponse => challenged(`Bearer realm="https://${HOST}/token/${name}"`);
const tokenFor = (name: string): HttpResponse =>
  responseOf(200, {}, JSON.stringify({ token: `for-${name}` }));

const CHALLENGES = [
  challenged(),
  challenged('Negotiate'),
  challenged('Basic realm="x"'),
  challenged('Bearer realm="https://elsewhere.test/"'),
  ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(bearer),
];
const ANY_ANSWER = fc.constantFrom(
  ...CHALLENGES,
  ...CHALLENGES,
  responseOf(403),
  responseOf(404),
  responseOf(500),
  responseOf(429),
  FOUND,
);

type Respond = (request: HttpRequest) => HttpResponse;

/** How a registry wants to be asked for good. */
const SETTLED: Readonly<Record<string, Respond>> = {
  'for everyone, and does not like tokens': ({ headers }) =>
    headers?.['authorization'] === undefined ? FOUND : challenged('Basic realm="x"'),
  'for everyone, and forbids tokens': ({ headers }) =>
    headers?.['authorization'] === undefined ? FOUND : challenged(),
  'with a token of a new service': ({ url, headers }) => {
    if (url.pathname.startsWith('/token/'))
      return url.pathname === '/token/new' ? tokenFor('new') : responseOf(500);
    return headers?.['authorization'] === 'Bearer for-new' ? FOUND : bearer('new');
  },
};
const WITH_PASSWORD: Respond = ({ headers }) =>
  headers?.['authorization'] === BASIC ? FOUND : challenged('Basic realm="x"');

const startClient = (dockerConfig: string | undefined) => {
  const state = { respond: (() => FOUND) as Respond, requests: 0, time: 1_000_000 };
  const transport: Transport = {
    async send(request, { onRequest, onWait }) {
      state.requests += 1;
      onRequest();
      onWait()();
      return state.respond(request);
    },
    close: async () => {},
  };
  const registries = createRegistries({
    settings: [{ host: HOST, ...(dockerConfig === undefined ? {} : { dockerConfig }) }],
    limits: registryLimits,
    now: () => state.time,
    createTransport: () => transport,
  });
  const source = registries.open(createRepository(HOST, PATH), createSourceCaller());
  return { state, resolve: (tag: string) => source.resolve(tag, AbortSignal.timeout(5_000)) };
};

/** Each of MAX_SCHEMES schemes with each set of credentials: the request, and one for a token. */
const MAX_REQUESTS = 24;

/** The most requests of one question while the registry responds with `answers`, and the result of the first one after. */
const ask = async (answers: readonly HttpResponse[], settled: Respond, dockerConfig?: string) => {
  const { state, resolve } = startClient(dockerConfig);
  let next = 0;
  state.respond = ({ url }) => {
    const answer = answers[next % answers.length] ?? FOUND;
    next += 1;
    return url.pathname.startsWith('/token/') && answer === FOUND ? tokenFor('odd') : answer;
  };
  const counts: number[] = [];
  for (let question = 0; question < 6; question += 1) {
    state.requests = 0;
    await resolve(`odd-${question}`).catch(() => undefined);
    counts.push(state.requests);
  }
  state.respond = settled;
  return { isBounded: Math.max(...counts) <= MAX_REQUESTS, digest: await resolve('1.28.0') };
};

const ANSWERS = fc.array(ANY_ANSWER, { minLength: 1, maxLength: 24 });
const GOOD = { isBounded: true, digest: DIGEST };

describe('a registry that challenges as it likes', () => {
  it.each(Object.entries(SETTLED))('and then responds %s, responds at once', async (_, settled) => {
    const recovers = fc.asyncProperty(ANSWERS, async (answers) => {
      expect(await ask(answers, settled)).toEqual(GOOD);
    });
    await fc.assert(recovers, { numRuns: 300 });
  });

  it('and then wants the password that is configured, gets it at once', async () => {
    const dockerConfig = writeJsonFile({ auths: { [HOST]: ACCOUNT } });
    const recovers = fc.asyncProperty(ANSWERS, async (answers) => {
      expect(await ask(answers, WITH_PASSWORD, dockerConfig)).toEqual(GOOD);
    });
    await fc.assert(recovers, { numRuns: 300 });
  });
});
