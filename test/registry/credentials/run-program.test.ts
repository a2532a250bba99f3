import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ProgramResult, runProgram } from '../../../src/registry/credentials/run-program.ts';
import { temporaryDirectory, writeExecutable } from '../test-client.ts';

const LIMITS = { time: 5000, output: 1000 };

const run = (
  body: string,
  given: { readonly input?: string; readonly limits?: Partial<typeof LIMITS> } = {},
): Promise<ProgramResult> =>
  runProgram(
    {
      path: join(writeExecutable('program', body), 'program'),
      args: ['get'],
      environment: { A: 'b', C: undefined },
      input: given.input ?? '',
    },
    { ...LIMITS, ...given.limits },
  );

const failed = (problem: string): ProgramResult => ({ kind: 'failed', problem });

describe('a program', () => {
  it('that is not there, or cannot be run, fails', async () => {
    const path = join(temporaryDirectory(), 'program');
    const program = { path, args: [], environment: {}, input: '' };
    expect(await runProgram(program, LIMITS)).toEqual(failed('does not exist'));
    writeFileSync(path, 'x');
    expect(await runProgram(program, LIMITS)).toEqual(failed('is not executable'));
    chmodSync(path, 0o755);
    expect(await runProgram({ ...program, path: temporaryDirectory() }, LIMITS)).toEqual(
      failed('is not executable'),
    );
  });

  it('that does not end is ended, and so is its wait for what it started', async () => {
    expect(await run('setInterval(() => {}, 1000)', { limits: { time: 200 } })).toEqual(
      failed('did not end within 200 ms'),
    );
    const orphan = `require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 3000)'], { stdio: 'inherit' }).unref()`;
    expect(await run(orphan, { limits: { time: 400 } })).toEqual(failed('did not end within 400 ms'));
  });

  it('that writes too much is ended', async () => {
    expect(await run("setInterval(() => process.stdout.write('x'.repeat(999)), 1)")).toEqual(
      failed('wrote more than 1000 bytes'),
    );
  });

  it('that is killed says nothing', async () => {
    expect(await run("console.log('x'); process.kill(process.pid, 'SIGTERM')")).toEqual(
      failed('was terminated by SIGTERM'),
    );
  });

  it('may leave unread what it is told, however much', async () => {
    expect(await run('process.exit(3)', { input: 'x'.repeat(1_000_000) })).toEqual({
      kind: 'exit',
      code: 3,
      output: '',
    });
  });

  it('gets its arguments, its input and the environment that is named, and nothing else', async () => {
    const body =
      "process.stdout.write(JSON.stringify([process.argv.slice(2), process.env, require('node:fs').readFileSync(0, 'utf8')]))";
    expect(await run(body, { input: 'told' })).toEqual({
      kind: 'exit',
      code: 0,
      output: JSON.stringify([['get'], { A: 'b' }, 'told']),
    });
  });
});
