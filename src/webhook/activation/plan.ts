import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, messageOf } from '../../base/index.ts';
import type { WebhookEntries, WebhookEntry } from '../../kubernetes/index.ts';

/**
 * The rules of entries that come into force once a replica is ready: a JSON object of lists of rules
 * (admissionregistration.k8s.io/v1, `RuleWithOperations`), by entry. The chart writes it, and renders those entries without
 * rules, so that they match nothing.
 */
const RULES_ANNOTATION = 'sailmark.dev/rules-when-ready';
/** While it is there, with a reason, sailmark puts no rules into the object: the way out in an emergency. */
const SUSPENDED_ANNOTATION = 'sailmark.dev/suspended';

/** The state of a webhook configuration, and what is to be done about it. */
export type ActivationPlan =
  /** Every entry has its rules. */
  | { readonly state: 'active' }
  /** These entries have other rules than they should, or none. */
  | {
      readonly state: 'inactive';
      readonly rules: ReadonlyMap<string, readonly unknown[]>;
      readonly entries: readonly WebhookEntry[];
    }
  /** An operator suspended it. */
  | { readonly state: 'suspended'; readonly reason: string }
  /** It does not exist, so that the API server calls no webhook. */
  | { readonly state: 'absent' }
  /** The annotation is missing or malformed. */
  | { readonly state: 'unusable'; readonly problem: string };

/** Parses the annotation. Throws if it is malformed. */
const parseRules = (text: unknown): ReadonlyMap<string, readonly unknown[]> => {
  if (typeof text !== 'string') throw new Error('it is missing');
  const parsed: unknown = JSON.parse(text);
  if (!isJsonObject(parsed) || Object.keys(parsed).length === 0)
    throw new Error('it must be a JSON object of lists of rules, by entry');
  return new Map(
    Object.entries(parsed).map(([name, rules]) => {
      if (!Array.isArray(rules) || rules.length === 0) throw new Error(`${name} must be a list of rules`);
      return [name, rules];
    }),
  );
};

const planRules = ({ annotations, entries }: WebhookEntries): ActivationPlan => {
  const wanted = parseRules(annotations[RULES_ANNOTATION]);
  const existing = new Set(entries.map(({ name }) => name));
  const absent = [...wanted.keys()].find((name) => !existing.has(name));
  if (absent !== undefined) throw new Error(`the object has no entry ${absent}`);
  const others = entries.filter(({ name, rules }) => {
    const own = wanted.get(name);
    return own !== undefined && !isDeepStrictEqual(own, rules);
  });
  if (others.length === 0) return { state: 'active' };
  const names = new Set(others.map(({ name }) => name));
  return {
    state: 'inactive',
    rules: new Map([...wanted].filter(([name]) => names.has(name))),
    entries: others,
  };
};

/** Returns what is to be done about a webhook configuration; undefined: it does not exist. Never removes rules. */
export const planActivation = (object: WebhookEntries | undefined): ActivationPlan => {
  if (object === undefined) return { state: 'absent' };
  const suspended = object.annotations[SUSPENDED_ANNOTATION];
  if (suspended !== undefined) return { state: 'suspended', reason: suspended };
  try {
    return planRules(object);
  } catch (error) {
    return { state: 'unusable', problem: `its annotation ${RULES_ANNOTATION}: ${messageOf(error)}` };
  }
};
