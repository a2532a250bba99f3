import { describe, expect, it } from 'vitest';
import { createLog, createReportError, type Log } from '../../src/observability/index.ts';

const collect = (
  format: 'json' | 'text',
  level = 'info',
): { readonly log: Log; readonly lines: string[] } => {
  const lines: string[] = [];
  return { log: createLog({ level, format, to: { write: (line) => void lines.push(line) } }), lines };
};

describe('the log', () => {
  it('shows no credential, wherever a line or an error carries one', () => {
    for (const format of ['json', 'text'] as const) {
      const { log, lines } = collect(format);
      const err = Object.assign(new Error('boom'), {
        headers: { authorization: 'Basic c2VjcmV0' },
        options: { token: 'c2VjcmV0' },
      });
      const authorization = 'Bearer c2VjcmV0';
      log.error({ err, authorization, token: 'c2VjcmV0', headers: { authorization } }, 'failed');
      expect(lines.join('')).toContain('failed');
      expect(lines.join('')).not.toContain('c2VjcmV0');
    }
  });

  it('is silent below its level', () => {
    const { log, lines } = collect('json', 'warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    expect(lines).toEqual([]);
  });

  it('is one JSON object a line, with its time, its level by name and what happened', () => {
    const { log, lines } = collect('json');
    log.warn({ source: 'a\nb' }, 'key');
    expect(lines.map((line) => [line.indexOf('\n'), JSON.parse(line)])).toEqual([
      [
        (lines[0] ?? '').length - 1,
        {
          level: 'warn',
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          source: 'a\nb',
          msg: 'key',
        },
      ],
    ]);
  });

  it('is one line for people, with what is empty left out and no control character', () => {
    const { log, lines } = collect('text');
    const facts = { verdict: 'deny', images: ['a', 'b'], keyIds: [], incident: undefined, name: '' };
    log.info({ ...facts, namespace: 'two words', kind: 'esc\u001b[2J\r\nline\u2028' }, 'review\u0007');
    expect(lines).toEqual([
      expect.stringMatching(
        /^\d\d:\d\d:\d\d\.\d{3} INFO {2}review\\u\{7\} verdict=deny images=\["a","b"\] namespace="two words" kind="esc\\u001b\[2J\\r\\nline\\u\{2028\}"\n$/,
      ),
    ]);
  });

  it('has the stack of an error below its line', () => {
    const { log, lines } = collect('text');
    log.error({ err: new Error('bo\u001bom') }, 'failed');
    expect(lines.join('')).toMatch(/^.* ERROR failed\nError: bo\\u\{1b\}om\n {4}at .*log\.test\.ts/);
  });
});

describe('a report', () => {
  it('gives each error an id of its own, under which the log has its stack', () => {
    const { log, lines } = collect('json');
    const report = createReportError(log);
    const ids = [report(new Error('one')), report('two')];
    expect(new Set(ids).size).toBe(2);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        level: 'error',
        incident: ids[0],
        err: expect.objectContaining({ message: 'one', stack: expect.stringContaining('log.test.ts') }),
      }),
      expect.objectContaining({ incident: ids[1], err: expect.objectContaining({ message: 'two' }) }),
    ]);
  });
});
