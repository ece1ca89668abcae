import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceCookies } from './device-cookie.ts';

const devices = new DeviceCookies('https://keys.example.com', 'a secret that is only for the tests');

test('a device cookie is accepted only for its own account, secret and name', () => {
  const field = devices.issue('ada@example.com');
  assert.match(field, /^__Host-[^;]+; Path=\/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure$/);
  const [cookie = ''] = field.split(';');
  const id = devices.read(`theme=dark; ${cookie}`, 'ada@example.com');
  assert.match(id ?? '', /^[\w-]{22}$/);
  assert.equal(devices.read(cookie, 'eve@example.com'), undefined);
  assert.equal(devices.read(cookie.slice(0, -2), 'ada@example.com'), undefined);
  assert.equal(devices.read(`x${cookie}`, 'ada@example.com'), undefined);
  assert.equal(devices.read(undefined, 'ada@example.com'), undefined);
  const others = new DeviceCookies('https://keys.example.com', 'another secret that is for the tests');
  assert.equal(others.read(cookie, 'ada@example.com'), undefined);
  assert.doesNotMatch(cookie, /ada/, 'it does not name the account');
});
