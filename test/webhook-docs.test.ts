/** The receiver of docs/webhooks.md verifies the requests of a server, and handles each event once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Contract, eventually } from './support/contract.ts';
import { codeBlocks } from './support/markdown.ts';
import { call } from './support/person.ts';
import { freePort, root } from './support/server.ts';
import { openSession } from './support/session.ts';
import { sharedServer } from './support/shared-server.ts';
import { WebhookCalls } from './support/webhook-calls.ts';

const server = await sharedServer({ SOKU_WEBHOOK_ALLOW: '127.0.0.1, hooks.internal' });

test('the receiver of the page accepts events of the server once, and nothing else', async (t) => {
  const ada = await openSession(server);
  const url = `http://127.0.0.1:${await freePort()}`;
  const webhooks = new WebhookCalls(await Contract.of(server), ada, { url });
  await webhooks.whenSealed();
  const { id, secret } = await webhooks.create('/', { events: ['key.created'] });

  const folder = mkdtempSync(join(tmpdir(), 'soku-receiver-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'receiver.mjs'), codeBlocks('docs/webhooks.md', 'js run=receiver.mjs').join(''));
  const receiver = spawn(process.execPath, [join(folder, 'receiver.mjs')], {
    env: { PATH: process.env.PATH, WEBHOOK_SECRET: secret, PORT: new URL(url).port },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(receiver, 'exit');
  t.after(async () => {
    receiver.kill();
    await exited;
    rmSync(folder, { recursive: true, force: true });
    await webhooks.remove(id);
  });
  let output = '';
  receiver.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await eventually(
    () => call(url, { method: 'POST', body: {} }).catch(() => undefined),
    (response) => response?.status === 401,
  );

  await ada.createKey({ name: 'for the receiver' });
  const isSent = ({ status }: { status: string }) => status === 'succeeded';
  const delivery = await webhooks.attempted(id, isSent);
  await webhooks.call('POST', `/${id}/deliveries/${delivery.id}/redeliver`);
  const again = await webhooks.attempted(
    id,
    ({ lastAttempt, status }) => status === 'succeeded' && lastAttempt?.at !== delivery.lastAttempt.at,
  );
  assert.equal(again.lastAttempt.status, 204);
  assert.equal(output, 'key.created for the receiver\n');
});
