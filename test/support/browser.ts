import { type Browser, type BrowserContextOptions, chromium as launcher, type Page } from 'playwright-core';

/** A page that remembers everything that went wrong in it. */
export interface WatchedPage {
  page: Page;
  /** Console errors and warnings, uncaught errors, and violations of the content security policy. */
  problems: string[];
}

/**
 * The browser from npm brings the libraries that it needs (libnss3 and others), but unpacks them only where it
 * believes to be on this cloud service. Setting it before the import spares a machine the Debian packages.
 */
process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs24.x';
const { default: chromium } = await import('@sparticuz/chromium');

/** Real Chromium, from npm. Its own arguments would switch web security off; these keep it on. */
export async function launchBrowser(): Promise<Browser> {
  return launcher.launch({
    executablePath: await chromium.executablePath(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      // A name that is not localhost, so that its plain http is not trusted: as in a home network.
      '--host-resolver-rules=MAP soku.example 127.0.0.1',
    ],
  });
}

/** Not every violation reaches the console by itself. */
const tellViolations = `document.addEventListener('securitypolicyviolation', (event) => {
  console.error('content security policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample);
});`;

/** A new page in a context (cookies, storage) of its own. */
export async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  await context.addInitScript(tellViolations);
  const page = await context.newPage();
  return { page, problems: watch(page) };
}

/** Collects a page's problems from now on. */
export function watch(page: Page): string[] {
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  return problems;
}
