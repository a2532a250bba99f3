import { describe, expect, it } from 'vitest';
import type { Flags } from '../../../src/cli/command-line/command.ts';
import { createScanProgress, type ScanStep, stepLine } from '../../../src/cli/scan/progress.ts';

const step: ScanStep = {
  stage: 'verifying',
  resource: 'pods',
  done: 1500,
  total: 2000,
  images: 42,
  current: 'docker.io/istio/proxyv2:1.28.1',
};

const flagsOf = (...names: readonly string[]): Flags => ({
  has: (name) => names.includes(name),
  text: () => undefined,
  list: () => [],
});

const createTerminal = (isTTY = true, columns: number | undefined = 80) => {
  const written: string[] = [];
  let at = 0;
  const io = {
    stdout: { write: () => {} },
    stderr: { write: (text: string) => void written.push(text), isTTY, columns },
    stdin: (async function* () {})(),
    env: {},
    takeShutdownSignal: () => new AbortController().signal,
  };
  return {
    written,
    progress: (...flags: readonly string[]) => createScanProgress(io, flagsOf(...flags), () => at),
    wait: (milliseconds: number) => {
      at += milliseconds;
    },
  };
};

describe('the line', () => {
  it('does not let the name of an image move the cursor or be longer than the terminal', () => {
    const line = stepLine({ ...step, current: `x\u001B[2J\r\n${'y'.repeat(500)}` }, 310, 79);
    expect(line).toHaveLength(79);
    expect(line).not.toMatch(/\p{C}/u);
  });

  it.each([10, 40, 79, 199])('fits %d columns', (columns) => {
    expect(stepLine(step, 310, columns).length).toBeLessThanOrEqual(columns);
  });

  it('says how far it is, at which rate, and what is going on', () => {
    expect(stepLine(step, 310.4, 99)).toBe(
      'pods 1500 of 2000 · 42 images · 310/s · verifying docker.io/istio/proxyv2:1.28.1',
    );
    expect(
      stepLine(
        { ...step, stage: 'listing', done: 1, total: undefined, images: 1, current: undefined },
        undefined,
        99,
      ),
    ).toBe('pods 1 · 1 image · listing');
  });
});

describe('the progress', () => {
  it('is nothing without a terminal, and with --no-progress', () => {
    const file = createTerminal(false);
    const progress = file.progress();
    progress.show(step);
    progress.clear();
    expect(file.written).toEqual([]);
    const terminal = createTerminal();
    const switchedOff = terminal.progress('no-progress');
    switchedOff.show(step);
    switchedOff.clear();
    expect(terminal.written).toEqual([]);
  });

  it('writes a line ten times a second, not for each step, and is gone in the end', () => {
    const terminal = createTerminal();
    const progress = terminal.progress();
    for (let done = 0; done <= 1000; done += 1) {
      progress.show({ ...step, done });
      terminal.wait(1);
    }
    expect(terminal.written).toHaveLength(11);
    expect(terminal.written.at(-1)).toContain('pods 1000 of 2000 · 42 images · 1000/s · verifying');
    progress.clear();
    progress.clear();
    expect(terminal.written.slice(11)).toEqual(['\r\u001B[K']);
  });

  it('shows the next stage at once, with a rate of its own', () => {
    const terminal = createTerminal();
    const progress = terminal.progress();
    progress.show({ ...step, done: 0 });
    terminal.wait(10);
    progress.show({ ...step, resource: 'deployments.apps', done: 5 });
    terminal.wait(1000);
    progress.show({ ...step, resource: 'deployments.apps', done: 8 });
    expect(terminal.written.map((line) => /\d\/s/.exec(line)?.[0])).toEqual([undefined, undefined, '0/s']);
    expect(terminal.written.at(-1)).toContain('· 3.0/s ·');
  });
});
