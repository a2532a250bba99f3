import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memberOf } from '../../../src/base/index.ts';
import { parseStrictJson } from '../../../src/verification/encoding/strict-json.ts';
import { thirdPartyPath, withThirdParty } from '../../support/third-party.ts';

const parse = (text: string) => parseStrictJson(Buffer.from(text));

describe('strict JSON', () => {
  it.each([
    ['a key twice', '{"a":1,"a":1}', 'the key "a" occurs twice'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}', 'the key "a" occurs twice'],
    ['a key twice, deep inside', '[{"b":[{"a":1,"c":2,"a":3}]}]', 'the key "a" occurs twice'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'the key "__proto__" occurs twice'],
    ['a key twice around a nested object', '{"a":{"a":1},"a":2}', 'the key "a" occurs twice'],
    ['a key twice after a string that ends in a backslash', '{"x":"\\\\","x":1}', 'the key "x" occurs twice'],
    ['65 levels', `${'['.repeat(65)}${']'.repeat(65)}`, 'it is nested too deeply'],
    ['100,000 open brackets', '['.repeat(100_000), 'it is not JSON in UTF-8'],
    ['a byte order mark', '\uFEFF{}', 'it is not JSON in UTF-8'],
    ['a trailing comma', '{"a":1,}', 'it is not JSON in UTF-8'],
    ['nothing', '', 'it is not JSON in UTF-8'],
  ])('refuses %s', (_, text, problem) => {
    expect(parse(text)).toEqual({ ok: false, problem });
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(parseStrictJson(Buffer.from('22ff22', 'hex')).ok).toBe(false);
  });

  it.each([
    ['one key in two objects', '[{"a":1},{"a":2}]'],
    ['one key at two levels', '{"a":{"a":{"a":1}}}'],
    ['a value that looks like a key', '{"a":"a","b":"\\":","c":["a","a"]}'],
    ['brackets in strings', '{"{":"[","}":"]"}'],
    ['white space before a colon', '{"a"\n\t:1}'],
    ['64 levels', `${'['.repeat(64)}${']'.repeat(64)}`],
  ])('accepts %s', (_, text) => {
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  it('reads whatever JSON.stringify writes, as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });

  it('reads four MiB of keys in a time of the order of JSON.parse', () => {
    const text = `{${Array.from({ length: 250_000 }, (_, at) => `"key-${at}":"\\"${at}"`).join()}}`;
    const timeOf = (read: () => unknown): number => {
      const start = performance.now();
      read();
      return performance.now() - start;
    };
    const usual = timeOf(() => JSON.parse(text) as unknown);
    let parsed: ReturnType<typeof parse> | undefined;
    const strict = timeOf(() => {
      parsed = parse(text);
    });
    expect(parsed?.ok).toBe(true);
    // A comparison with every earlier key would take some hundred thousand times as long.
    expect(strict / usual).toBeLessThan(100);
  });
});

describe('a member', () => {
  it('is never an inherited one', () => {
    const parsed = parse('{"__proto__":{"layers":[1]}}');
    expect(parsed.ok && memberOf(parsed.value, 'layers')).toBeUndefined();
    expect(memberOf({}, 'constructor')).toBeUndefined();
    expect(memberOf(null, 'a')).toBeUndefined();
    expect(memberOf(['a'], '0')).toBeUndefined();
  });
});

/** The suite allows duplicate keys, as RFC 8259 does; sailmark does not. */
const AMBIGUOUS = /^y_object_duplicated_key/;

withThirdParty<unknown>(['json-test-suite', 'test_parsing', 'y_array_empty.json'], () => {
  const folder = thirdPartyPath('json-test-suite/test_parsing');
  const names = readdirSync(folder).filter((name) => /^[yn]_/.test(name));

  describe('the JSON parsing test suite', () => {
    it('has all of its 283 files that must be accepted or refused', () => {
      expect(names).toHaveLength(283);
    });

    it.each(names)('%s', (name) => {
      const accepted = parseStrictJson(readFileSync(`${folder}/${name}`)).ok;
      expect(accepted).toBe(name.startsWith('y_') && !AMBIGUOUS.test(name));
    });
  });
});
