import { connect as netConnect } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { MalformedReview, type ReviewContext, type Reviewer } from '../../src/admission/index.ts';
import { createFileCertificates } from '../../src/server/index.ts';
import { deployment, review as reviewOf } from '../support/builders.ts';
import {
  allowAll,
  allowed,
  body,
  certificateFiles,
  createTestServer,
  send,
  startServer,
  tls,
  uid,
} from './review-server.ts';

const messageOf = (text: string): unknown => (JSON.parse(text) as { message: unknown }).message;

const neverReviewed: Reviewer['review'] = () => {
  throw new Error('this must not be reviewed');
};

describe('a request that is no review', () => {
  it('is 400 where the body is not JSON, and says so', async () => {
    const { port, reported } = await startServer(neverReviewed);
    const response = await send(port, '/validate/enforce', '{"kind":');
    expect(response.status).toBe(400);
    expect(messageOf(response.body)).toMatch(/^the body is not valid JSON: /);
    expect(reported).toEqual([]);
  });

  it('is 400 where the body is empty', async () => {
    const { port } = await startServer(neverReviewed);
    const response = await send(port, '/validate/enforce', '');
    expect([response.status, messageOf(response.body)]).toEqual([
      400,
      'the body is empty; expected an AdmissionReview',
    ]);
  });

  it('is 400 with every bad path where the review says it is malformed', async () => {
    const problems = [{ path: 'kind', problem: 'must be AdmissionReview' }];
    const { port, reported, records } = await startServer(() =>
      Promise.reject(new MalformedReview(problems)),
    );
    const response = await send(port, '/validate/enforce', '{}');
    expect([response.status, JSON.parse(response.body)]).toEqual([
      400,
      {
        statusCode: 400,
        error: 'Bad Request',
        message: 'not a valid AdmissionReview: kind must be AdmissionReview',
        problems,
      },
    ]);
    expect([reported, records]).toEqual([[], []]);
  });

  it('is 413 where the body is longer than the limit, announced or not', async () => {
    const { port } = await startServer(neverReviewed, { reviewBytes: 1000 });
    const long = JSON.stringify({ filler: 'x'.repeat(2000) });
    expect((await send(port, '/validate/enforce', long)).status).toBe(413);
    const headers = { 'transfer-encoding': 'chunked' };
    expect((await send(port, '/validate/enforce', long, { headers })).status).toBe(413);
  });

  it('is 415 where the body is of another type, or of none', async () => {
    const { port } = await startServer(neverReviewed);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'application/json, text/plain',
    ])
      expect(
        (await send(port, '/validate/enforce', body, { headers: { 'content-type': type } })).status,
      ).toBe(415);
  });

  it('is 404 elsewhere', async () => {
    const { port } = await startServer(neverReviewed);
    for (const path of [
      '/',
      '/validate',
      '/validate/',
      '/validate/enforce/',
      '/validate/deny',
      '/validate/critical',
      '/metrics',
      '/readyz',
    ])
      expect((await send(port, path, body)).status).toBe(404);
  });

  it('is 405 by another method', async () => {
    const { port } = await startServer(neverReviewed);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await send(port, '/validate/enforce?timeout=1s', '', { method });
      expect([response.status, response.headers['allow']]).toEqual([405, 'POST']);
    }
  });
});

describe('a connection that is none', () => {
  const tlsTo = (port: number, options: object = {}): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca: tls.ca, ...options }, () => resolve(socket));
      socket.once('error', reject);
    });
  const ended = (socket: NodeJS.ReadableStream): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      socket.on('error', () => resolve(text));
      socket.on('close', () => resolve(text));
    });

  it('is not taken as HTTP/2', async () => {
    const { port } = await startServer(neverReviewed);
    await expect(tlsTo(port, { ALPNProtocols: ['h2'] })).rejects.toThrow(/no application protocol/i);
  });

  it('is not taken with TLS 1.1', async () => {
    const { port } = await startServer(neverReviewed);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' };
    await expect(tlsTo(port, old)).rejects.toThrow(/protocol version|alert/i);
  });

  it('is ended without a word in the log, and the next is served', async () => {
    const { port, reported, logged } = await startServer(allowAll);
    const plain = netConnect(port, '127.0.0.1');
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await ended(plain);
    const garbage = await tlsTo(port);
    garbage.write('\u0000\u0001 not HTTP\r\n\r\n');
    expect(await ended(garbage)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    const gone = await tlsTo(port);
    gone.write(
      'POST /validate/enforce HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    );
    gone.destroy();
    await ended(gone);
    expect((await send(port, '/validate/enforce', body)).status).toBe(200);
    expect([reported, logged]).toEqual([[], []]);
  });

  it('is ended with 408 where a request does not arrive whole', async () => {
    const { port } = await startServer(neverReviewed, { requestTime: 100 });
    const slow = await tlsTo(port);
    slow.write(
      'POST /validate/enforce HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    );
    expect(await ended(slow)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('does not disturb a review whose sender is gone when it is answered', async () => {
    const reviewing = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<typeof allowed>();
    const { port, reported, records } = await startServer(() => {
      reviewing.resolve();
      return answered.promise;
    });
    const socket = await tlsTo(port);
    socket.write(
      `POST /validate/enforce HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await reviewing.promise;
    socket.destroy();
    await ended(socket);
    answered.resolve(allowed);
    expect((await send(port, '/validate/enforce', body)).status).toBe(200);
    expect([reported, records.length]).toEqual([[], 2]);
  });
});

describe('a review', () => {
  it('comes with the mode and place of its path', async () => {
    const seen: [string, ReviewContext][] = [];
    let path = '';
    const { port } = await startServer(async (_body, context) => {
      seen.push([path, context]);
      return allowed;
    });
    for (path of ['enforce', 'warn', 'audit', 'critical/enforce', 'critical/warn', 'critical/audit'])
      await send(port, `/validate/${path}?timeout=10s`, body);
    expect(seen).toEqual([
      ['enforce', { mode: 'enforce', critical: false }],
      ['warn', { mode: 'warn', critical: false }],
      ['audit', { mode: 'audit', critical: false }],
      ['critical/enforce', { mode: 'enforce', critical: true }],
      ['critical/warn', { mode: 'warn', critical: true }],
      ['critical/audit', { mode: 'audit', critical: true }],
    ]);
  });

  it('is answered with 200, as JSON, and is recorded once', async () => {
    const { port, records } = await startServer(allowAll);
    const response = await send(port, '/validate/enforce', body);
    expect([response.status, response.headers['content-type'], JSON.parse(response.body)]).toEqual([
      200,
      'application/json; charset=utf-8',
      allowed.response,
    ]);
    expect(records).toEqual([{ record: allowed.record, milliseconds: expect.any(Number) }]);
  });

  it('is given the body as it came, with members of any name and nothing coerced', async () => {
    const bodies: unknown[] = [];
    const { port } = await startServer(async (parsed) => {
      bodies.push(parsed);
      return allowed;
    });
    const text = '{"request":{"uid":5,"object":{"__proto__":{"spec":1},"constructor":{"prototype":{}}}}}';
    expect((await send(port, '/validate/enforce', text)).status).toBe(200);
    expect(JSON.stringify(bodies[0])).toBe(text);
    expect((bodies[0] as { request: { object: { spec?: unknown } } }).request.object.spec).toBeUndefined();
  });

  it('has its characters whole, however they arrive', async () => {
    const { port } = await startServer(async (parsed) => ({
      ...allowed,
      response: {
        ...allowed.response,
        response: { ...allowed.response.response, uid: (parsed as { uid: string }).uid },
      },
    }));
    const text = JSON.stringify({ uid: 'ü€😀'.repeat(40_000) });
    const response = await send(port, '/validate/enforce', text);
    expect((JSON.parse(response.body) as typeof allowed.response).response.uid).toBe('ü€😀'.repeat(40_000));
  });

  it('may be as large as an object of the API server gets', async () => {
    const { port } = await startServer(allowAll);
    const large = JSON.stringify({ filler: 'x'.repeat(23 * 1024 * 1024) });
    expect((await send(port, '/validate/enforce', large)).status).toBe(200);
  });

  it('keeps its connection open for the next', async () => {
    const { port } = await startServer(allowAll);
    const response = await send(port, '/validate/enforce', body, { headers: { connection: 'keep-alive' } });
    expect([response.headers['connection'], response.headers['keep-alive']]).toEqual([
      'keep-alive',
      'timeout=120',
    ]);
  });

  it('ends by the timeout that the API server sends', async () => {
    const { port } = await startServer(
      (_body, _context, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(allowed))),
      { reviewMargin: 50 },
    );
    const began = performance.now();
    expect((await send(port, '/validate/enforce?timeout=100ms', body)).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('a review that fails', () => {
  it('is refused as could not judge, under its uid, with the incident', async () => {
    const failure = new Error('boom');
    const { port, reported, records } = await startServer(() => Promise.reject(failure));
    const response = await send(port, '/validate/enforce', body);
    expect([response.status, JSON.parse(response.body)]).toEqual([
      200,
      {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: {
          uid,
          allowed: false,
          status: { code: 403, reason: 'Forbidden', message: expect.stringContaining('incident-1') },
          auditAnnotations: {
            verdict: 'deny',
            mode: 'enforce',
            reason: 'internal-error',
            images: '',
            'key-id': '',
          },
        },
      },
    ]);
    expect(reported).toEqual([failure]);
    expect(
      records.map(({ record }) => [record.uid, record.verdict, record.incident, record.findings]),
    ).toEqual([
      [uid, 'deny', 'incident-1', [{ image: '', path: '', code: 'internal-error', effect: 'deny' }]],
    ]);
  });

  it('is refused too where it throws before it promises anything', async () => {
    const { port } = await startServer(neverReviewed);
    const response = await send(port, '/validate/critical/enforce', body);
    expect(JSON.parse(response.body)).toMatchObject({ response: { uid, allowed: false } });
  });

  it('is allowed with a warning in warn, and with annotations alone in audit', async () => {
    const { port } = await startServer(() => Promise.reject(new Error('boom')));
    const warned = await send(port, '/validate/warn', body);
    expect(JSON.parse(warned.body)).toMatchObject({
      response: {
        allowed: true,
        warnings: [expect.stringMatching(/^sailmark: .*incident-1/)],
        auditAnnotations: { verdict: 'warn', mode: 'warn' },
      },
    });
    const audited = JSON.parse((await send(port, '/validate/audit', body)).body) as object;
    expect(audited).toMatchObject({ response: { allowed: true, auditAnnotations: { verdict: 'audit' } } });
    expect(audited).not.toHaveProperty('response.warnings');
  });

  it('is a warning for a workload template in enforce', async () => {
    const { port } = await startServer(() => Promise.reject(new Error('boom')));
    const template = JSON.stringify(reviewOf(deployment(['docker.io/istio/proxyv2:1.28.0'])));
    const response = await send(port, '/validate/enforce', template);
    expect(JSON.parse(response.body)).toMatchObject({
      response: { allowed: true, auditAnnotations: { verdict: 'warn' } },
    });
  });

  it('is refused inside the timeout where it neither answers nor gives up', async () => {
    const { port, reported } = await startServer(() => new Promise(() => {}), { reviewMargin: 50 });
    const response = await send(port, '/validate/enforce?timeout=200ms', body);
    expect(JSON.parse(response.body)).toMatchObject({ response: { uid, allowed: false } });
    expect(reported).toEqual([new Error('the review missed its deadline')]);
  });
});

describe('opening', () => {
  it('waits for what must come first', async () => {
    const { server } = await createTestServer(allowAll, {}, { listen: { host: '127.0.0.1', port: 0 } });
    const order: string[] = [];
    const firstLoad = Promise.withResolvers<void>();
    const started = server.start(() => firstLoad.promise.then(() => void order.push('first')));
    const opened = started.then((addresses) => {
      order.push('open');
      return addresses;
    });
    firstLoad.resolve();
    await opened;
    expect(order).toEqual(['first', 'open']);
  });

  it('does not happen where that fails', async () => {
    const { port: listen, probePort: probes, server: taken } = await startServer(allowAll);
    await taken.drain();
    const at = (port: number) => ({ host: '127.0.0.1', port });
    const { server } = await createTestServer(allowAll, {}, { listen: at(listen), probes: at(probes) });
    await expect(server.start(() => Promise.reject(new Error('the canary is wrong')))).rejects.toThrow(
      'the canary is wrong',
    );
    for (const port of [listen, probes])
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
  });

  it('does not happen where the server is told to stop before', async () => {
    const { server } = await createTestServer(allowAll);
    await expect(server.start(() => server.drain())).rejects.toThrow('stopped before the ports were opened');
  });

  it('does not happen where the certificate cannot be used', async () => {
    const certificate = createFileCertificates({ cert: '/nowhere/tls.crt', key: '/nowhere/tls.key' });
    const { server } = await createTestServer(allowAll, {}, { certificate });
    await expect(server.start()).rejects.toThrow('cannot read /nowhere/tls.crt');
  });

  it('asks for no certificate where what must come first fails: the API server may trust another one till then', async () => {
    let isAsked = false;
    const files = createFileCertificates(await certificateFiles());
    const certificate = {
      ...files,
      first: () => {
        isAsked = true;
        return files.first();
      },
    };
    const { server } = await createTestServer(allowAll, {}, { certificate });
    await expect(server.start(() => Promise.reject(new Error('no key')))).rejects.toThrow('no key');
    expect(isAsked).toBe(false);
  });

  it('leaves nothing open where one of the ports is taken', async () => {
    const other = await startServer(allowAll);
    const taken = { host: '127.0.0.1', port: other.probePort };
    const { port: free, server: gone } = await startServer(allowAll);
    await gone.drain();
    const { server } = await createTestServer(
      allowAll,
      {},
      { listen: { host: '127.0.0.1', port: free }, probes: taken },
    );
    await expect(server.start()).rejects.toThrow(
      `cannot listen on 127.0.0.1:${other.probePort}: listen EADDRINUSE`,
    );
    await expect(send(free, '/validate/enforce', body)).rejects.toThrow('ECONNREFUSED');
  });
});
