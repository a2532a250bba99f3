import type { Unit } from '../limit.ts';
import { examples } from '../quantity.ts';

/* The types of values that several keys of the schema have. */

export const path = { type: 'string', minLength: 1, description: 'the path of a file' } as const;
export const place = {
  type: 'string',
  minLength: 1,
  description: 'a registry and a path, such as registry.corp.example/istio',
} as const;
export const registryHost = {
  type: 'string',
  minLength: 1,
  description: 'a registry host, with its port if it has one: registry.corp.example:5000',
} as const;
/** The form of `parseDuration`. Helm checks the chart's values by it, whose regular expressions have no lookahead. */
export const duration = {
  type: ['string', 'integer'],
  pattern: '^(0|([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$',
  minLength: 1,
  minimum: 0,
  maximum: 0,
  description: examples.milliseconds,
} as const;
const size = {
  type: ['string', 'integer'],
  pattern: '^[0-9]{1,15}[KMG]iB?$',
  minimum: 0,
  description: examples.bytes,
} as const;
const count = { type: ['integer'], minimum: 0, description: examples.count } as const;

/** The schema of a value in each unit. */
export const quantities: Readonly<Record<Unit, { readonly type: readonly ('string' | 'integer')[] }>> = {
  milliseconds: duration,
  bytes: size,
  count,
};
export const address = {
  type: 'string',
  description: 'host:port, such as 0.0.0.0:8443 or [::]:8443, or :8443 for every address',
} as const;
export const text = { type: 'string', minLength: 1, description: 'a string that is not empty' } as const;
export const flag = { type: 'boolean', description: 'true or false' } as const;

export const list = <const Item>(items: Item) => ({ type: 'array', items, description: 'a list' }) as const;
export const oneOf = <const Values extends readonly string[]>(...values: Values) =>
  ({
    type: 'string',
    enum: values,
    description: values.length === 1 ? values[0] : `one of ${values.join(', ')}`,
  }) as const;
