import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlanInput, plan, type Step } from '../../src/certificates/plan.ts';
import { mayRotate, type ServedCertificate, servedBy } from '../../src/certificates/rotation.ts';
import type { CertificateAuthority, Issuer, Leaf, State } from '../../src/certificates/state.ts';
import { BACKDATE_MS } from '../../src/certificates/validity.ts';

/*
 * The state machine alone: a certificate is a name with times, and time is a number.
 */

const SETTINGS = { dnsNames: ['sailmark.svc'], lifetime: 300, caLifetime: 1200, overlap: 50 };

const ca = (id: string, made: number, life = SETTINGS.caLifetime): Issuer => ({
  id,
  cert: `${id} `,
  key: id,
  from: made - BACKDATE_MS,
  until: made + life,
});
const leafOf = (
  issuer: string,
  made: number,
  life = SETTINGS.lifetime,
  names: readonly string[] = SETTINGS.dnsNames,
): Leaf => ({
  cert: `leaf of ${issuer} at ${made}`,
  key: '',
  issuer,
  names,
  from: made - BACKDATE_MS,
  until: made + life,
});

const ONE = ca('one', 0);
const TWO = ca('two', 810);

const stateOf = (parts: Partial<State>): State => ({
  trusted: [parts.issuer, parts.next].filter((issuer) => issuer !== undefined),
  issuedUntil: new Map(),
  ...parts,
});
const at = (now: number, state: State, trustedSince: number | undefined = 0): PlanInput => ({
  state,
  trustedSince,
  now,
  settings: SETTINGS,
});
const fresh = stateOf({ issuer: ONE, leaf: leafOf('one', 0) });
const inOverlap = stateOf({ issuer: ONE, next: TWO, leaf: leafOf('one', 800) });
const nothing: Step = { do: 'nothing' };
const renewed: Step = { do: 'renew', names: SETTINGS.dnsNames };

describe('what is to be done next', () => {
  it.each<{ readonly name: string; readonly outlook: PlanInput; readonly step: Step }>([
    {
      name: 'everything, where there is nothing',
      outlook: at(0, stateOf({}), undefined),
      step: { do: 'begin' },
    },
    { name: 'nothing, while everything is young', outlook: at(199, fresh), step: nothing },
    { name: 'a leaf, at two thirds of its life', outlook: at(200, fresh), step: renewed },
    {
      name: 'a leaf, where there is none, or it was not to be used',
      outlook: at(10, stateOf({ issuer: ONE })),
      step: renewed,
    },
    { name: 'a leaf, where it has ended', outlook: at(700, fresh), step: renewed },
    {
      name: 'a leaf that is not valid yet: a clock was set back, or ahead where it was made',
      outlook: at(-BACKDATE_MS + 10, stateOf({ issuer: ca('one', -BACKDATE_MS), leaf: leafOf('one', 20) })),
      step: renewed,
    },
    {
      name: 'a leaf with the names that are missing, keeping those that are there',
      outlook: at(10, stateOf({ issuer: ONE, leaf: leafOf('one', 0, 300, ['old.svc']) })),
      step: { do: 'renew', names: ['sailmark.svc', 'old.svc'] },
    },
    {
      name: 'nothing, where a leaf has more names than are wanted',
      outlook: at(10, stateOf({ issuer: ONE, leaf: leafOf('one', 0, 300, ['old.svc', 'SAILMARK.svc']) })),
      step: nothing,
    },
    {
      name: 'a leaf with the wanted names alone, once it is due',
      outlook: at(200, stateOf({ issuer: ONE, leaf: leafOf('one', 0, 300, ['old.svc', 'sailmark.svc']) })),
      step: renewed,
    },
    {
      name: 'the next CA, at two thirds of the life of this one',
      outlook: at(800, stateOf({ issuer: ONE, leaf: leafOf('one', 750) })),
      step: { do: 'prepare' },
    },
    {
      name: 'nothing, while the next CA is not trusted for long enough',
      outlook: at(859, inOverlap, 810),
      step: nothing,
    },
    {
      name: 'nothing, where nobody knows how long the next CA has been trusted',
      outlook: { ...at(900, inOverlap), trustedSince: undefined },
      step: nothing,
    },
    {
      name: 'the next CA issues, after the overlap',
      outlook: at(860, inOverlap, 810),
      step: { do: 'promote' },
    },
    {
      name: 'a leaf by the old CA, where it is due within the overlap',
      outlook: at(850, { ...inOverlap, leaf: leafOf('one', 640) }, 810),
      step: renewed,
    },
    {
      name: 'nothing new of a CA near its end that would not live longer than what is there',
      outlook: at(1199, { ...inOverlap, leaf: leafOf('one', 1100, 100) }, 1190),
      step: nothing,
    },
    {
      name: 'the next CA issues at once, where the old one has ended and nothing serves',
      outlook: at(1300, inOverlap, 1299),
      step: { do: 'promote' },
    },
    {
      name: 'everything anew, where all has ended',
      outlook: at(9999, inOverlap),
      step: { do: 'begin' },
    },
    {
      name: 'the next CA, where the key of this one is lost and a leaf still serves',
      outlook: at(10, stateOf({ leaf: leafOf('one', 0), trusted: [ONE] })),
      step: { do: 'prepare' },
    },
    {
      name: 'another next CA, where the next one is not valid yet and this one is due',
      outlook: at(
        810,
        stateOf({ issuer: ONE, next: ca('two', 811 + BACKDATE_MS), leaf: leafOf('one', 800) }),
        810,
      ),
      step: { do: 'prepare' },
    },
    {
      name: 'nothing, while a leaf of the old CA may be served by somebody',
      outlook: at(
        1099,
        stateOf({
          issuer: TWO,
          leaf: leafOf('two', 1000),
          trusted: [ONE, TWO],
          issuedUntil: new Map([['one', 1100]]),
        }),
      ),
      step: nothing,
    },
    {
      name: 'the old CA goes, once every leaf that it issued has ended',
      outlook: at(
        1100,
        stateOf({
          issuer: TWO,
          leaf: leafOf('two', 1000),
          trusted: [ONE, TWO],
          issuedUntil: new Map([['one', 1100]]),
        }),
      ),
      step: { do: 'retire', ids: new Set(['one']) },
    },
    {
      name: 'nothing, while an old CA of which nothing is known lives',
      outlook: at(1199, stateOf({ issuer: TWO, leaf: leafOf('two', 1100), trusted: [ONE, TWO] })),
      step: nothing,
    },
    {
      name: 'an old CA of which nothing is known goes at its end',
      outlook: at(1200, stateOf({ issuer: TWO, leaf: leafOf('two', 1100), trusted: [ONE, TWO] })),
      step: { do: 'retire', ids: new Set(['one']) },
    },
    {
      name: 'the CA of the leaf that serves stays, whatever is written of it',
      outlook: at(
        900,
        stateOf({
          issuer: TWO,
          leaf: leafOf('one', 800),
          trusted: [ONE, TWO],
          issuedUntil: new Map([['one', 5]]),
        }),
      ),
      step: nothing,
    },
    {
      name: 'CAs that nobody can have wanted go, those first whose leaves end first',
      outlook: at(
        10,
        stateOf({
          issuer: ONE,
          leaf: leafOf('one', 0),
          trusted: [ONE, ...Array.from({ length: 9 }, (_, place) => ca(`x${place}`, 0, 100 + place))],
        }),
      ),
      step: { do: 'retire', ids: new Set(['x0', 'x1']) },
    },
  ])('$name', ({ outlook, step }) => {
    expect(plan(outlook)).toEqual(step);
  });
});

/** Performs a step with names and times in place of certificates. */
const doStep = (
  step: Step,
  state: State,
  {
    now,
    name,
    known,
  }: { readonly now: number; readonly name: string; readonly known: readonly CertificateAuthority[] },
): State => {
  const issue = (issuing: Issuer, names: readonly string[], rest: State): State => {
    const leaf = leafOf(issuing.id, now, Math.min(SETTINGS.lifetime, issuing.until - now), names);
    return {
      ...rest,
      issuer: issuing,
      leaf: { ...leaf, cert: `${leaf.cert} ${name}` },
      issuedUntil: new Map([...rest.issuedUntil, [issuing.id, leaf.until]]),
    };
  };
  const created = ca(name, now);
  switch (step.do) {
    case 'nothing':
      return state;
    case 'begin': {
      const lost = known.filter(
        ({ id, until }) => now < until && !state.trusted.some((one) => one.id === id),
      );
      const ends = lost.map(({ id }) => [id, now + 3 * SETTINGS.overlap] as const);
      return issue(created, SETTINGS.dnsNames, {
        trusted: [...state.trusted, ...lost, created],
        issuedUntil: new Map([...state.issuedUntil, ...ends]),
      });
    }
    case 'prepare':
      return { ...state, next: created, trusted: [...state.trusted, created] };
    case 'promote':
      return issue(state.next as Issuer, SETTINGS.dnsNames, { ...state, next: undefined });
    case 'renew':
      return issue(state.issuer as Issuer, step.names, state);
    case 'retire':
      return { ...state, trusted: state.trusted.filter(({ id }) => !step.ids.has(id)) };
  }
  throw new Error('no such step');
};

/** A Secret, and an API server of several instances, each of which sees a new bundle within `LAG`. */
interface World {
  state: State;
  /** The bundles in order, each with the time since which it is trusted. The last one is current. */
  readonly bundles: { readonly ids: readonly string[]; readonly at: number }[];
}

const LAG = 40;

/** True if every instance trusts an authority, whichever bundle it has seen. */
const isTrustedEverywhere = ({ bundles }: World, id: string, now: number): boolean =>
  bundles.every(({ ids }, place) => {
    const replaced = bundles[place + 1]?.at;
    return (replaced !== undefined && replaced <= now - LAG) || ids.includes(id);
  });

/** A replica of the model: the certificate that it serves, and the time since which it sees the current bundle. */
const createModel = (world: World, replica: number) => {
  let served: ServedCertificate | undefined;
  let since = { bundle: '', at: 0 };
  let known: readonly CertificateAuthority[] = [];
  let made = 0;
  const trust = (now: number): number | undefined => {
    const ids = world.state.trusted.map(({ id }) => id);
    if (ids.length === 0) return undefined;
    const bundle = ids.join(' ');
    const wasWritten = world.bundles.at(-1)?.ids.join(' ') !== bundle;
    if (wasWritten) world.bundles.push({ ids, at: now });
    if (wasWritten || since.bundle !== bundle || since.at > now) since = { bundle, at: now };
    return since.at;
  };
  return {
    served: () => served,
    /** Returns the number of steps that it performed. */
    look(now: number): number {
      for (let steps = 0; steps < 10; steps += 1) {
        const trustedSince = trust(now);
        const { state } = world;
        const step = plan({ state, trustedSince, now, settings: SETTINGS });
        if (step.do === 'nothing') {
          known = state.trusted;
          const offered = servedBy(state);
          const context = { state, trustedSince: trustedSince ?? now, now, overlap: SETTINGS.overlap };
          if (offered !== undefined && mayRotate(offered, served, context)) served = offered;
          return steps;
        }
        made += 1;
        world.state = doStep(step, state, { now, name: `${replica}-${made}`, known });
      }
      throw new Error('the plan never comes to rest');
    },
  };
};

const emptyWorld = (): World => ({ state: stateOf({}), bundles: [] });

describe('any course of time', () => {
  /** Each replica checks four times within an overlap. Now and then one restarts, or the Secret loses a part. */
  const courses = fc.array(
    fc.record({
      after: fc.integer({ min: 1, max: 4 }),
      lose: fc.option(fc.constantFrom('all', 'leaf', 'key', 'record'), { freq: 300 }),
      restart: fc.option(fc.constant(true), { freq: 50 }),
    }),
    { minLength: 1000, maxLength: 2000, size: 'max' },
  );
  const losses: Readonly<Record<string, Partial<State>>> = {
    all: { issuer: undefined, next: undefined, trusted: [], leaf: undefined, issuedUntil: new Map() },
    leaf: { leaf: undefined },
    key: { issuer: undefined },
    record: { issuedUntil: new Map() },
  };

  it('never leaves a replica with a certificate that some instance of the API server does not trust', () => {
    fc.assert(
      fc.property(courses, (course) => {
        const world = emptyWorld();
        const replicas = [1, 2, 3].map((replica) => createModel(world, replica));
        let now = 1;
        let lostAt = -SETTINGS.overlap * 4;
        for (const replica of replicas) replica.look(now);
        for (const [turn, { after, lose, restart }] of course.entries()) {
          now += after;
          // A part that is lost a second time during the recovery is not recovered.
          const hasRecovered = now - lostAt > SETTINGS.overlap * 4;
          if (lose !== null && hasRecovered) {
            lostAt = now;
            world.state = { ...world.state, ...losses[lose] };
          } else if (restart !== null && hasRecovered) replicas[turn % 3] = createModel(world, 3 + turn);
          replicas[turn % 3]?.look(now);
          if (now < LAG) continue;
          const untrusted = replicas.filter(({ served }) => {
            const leaf = served()?.leaf;
            return leaf === undefined || now >= leaf.until || !isTrustedEverywhere(world, leaf.issuer, now);
          });
          expect(untrusted).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('rotates the CA again and again, and keeps the bundle small', () => {
    fc.assert(
      fc.property(courses, (course) => {
        const world = emptyWorld();
        const replica = createModel(world, 1);
        let now = 1;
        for (const { after } of course) {
          now += after;
          replica.look(now);
          expect(world.state.trusted.length).toBeLessThanOrEqual(3);
        }
        const seen = new Set(world.bundles.flatMap(({ ids }) => ids));
        expect(seen.size).toBeGreaterThanOrEqual(Math.floor(now / SETTINGS.caLifetime));
      }),
      { numRuns: 20 },
    );
  });

  it('comes to rest within a few steps, with a leaf to serve, wherever a clock jumps', () => {
    const jumps = fc.array(fc.integer({ min: -3000, max: 5000 }), { maxLength: 100, size: 'max' });
    fc.assert(
      fc.property(jumps, (course) => {
        const world = emptyWorld();
        const replica = createModel(world, 1);
        let now = 10_000;
        for (const jump of course) {
          now += jump;
          expect(replica.look(now)).toBeLessThan(7);
          expect(world.state.trusted.length).toBeLessThanOrEqual(8);
          const { leaf } = world.state;
          expect(leaf !== undefined && leaf.from <= now && now < leaf.until).toBe(true);
        }
      }),
    );
  });
});
