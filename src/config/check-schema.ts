import { Ajv, type ErrorObject } from 'ajv';
import { type Note, pathTo, suggestion } from './problem.ts';
import { type ConfigurationFile, configurationSchema } from './schema/configuration-schema.ts';

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly enum?: readonly string[];
  readonly type?: string | readonly string[];
}

const describedBy = (error: ErrorObject): Described => (error.parentSchema ?? {}) as Described;

/** RFC 6901 pointer to the path people read: `/mirrors/0/of` is `mirrors[0].of`. */
const pathOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((parent, part) => pathTo(parent, /^\d+$/.test(part) ? Number(part) : part), '');

const named = (value: unknown): string => {
  if (value === null) return 'empty (leave the key out for its default)';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : `the ${typeof value} ${JSON.stringify(value)}`;
};

const describeType = ({ data, ...error }: ErrorObject): string => {
  const { type, description = 'of another type' } = describedBy(error);
  const quote = type === 'string' && typeof data !== 'object' ? ': put it in quotes' : '';
  return typeof data === 'string'
    ? `must be ${description}`
    : `must be ${description}, not ${named(data)}${quote}`;
};

const describeEnum = ({ data, ...error }: ErrorObject): string => {
  const { enum: known = [], description = '' } = describedBy(error);
  const guess = typeof data === 'string' && known.length > 1 ? suggestion(data, known) : '';
  return `must be ${description}${guess}`;
};

const noteUnknown = (path: string, error: ErrorObject, note: Note): void => {
  const key = String(error.params['additionalProperty']);
  const at = pathTo(path, key);
  note(
    at,
    `is not a key that is known here${suggestion(key, Object.keys(describedBy(error).properties ?? {}))}`,
  );
};

const noteMissing = (path: string, error: ErrorObject, note: Note): void => {
  const key = String(error.params['missingProperty']);
  const { description = 'there' } = describedBy(error).properties?.[key] ?? {};
  note(pathTo(path, key), `is missing: it must be ${description}`);
};

/** What is said of each keyword of the schema; of any other, what the value must be. */
const DESCRIBE: Readonly<Record<string, (error: ErrorObject) => string>> = {
  type: describeType,
  enum: describeEnum,
  minItems: () => 'must have at least one entry (leave the key out for its default)',
  oneOf: ({ parentSchema }) => {
    const { oneOf } = parentSchema as { oneOf: readonly { required: readonly string[] }[] };
    return `must have exactly one of ${oneOf.flatMap(({ required }) => required).join(', ')}`;
  },
  dependencies: ({ params }) =>
    `has ${params['property']}, which means nothing without ${params['missingProperty']}: remove it`,
};

const noteError = (error: ErrorObject, note: Note): void => {
  const path = pathOf(error.instancePath);
  const otherwise = (): string => `must be ${describedBy(error).description ?? 'something else'}`;
  if (error.keyword === 'additionalProperties') noteUnknown(path, error, note);
  else if (error.keyword === 'required') noteMissing(path, error, note);
  else note(path, (DESCRIBE[error.keyword] ?? otherwise)(error));
};

/** Why each alternative of a `oneOf` does not hold says less than that none, or several, do; and a type says more. */
const isDetail = ({ schemaPath, keyword, data }: ErrorObject): boolean =>
  schemaPath.includes('/oneOf/') || (keyword === 'oneOf' && typeof data !== 'object');

/**
 * Notes everything in which a parsed file differs from the schema. What remains sound may be read as a
 * `ConfigurationFile`, path by path; that it is one as a whole is the returned word.
 */
export const checkSchema = (parsed: unknown, note: Note): parsed is ConfigurationFile => {
  // That the schema is one, a test says; checking it again would be a tenth of the start of `serve`.
  const options = { allErrors: true, verbose: true, allowUnionTypes: true, coerceTypes: false } as const;
  const ajv = new Ajv({ ...options, meta: false, validateSchema: false });
  const validate = ajv.compile(configurationSchema);
  if (validate(parsed)) return true;
  for (const error of (validate.errors ?? []).filter((one) => !isDetail(one))) noteError(error, note);
  return false;
};
