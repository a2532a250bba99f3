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
export const duration = { type: ['string', 'integer'], description: examples.milliseconds } as const;
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
