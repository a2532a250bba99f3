import { describe, expect, it } from 'vitest';
import { allowAll, body, send, startServer } from './review-server.ts';

const get = async (port: number, path: string, init: RequestInit = {}): Promise<[number, string]> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return [response.status, await response.text()];
};

describe('the probes', () => {
  it('say no by any other path or method', async () => {
    const { probePort } = await startServer(allowAll);
    expect(await get(probePort, '/validate/enforce')).toEqual([
      404,
      'not found; try /livez, /readyz or /metrics\n',
    ]);
    expect(await get(probePort, '/metrics', { method: 'POST' })).toEqual([
      405,
      'only GET and HEAD are allowed\n',
    ]);
  });

  it('say why the server is not ready', async () => {
    const reasons: string[] = ['no key is loaded', 'something else'];
    const { probePort } = await startServer(allowAll, {}, { notReady: () => reasons });
    expect(await get(probePort, '/readyz')).toEqual([503, 'not ready: no key is loaded; something else\n']);
    reasons.length = 0;
    expect(await get(probePort, '/readyz')).toEqual([200, 'ready\n']);
  });

  it('report that the server is ready only when they have said so', async () => {
    const reasons: string[] = ['no key is loaded'];
    let reports = 0;
    const parts = { notReady: () => reasons, onReady: () => void (reports += 1) };
    const { probePort } = await startServer(allowAll, {}, parts);
    for (const path of ['/readyz', '/livez', '/metrics']) await get(probePort, path);
    expect(reports).toBe(0);
    reasons.length = 0;
    await get(probePort, '/readyz');
    expect(reports).toBe(1);
  });

  it('say that it is alive', async () => {
    const { probePort } = await startServer(allowAll);
    expect(await get(probePort, '/livez?verbose')).toEqual([200, 'alive\n']);
  });

  it('give the metrics', async () => {
    const { probePort } = await startServer(allowAll);
    const response = await fetch(`http://127.0.0.1:${probePort}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('sailmark_build_info{version="0",commit="none",node="none"} 1');
  });

  it('give the metrics of the server: if it is ready, HTTP errors, the memory of reviews', async () => {
    const reasons: string[] = ['no key is loaded'];
    const { port, probePort } = await startServer(allowAll, {}, { notReady: () => reasons });
    const linesOf = async (name: string) =>
      (await get(probePort, '/metrics'))[1]
        .split('\n')
        .filter((line) => line.startsWith(name) && !line.endsWith(' 0'));
    expect((await get(probePort, '/metrics'))[1]).toContain('\nsailmark_ready 0\n');
    reasons.length = 0;
    expect(await linesOf('sailmark_ready')).toEqual(['sailmark_ready 1']);
    await send(port, '/nothing', body);
    await send(port, '/validate/enforce', '{');
    await send(port, '/validate/enforce', body, { method: 'PUT' });
    expect(await linesOf('sailmark_http_errors_total')).toEqual([
      'sailmark_http_errors_total{code="400"} 1',
      'sailmark_http_errors_total{code="404"} 1',
      'sailmark_http_errors_total{code="405"} 1',
    ]);
    expect(await linesOf('sailmark_review_memory_limit_bytes')).toHaveLength(3);
  });

  it('say 500 where the metrics cannot be read, and live on', async () => {
    const metrics = {
      render: () => Promise.reject(new Error('no')),
      setCertificateEnd: () => {},
      countHttpError: () => {},
      watchReviewMemory: () => {},
      watchReadiness: () => {},
    };
    const { probePort } = await startServer(allowAll, {}, { metrics });
    expect(await get(probePort, '/metrics')).toEqual([500, 'cannot read the metrics\n']);
    expect(await get(probePort, '/livez')).toEqual([200, 'alive\n']);
  });
});
