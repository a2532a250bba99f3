import { Ajv, type ErrorObject } from 'ajv';
import { findKeyReferenceProblem } from '../verification/index.ts';
import { type Note, pathTo, suggestion } from './problem.ts';
import { type ConfigurationFile, configurationSchema } from './schema/configuration-schema.ts';

/** The part of a schema that messages use. */
interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly enum?: readonly string[];
  readonly type?: string | readonly string[];
}

const schemaOf = (error: ErrorObject): SchemaNode => (error.parentSchema ?? {}) as SchemaNode;

/** Turns a JSON pointer (RFC 6901) into the path of a message: `/mirrors/0/of` into `mirrors[0].of`. */
const pathOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((parent, part) => pathTo(parent, /^\d+$/.test(part) ? Number(part) : part), '');

const describeValue = (value: unknown): string => {
  if (value === null) return 'nothing: remove the key to use its default';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : `the ${typeof value} ${JSON.stringify(value)}`;
};

const describeType = ({ data, ...error }: ErrorObject): string => {
  const { type, description = 'of another type' } = schemaOf(error);
  const quote = type === 'string' && typeof data !== 'object' ? ': put it in quotes' : '';
  return typeof data === 'string'
    ? `must be ${description}`
    : `must be ${description}, got ${describeValue(data)}${quote}`;
};

const describeEnum = ({ data, ...error }: ErrorObject): string => {
  const { enum: values = [], description = '' } = schemaOf(error);
  const guess = typeof data === 'string' && values.length > 1 ? suggestion(data, values) : '';
  return `must be ${description}${guess}`;
};

const noteUnknown = (path: string, error: ErrorObject, note: Note): void => {
  const key = String(error.params['additionalProperty']);
  const at = pathTo(path, key);
  note(at, `is not a known key${suggestion(key, Object.keys(schemaOf(error).properties ?? {}))}`);
};

const noteMissing = (path: string, error: ErrorObject, note: Note): void => {
  const key = String(error.params['missingProperty']);
  const { description = 'there' } = schemaOf(error).properties?.[key] ?? {};
  note(pathTo(path, key), `is missing: it must be ${description}`);
};

/** Messages by keyword of the schema; for any other keyword the message is the value's description. */
const MESSAGES: Readonly<Record<string, (error: ErrorObject) => string>> = {
  type: describeType,
  enum: describeEnum,
  minItems: () => 'must have at least one entry; a key that is optional can be removed instead',
  oneOf: ({ parentSchema }) => {
    const { oneOf } = parentSchema as { oneOf: readonly { required: readonly string[] }[] };
    return `must have exactly one of ${oneOf.flatMap(({ required }) => required).join(', ')}`;
  },
  pattern: ({ data, ...error }) => {
    const problem = typeof data === 'string' ? findKeyReferenceProblem(data) : undefined;
    return `must be ${schemaOf(error).description}${problem === undefined ? '' : `: the key ${problem}`}`;
  },
  dependencies: ({ params }) =>
    `has ${params['property']}, which has no effect without ${params['missingProperty']}: remove it`,
};

const noteError = (error: ErrorObject, note: Note): void => {
  const path = pathOf(error.instancePath);
  const fallback = (): string => `must be ${schemaOf(error).description ?? 'something else'}`;
  if (error.keyword === 'additionalProperties') noteUnknown(path, error, note);
  else if (error.keyword === 'required') noteMissing(path, error, note);
  else note(path, (MESSAGES[error.keyword] ?? fallback)(error));
};

/** Drops the errors of the single alternatives of a `oneOf`, and its own error for a value of the wrong type. */
const isDetail = ({ schemaPath, keyword, data }: ErrorObject): boolean =>
  schemaPath.includes('/oneOf/') || (keyword === 'oneOf' && typeof data !== 'object');

/** Drops what else is wrong with a value of the wrong type: 1.5 is no integer, and over a maximum too. */
const withoutRepeats = (errors: readonly ErrorObject[]): readonly ErrorObject[] => {
  const mistyped = new Set(
    errors.filter(({ keyword }) => keyword === 'type').map(({ instancePath }) => instancePath),
  );
  return errors.filter(({ keyword, instancePath }) => keyword === 'type' || !mistyped.has(instancePath));
};

/**
 * Notes every violation of the schema, and returns true if there is none. The paths without a problem may still be read
 * as parts of a `ConfigurationFile`.
 */
export const checkSchema = (parsed: unknown, note: Note): parsed is ConfigurationFile => {
  // A test checks that the schema is valid; checking it here would take a tenth of the start of `serve`.
  const options = { allErrors: true, verbose: true, allowUnionTypes: true, coerceTypes: false } as const;
  const ajv = new Ajv({ ...options, meta: false, validateSchema: false });
  const validate = ajv.compile(configurationSchema);
  if (validate(parsed)) return true;
  for (const error of withoutRepeats((validate.errors ?? []).filter((each) => !isDetail(each))))
    noteError(error, note);
  return false;
};
