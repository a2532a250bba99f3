import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { EventSummary, ReviewRecord } from '../../src/admission/index.ts';
import { type ClusterEvent, createEventLog } from '../../src/observability/index.ts';
import { reviewRecord } from '../support/builders.ts';

const NOON = Date.parse('2026-11-24T12:00:00Z');
const REPLICA_SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-7d4c', uid: 'u-1' };
const SENTENCE = 'image "a" in container "b" (spec): no signature was found (signature-missing); use another';

const summaryOf = (
  over: Partial<EventSummary['sentences'][number]> & Pick<Partial<EventSummary>, 'effect'> = {},
  regarding: EventSummary['regarding'] = REPLICA_SET,
): EventSummary => {
  const { effect = 'audit', ...of } = over;
  return {
    regarding,
    effect,
    sentences: [{ code: 'signature-missing', letThrough: false, sentence: SENTENCE, ...of }],
  };
};

const record = (of: { readonly told?: EventSummary } = { told: summaryOf() }): ReviewRecord =>
  reviewRecord({ mode: 'audit', verdict: 'audit', ...of });

type Parts = Parameters<typeof createEventLog>[0];

/** An event log with fake timers. `write` fails as the test says. */
const createTestLog = (over: Partial<Parts> = {}) => {
  vi.useFakeTimers({ now: NOON });
  onTestFinished(() => void vi.useRealTimers());
  const written: ClusterEvent[] = [];
  const counted: Record<string, number> = {};
  const reported: unknown[] = [];
  const log = createEventLog({
    write: async (event) => void written.push(event),
    now: Date.now,
    report: (error) => {
      reported.push(error);
      return 'incident-1';
    },
    metrics: { countEvent: (result) => (counted[result] = (counted[result] ?? 0) + 1) },
    instance: 'sailmark-5f-x',
    ...over,
  });
  return { log, written, counted, reported };
};

const WINDOW = 5 * 60_000;
const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

describe('Events are not written', () => {
  it('where a record tells nothing, and then nothing is looked at', async () => {
    const { log, written, counted } = createTestLog();
    const nothing = new Proxy(record({}), {
      get: (target, name) => {
        if (name !== 'told') throw new Error(`${String(name)} was read`);
        return target.told;
      },
    });
    log.add(nothing);
    await log.close();
    expect({ written, counted }).toEqual({ written: [], counted: {} });
  });

  it('about an object that has no name, and are counted', async () => {
    const { log, written, counted } = createTestLog();
    log.add(record({ told: { ...summaryOf(), regarding: undefined } }));
    await log.close();
    expect({ written, counted }).toEqual({ written: [], counted: { dropped: 1 } });
  });

  it('past 25 at once and one a second, and are counted; what was dropped is told when it comes again', async () => {
    const { log, written, counted } = createTestLog();
    const about = (name: string) => record({ told: summaryOf({}, { ...REPLICA_SET, name }) });
    for (let index = 0; index < 30; index += 1) log.add(about(`web-${index}`));
    await pass(0);
    expect({ written: written.length, counted }).toEqual({
      written: 25,
      counted: { written: 25, dropped: 5 },
    });
    await pass(2000);
    for (let index = 25; index < 30; index += 1) log.add(about(`web-${index}`));
    await pass(0);
    expect(counted).toEqual({ written: 27, dropped: 8 });
    expect(written.slice(25).map(({ regarding }) => regarding.name)).toEqual(['web-25', 'web-26']);
  });

  it('past 25 at once, however long nothing was found before', async () => {
    const { log, counted } = createTestLog();
    await pass(60 * 60_000);
    for (let index = 0; index < 30; index += 1)
      log.add(record({ told: summaryOf({}, { ...REPLICA_SET, name: `web-${index}` }) }));
    await pass(0);
    expect(counted).toEqual({ written: 25, dropped: 5 });
  });

  it('after the end, not even counts that had to wait or a second end', async () => {
    const { log, counted } = createTestLog({ limits: { burst: 1 } });
    log.add(record());
    log.add(record());
    await log.close();
    await pass(2 * WINDOW);
    await log.close();
    expect(counted).toEqual({ written: 1 });
  });

  it('after the end, where the last write failed', async () => {
    const { log, counted } = createTestLog({ write: () => Promise.reject(new Error('no')) });
    log.add(record());
    log.add(record());
    await log.close();
    await pass(2 * WINDOW);
    expect(counted).toEqual({ failed: 2 });
  });

  it('of reviews after the end', async () => {
    const { log, written } = createTestLog();
    await log.close();
    log.add(record());
    await pass(WINDOW);
    await log.close();
    expect(written).toEqual([]);
  });
});

describe('an Event', () => {
  it('says what was found, about what, and what became of it', async () => {
    const { log, written, counted } = createTestLog();
    log.add(record());
    await pass(0);
    expect(counted).toEqual({ written: 1 });
    expect(written).toEqual([
      {
        name: expect.stringMatching(/^web-7d4c\.[0-9a-f]{10}-1$/),
        namespace: 'shop',
        regarding: REPLICA_SET,
        reason: 'SignatureMissing',
        action: 'Audit',
        note: `admitted in audit mode: ${SENTENCE}`,
        type: 'Warning',
        eventTime: NOON,
        reportingController: 'sailmark.dev/webhook',
        reportingInstance: 'sailmark-5f-x',
      },
    ]);
  });

  it.each([
    ['warn', false, 'Warn'],
    ['audit', false, 'Audit'],
    ['warn', true, 'LetThrough'],
  ] as const)('of effect %s, let through: %s, has the action %s', async (effect, letThrough, action) => {
    const { log, written } = createTestLog();
    log.add(record({ told: summaryOf({ effect, letThrough }) }));
    await pass(0);
    expect(written.map((event) => event.action)).toEqual([action]);
  });

  it('is one for each object, reason and effect', async () => {
    const { log, written } = createTestLog();
    const [first, other] = [summaryOf(), summaryOf({ code: 'signer-untrusted' })];
    const both = { ...first, sentences: [...first.sentences, ...other.sentences] };
    log.add(record({ told: both }));
    log.add(record({ told: both }));
    log.add(record({ told: summaryOf({ effect: 'warn' }) }));
    log.add(record({ told: summaryOf({}, { ...REPLICA_SET, uid: 'u-2' }) }));
    log.add(record({ told: summaryOf({}, { apiVersion: 'v1', kind: 'Pod', name: 'web-7d4c', uid: 'u-1' }) }));
    log.add({ ...record(), namespace: 'other' });
    await pass(0);
    expect(
      written.map(({ namespace, reason, action, regarding }) => [namespace, reason, action, regarding.uid]),
    ).toEqual([
      ['shop', 'SignatureMissing', 'Audit', 'u-1'],
      ['shop', 'SignerUntrusted', 'Audit', 'u-1'],
      ['shop', 'SignatureMissing', 'Warn', 'u-1'],
      ['shop', 'SignatureMissing', 'Audit', 'u-2'],
      ['shop', 'SignatureMissing', 'Audit', 'u-1'],
      ['other', 'SignatureMissing', 'Audit', 'u-1'],
    ]);
    expect(new Set(written.map(({ name }) => name)).size).toBe(6);
  });

  it.each([
    ['web.example', /^web\.example\.[0-9a-f]{10}-1$/],
    ['a--b-', /^a--b\.[0-9a-f]{10}-1$/],
    ['Not A Name', /^sailmark\.[0-9a-f]{10}-1$/],
    ['x'.repeat(253), /^x{200}\.[0-9a-f]{10}-1$/],
  ])('about %s has a name that is a DNS subdomain', async (name, expected) => {
    const { log, written } = createTestLog();
    log.add(record({ told: summaryOf({}, { ...REPLICA_SET, name }) }));
    await pass(0);
    expect(written.map((event) => event.name)).toEqual([expect.stringMatching(expected)]);
  });

  it('names this process in at most 128 bytes', async () => {
    const { log, written } = createTestLog({ instance: 'x'.repeat(253) });
    log.add(record());
    await pass(0);
    expect(written.map(({ reportingInstance }) => reportingInstance)).toEqual(['x'.repeat(128)]);
  });

  it('has a note of at most 1024 bytes, whatever a character takes, and none is cut in two', async () => {
    const { log, written } = createTestLog();
    log.add(record({ told: summaryOf({ sentence: '✗'.repeat(512) }) }));
    log.add(record({ told: summaryOf({ code: 'signer-untrusted', sentence: `.${'𐍈'.repeat(256)}` }) }));
    await pass(0);
    expect(written.map(({ note }) => [Buffer.byteLength(note), note.isWellFormed()])).toEqual([
      [1023, true],
      [1021, true],
    ]);
  });
});

describe('repeats', () => {
  it('are counted, and written once when the window ends', async () => {
    const { log, written } = createTestLog();
    log.add(record());
    for (let index = 0; index < 100; index += 1) log.add(record());
    await pass(1000);
    log.add(record());
    await pass(WINDOW - 1001);
    expect(written.map(({ series }) => series)).toEqual([undefined]);
    await pass(1);
    const [first, second] = written;
    expect(second).toEqual({ ...first, series: { count: 102, lastObservedTime: NOON + 1000 } });
    expect(written.length).toBe(2);
  });

  it('go on in the next window as the same Event', async () => {
    const { log, written } = createTestLog();
    log.add(record());
    log.add(record());
    await pass(WINDOW);
    log.add(record());
    await pass(WINDOW);
    expect(new Set(written.map(({ name }) => name)).size).toBe(1);
    expect(written.map(({ series }) => series?.count)).toEqual([undefined, 2, 3]);
  });

  it('after a window without any are another Event', async () => {
    const { log, written } = createTestLog();
    log.add(record());
    await pass(2 * WINDOW);
    log.add(record());
    await pass(0);
    expect(written.map(({ series, eventTime }) => [series, eventTime])).toEqual([
      [undefined, NOON],
      [undefined, NOON + 2 * WINDOW],
    ]);
    expect(new Set(written.map(({ name }) => name)).size).toBe(2);
  });

  it('are written at the end of the process', async () => {
    const { log, written } = createTestLog();
    log.add(record());
    log.add(record());
    await log.close();
    expect(written.map(({ series }) => series?.count)).toEqual([undefined, 2]);
  });

  it('past the limit of rate wait for the next window, and none is lost', async () => {
    const { log, written, counted } = createTestLog({
      limits: { burst: 1, perSecond: 0.002, windowMs: 1000 * 60 },
    });
    log.add(record());
    log.add(record());
    await pass(60_000 * 8);
    expect(counted).toEqual({ written: 1 });
    await pass(60_000);
    expect(written.map(({ series }) => series?.count)).toEqual([undefined, 2]);
  });

  it('of more objects than are remembered begin anew', async () => {
    const { log, written } = createTestLog({ limits: { maxAggregates: 2 } });
    const about = (name: string) => record({ told: summaryOf({}, { ...REPLICA_SET, name }) });
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) log.add(about(name));
    await pass(0);
    expect(written.map(({ regarding }) => regarding.name)).toEqual(['a', 'b', 'c', 'b']);
  });
});

describe('a write that fails', () => {
  it('is counted, reported at most once a minute, and tried again when the window ends', async () => {
    let failing = true;
    const tried: ClusterEvent[] = [];
    const write = async (event: ClusterEvent): Promise<void> => {
      tried.push(event);
      if (failing) throw new Error(`no ${event.regarding.name}`);
    };
    const { log, counted, reported } = createTestLog({ write });
    const about = (name: string) => record({ told: summaryOf({}, { ...REPLICA_SET, name }) });
    log.add(about('a'));
    log.add(about('b'));
    await pass(59_999);
    log.add(about('c'));
    await pass(1);
    log.add(about('d'));
    await pass(0);
    expect(counted).toEqual({ failed: 4 });
    expect(reported).toEqual([new Error('no a'), new Error('no d')]);
    failing = false;
    log.add(about('a'));
    await pass(WINDOW);
    expect(counted).toEqual({ failed: 4, written: 4 });
    expect(tried.slice(4).map(({ regarding, series }) => [regarding.name, series?.count])).toEqual([
      ['b', undefined],
      ['c', undefined],
      ['d', undefined],
      ['a', 2],
    ]);
  });

  it('at once fails no review', async () => {
    const { log, counted } = createTestLog({
      write: () => {
        throw new Error('at once');
      },
    });
    log.add(record());
    await pass(0);
    expect(counted).toEqual({ failed: 1 });
  });

  it('because nobody answers is given up, even where it misses its signal', async () => {
    const { log, counted, reported } = createTestLog({
      write: () => new Promise(() => {}),
      limits: { writeTimeoutMs: 20 },
    });
    vi.useRealTimers();
    log.add(record());
    await vi.waitFor(() => expect(counted).toEqual({ failed: 1 }));
    expect(reported).toEqual([expect.objectContaining({ name: 'TimeoutError' })]);
  });

  it('keeps no process from ending', async () => {
    const { log, counted } = createTestLog({ write: () => new Promise(() => {}) });
    log.add(record());
    const closed = log.close();
    await pass(2000);
    await closed;
    expect(counted).toEqual({ failed: 1 });
  });
});
