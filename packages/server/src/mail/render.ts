import { type Html, html } from './html.ts';
import type { MailNotice } from './notice.ts';
import { bodyOf, subjectOf, topicOf } from './texts.ts';

/** Who reads an email, and the links in it. */
export interface MailRecipient {
  /** null: none was chosen, UTC. */
  timeZone: string | null;
  /** null in an email about the account. */
  workspaceName: string | null;
  publicUrl: string;
  /** undefined in an email about security. */
  unsubscribeUrl: string | undefined;
}

interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

/** The text of an email, plain and as HTML without images or anything else from the network. */
export function renderMail(notice: MailNotice, reader: MailRecipient): RenderedMail {
  const subject = oneLine(subjectOf(notice));
  const facts = factsOf(notice, reader);
  const items = itemsOf(notice, reader);
  const more = notice.count - items.length;
  const rest = items.length > 0 && more > 0 ? `and ${more.toLocaleString('en')} more` : '';
  const footer = footerOf(notice, reader);
  const text = [
    subject,
    '',
    ...items.map(({ label, more = '', url }) => `- ${label}${more}${url === undefined ? '' : `\n  ${url}`}`),
    ...(rest === '' ? [] : [`  ${rest}`]),
    ...(items.length > 0 ? [''] : []),
    ...facts.map(([name, value]) => `${name}: ${value}`),
    '',
    bodyOf(notice),
    '',
    '-- ',
    ...footer.map(({ label, url }) => (url === undefined ? label : `${label}: ${url}`)),
    '',
  ].join('\n');
  return { subject, text, html: page(subject, { items, rest, facts, body: bodyOf(notice), footer }).text };
}

interface Line {
  label: string;
  /** Follows the label, outside its link. */
  more?: string;
  url?: string | undefined;
  /** The text of the link, if it is not the label: mail programs warn about a link that reads like another address. */
  open?: string | undefined;
}

/** The pages of the things that emails name, by their kind. */
const pages = new Map([
  ['key', '/settings/api'],
  ['webhook', '/settings/webhooks'],
]);

function itemsOf({ targets }: MailNotice, { publicUrl, timeZone }: MailRecipient): Line[] {
  return targets.flatMap((target) => {
    const { id, kind, name } = target;
    if (kind === 'account' || kind === 'workspace') return [];
    const path = pages.get(kind);
    const url = path && `${publicUrl}${path}/${encodeURIComponent(id)}`;
    const open = kind === 'webhook' ? 'Open webhook' : undefined;
    return [{ label: oneLine(name), more: moreOf(target, timeZone), url, open }];
  });
}

/** What an email says about a key or a webhook besides its name. */
function moreOf(target: MailNotice['targets'][number], timeZone: string | null): string {
  const { expiresAt, idle, secretCreatedAt, found, failure } = target;
  const parts: string[] = [];
  if (expiresAt !== undefined) parts.push(`, expires ${formatTime(expiresAt, timeZone)}`);
  if (idle !== undefined) parts.push(`, idle since ${formatTime(idle.since, timeZone)}`);
  if (idle?.disablesAt !== undefined)
    parts.push(`, will be disabled on ${formatTime(idle.disablesAt, timeZone)} at the earliest`);
  if (secretCreatedAt !== undefined)
    parts.push(`, secret created on ${formatTime(secretCreatedAt, timeZone)}`);
  if (failure !== undefined) parts.push(failureText(failure, timeZone));
  if (found !== undefined) parts.push(`, found at ${oneLine(found.place)}`);
  if (found !== undefined && found.places > 1) parts.push(` (${found.places.toLocaleString('en')} places)`);
  return parts.join('');
}

function failureText(
  { since, lastError, isGone }: NonNullable<MailNotice['targets'][number]['failure']>,
  timeZone: string | null,
): string {
  if (isGone) return ', whose receiver responded with 410 (Gone): this URL is permanently out of use.';
  return `, all deliveries failed since ${formatTime(since, timeZone)}. Last error: ${oneLine(lastError)}`;
}

function factsOf(
  { actor, at, until, action }: MailNotice,
  { timeZone, workspaceName }: MailRecipient,
): [string, string][] {
  const isReminder = action === 'key.expiring';
  const by = actor.kind === 'key' ? `the key ${actor.name}` : actor.name;
  const facts: [string, string | null][] = [
    ['Workspace', workspaceName],
    ['By', isReminder || actor.kind === 'system' ? null : by],
    [until === undefined ? 'Time' : 'First at', isReminder ? null : formatTime(at, timeZone)],
    ['Last at', until === undefined ? null : formatTime(until, timeZone)],
    ['IP address', actor.address],
    ['Client', actor.userAgent && withoutLinks(actor.userAgent)],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [[name, oneLine(value)]]));
}

function footerOf({ kind }: MailNotice, { publicUrl, unsubscribeUrl, timeZone }: MailRecipient): Line[] {
  const settings = `${publicUrl}/settings/account`;
  return [
    ...(timeZone === null
      ? [{ label: 'Times are in UTC. You can choose your time zone in your account settings.' }]
      : []),
    unsubscribeUrl === undefined
      ? { label: 'Emails about security cannot be turned off.' }
      : { label: `Turn off emails about ${topicOf(kind)}`, url: unsubscribeUrl },
    { label: 'Email notifications', url: settings },
  ];
}

function page(
  subject: string,
  parts: { items: Line[]; rest: string; facts: [string, string][]; body: string; footer: Line[] },
): Html {
  const link = ({ label, url }: Line) =>
    url === undefined ? html`${label}` : html`<a href="${url}" style="color:inherit">${label}</a>`;
  const items = parts.items.map((line) => {
    const { label, more = '', url, open } = line;
    return open === undefined
      ? html`<li>${link(line)}${more}</li>`
      : html`<li>${label}${more} ${link({ label: open, url })}</li>`;
  });
  const rest = parts.rest === '' ? [] : [html`<li>${parts.rest}</li>`];
  const list = items.length === 0 ? html`` : html`<ul style="padding-left:20px">${items}${rest}</ul>`;
  const facts = parts.facts.map(
    ([name, value]) =>
      html`<tr><td style="padding:2px 16px 2px 0;opacity:.7">${name}</td><td>${value}</td></tr>`,
  );
  const footer = parts.footer.map((line) => html`<p style="margin:4px 0">${link(line)}</p>`);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${subject}</title></head>
<body style="font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:24px auto;padding:0 16px">
<h1 style="font-size:20px">${subject}</h1>
${list}
<table style="border-collapse:collapse">${facts}</table>
<p>${parts.body}</p>
<div style="font-size:13px;margin-top:32px;opacity:.7">${footer}</div>
</body></html>
`;
}

/** In the reader's time zone, such as "30 Nov 2026, 06:12 CET". */
function formatTime(at: string, timeZone: string | null): string {
  return new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    timeZone: timeZone ?? 'UTC',
  }).format(new Date(at));
}

/** Names are validated when they are stored, but those of operating system users and of clients are not. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}

/** Anyone can choose the name of a client, and programs that show emails turn addresses into links. */
function withoutLinks(text: string): string {
  return text.replace(/\S*(?::\/\/|www\.)\S*/gi, '[link]');
}
