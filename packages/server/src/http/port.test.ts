/** One server that listens on several addresses of a name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { HttpSocket } from '../../../../test/support/http-socket.ts';
import { freePort } from '../../../../test/support/server.ts';
import { listen } from './port.ts';

const request = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';

test('a second address belongs to the same server, which finishes its open requests on close', async () => {
  const port = await freePort();
  const app = fastify({ forceCloseConnections: 'idle' });
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<string>();
  app.server.prependListener('request', (_request, response) => response.setHeader('x-seen', 'yes'));
  app.get('/x', async () => {
    entered.resolve();
    return leave.promise;
  });
  const config = { host: 'localhost', port, publicUrl: 'http://localhost' };
  await listen(app, config, Promise.resolve(['127.0.0.1', '127.0.0.1', '127.0.0.2', '192.0.2.1']));

  const socket = await HttpSocket.open(`http://127.0.0.2:${port}`, '127.0.0.2');
  const answer = socket.send(request);
  await entered.promise;
  const closing = app.close();
  leave.resolve('done');
  const { status, body, headers } = await answer;
  assert.deepEqual([status, body, headers.get('x-seen')], [200, 'done', 'yes']);
  socket.close();
  await closing;
  await assert.rejects(HttpSocket.open(`http://127.0.0.2:${port}`, '127.0.0.2'), { code: 'ECONNREFUSED' });
});
