import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 32em; margin: 15vh auto; padding: 0 16px; }
h1 { font-size: 22px; }
button { font: inherit; font-weight: 600; min-height: 44px; padding: 8px 16px; border: 0; border-radius: 6px;
  background: CanvasText; color: Canvas; cursor: pointer; }
a { color: inherit; }
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/**
 * The headers of these pages. They need no script. With the policy of the other pages, `no-referrer`, a browser would
 * send the form without its origin, and the server would reject it.
 */
export const unsubscribeHeaders = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** @param topic what the emails are about */
export function confirmationPage(topic: string): string {
  return page(
    'Turn off these emails?',
    html`<p>You will get no more emails about ${topic}.</p><form method="post"><button>Turn off</button></form>`,
  );
}

export function donePage(topic: string, basePath: string): string {
  return page(
    'Emails turned off',
    html`<p>You get no more emails about ${topic}. You can turn them on again in your <a href="${basePath}/settings/account">account settings</a>.</p>`,
  );
}

export function invalidPage(basePath: string): string {
  return page(
    'This link is not valid',
    html`<p>It may be incomplete. You can turn off emails in your <a href="${basePath}/settings/account">account settings</a>.</p>`,
  );
}

function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} – Soku API Keys</title><style>${new Html(style)}</style></head>
<body><main><h1>${title}</h1>${content}</main></body></html>
`.text;
}
