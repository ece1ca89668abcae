import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cookiePath,
  hasSessionCookie,
  isDashboardCookie,
  renameLegacyCookie,
  sessionCookieName,
} from './session-cookie.ts';

test('each origin and path has its own cookie name, and equivalent URLs share one', () => {
  const urls = [
    'http://localhost:3000',
    'http://localhost:3001',
    'http://127.0.0.1:3000',
    'http://localhost:3000/keys',
    'http://localhost:3000/Keys',
    'https://keys.example.com',
    'https://keys.example.com:8443',
    'https://keys.example.com/a',
  ];
  const names = urls.map(sessionCookieName);
  assert.equal(new Set(names).size, urls.length);
  for (const [i, name] of names.entries()) {
    const url = urls[i] ?? '';
    const prefix = url.startsWith('https:') ? (url.endsWith('/a') ? '__Secure-' : '__Host-') : '';
    assert.match(name, new RegExp(`^${prefix}soku_session_[0-9a-f]{8}$`));
    assert.equal(cookiePath(url), /\d\/|\/a$/.test(url) ? new URL(url).pathname : '/');
    assert.ok(isDashboardCookie(name) && isDashboardCookie(`${name}_extra.dont_remember`), name);
  }
  assert.equal(
    sessionCookieName('https://keys.example.com/'),
    sessionCookieName('https://KEYS.example.com:443'),
  );
  for (const name of ['session', 'my_soku_session', 'soku_session2', '']) {
    assert.equal(isDashboardCookie(name), false, name);
  }
});

test('a cookie of an earlier version is renamed unless there is a current one', () => {
  const url = 'http://localhost:3000';
  const name = sessionCookieName(url);
  const renamed = (cookie: string, publicUrl = url) => {
    const headers = { cookie };
    renameLegacyCookie(headers, publicUrl);
    return headers.cookie;
  };
  assert.equal(renamed('a=1; soku_session=x.y=; b=2'), `a=1; ${name}=x.y=; b=2`);
  assert.equal(renamed(`${name}=new; soku_session=old`), `${name}=new; soku_session=old`);
  assert.equal(renamed('my_soku_session=x'), 'my_soku_session=x');
  const secure = 'https://keys.example.com';
  assert.equal(renamed('soku_session=x', secure), 'soku_session=x', 'on https the prefix matters');
  assert.equal(renamed('__Host-soku_session=x', secure), `${sessionCookieName(secure)}=x`);
  assert.equal(hasSessionCookie({ cookie: `${sessionCookieName(secure)}=x` }, url), false);
});
