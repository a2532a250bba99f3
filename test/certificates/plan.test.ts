import { array, assert, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayHandOver, servedBy } from '../../src/certificates/hand-over.ts';
import { BACKDATED } from '../../src/certificates/life.ts';
import type { Served } from '../../src/certificates/perform.ts';
import { type Outlook, plan, type Step } from '../../src/certificates/plan.ts';
import type { Authority, Issuer, Leaf, State } from '../../src/certificates/state.ts';

/*
 * The state machine alone: certificates are names with times, and time is a number.
 */

const SETTINGS = { dnsNames: ['sailmark.svc'], lifetime: 300, caLifetime: 1200, overlap: 50 };

const ca = (id: string, made: number, life = SETTINGS.caLifetime): Issuer => ({
  id,
  cert: `${id} `,
  key: id,
  from: made - BACKDATED,
  until: made + life,
});
const leafOf = (issuer: string, made: number, life = SETTINGS.lifetime, names = SETTINGS.dnsNames): Leaf => ({
  cert: `leaf of ${issuer} at ${made}`,
  key: '',
  issuer,
  names,
  from: made - BACKDATED,
  until: made + life,
});

const ONE = ca('one', 0);
const TWO = ca('two', 810);

const stateOf = (parts: Partial<State>): State => ({
  trusted: [parts.issuing, parts.next].filter((issuer) => issuer !== undefined),
  issuedUntil: new Map(),
  ...parts,
});
const at = (now: number, state: State, trustedSince: number | undefined = 0): Outlook => ({
  state,
  trustedSince,
  now,
  settings: SETTINGS,
});
const fresh = stateOf({ issuing: ONE, leaf: leafOf('one', 0) });
const inOverlap = stateOf({ issuing: ONE, next: TWO, leaf: leafOf('one', 800) });
const nothing: Step = { do: 'nothing' };
const renewed: Step = { do: 'renew', names: SETTINGS.dnsNames };

describe('what is to be done next', () => {
  it.each<{ readonly name: string; readonly outlook: Outlook; readonly step: Step }>([
    {
      name: 'everything, where there is nothing',
      outlook: at(0, stateOf({}), undefined),
      step: { do: 'begin' },
    },
    { name: 'nothing, while everything is young', outlook: at(199, fresh), step: nothing },
    { name: 'a leaf, at two thirds of its life', outlook: at(200, fresh), step: renewed },
    {
      name: 'a leaf, where there is none, or it was not to be used',
      outlook: at(10, stateOf({ issuing: ONE })),
      step: renewed,
    },
    { name: 'a leaf, where it has ended', outlook: at(700, fresh), step: renewed },
    {
      name: 'a leaf that is not valid yet: a clock was set back, or ahead where it was made',
      outlook: at(-BACKDATED + 10, stateOf({ issuing: ca('one', -BACKDATED), leaf: leafOf('one', 20) })),
      step: renewed,
    },
    {
      name: 'a leaf with the names that are missing, keeping those that are there',
      outlook: at(10, stateOf({ issuing: ONE, leaf: leafOf('one', 0, 300, ['old.svc']) })),
      step: { do: 'renew', names: ['sailmark.svc', 'old.svc'] },
    },
    {
      name: 'nothing, where a leaf has more names than are wanted',
      outlook: at(10, stateOf({ issuing: ONE, leaf: leafOf('one', 0, 300, ['old.svc', 'SAILMARK.svc']) })),
      step: nothing,
    },
    {
      name: 'a leaf with the wanted names alone, once it is due',
      outlook: at(200, stateOf({ issuing: ONE, leaf: leafOf('one', 0, 300, ['old.svc', 'sailmark.svc']) })),
      step: renewed,
    },
    {
      name: 'the next CA, at two thirds of the life of this one',
      outlook: at(800, stateOf({ issuing: ONE, leaf: leafOf('one', 750) })),
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
        stateOf({ issuing: ONE, next: ca('two', 811 + BACKDATED), leaf: leafOf('one', 800) }),
        810,
      ),
      step: { do: 'prepare' },
    },
    {
      name: 'nothing, while a leaf of the old CA may be served by somebody',
      outlook: at(
        1099,
        stateOf({
          issuing: TWO,
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
          issuing: TWO,
          leaf: leafOf('two', 1000),
          trusted: [ONE, TWO],
          issuedUntil: new Map([['one', 1100]]),
        }),
      ),
      step: { do: 'retire', ids: new Set(['one']) },
    },
    {
      name: 'nothing, while an old CA of which nothing is known lives',
      outlook: at(1199, stateOf({ issuing: TWO, leaf: leafOf('two', 1100), trusted: [ONE, TWO] })),
      step: nothing,
    },
    {
      name: 'an old CA of which nothing is known goes at its end',
      outlook: at(1200, stateOf({ issuing: TWO, leaf: leafOf('two', 1100), trusted: [ONE, TWO] })),
      step: { do: 'retire', ids: new Set(['one']) },
    },
    {
      name: 'the CA of the leaf that serves stays, whatever is written of it',
      outlook: at(
        900,
        stateOf({
          issuing: TWO,
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
          issuing: ONE,
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

/** The step, done with names and times in place of certificates. */
const doStep = (step: Step, state: State, now: number, count: number): State => {
  const issue = (issuing: Issuer, names: readonly string[], rest: State): State => {
    const life = Math.min(SETTINGS.lifetime, issuing.until - now);
    const leaf = leafOf(issuing.id, now, life, [...names]);
    return {
      ...rest,
      issuing,
      leaf: { ...leaf, cert: `${leaf.cert} #${count}` },
      issuedUntil: new Map([...rest.issuedUntil, [issuing.id, leaf.until]]),
    };
  };
  const created = ca(`ca-${count}`, now);
  switch (step.do) {
    case 'nothing':
      return state;
    case 'begin':
      return issue(created, SETTINGS.dnsNames, {
        ...state,
        next: undefined,
        trusted: [...state.trusted, created],
      });
    case 'prepare':
      return { ...state, next: created, trusted: [...state.trusted, created] };
    case 'promote':
      return issue(state.next as Issuer, SETTINGS.dnsNames, { ...state, next: undefined });
    case 'renew':
      return issue(state.issuing as Issuer, step.names, state);
    case 'retire':
      return { ...state, trusted: state.trusted.filter(({ id }) => !step.ids.has(id)) };
  }
  throw new Error('no such step');
};

interface World {
  state: State;
  /** What the API server trusts. */
  bundle: readonly Authority[];
}

/** A replica of the model: what it serves, and since when it saw the bundle as it is. */
const createModel = (world: World) => {
  let served: Served | undefined;
  let since = { bundle: '', at: 0 };
  let count = 0;
  const trust = (now: number): number | undefined => {
    world.bundle = world.state.trusted;
    const bundle = world.bundle.map(({ id }) => id).join(' ');
    if (since.bundle !== bundle || since.at > now) since = { bundle, at: now };
    return bundle === '' ? undefined : since.at;
  };
  return {
    served: () => served,
    look(now: number, name: string): number {
      for (let rounds = 1; ; rounds += 1) {
        const trustedSince = trust(now);
        const step = plan({ state: world.state, trustedSince, now, settings: SETTINGS });
        if (step.do === 'nothing') {
          const offered = servedBy(world.state);
          const context = {
            state: world.state,
            trustedSince: trustedSince ?? now,
            now,
            overlap: SETTINGS.overlap,
          };
          if (offered !== undefined && mayHandOver(offered, served, context)) served = offered;
          return rounds;
        }
        count += 1;
        world.state = doStep(step, world.state, now, Number(`${name}${count}`));
        if (rounds > 9) throw new Error('the plan never comes to rest');
      }
    },
  };
};

describe('any course of time', () => {
  const looks = array(record({ after: integer({ min: 1, max: 12 }), replica: nat({ max: 2 }) }), {
    minLength: 50,
    maxLength: 600,
  });

  it('never leaves a replica that looks often with a certificate that is not trusted', () => {
    assert(
      property(looks, (course) => {
        const world: World = { state: stateOf({}), bundle: [] };
        const replicas = [1, 2, 3].map(() => createModel(world));
        let now = 1;
        for (const { after, replica } of course) {
          now += after;
          replicas[replica]?.look(now, String(replica + 1));
          for (const { served } of replicas) {
            const leaf = served()?.leaf;
            // Who has not looked for a third of a leaf's life serves what has ended; nobody can help that.
            if (leaf === undefined || now >= leaf.until) continue;
            expect(world.bundle.map(({ id }) => id)).toContain(leaf.issuer);
          }
        }
      }),
    );
  });

  it('comes to rest within a few steps, in a bundle of a few CAs, wherever a clock jumps', () => {
    const jumps = array(integer({ min: -3000, max: 5000 }), { maxLength: 60 });
    assert(
      property(jumps, (course) => {
        const world: World = { state: stateOf({}), bundle: [] };
        const replica = createModel(world);
        let now = 10_000;
        for (const jump of course) {
          now += jump;
          expect(replica.look(now, '1')).toBeLessThan(7);
          expect(world.state.trusted.length).toBeLessThanOrEqual(8);
          const { leaf } = world.state;
          expect(leaf !== undefined && leaf.from <= now && now < leaf.until).toBe(true);
        }
      }),
    );
  });
});
