import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { configurationSchema } from '../../src/config/schema/configuration-schema.ts';

it('the schema of a configuration is a JSON Schema', () => {
  const ajv = new Ajv({ allowUnionTypes: true });
  expect([ajv.validateSchema(configurationSchema), ajv.errors]).toEqual([true, null]);
});
