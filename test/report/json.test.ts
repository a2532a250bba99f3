import { expect, it } from 'vitest';
import { toJson } from '../../src/report/index.ts';
import { exampleScan } from '../support/example-scan.ts';

it('holds no character that a terminal obeys, and the same document', () => {
  const context = 'a\u001B[2J\u009B\u202E\u2028\u{E0001}\uD800<b>é署';
  const { cluster } = exampleScan();
  const result = exampleScan({ cluster: { ...cluster, context } });
  const text = toJson(result);
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  expect(text).toContain('é署');
  expect(JSON.parse(text)).toEqual(result);
});

it('is the document as it is', () => {
  expect(JSON.parse(toJson(exampleScan()))).toEqual(exampleScan());
});
