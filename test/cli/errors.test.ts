import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/index.ts';
import { run } from '../../src/cli/index.ts';
import { ConfigError } from '../../src/config/index.ts';
import { CertificateError } from '../../src/server/certificate.ts';
import { InvalidKeysError } from '../../src/verification/index.ts';

/** Runs a command that rejects with `thrown`, and returns its exit code and standard error. */
const runRejecting = async (thrown: unknown): Promise<{ readonly code: number; readonly stderr: string }> => {
  let stderr = '';
  const code = await run(['version'], {
    stdout: {
      write: () => {
        throw thrown;
      },
    },
    stderr: { write: (text: string) => void (stderr += text) },
    stdin: (async function* () {})(),
    env: {},
    takeShutdownSignal: () => new AbortController().signal,
  });
  return { code, stderr };
};

class OtherRoomError extends UserError {
  override readonly name = 'OtherRoomError';
}

describe('an error of a command', () => {
  it.each([
    new UserError('the volume is full: free some space'),
    new OtherRoomError('cannot listen on port 443', { cause: new Error('listen EACCES') }),
    new ConfigError([{ path: 'keys', message: 'must be a list' }]),
    new InvalidKeysError(['keys[0]: not a public key']),
    new CertificateError('cannot read tls.crt'),
  ])(
    'that a user is meant to read prints its message alone, whatever room it is from: $name',
    async (error) => {
      expect(await runRejecting(error)).toEqual({ code: 1, stderr: `Error: ${error.message}\n` });
    },
  );

  it('that nobody expects prints its stack', async () => {
    const error = new TypeError('undefined is not a function');
    const { code, stderr } = await runRejecting(error);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `Error: ${error.stack}\n` });
    expect(stderr).toMatch(/\n\s+at /);
  });

  it('that merely has the name of a user error prints its stack', async () => {
    const error = Object.assign(new Error('no such thing'), { name: 'ConfigError' });
    expect((await runRejecting(error)).stderr).toMatch(/\n\s+at /);
  });

  it('that is not an Error is printed as text', async () => {
    expect(await runRejecting('out of paper')).toEqual({ code: 1, stderr: 'Error: out of paper\n' });
  });
});
